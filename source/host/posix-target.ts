/**
 * A folder of this machine that an image is written into. Nothing is ever created outside of it or through
 * a link (wim.md §11.4): every folder on the way to a new name was made in this run, or looked at and found to be
 * a real folder; what stands in the way of a new name is removed by name, never opened.
 */

import {
	chmodSync,
	closeSync,
	constants,
	copyFileSync,
	existsSync,
	lchownSync,
	linkSync,
	lstatSync,
	lutimesSync,
	mkdirSync,
	openSync,
	readdirSync,
	realpathSync,
	renameSync,
	rmdirSync,
	rmSync,
	statfsSync,
	statSync,
	symlinkSync,
	unlinkSync,
	utimesSync,
	writeFileSync,
} from 'node:fs';
import { copyFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import path from 'node:path';
import { HostError, hostError, InputError } from '../base/errors.ts';
import { utimesArgument } from '../bytes/filetime.ts';
import { forFs, type HostPath, hostPath, hostPathText, requireTextPath } from './host-path.ts';
import { guessFolding, probeFolding } from './name-folding.ts';
import type { NameFolding } from './names.ts';
import { isNtfsMount, showsStreamsAsFiles } from './ntfs.ts';
import { isSocket, makeNode } from './special-nodes.ts';

/** Times of a file as FILETIME; 0 is "unknown" and leaves what the system sets. */
export interface FileTimes {
	readonly accessTime: bigint;
	readonly writeTime: bigint;
}

/** FILETIMEs above this are no times (wim.md §4.11). */
const FILETIME_MAX = (1n << 63n) - 1n;

/** Codes that mean "this file system has no hard links, or not so many". */
const NO_LINK_CODES: ReadonlySet<string> = new Set([
	'EPERM',
	'EMLINK',
	'ENOTSUP',
	'EOPNOTSUPP',
	'ENOSYS',
	'EXDEV',
]);

/** Whether an error means that nothing more can be written at all. */
export function endsWriting(error: unknown): boolean {
	const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
	const code = (cause as NodeJS.ErrnoException | null)?.code ?? '';
	return ['ENOSPC', 'EDQUOT', 'EROFS', 'EIO', 'ESTALE', 'ENODEV'].includes(code);
}

export class PosixTarget {
	/** The real path: no symbolic link is left in it. */
	readonly root: string;
	/** How names are compared here. */
	readonly folding: NameFolding;
	/** The folder was made for this run, or was empty: nothing can stand in the way. */
	readonly isEmpty: boolean;
	/** For a dry run: whatever is to be made is looked at as far as that can be, and not made. */
	readonly isImagined: boolean;
	/** Relative paths of folders that are known to be real. */
	readonly #folders = new Set<string>(['']);
	readonly #base: string;
	/** Folders that were made for this run so that the root is there, the inmost first. */
	readonly #made: readonly string[];
	/** Every folder that was asked for could be made. */
	#isWhole = true;
	#sockets = 0;
	/** Folders that would be new, so that nothing stands in them. */
	readonly #imagined = new Set<string>();

	/** @param made null: nothing is made, now or later */
	private constructor(
		root: string,
		folding: NameFolding,
		isEmpty: boolean,
		made: readonly string[] | null,
	) {
		this.root = root;
		this.#made = made ?? [];
		this.#base = root.endsWith('/') ? root : `${root}/`;
		this.folding = folding;
		this.isEmpty = isEmpty;
		this.isImagined = made === null;
	}

	/**
	 * Makes the folder if it is not there. A folder given as a link is followed: the user named it.
	 *
	 * @param dryRun nothing is made, not even for a moment; how names are compared stays unknown
	 * @throws {InputError} when something else stands there
	 * @throws {HostError} when the machine refuses
	 */
	static open(folder: string, dryRun: boolean): PosixTarget {
		const attempt = `Cannot write into "${folder}"`;
		requireTextPath(attempt, folder);
		try {
			if (dryRun) return PosixTarget.#imagine(path.resolve(folder));
			const made = missingFolders(folder);
			makeFolders(folder);
			const root = realpathSync(folder);
			const isEmpty = readdirSync(root).length === 0;
			return new PosixTarget(root, probeFolding(root), isEmpty, made);
		} catch (error) {
			const code = (error as NodeJS.ErrnoException).code;
			if (code === 'EEXIST' || code === 'ENOTDIR')
				throw new InputError(`${attempt}: something that is no folder stands there`, {
					path: folder,
					hint: 'Name a folder, or a path where nothing is yet.',
				});
			throw hostError(attempt, error, { path: folder });
		}
	}

	/** The target as it would be. */
	static #imagine(folder: string): PosixTarget {
		const stat = statSync(folder, { throwIfNoEntry: false });
		if (stat === undefined) PosixTarget.#imagine(path.dirname(folder));
		else if (!stat.isDirectory())
			throw Object.assign(new Error('not a folder'), { code: 'ENOTDIR' });
		const isEmpty = stat === undefined || readdirSync(folder).length === 0;
		const folding = guessFolding(existing(path.resolve(folder)));
		return new PosixTarget(folder, folding, isEmpty, null);
	}

	/** Takes back the folders that were made for this run, as far as nothing is in them. */
	withdraw(): void {
		try {
			for (const folder of this.#made) rmdirSync(folder);
		} catch {
			// Somebody has put something there meanwhile, or is in it: it stays.
		}
	}

	/** Bytes that this user can still write here. */
	freeSize(): number {
		const { bavail, bsize } = statfsSync(existing(this.root));
		return bavail * bsize;
	}

	/** Attributes, descriptors, streams and short names of Windows can be set here. */
	keepsNtfs(): boolean {
		return isNtfsMount(existing(this.root));
	}

	/** Named streams of Windows can be made here as files. */
	showsStreams(): boolean {
		return showsStreamsAsFiles(existing(this.root));
	}

	/** The absolute path of a relative one (`a/b`; '' is the root). */
	path(relative: string): HostPath {
		return relative === '' ? this.root : hostPath(this.#base + relative);
	}

	/** Whether the folder that would hold `relative` is there and real. */
	canHold(relative: string): boolean {
		return this.#folders.has(parentOf(relative));
	}

	/**
	 * Makes a folder, or accepts a real one that is there; a link or a file of that name is removed first.
	 *
	 * @throws {HostError | InputError}
	 */
	makeFolder(relative: string): void {
		if (relative === '') return;
		const wasWhole = this.#isWhole;
		this.#isWhole = false;
		this.#create(relative, 'folder', (target) => {
			try {
				mkdirSync(target);
			} catch (error) {
				if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
				if (lstatSync(target).isDirectory()) return;
				unlinkSync(target);
				mkdirSync(target);
			}
		});
		this.#folders.add(relative);
		this.#isWhole = wasWhole;
	}

	/** Makes an empty file, or one with a little text. */
	makeFile(relative: string, contents: Uint8Array | null = null): void {
		this.#create(relative, 'file', (target) => {
			const fd = this.#replacing(target, () => openNew(target));
			try {
				if (contents) writeFileSync(fd, contents);
			} finally {
				closeSync(fd);
			}
		});
	}

	/**
	 * Gives a file of this run one more name.
	 *
	 * @returns false when the file system has no hard links and a copy was made
	 */
	makeHardLink(relative: string, existing: string): boolean {
		let linked = true;
		this.#create(relative, 'hard link', (target) => {
			const source = forFs(this.path(existing));
			try {
				this.#replacing(target, () => linkSync(source, target));
			} catch (error) {
				if (!NO_LINK_CODES.has((error as NodeJS.ErrnoException).code ?? '')) throw error;
				const { COPYFILE_EXCL, COPYFILE_FICLONE } = constants;
				this.#replacing(target, () =>
					copyFileSync(source, target, COPYFILE_EXCL | COPYFILE_FICLONE),
				);
				linked = false;
			}
		});
		return linked;
	}

	makeSymbolicLink(relative: string, text: string): void {
		this.#create(relative, 'symbolic link', (target) =>
			this.#replacing(target, () => symlinkSync(forFs(hostPath(text)), target)),
		);
	}

	/**
	 * Makes a FIFO, a socket or a device.
	 *
	 * @param mode with its kind bits
	 * @param rdev Linux device number in its 32-bit encoding
	 */
	async makeSpecial(relative: string, mode: number, rdev: number): Promise<void> {
		this.#checkParent(relative, 'special file');
		const target = this.path(relative);
		try {
			if (this.isImagined) {
				this.#pretend(relative, false);
				return;
			}
			if (!this.isEmpty) removeExisting(forFs(target));
			if (isSocket(mode)) await this.#makeSocket(relative);
			else await makeNode(target, mode, rdev);
		} catch (error) {
			throw this.#refused('special file', relative, error);
		}
	}

	/**
	 * Removes what has the name of a file to come, never following it; somebody else (a lane) makes the file.
	 *
	 * @throws {HostError} when a folder has the name, or its folder is not known to be real
	 */
	makeRoom(relative: string): void {
		if (!this.isEmpty) this.#create(relative, 'file', removeExisting);
		else if (!this.#isWhole) this.#checkParent(relative, 'file');
	}

	/** Bytes on the disk of the file that stands under a name; 0 when there is none. */
	occupiedSize(relative: string): number {
		const stat = lstatSync(forFs(this.path(relative)), { throwIfNoEntry: false });
		return stat?.isFile() ? stat.blocks * 512 : 0;
	}

	/** Removes what this run wrote under a name; that nothing is there is no fault. */
	remove(relative: string): void {
		if (this.isImagined) return;
		rmSync(forFs(this.path(relative)), { force: true });
	}

	/** Sets owner and group, of a link itself too; false when this user may not. */
	setOwner(relative: string, uid: number, gid: number): boolean {
		if (this.isImagined) return true;
		try {
			lchownSync(forFs(this.path(relative)), uid, gid);
			return true;
		} catch (error) {
			if ((error as NodeJS.ErrnoException).code === 'EPERM') return false;
			throw this.#refused('owner', relative, error);
		}
	}

	/** Sets the permission bits of what is no link. */
	setMode(relative: string, mode: number): void {
		if (this.isImagined) return;
		try {
			chmodSync(forFs(this.path(relative)), mode & 0o7777);
		} catch (error) {
			throw this.#refused('mode', relative, error);
		}
	}

	/** Sets the times to the microsecond, of a link itself too. */
	setTimes(relative: string, times: FileTimes, isLink: boolean): void {
		const values = utimesValues(times);
		if (values === null || this.isImagined) return;
		try {
			const set = isLink ? lutimesSync : utimesSync;
			set(forFs(this.path(relative)), values[0], values[1]);
		} catch (error) {
			throw this.#refused('times', relative, error);
		}
	}

	#create(relative: string, what: string, make: (target: string | Buffer) => void): void {
		this.#checkParent(relative, what);
		try {
			if (this.isImagined) this.#pretend(relative, what === 'folder');
			else make(forFs(this.path(relative)));
		} catch (error) {
			throw this.#refused(what, relative, error);
		}
	}

	/** @throws {HostError} when a folder stands where something else is to be */
	#pretend(relative: string, isFolder: boolean): void {
		const isNew = this.isEmpty || this.#imagined.has(parentOf(relative));
		const place = forFs(this.path(relative));
		const stat = isNew ? undefined : lstatSync(place, { throwIfNoEntry: false });
		if (isFolder && stat?.isDirectory() !== true) this.#imagined.add(relative);
		if (!isFolder && stat?.isDirectory() === true) throw folderStands(place);
	}

	/** In a folder that was empty, what is in the way was made by this run, under another spelling: it stays. */
	#replacing<T>(target: string | Buffer, make: () => T): T {
		try {
			return make();
		} catch (error) {
			if (this.isEmpty || (error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
			removeExisting(target);
			return make();
		}
	}

	#checkParent(relative: string, what: string): void {
		if (this.canHold(relative)) return;
		throw new HostError(`Cannot make ${what} "${relative}": its folder could not be made`, {
			path: hostPathText(this.path(relative)),
		});
	}

	#refused(what: string, relative: string, error: unknown): Error {
		const place = hostPathText(this.path(relative));
		const failed = hostError(`Cannot make ${what} "${place}"`, error, { path: place });
		// Whatever the code: the image asked for something that this machine refused.
		return failed instanceof InputError
			? new HostError(failed.message, failed.facts, error)
			: failed;
	}

	/**
	 * A socket comes into being when somebody listens on it. The path of a socket ends at 108 bytes, so it is made
	 * under a short name through the descriptor of its folder; renamed, it outlives the listener.
	 */
	async #makeSocket(relative: string): Promise<void> {
		const folder = openSync(
			forFs(this.path(parentOf(relative))),
			constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW,
		);
		const short = `/proc/self/fd/${folder}/.wimdeck-socket-${this.#sockets++}`;
		const server = createServer();
		try {
			await new Promise<void>((resolve, reject) => {
				server.once('error', reject);
				server.listen(short, resolve);
			});
			renameSync(short, forFs(this.path(relative)));
		} finally {
			await new Promise((resolve) => server.close(resolve));
			closeSync(folder);
		}
	}
}

