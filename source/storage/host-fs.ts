/**
 * `node:fs/promises` for paths whose names may be no UTF-8. On POSIX a name is bytes, and Node's text of it replaces what is
 * no UTF-8 by U+FFFD, under which nothing can be opened. Here each such byte 80..FF is the lone surrogate U+DC80..U+DCFF, as
 * in Python's "surrogateescape": valid names never hold one, so text stands for exactly one name. It can be joined, kept in
 * JSON and posted to a thread; only the call itself turns it into bytes.
 */

import { Buffer, isUtf8 } from 'node:buffer';
import { existsSync } from 'node:fs';
import promises from 'node:fs/promises';

const ESCAPED = /(?<![\ud800-\udbff])[\udc80-\udcff]/;
const ESCAPE_BASE = 0xdc00;

/** What the calls of `node:fs` take for `path`. */
export function nodePath(path: string): string | Buffer {
	return ESCAPED.test(path) ? Buffer.concat([...pieces(path)]) : path;
}

function* pieces(path: string): Generator<Uint8Array> {
	for (const piece of path.split(/((?<![\ud800-\udbff])[\udc80-\udcff])/))
		yield ESCAPED.test(piece)
			? Uint8Array.of(piece.charCodeAt(0) - ESCAPE_BASE)
			: Buffer.from(piece);
}

/** Whether something stands at a path; for one that was looked at a moment ago. */
export const isThere = (path: string): boolean => existsSync(nodePath(path));

/** The text that stands for the bytes of a path or name. */
export function pathText(bytes: Uint8Array): string {
	if (isUtf8(bytes)) return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString();
	let text = '';
	for (let at = 0; at < bytes.length; ) {
		const length = sequenceLength(bytes, at);
		if (length === 0) text += String.fromCharCode(ESCAPE_BASE + bytes[at]!);
		else text += Buffer.from(bytes.subarray(at, at + length)).toString();
		at += Math.max(1, length);
	}
	return text;
}

/** Bytes of the character at `at`; 0 where none begins. */
function sequenceLength(bytes: Uint8Array, at: number): number {
	const lead = bytes[at]!;
	const length = lead < 0x80 ? 1 : lead < 0xc0 ? 0 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
	const end = at + length;
	return end <= bytes.length && isUtf8(bytes.subarray(at, end)) ? length : 0;
}

/** The same call with its first `count` arguments as paths. */
const translated = <F extends (...args: never[]) => unknown>(call: F, count: number): F => {
	const translate = (arg: unknown, i: number): unknown =>
		i < count && typeof arg === 'string' ? nodePath(arg) : arg;
	return ((...args: unknown[]) => call(...(args.map(translate) as Parameters<F>))) as unknown as F;
};

/** What a folder holds, by name. */
export interface FolderEntry {
	readonly name: string;
	readonly isFolder: boolean;
	readonly isLink: boolean;
}

const isWindows = process.platform === 'win32';

export const hostFs = {
	constants: promises.constants,
	access: translated(promises.access, 1),
	copyFile: translated(promises.copyFile, 2),
	link: translated(promises.link, 2),
	lstat: translated(promises.lstat, 1),
	open: translated(promises.open, 1),
	readFile: translated(promises.readFile, 1),
	rename: translated(promises.rename, 2),
	rm: translated(promises.rm, 1),
	stat: translated(promises.stat, 1),
	statfs: translated(promises.statfs, 1),
	unlink: translated(promises.unlink, 1),
	writeFile: translated(promises.writeFile, 1),

	/** Names in a folder. */
	async readdir(folder: string): Promise<string[]> {
		if (isWindows) return promises.readdir(folder);
		const names = await promises.readdir(nodePath(folder), { encoding: 'buffer' });
		return names.map(pathText);
	},

	/** Names in a folder with their kinds. */
	async entries(folder: string): Promise<FolderEntry[]> {
		if (isWindows)
			return (await promises.readdir(folder, { withFileTypes: true })).map((entry) => ({
				name: entry.name,
				isFolder: entry.isDirectory(),
				isLink: entry.isSymbolicLink(),
			}));
		const entries = await promises.readdir(nodePath(folder), {
			encoding: 'buffer',
			withFileTypes: true,
		});
		return entries.map((entry) => ({
			name: pathText(entry.name as unknown as Uint8Array),
			isFolder: entry.isDirectory(),
			isLink: entry.isSymbolicLink(),
		}));
	},

	/** What a symbolic link says. */
	async readlink(path: string): Promise<string> {
		if (isWindows) return promises.readlink(path);
		return pathText(await promises.readlink(nodePath(path), { encoding: 'buffer' }));
	},

	/** A path without links in it. */
	async realpath(path: string): Promise<string> {
		if (isWindows) return promises.realpath(path);
		return pathText(await promises.realpath(nodePath(path), { encoding: 'buffer' }));
	},
};
