/**
 * Scans a file tree of this machine for capture: names, kinds, times, hard links, link texts.
 *
 * The calls are synchronous, in slices of a few milliseconds: one `lstat` costs 3 to 5 µs that way
 * and twenty times as much through the thread pool, and the main thread stays free for keys.
 */

import type { BigIntStats } from 'node:fs';
import { lstatSync, readdirSync, readlinkSync, realpathSync, statSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { hostError, InputError } from '../base/errors.ts';
import { breathe, type Run } from '../base/run.ts';
import { filetimeFromNs } from '../bytes/filetime.ts';
import { decodeWtf8 } from '../bytes/utf16.ts';
import { forFs, type HostPath, hostPathText, joinHostPath, requireTextPath } from './host-path.ts';

export type HostKind =
	| 'file'
	| 'directory'
	| 'symlink'
	| 'fifo'
	| 'socket'
	| 'character-device'
	| 'block-device';

/** One name found in the tree. Positions count from 0 = the root; the children of a folder stand together. */
export interface ScanEntry {
	/** Position of the folder that holds it; -1 for the root. */
	readonly parent: number;
	/** '' for the root. An unpaired surrogate stands for the bytes ED A0..BF xx. */
	readonly name: string;
	readonly kind: HostKind;
	/** Bytes of contents; 0 for everything but files. */
	readonly size: number;
	/** The file occupies less than its size on the disk. */
	readonly isSparse: boolean;
	/**
	 * Equal for the names of one file, a number of `ScanOptions.linkGroups`; 0 when the file has one
	 * name. Other names may lie outside the tree: a group may have one member.
	 */
	readonly linkGroup: number;
	/** `st_mode` with its type bits. */
	readonly mode: number;
	readonly uid: number;
	readonly gid: number;
	/** Linux device number in its 32-bit encoding; 0 for everything but devices. */
	readonly rdev: number;
	/** FILETIME. */
	readonly accessTime: bigint;
	/** FILETIME. */
	readonly writeTime: bigint;
	/** Text of a symbolic link as the file system holds it; null for everything else. */
	readonly linkTarget: string | null;
	/** Whether a symbolic link leads to a directory now. */
	readonly linksToDirectory: boolean;
	/** Position of the first child; 0 when there is none. */
	readonly firstChild: number;
	readonly childCount: number;
}

export interface ScanOptions {
	/** Store what symbolic links lead to instead of the links. */
	readonly dereference: boolean;
	/** Store what `root` leads to even when it is a symbolic link. */
	readonly followRoot: boolean;
	/** Numbers of files with several names, by device and inode; shared by scans whose links are to be kept. */
	readonly linkGroups: Map<string, number>;
	/** Keep FIFOs, sockets and devices (Unix data); otherwise each is left out with a warning. */
	readonly keepSpecials: boolean;
	/** Asked for every name but the root, with its path inside the tree (`/Windows/x`); below an excluded folder nothing is read. */
	readonly isExcluded: (path: string, isDirectory: boolean) => boolean;
}

/** A scan under way and its result. */
export interface TreeScan {
	/** The real path of the root: no symbolic link is left in it, unless it is one itself. */
	readonly rootPath: string;
	/** Grows while `slices()` runs; parents stand before their children. `firstChild` and `childCount` are known once the folder was read. */
	readonly entries: readonly ScanEntry[];
	/** Scans, handing over each new range of entries; a folder's children arrive in one range. */
	slices(): AsyncGenerator<{ readonly from: number; readonly to: number }, void, void>;
	/** Scans to the end. */
	finish(): Promise<void>;
	/** `/` for the root, else `/a/b`. */
	pathOf(position: number): string;
	/** Where the entry lies on this machine. */
	hostPathOf(position: number): HostPath;
	/** Whether an absolute path of this machine names the scanned root, through whatever links. */
	isRoot(path: string): boolean;
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** Longest stretch of synchronous calls. */
const SLICE_MS = 8;
/** A folder whose own size is above this has so many names that listing it must not block. */
const LARGE_FOLDER_SIZE = 1 << 20;

/**
 * Opens a scan of the tree (or the single file) at `root`.
 *
 * @throws {InputError} when there is nothing at `root`
 */
export function scanTree(root: string, options: ScanOptions, run: Run): TreeScan {
	requireTextPath(`Cannot scan "${root}"`, root);
	try {
		return new PosixScan(rootOf(root, options), options, run);
	} catch (error) {
		throw hostError(`Cannot scan "${root}"`, error, { path: root });
	}
}

class PosixScan implements TreeScan {
	readonly rootPath: string;
	readonly entries: Mutable<ScanEntry>[] = [];
	readonly #options: ScanOptions;
	readonly #run: Run;
	readonly #rootStat: BigIntStats;
	/** Folders still to be read, the next one last. */
	readonly #pending: Folder[] = [];

	constructor(rootPath: string, options: ScanOptions, run: Run) {
		this.rootPath = rootPath;
		this.#options = options;
		this.#run = run;
		this.#rootStat = lstatSync(rootPath, { bigint: true });
		const kind = kindOf(this.#rootStat);
		if (isSpecial(kind) && !options.keepSpecials)
			throw new InputError(`Cannot scan "${rootPath}": it is a ${kindText(kind)}`, {
				path: rootPath,
				hint: 'Use --unix-data to store special files.',
			});
		const linkTarget = kind === 'symlink' ? readLinkText(rootPath) : null;
		this.#add(-1, '', rootPath, this.#rootStat, kind, linkTarget);
	}

	async *slices(): AsyncGenerator<{ from: number; to: number }, void, void> {
		const { clock } = this.#run;
		let handedOver = 0;
		let sliceStart = clock.elapsed();
		while (this.#pending.length > 0) {
			const folder = this.#pending.pop()!;
			const names = folder.large ? await this.#listLarge(folder.path) : this.#list(folder.path);
			const first = this.entries.length;
			const opened: Folder[] = [];
			for (const [at, name] of names.entries()) {
				if (at % 64 === 63 && clock.elapsed() - sliceStart > SLICE_MS) {
					await breathe(this.#run);
					sliceStart = clock.elapsed();
				}
				this.#visit(folder, name, opened);
			}
			const entry = this.entries[folder.position]!;
			entry.childCount = this.entries.length - first;
			entry.firstChild = entry.childCount > 0 ? first : 0;
			for (const next of opened.reverse()) this.#pending.push(next);
			if (clock.elapsed() - sliceStart > SLICE_MS) {
				yield { from: handedOver, to: this.entries.length };
				handedOver = this.entries.length;
				this.#run.report({ type: 'item', path: hostPathText(folder.path) });
				await breathe(this.#run);
				sliceStart = clock.elapsed();
			}
		}
		if (handedOver < this.entries.length) yield { from: handedOver, to: this.entries.length };
	}

	async finish(): Promise<void> {
		for await (const _ of this.slices());
	}

	pathOf(position: number): string {
		const names: string[] = [];
		for (let at = position; at > 0; at = this.entries[at]!.parent)
			names.push(this.entries[at]!.name);
		return `/${names.reverse().join('/')}`;
	}

	hostPathOf(position: number): HostPath {
		return position === 0
			? this.rootPath
			: joinHostPath(this.rootPath, this.pathOf(position).slice(1));
	}

	isRoot(path: string): boolean {
		try {
			const stat = statSync(path, { bigint: true });
			return stat.dev === this.#rootStat.dev && stat.ino === this.#rootStat.ino;
		} catch {
			return false;
		}
	}

	/** The names in a folder in the order of their units; an unreadable folder is reported and counts as empty. */
	#list(path: HostPath): string[] {
		try {
			const names = readdirSync(forFs(path), 'utf8');
			return names.some((name) => name.includes('\ufffd'))
				? this.#decode(path, readdirSync(forFs(path), 'buffer'))
				: names.sort();
		} catch (error) {
			return this.#unreadable(path, error);
		}
	}

	async #listLarge(path: HostPath): Promise<string[]> {
		try {
			const names = await readdir(forFs(path), 'utf8');
			return names.some((name) => name.includes('\ufffd'))
				? this.#decode(path, await readdir(forFs(path), 'buffer'))
				: names.sort();
		} catch (error) {
			return this.#unreadable(path, error);
		}
	}

	#unreadable(path: HostPath, error: unknown): string[] {
		const text = hostPathText(path);
		this.#problem(hostError(`Cannot read folder "${text}"`, error, { path: text }));
		return [];
	}

	#decode(folder: HostPath, raw: readonly Uint8Array[]): string[] {
		const names: string[] = [];
		for (const bytes of raw) {
			const name = decodeWtf8(bytes);
			if (name !== null) names.push(name);
			else {
				const shown = `${hostPathText(folder)}/${escapeBytes(bytes)}`;
				this.#problem(
					new InputError(`Cannot store "${shown}": its name is not UTF-8`, {
						path: shown,
						hint: 'Rename the file.',
					}),
				);
			}
		}
		return names.sort();
	}

	#visit(folder: Folder, name: string, opened: Folder[]): void {
		const path = joinHostPath(folder.path, name);
		try {
			let stat = lstatSync(forFs(path), { bigint: true });
			let linkTarget: string | null = null;
			if (stat.isSymbolicLink()) {
				if (this.#options.dereference) stat = statSync(forFs(path), { bigint: true });
				else linkTarget = readLinkText(path);
			}
			const kind = kindOf(stat);
			const inside = `${folder.inside}/${name}`;
			if (this.#isLeftOut(inside, path, kind)) return;
			const position = this.#add(folder.position, name, path, stat, kind, linkTarget);
			if (kind !== 'directory') return;
			const chain = this.#options.dereference ? extend(folder.chain, stat) : null;
			if (chain?.closesLoop) {
				const text = hostPathText(path);
				this.#problem(
					new InputError(`Cannot follow "${text}": the link leads to a folder that holds it`, {
						path: text,
						hint: 'Capture without --dereference, or exclude the link.',
					}),
				);
				return;
			}
			const large = stat.size > LARGE_FOLDER_SIZE;
			opened.push({ position, path, inside, large, chain });
		} catch (error) {
			const text = hostPathText(path);
			this.#problem(hostError(`Cannot look at "${text}"`, error, { path: text }));
		}
	}

	#isLeftOut(inside: string, path: HostPath, kind: HostKind): boolean {
		if (this.#options.isExcluded(inside, kind === 'directory')) return true;
		if (!isSpecial(kind) || this.#options.keepSpecials) return false;
		this.#run.report({
			type: 'warning',
			message: `Left out: a ${kindText(kind)} is stored with --unix-data only`,
			path: hostPathText(path),
		});
		return true;
	}

	#add(
		parent: number,
		name: string,
		path: HostPath,
		stat: BigIntStats,
		kind: HostKind,
		linkTarget: string | null,
	): number {
		const isDevice = kind === 'character-device' || kind === 'block-device';
		this.entries.push({
			parent,
			name,
			kind,
			size: kind === 'file' ? Number(stat.size) : 0,
			isSparse: kind === 'file' && stat.blocks * 512n < stat.size,
			linkGroup: this.#mayRepeat(stat, kind) ? this.#groupOf(stat) : 0,
			mode: Number(stat.mode),
			uid: Number(stat.uid),
			gid: Number(stat.gid),
			rdev: isDevice ? Number(stat.rdev) : 0,
			accessTime: filetimeFromNs(stat.atimeNs),
			writeTime: filetimeFromNs(stat.mtimeNs),
			linkTarget,
			linksToDirectory: linkTarget !== null && isDirectory(path),
			firstChild: 0,
			childCount: 0,
		});
		const position = this.entries.length - 1;
		if (parent < 0 && kind === 'directory') {
			const chain = this.#options.dereference ? extend(null, stat) : null;
			const large = stat.size > LARGE_FOLDER_SIZE;
			this.#pending.push({ position, path, inside: '', large, chain });
		}
		return position;
	}

	/** Whether another name may be this file too: links that are followed are names like any other. */
	#mayRepeat(stat: BigIntStats, kind: HostKind): boolean {
		return kind !== 'directory' && (stat.nlink > 1n || this.#options.dereference);
	}

	#groupOf(stat: BigIntStats): number {
		const key = `${stat.dev}:${stat.ino}`;
		const { linkGroups } = this.#options;
		const group = linkGroups.get(key) ?? linkGroups.size + 1;
		linkGroups.set(key, group);
		return group;
	}

	#problem(error: InputError | ReturnType<typeof hostError>): void {
		this.#run.report({ type: 'problem', error });
	}
}

