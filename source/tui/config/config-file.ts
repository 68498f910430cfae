/** Where the configuration lies on this platform. An absent or unreadable file is normal in a recovery environment. */

import { promises as fs } from 'node:fs';
import path from 'node:path';
import { homeFolder } from '../../base/home-folder.ts';
import type { Command } from '../keys/command.ts';
import { DEFAULT_CONFIG, type ReadConfig, readConfig } from './deck-config.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** Larger files are no configuration. */
const SIZE_MAX = 1 << 20;

/** Below XDG_CONFIG_HOME, or where the system wants it. */
export function configFilePath(
	environment: Environment = process.env,
	platform: NodeJS.Platform = process.platform,
): string {
	const xdg = environment['XDG_CONFIG_HOME'];
	const home = homeFolder(environment);
	const folder = ((): string => {
		// The XDG specification says that a relative path is to be ignored.
		if (xdg !== undefined && path.isAbsolute(xdg)) return path.join(xdg, 'wimdeck');
		if (platform === 'win32')
			return path.join(environment['APPDATA'] ?? path.join(home, 'AppData', 'Roaming'), 'wimdeck');
		if (platform === 'darwin') return path.join(home, 'Library', 'Application Support', 'wimdeck');
		return path.join(home, '.config', 'wimdeck');
	})();
	return path.join(folder, 'config.json');
}

/** @param named a file that was asked for: not reading that one is said */
export async function loadConfig(
	named: string | null,
	commands: readonly Command[],
): Promise<ReadConfig> {
	const file = named ?? configFilePath();
	try {
		const { size } = await fs.stat(file);
		if (size > SIZE_MAX) throw new Error('it is too large');
		return readConfig(await fs.readFile(file, 'utf8'), path.basename(file), commands);
	} catch (error) {
		const why = error instanceof Error ? error.message : String(error);
		const problems = named === null ? [] : [`Cannot read the configuration "${file}": ${why}`];
		return { config: DEFAULT_CONFIG, problems };
	}
}
