/**
 * Files that are written whole or not at all: beside the target under a temporary name, synced, renamed; and files
 * that are edited in place. What a killed run left behind is removed by the next one (product.md §3).
 */
import type { FileHandle } from 'node:fs/promises';
import path from 'node:path';
import { HostError, hostError, InputError } from '../base/errors.ts';
import { formatSize } from '../base/print.ts';
import { givePiece, takePiece } from './copy-pieces.ts';
import { hostFs as fs } from './host-fs.ts';
import { COPY_SIZE, type Output } from './output.ts';
import { removeFile } from './remove-file.ts';
import type { Source } from './source.ts';
import { lockPath, WriteLock } from './write-lock.ts';

/**
 * No process number is in the name, other than `design/tui.md` §13 has it: the lock lets one process write a target, and the
 * next one finds by the name alone what a killed one left (product.md §3), and a capture what to leave out.
 */
const SUFFIX = '.wimdeck-new';
/** Small pieces are gathered into writes of this size. */
const BUFFER_SIZE = 1 << 20;
/** Larger ones go to the system by themselves. */
const DIRECT_SIZE = 1 << 18;
/**
 * So many bytes are brought to the disk while further ones come, so that the sync at the end need not wait for all. On a
 * slow disk it becomes more by itself: there is one such sync of a file at a time.
 */
const SYNC_SIZE = 1 << 23;

/**
 * Files that are brought to the disk on their way at a time: the disk goes on with one while the thread that would begin the
 * next is busy. They wait for the same disk, and each takes one of the few threads that read and write.
 */
const SYNCS_MAX = 2;

/** How many there are, and the files that wait for their turn. */
const syncs = { running: 0, due: new Set<() => void>() };

/** @param last of the file whose turn it was */
function nextSync(last: () => void): void {
	syncs.running--;
	syncs.due.add(last);
	for (const next of syncs.due) {
		if (syncs.running >= SYNCS_MAX) return;
		syncs.due.delete(next);
		next();
	}
}

/**
 * An open file with two buffers in front of its end: one is filled while the system takes the other. A write that fails
 * is reported by one of the next calls, at the latest by `flush`.
 */
export class SeekableFile implements Output {
	readonly name: string;
	readonly canSeek = true;
	readonly handle: FileHandle;
	#buffer = new Uint8Array(BUFFER_SIZE);
	#buffered = 0;
	/** Where the buffer begins. */
	#flushed: number;
	/** The file is at most so long: what was taken back, or copied by others, may stand behind the end. */
	#extent: number;
	/** The other one, and what becomes of it. */
	#written: Uint8Array<ArrayBuffer> | null = null;
	#writing: Promise<void> = Promise.resolve();
	#unsynced = 0;
	#syncing: Promise<void> | null = null;
	/** Why a sync on the way failed: the system tells it only once. */
	#syncFailure: unknown = null;

	constructor(name: string, handle: FileHandle, position: number) {
		this.name = name;
		this.handle = handle;
		this.#flushed = position;
		this.#extent = position;
	}

	get position(): number {
		return this.#flushed + this.#buffered;
	}