/** A folder still to be read. */
interface Folder {
	readonly position: number;
	readonly path: HostPath;
	/** Its path inside the tree; '' for the root. */
	readonly inside: string;
	readonly large: boolean;
	readonly chain: Chain | null;
}

/** The folders on the way to an entry, so that a followed link that leads back to one of them is seen. */
interface Chain {
	readonly device: bigint;
	readonly inode: bigint;
	readonly above: Chain | null;
	readonly closesLoop: boolean;
}

function extend(above: Chain | null, stat: BigIntStats): Chain {
	let closesLoop = false;
	for (let at = above; at !== null && !closesLoop; at = at.above)
		closesLoop = at.device === stat.dev && at.inode === stat.ino;
	return { device: stat.dev, inode: stat.ino, above, closesLoop };
}

/** The path of the root without symbolic links, but for the root itself where it is to stay one. */
function rootOf(root: string, options: ScanOptions): string {
	if (options.followRoot || options.dereference) return realpathSync(root);
	const full = path.resolve(root);
	return path.join(realpathSync(path.dirname(full)), path.basename(full));
}

const isSpecial = (kind: HostKind) => kind !== 'file' && kind !== 'directory' && kind !== 'symlink';

const kindText = (kind: HostKind) => kind.replace('-', ' ');