/** The folder and those above it that are not there, the inmost first. */
function missingFolders(folder: string): string[] {
	const missing: string[] = [];
	let place = path.resolve(folder);
	while (lstatSync(place, { throwIfNoEntry: false }) === undefined) {
		missing.push(place);
		place = path.dirname(place);
	}
	return missing;
}

/**
 * Makes a folder and those above it, as far as they are not there; a link to a folder is one. One by one: `recursive` never
 * comes back below /proc, and hides why a file system that is read-only refuses (Node 20.20, 24.21).
 */
function makeFolders(folder: string): void {
	for (const place of missingFolders(path.dirname(folder)).reverse()) {
		try {
			mkdirSync(place);
		} catch (error) {
			// Another process may have made it just now.
			if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
		}
	}
	// Its error says what is in the way.
	if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory()) mkdirSync(folder);
}

/** The relative path of the folder that holds a relative path. */
export function parentOf(relative: string): string {
	const slash = relative.lastIndexOf('/');
	return slash < 0 ? '' : relative.slice(0, slash);
}

/** What `utimes` takes for these times; null when none is known. An unknown one is taken from the other. */
export function utimesValues(
	times: FileTimes,
): [access: number | string, write: number | string] | null {
	const known = (first: bigint, second: bigint) => {
		const ticks = first === 0n ? second : first;
		return ticks > FILETIME_MAX ? FILETIME_MAX : ticks;
	};
	const access = known(times.accessTime, times.writeTime);
	const write = known(times.writeTime, times.accessTime);
	return write === 0n ? null : [utimesArgument(access), utimesArgument(write)];
}

