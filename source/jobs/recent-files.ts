/** Files that were opened last, newest first. Kept in the state folder, and only when the user asked for it. */

import { StateFolder, stateFolderPath } from '../host/state-folder.ts';

const NAME = 'recent.json';
/** Files that are kept. */
const KEPT_MAX = 30;
/** Of the file in bytes; paths are at most some KB. */
const SIZE_MAX = 256 * 1024;

export interface RecentFiles {
	list(): Promise<readonly string[]>;
	/** Puts a file in front. Where nothing can be written, nothing happens. */
	add(path: string): Promise<void>;
}

/** @param folder the state folder; opened with the first use, so that nothing is made before that */
export function recentFiles(folder: string = stateFolderPath()): RecentFiles {
	const read = async (): Promise<readonly string[]> => {
		const state = await StateFolder.open(folder);
		const text = (await state?.read(NAME, SIZE_MAX)) ?? '[]';
		try {
			const value: unknown = JSON.parse(text);
			if (!Array.isArray(value)) return [];
			return value.filter((one): one is string => typeof one === 'string').slice(0, KEPT_MAX);
		} catch {
			return []; // cut short by a full disk: begin anew
		}
	};
	return {
		list: read,
		async add(path) {
			const others = (await read()).filter((one) => one !== path);
			const state = await StateFolder.open(folder);
			await state?.replace(NAME, `${JSON.stringify([path, ...others].slice(0, KEPT_MAX))}\n`);
		},
	};
}
