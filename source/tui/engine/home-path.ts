import path from 'node:path';
import { homeFolder } from '../../base/home-folder.ts';

/** A path as typed, with `~` at its beginning for the home folder. */
export const withHome = (text: string): string =>
	/^~([\\/]|$)/.test(text) ? path.join(homeFolder(), text.slice(1)) : text;