/**
 * Copies a file of this run to a name where nothing must stand, or a file or link that goes away.
 *
 * @param times what `utimes` takes
 * @throws {HostError}
 */
export async function copyToNewFile(
	from: HostPath,
	to: HostPath,
	times: readonly [access: number | string, write: number | string] | null,
): Promise<void> {
	try {
		removeExisting(forFs(to));
		await copyFile(forFs(from), forFs(to), constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE);
		if (times) utimesSync(forFs(to), times[0], times[1]);
	} catch (error) {
		const path = hostPathText(to);
		throw hostError(`Cannot create "${path}"`, error, { path });
	}
}

/** Opens a file that this call makes; what stands there is removed, never followed. */
function openNew(target: string | Buffer): number {
	const { O_CREAT, O_EXCL, O_WRONLY, O_NOFOLLOW } = constants;
	return openSync(target, O_CREAT | O_EXCL | O_WRONLY | O_NOFOLLOW, 0o644);
}

/** @throws {InputError} when a folder has the name */
function removeExisting(target: string | Buffer): void {
	const stat = lstatSync(target, { throwIfNoEntry: false });
	if (stat === undefined) return;
	if (stat.isDirectory()) throw folderStands(target);
	unlinkSync(target);
}

function folderStands(target: string | Buffer): HostError {
	const place = hostPathText(target);
	return new HostError(`Cannot replace "${place}": a folder stands there`, {
		path: place,
		hint: 'Remove the folder, or choose another target.',
	});
}

/** `folder`, or the folder that it will be made in. */
function existing(folder: string): string {
	let place = folder;
	while (!existsSync(place)) place = path.dirname(place);
	return place;
}
