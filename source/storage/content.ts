/** Where the bytes of a new blob come from. */
import fs from 'node:fs';
import { hostError } from '../base/errors.ts';
import { filetimeFromNs } from '../bytes/filetime.ts';
import type { Sha1 } from '../bytes/sha1.ts';

export interface Content {
	/** What people call it: a path. */
	readonly name: string;
	/** In bytes, as far as known; a file may change until it is read. */
	readonly size: number;
	/** What its bytes hash to, where reading ends with an error if they do not. */
	readonly sha1?: Sha1;
	/** @throws {WimError} when it cannot be read any more */
	open(): ContentReader | Promise<ContentReader>;
	/** The same with the size that it has now, for what turned out shorter; absent where nothing can change. */
	again?(): Content;
}

export interface ContentReader {
	/** Reads the next bytes; fewer than asked for only at the end. */
	read(into: Uint8Array): number | Promise<number>;
	/** Null when what was read is what there was when `size` was determined; else what happened to it. */
	change(): string | null;
	close(): void | Promise<void>;
}

/** A file as a scan saw it. */
export interface FileToRead {
	/** On another thread a `Uint8Array` instead of a `Buffer`, which Node takes as well. */
	readonly path: string | Buffer;
	/** As text, for messages. */
	readonly name: string;
	/** In bytes. */
	readonly size: number;
	/** FILETIME; null when nobody looked. */
	readonly writeTime: bigint | null;
	/** Whether a symbolic link is read through. */
	readonly followsLinks: boolean;
}

/** A file of this machine. Reading is synchronous: it costs a tenth of what the thread pool does, and callers slice. */
export class FileContent implements Content {
	readonly name: string;
	readonly size: number;
	/** Plain data, so that another thread can read it. */
	readonly file: FileToRead;

	constructor(file: FileToRead) {
		this.file = file;
		this.name = file.name;
		this.size = file.size;
	}

	open(): ContentReader {
		return FileReader.open(this.file);
	}

	again(): Content {
		const stat = fs.lstatSync(this.file.path, { bigint: true, throwIfNoEntry: false });
		return new FileContent({ ...this.file, size: Number(stat?.size ?? 0n), writeTime: null });
	}
}

/** Reads a file on whatever thread, blocking it. */
export class FileReader implements ContentReader {
	readonly #file: FileToRead;
	readonly #fd: number;
	/** Null: where the last read ended, which is all that what became a FIFO meanwhile allows. */
	#position: number | null = null;
	#isOpen = true;

	private constructor(file: FileToRead, fd: number) {
		this.#file = file;
		this.#fd = fd;
	}

	/** @throws {WimError} when it cannot be read any more */
	static open(file: FileToRead): FileReader {
		const { path, name, followsLinks } = file;
		const { O_RDONLY, O_NOFOLLOW = 0, O_NONBLOCK = 0 } = fs.constants;
		try {
			// What was a file may be a FIFO by now: opening that must not wait for a writer.
			const flags = O_RDONLY | O_NONBLOCK | (followsLinks ? 0 : O_NOFOLLOW);
			return new FileReader(file, fs.openSync(path, flags));
		} catch (error) {
			throw hostError(`Cannot read "${name}"`, error, { path: name });
		}
	}

	/** Goes on from there instead of from the start. */
	skipTo(position: number): void {
		if (position > 0) this.#position = position;
	}

	read(into: Uint8Array): number {
		let done = 0;
		while (done < into.length) {
			let count: number;
			try {
				count = fs.readSync(this.#fd, into, done, into.length - done, this.#position);
			} catch (error) {
				const { name } = this.#file;
				throw hostError(`Cannot read "${name}"`, error, { path: name });
			}
			if (count === 0) break;
			done += count;
			if (this.#position !== null) this.#position += count;
		}
		return done;
	}

	change(): string | null {
		const { size, writeTime } = this.#file;
		const stat = fs.fstatSync(this.#fd, { bigint: true });
		if (stat.size !== BigInt(size)) return `its size changed from ${size} to ${stat.size} bytes`;
		const isTouched = writeTime !== null && filetimeFromNs(stat.mtimeNs) !== writeTime;
		return isTouched ? 'it was written to' : null;
	}

	close(): void {
		if (!this.#isOpen) return;
		this.#isOpen = false;
		fs.closeSync(this.#fd);
	}
}

/** Bytes in memory. */
export class BytesContent implements Content {
	readonly name: string;
	readonly bytes: Uint8Array;

	constructor(name: string, bytes: Uint8Array) {
		this.name = name;
		this.bytes = bytes;
	}

	get size(): number {
		return this.bytes.length;
	}

	open(): ContentReader {
		const { bytes } = this;
		let at = 0;
		return {
			read(into) {
				const piece = bytes.subarray(at, at + into.length);
				into.set(piece);
				at += piece.length;
				return piece.length;
			},
			change: () => null,
			close() {},
		};
	}
}