function kindOf(stat: BigIntStats): HostKind {
	if (stat.isFile()) return 'file';
	if (stat.isDirectory()) return 'directory';
	if (stat.isSymbolicLink()) return 'symlink';
	if (stat.isFIFO()) return 'fifo';
	if (stat.isSocket()) return 'socket';
	return stat.isBlockDevice() ? 'block-device' : 'character-device';
}

/** Links that lead nowhere, in a circle or to what nobody may see are links to no directory. */
function isDirectory(path: HostPath): boolean {
	try {
		return statSync(forFs(path), { throwIfNoEntry: false })?.isDirectory() ?? false;
	} catch {
		return false;
	}
}

function readLinkText(path: HostPath): string {
	const text = readlinkSync(forFs(path), 'utf8');
	if (!text.includes('\ufffd')) return text;
	const exact = decodeWtf8(readlinkSync(forFs(path), 'buffer'));
	if (exact === null)
		throw new InputError('Cannot store the link: its target is not UTF-8', {
			path: hostPathText(path),
		});
	return exact;
}

/** Bytes that are no UTF-8 as text for a message: what is not printable ASCII as `\xFF`. */
function escapeBytes(bytes: Uint8Array): string {
	return Array.from(bytes, (byte) =>
		byte >= 0x20 && byte < 0x7f
			? String.fromCharCode(byte)
			: `\\x${byte.toString(16).toUpperCase().padStart(2, '0')}`,
	).join('');
}
