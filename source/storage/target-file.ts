/**
 * Files that lanes create and fill, blocking their thread: the fewest system calls per file, because an image has
 * hundreds of thousands of them. Nothing here follows a link or opens a file that it did not create.
 */
import fs from 'node:fs';
import { HostError, hostError, InputError } from '../base/errors.ts';

/** A file to be made, and what it gets before it is closed. Plain data: it crosses threads. */
export interface FileTarget {
	/** Bytes where a name is not text. */
	readonly path: string | Uint8Array;
	/** Permission bits; null: what the process mask leaves of 0666. */
	readonly mode: number | null;
	readonly owner: { readonly uid: number; readonly gid: number } | null;
	/** What `utimes` takes; null leaves what the system sets. */
	readonly times: readonly [access: number | string, write: number | string] | null;
	/** Leaves holes where whole blocks are zero. */
	readonly isSparse: boolean;
}

/** A target that only gets its bytes. */
export function plainTarget(path: string | Uint8Array): FileTarget {
	return { path, mode: null, owner: null, times: null, isSparse: false };
}

/** The size of a hole: what file systems use as a block. */
const HOLE_SIZE = 4096;
const ZEROS = new Uint8Array(HOLE_SIZE);

const { O_CREAT, O_EXCL, O_WRONLY } = fs.constants;
/** Absent on Windows, where `O_EXCL` alone refuses links. */
const O_NOFOLLOW = fs.constants.O_NOFOLLOW ?? 0;

/** One open target. Whoever made it calls `finish`, `close` or `discard`. */
export class TargetFile {
	readonly target: FileTarget;
	#fd: number;
	/** The end of the last hole, which no write has reached. */
	#holeEnd = 0;

	/**
	 * Makes a new file.
	 *
	 * @throws {HostError} when something is there already, or the machine refuses
	 */
	static create(target: FileTarget): TargetFile {
		// Nobody else may look into a file before it has its mode and owner.
		const mode = target.mode === null ? 0o666 : 0o600;
		const flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW;
		try {
			return new TargetFile(target, fs.openSync(nodePath(target), flags, mode));
		} catch (error) {
			throw failed('create', target, error);
		}
	}

	/** Opens a file that `create` made earlier, to write another stretch or to finish it. */
	static reopen(target: FileTarget): TargetFile {
		try {
			return new TargetFile(target, fs.openSync(nodePath(target), O_WRONLY | O_NOFOLLOW));
		} catch (error) {
			throw failed('open', target, error);
		}
	}

	/** Deletes a file that `create` made; one that is gone already is fine. */
	static remove(target: FileTarget): void {
		try {
			fs.rmSync(nodePath(target), { force: true });
		} catch (error) {
			throw failed('remove', target, error);
		}
	}

	private constructor(target: FileTarget, fd: number) {
		this.target = target;
		this.#fd = fd;
	}

	/** Writes all of `bytes` at `offset`; a sparse target leaves its zero blocks out. */
	write(bytes: Uint8Array, offset: number): void {
		if (!this.target.isSparse) this.#writeAll(bytes, offset);
		else this.#writeSparse(bytes, offset);
	}

	#writeAll(bytes: Uint8Array, offset: number): void {
		let done = 0;
		try {
			while (done < bytes.length)
				done += fs.writeSync(this.#fd, bytes, done, bytes.length - done, offset + done);
		} catch (error) {
			throw failed('write', this.target, error);
		}
	}

	#writeSparse(bytes: Uint8Array, offset: number): void {
		let dataStart = 0;
		let at = 0;
		while (at < bytes.length) {
			const end = Math.min(bytes.length, at + HOLE_SIZE - ((offset + at) % HOLE_SIZE));
			if (isZero(bytes, at, end)) {
				if (dataStart < at) this.#writeAll(bytes.subarray(dataStart, at), offset + dataStart);
				dataStart = end;
				this.#holeEnd = Math.max(this.#holeEnd, offset + end);
			}
			at = end;
		}
		if (dataStart < at) this.#writeAll(bytes.subarray(dataStart), offset + dataStart);
	}

	/** Makes the file `size` bytes long; what was not written reads as zeros. */
	resize(size: number): void {
		this.#attempt('resize', () => fs.ftruncateSync(this.#fd, size));
	}

	/**
	 * Sets owner, mode and times (in this order, since each can undo the one after it) and closes.
	 *
	 * @throws {HostError} what could not be set; the file is closed in any case, and keeps its bytes
	 */
	finish(): void {
		const { mode, owner, times } = this.target;
		try {
			if (this.#holeEnd > 0) this.#attempt('resize', () => this.#coverHole());
			if (owner)
				this.#attempt('set the owner of', () => fs.fchownSync(this.#fd, owner.uid, owner.gid));
			if (mode !== null) this.#attempt('set the mode of', () => fs.fchmodSync(this.#fd, mode));
			if (times)
				this.#attempt('set the times of', () => fs.futimesSync(this.#fd, times[0], times[1]));
		} finally {
			this.close();
		}
	}

	#coverHole(): void {
		if (fs.fstatSync(this.#fd).size < this.#holeEnd) fs.ftruncateSync(this.#fd, this.#holeEnd);
	}

	close(): void {
		if (this.#fd < 0) return;
		const fd = this.#fd;
		this.#fd = -1;
		this.#attempt('close', () => fs.closeSync(fd));
	}

	/** Closes and deletes: no half-written file stays. */
	discard(): void {
		try {
			this.close();
		} finally {
			TargetFile.remove(this.target);
		}
	}

	#attempt(verb: string, action: () => void): void {
		try {
			action();
		} catch (error) {
			throw failed(verb, this.target, error);
		}
	}
}

function isZero(bytes: Uint8Array, start: number, end: number): boolean {
	if (bytes[start] !== 0) return false;
	return Buffer.compare(bytes.subarray(start, end), ZEROS.subarray(0, end - start)) === 0;
}

function nodePath(target: FileTarget): string | Buffer {
	const { path } = target;
	return typeof path === 'string' ? path : Buffer.from(path.buffer, path.byteOffset, path.length);
}

function failed(verb: string, target: FileTarget, error: unknown): Error {
	const path = String(nodePath(target));
	const why = hostError(`Cannot ${verb} "${path}"`, error, { path });
	// Even a missing folder is no wrong argument here: it was there when the work began.
	return why instanceof InputError ? new HostError(why.message, why.facts, error) : why;
}