	async append(bytes: Uint8Array): Promise<void> {
		if (bytes.length >= DIRECT_SIZE) return this.#appendDirect(bytes);
		for (let done = 0; done < bytes.length; ) {
			if (this.#buffered === BUFFER_SIZE) await this.#swap();
			const piece = bytes.subarray(done, done + BUFFER_SIZE - this.#buffered);
			this.#buffer.set(piece, this.#buffered);
			this.#buffered += piece.length;
			done += piece.length;
		}
	}

	/** Large pieces need no buffer, which would only be a copy more. */
	async #appendDirect(bytes: Uint8Array): Promise<void> {
		if (this.#buffered > 0) await this.#swap();
		await this.#writing;
		this.#hand(bytes);
		await this.#writing;
	}

	async copy(source: Source, offset: number, size: number): Promise<number> {
		const length = Math.min(size, COPY_SIZE);
		if (length < BUFFER_SIZE - this.#buffered) return this.#gather(source, offset, length);
		if (this.#buffered > 0) await this.#swap();
		const piece = await takePiece();
		const give = () => givePiece(piece);
		try {
			const got = await source.read(offset, piece.subarray(0, length));
			await this.#writing;
			this.#hand(piece.subarray(0, got));
			this.#writing.then(give, give);
			return got;
		} catch (error) {
			give();
			throw error;
		}
	}

	/** Small pieces go through the buffer. */
	async #gather(source: Source, offset: number, length: number): Promise<number> {
		const at = this.#buffered;
		const got = await source.read(offset, this.#buffer.subarray(at, at + length));
		this.#buffered += got;
		return got;
	}

	/** Hands the full buffer to the system, and goes on with the other one as soon as that is free. */
	async #swap(): Promise<void> {
		await this.#writing;
		const full = this.#buffer;
		this.#hand(full.subarray(0, this.#buffered));
		this.#buffered = 0;
		this.#buffer = this.#written ?? new Uint8Array(BUFFER_SIZE);
		this.#written = full;
	}

	/** Begins to write at the end; what was written before has been awaited. */
	#hand(bytes: Uint8Array): void {
		this.#writing = this.#put(this.#flushed, bytes);
		// It is awaited later; until then a failure must not count as unhandled.
		this.#writing.catch(() => {});
		this.#flushed += bytes.length;
		this.#extent = Math.max(this.#extent, this.#flushed);
		this.#unsynced += bytes.length;
		this.#syncIfDue();
	}

	/** Two at a time of the same file would only keep further writes waiting. */
	readonly #syncIfDue = (): void => {
		if (this.#unsynced < SYNC_SIZE || this.#syncing !== null || this.handle.fd < 0) return;
		if (syncs.running >= SYNCS_MAX) syncs.due.add(this.#syncIfDue);
		else this.#beginSync();
	};

	#beginSync(): void {
		this.#unsynced = 0;
		syncs.running++;
		this.#syncing = this.handle
			.datasync()
			.catch((error) => {
				this.#syncFailure ??= error;
			})
			.then(() => {
				this.#syncing = null;
				nextSync(this.#syncIfDue);
			});
	}

	/** Brings to the disk what somebody else is writing, again and again until that is over. */
	async #syncWhile<T>(work: Promise<T>): Promise<T> {
		let isOver = false;
		const end = () => {
			isOver = true;
		};
		work.then(end, end);
		while (!isOver && this.#syncFailure === null) {
			if (this.#syncing === null) this.#beginSync();
			await Promise.race([this.#syncing, work]);
		}
		return work;
	}

	async writeAt(offset: number, bytes: Uint8Array): Promise<void> {
		if (offset >= this.#flushed && offset + bytes.length <= this.position) {
			this.#buffer.set(bytes, offset - this.#flushed);
			return;
		}
		if (offset + bytes.length <= this.#flushed) await this.#writing;
		else await this.flush();
		await this.#put(offset, bytes);
	}

	async readAt(offset: number, into: Uint8Array): Promise<void> {
		await this.flush();
		for (let done = 0; done < into.length; ) {
			const { bytesRead } = await this.#attempt(() =>
				this.handle.read(into, done, into.length - done, offset + done),
			);
			if (bytesRead === 0)
				throw new HostError(
					`Cannot read back "${this.name}": it is shorter than what was written`,
					{
						path: this.name,
						offset: offset + done,
						hint: 'Check the disk, and that no other program changes the file.',
					},
				);
			done += bytesRead;
		}
	}

	rewind(offset: number): void {
		if (offset >= this.#flushed) {
			this.#buffered = offset - this.#flushed;
			return;
		}
		this.#buffered = 0;
		this.#flushed = offset;
	}

	/** Drops what was appended from `offset` on, and with it a write of that which failed. */
	async abandon(offset: number): Promise<void> {
		await this.#writing.catch(() => {});
		this.#writing = Promise.resolve();
		await this.#syncing;
		this.#syncFailure = null;
		this.#buffered = 0;
		this.#flushed = offset;
	}

	/** Waits until the system has everything. */
	async flush(): Promise<void> {
		if (this.#buffered > 0) await this.#swap();
		await this.#writing;
	}

	/**
	 * Has the contents of the file made by somebody else, up to `end`; what is still in the buffer stays in front.
	 *
	 * @returns false when that failed, or something was written already
	 */
	protected async replaceBy(make: () => Promise<boolean>, end: number): Promise<boolean> {
		if (this.#flushed > 0 || this.position > end) return false;
		const { mode } = await this.#attempt(() => this.handle.stat());
		const isMade = await this.#syncWhile(make());
		const { mode: changed, size } = await this.#attempt(() => this.handle.stat());
		this.#extent = size;
		if (changed !== mode) await this.#attempt(() => this.handle.chmod(mode & 0o7777));
		if (!isMade || size < end) return false;
		await this.#put(0, this.#buffer.subarray(0, this.#buffered));
		this.#buffered = 0;
		this.#flushed = end;
		this.#unsynced = end;
		this.#syncIfDue();
		return true;
	}

	/** Gives the buffers back; nothing can be written afterwards. */
	protected release(): void {
		this.#buffer = new Uint8Array(0);
		this.#written = null;
	}

	/** Makes sure that everything is on the disk. */
	async sync(): Promise<void> {
		await this.flush();
		this.#unsynced = 0;
		await this.#attempt(async () => {
			// Each may be the one that is told of a failure. They wait for the same disk.
			await Promise.all([this.handle.sync(), this.#syncing]);
			if (this.#syncFailure !== null) throw this.#syncFailure;
		});
	}

	async truncate(size: number): Promise<void> {
		// A write that failed is no reason to keep the rest of it.
		await this.#writing.catch(() => {});
		await this.#attempt(() => this.handle.truncate(size));
		this.#extent = size;
	}

	/** Cuts off what stands behind the end. Even when there is nothing, the system would wait for all that it writes just now. */
	protected async trim(): Promise<void> {
		if (this.#extent > this.position) await this.truncate(this.position);
	}

	async #put(offset: number, bytes: Uint8Array): Promise<void> {
		for (let done = 0; done < bytes.length; ) {
			const { bytesWritten } = await this.#attempt(() =>
				this.handle.write(bytes, done, bytes.length - done, offset + done),
			);
			done += bytesWritten;
		}
	}

	async #attempt<T>(action: () => Promise<T>): Promise<T> {
		try {
			return await action();
		} catch (error) {
			throw hostError(`Cannot write "${this.name}"`, error, { path: this.name });
		}
	}
}

/** The file that a path leads to, through links, also to where no file is yet: a rename must replace the file and not the link. */
export async function realTarget(target: string): Promise<string> {
	let place = target;
	for (;;) {
		try {
			return await fs.realpath(place);
		} catch (error) {
			// Links that lead in a circle are something else (ELOOP), so this ends.
			if ((error as NodeJS.ErrnoException).code !== 'ENOENT')
				throw hostError(`Cannot write "${target}"`, error, { path: target });
		}
		const given = path.dirname(place);
		try {
			const folder = await fs.realpath(given);
			place = path.join(folder, path.basename(place));
			const link = await fs.readlink(place).catch(() => null);
			if (link === null) return place;
			place = path.resolve(folder, link);
		} catch (error) {
			throw hostError(`Cannot write "${target}"`, error, { path: given });
		}
	}
}

/** Where a new file of that name would really be written, and with which permissions. */
async function targetOf(given: string): Promise<{ target: string; mode: number }> {
	const attempt = `Cannot write "${given}"`;
	const [target, stat] = await Promise.all([realTarget(given), fs.stat(given).catch(() => null)]);
	if (stat?.isDirectory())
		throw hostError(attempt, Object.assign(new Error('folder'), { code: 'EISDIR' }), {
			path: given,
		});
	// A rename would put a file in the place of a device or FIFO.
	if (stat !== null && !stat.isFile())
		throw new InputError(`${attempt}: it is no file, but a device, FIFO or socket`, {
			path: given,
			hint: 'Name a file; "-" as the name writes a pipable WIM to standard output.',
		});
	return { target, mode: stat ? stat.mode & 0o777 : 0o666 };
}

/**
 * Refuses a place where no new file can be written, before work whose result would go there.
 *
 * @throws {InputError | HostError} as `NewFile.create`
 */
export async function requirePlace(given: string): Promise<void> {
	const { target } = await targetOf(given);
	try {
		await fs.access(path.dirname(target), fs.constants.W_OK);
	} catch (error) {
		throw hostError(`Cannot write "${given}"`, error, { path: given });
	}
}

/** A new file under a temporary name. Disposing without `commit` leaves the target as it was. */
export class NewFile extends SeekableFile implements AsyncDisposable {
	readonly target: string;
	readonly #lock: WriteLock | null;
	#isOpen = true;
	#isPublished = false;

	private constructor(target: string, handle: FileHandle, lock: WriteLock | null) {
		super(target, handle, 0);
		this.target = target;
		this.#lock = lock;
	}

	/**
	 * @param sharesLock for further files of a set whose first file is locked
	 * @throws {HostError} when the place cannot be written or another writer has it
	 */
	static async create(given: string, sharesLock = false): Promise<NewFile> {
		const { target, mode } = await targetOf(given);
		const lock = sharesLock ? null : await WriteLock.take(target);
		try {
			const handle = await openFresh(temporaryPath(target), mode);
			return new NewFile(target, handle, lock);
		} catch (error) {
			await lock?.[Symbol.asyncDispose]();
			throw hostError(`Cannot write "${given}"`, error, { path: given });
		}
	}

	async adopt(source: Source, end: number, onBegun: () => void): Promise<boolean> {
		const copy = source.copyTo?.bind(source);
		if (copy === undefined) return false;
		return this.replaceBy(() => copy(temporaryPath(this.target), onBegun), end);
	}

	/** Syncs and closes, renames over the target, and syncs the folder. */
	async commit(): Promise<void> {
		await this.complete();
		await this.publish();
	}

	/** Puts everything onto the disk, still under the temporary name: from here on only a rename is left to fail. */
	async complete(): Promise<void> {
		await this.flush();
		await this.trim();
		await this.sync();
		try {
			await this.handle.close();
			this.#isOpen = false;
			// A set of many parts is complete for a while before it is published.
			this.release();
		} catch (error) {
			throw hostError(`Cannot write "${this.target}"`, error, { path: this.target });
		}
	}

	/**
	 * Gives a complete file its name.
	 *
	 * @param isDurable whether the name is on the disk afterwards; of several files of a folder only the last one needs to be
	 */
	async publish(isDurable = true): Promise<void> {
		try {
			await fs.rename(temporaryPath(this.target), this.target);
			this.#isPublished = true;
		} catch (error) {
			throw hostError(`Cannot write "${this.target}"`, error, { path: this.target });
		}
		if (isDurable) await syncFolder(path.dirname(this.target));
	}

	async [Symbol.asyncDispose](): Promise<void> {
		if (this.#isOpen) await this.handle.close().catch(() => {});
		this.#isOpen = false;
		if (!this.#isPublished) await removeFile(temporaryPath(this.target)).catch(() => {});
		this.#isPublished = true;
		await this.#lock?.[Symbol.asyncDispose]();
	}
}

/** Only the holder of the lock makes temporary files, so one that is there was left by a killed run. */
async function openFresh(temporary: string, mode: number): Promise<FileHandle> {
	try {
		return await fs.open(temporary, 'wx+', mode);
	} catch (error) {
		if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
		await removeFile(temporary);
		return fs.open(temporary, 'wx+', mode);
	}
}

/** A file opened for changing it in place, locked against other writers. */
export class EditedFile extends SeekableFile implements AsyncDisposable {
	readonly target: string;
	readonly #lock: WriteLock | null;

	private constructor(target: string, handle: FileHandle, size: number, lock: WriteLock | null) {
		super(target, handle, size);
		this.target = target;
		this.#lock = lock;
	}

	/** @throws {HostError} when it cannot be written or another writer has it */
	static async open(given: string): Promise<EditedFile> {
		const target = await realTarget(given);
		const lock = await WriteLock.take(target);
		try {
			await removeFile(temporaryPath(target));
			const handle = await fs.open(target, 'r+');
			return new EditedFile(target, handle, (await handle.stat()).size, lock);
		} catch (error) {
			await lock[Symbol.asyncDispose]();
			throw hostError(`Cannot write "${given}"`, error, { path: given });
		}
	}

	/**
	 * Opens it for a dry run: without a lock, and so that writing fails. Others may change it meanwhile.
	 *
	 * @throws {HostError} when it could not be written
	 */
	static async openDry(given: string): Promise<EditedFile> {
		const target = await realTarget(given);
		try {
			await fs.access(target, fs.constants.W_OK);
			const { O_RDONLY, O_NONBLOCK = 0 } = fs.constants;
			const handle = await fs.open(target, O_RDONLY | O_NONBLOCK);
			return new EditedFile(target, handle, (await handle.stat()).size, null);
		} catch (error) {
			throw hostError(`Cannot write "${given}"`, error, { path: given });
		}
	}

	async [Symbol.asyncDispose](): Promise<void> {
		await this.handle.close();
		await this.#lock?.[Symbol.asyncDispose]();
	}
}

/** Where the new contents of a target stand until they are complete. */
export function temporaryPath(target: string): string {
	return path.join(path.dirname(target), `.${path.basename(target)}${SUFFIX}`);
}

/**
 * Every file that writing a target may leave beside it, itself included, as real absolute paths: what a capture of the
 * folder they lie in must leave out.
 */
export async function filesOfTarget(given: string): Promise<ReadonlySet<string>> {
	const target = await realTarget(path.resolve(given)).catch(() => path.resolve(given));
	return new Set([target, lockPath(target), temporaryPath(target)]);
}

/** Makes a rename in a folder durable; some file systems cannot sync folders, and need not. */
export async function syncFolder(folder: string): Promise<void> {
	const handle = await fs.open(folder, 'r').catch(() => null);
	await handle?.sync().catch(() => {});
	await handle?.close().catch(() => {});
}

/** Bytes that can still be written where a target lies; null where the system does not tell. */
export async function freeSpace(target: string): Promise<number | null> {
	const stat = await fs.statfs(path.dirname(path.resolve(target))).catch(() => null);
	return stat === null ? null : stat.bavail * stat.bsize;
}

/**
 * @param free what was free at the target before anything was written; see `freeSpace`
 * @throws {HostError} when it is fewer than `bytes`
 */
export function requireSpace(target: string, bytes: number, free: number | null): void {
	if (free !== null && free < bytes)
		throw new HostError(
			`Cannot write "${target}": ${formatSize(bytes)} needed, ${formatSize(free)} free`,
			{ path: target, hint: 'Free some space, or choose another place.' },
		);
}

/** Removes what a killed run left of the further parts of a set. The caller holds the lock of part 1. */
export async function removeStaleParts(firstPart: string): Promise<void> {
	const target = await realTarget(firstPart);
	const folder = path.dirname(target);
	const extension = path.extname(target);
	const stem = `.${path.basename(target, extension)}`;
	const ending = `${extension}${SUFFIX}`;
	for (const name of await fs.readdir(folder).catch(() => [])) {
		if (!name.startsWith(stem) || !name.endsWith(ending)) continue;
		const number = name.slice(stem.length, name.length - ending.length);
		if (/^\d+$/.test(number)) await removeFile(path.join(folder, name));
	}
}
