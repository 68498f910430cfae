import os from 'node:os';
import path from 'node:path';

/** A path as typed, with `~` at its beginning for the home folder. */
export const withHome = (text: string): string =>
	/^~([\\/]|$)/.test(text) ? path.join(os.homedir(), text.slice(1)) : text;
