/**
 * Begins a new file with a copy of another one while that is still being opened: lock and temporary file are made while
 * its header is read, and copying begins then, not when tables and images are known.
 */
import type { Run } from '../base/run.ts';
import { freeSpace, NewFile } from '../storage/output-file.ts';
import { HeadStart } from './copy-resources.ts';
import { HEADER_SIZE } from './part-header.ts';
import type { Part } from './resource.ts';

export interface EarlyFile {
	readonly file: NewFile;
	/** Null when nothing is copied. */
	readonly ahead: HeadStart | null;
	/** What could be written there before copying began, in bytes; null where the system does not tell. */
	readonly freeBytes: number | null;
}

export class EarlyCopy implements AsyncDisposable {
	readonly #file: Promise<NewFile>;
	readonly #free: Promise<number | null>;
	readonly #endOf: (part: Part) => number;
	readonly #run: Run;
	#ahead: Promise<HeadStart | null> = Promise.resolve(null);
	#isTaken = false;

	/**
	 * @param target is locked by the file that `take` gives, unless it is
	 * @param endOf how far into the part everything will most likely be needed, as far as its header tells, in bytes; 0 = not
	 * at all
	 * @param isLocked whether somebody has the lock already, who keeps it for longer than the file
	 */
	constructor(target: string, endOf: (part: Part) => number, run: Run, isLocked = false) {
		this.#file = NewFile.create(target, isLocked);
		// Whatever fails here is told by `take`.
		this.#file.catch(() => {});
		this.#free = freeSpace(target);
		this.#endOf = endOf;
		this.#run = run;
	}

	/** To be called when the header is known; see `OpenOptions`. Resolves when copying has begun, not when it is over. */
	readonly onHeader = async (part: Part): Promise<void> => {
		this.#ahead = this.#begin(part).catch(() => null);
		await this.#ahead;
	};

	/** What could be written there before copying began, in bytes; null where the system does not tell. */
	get freeBytes(): Promise<number | null> {
		return this.#free;
	}

	async #begin(part: Part): Promise<HeadStart | null> {
		const end = Math.min(this.#endOf(part), part.header.blobTable.offset);
		const [file, free] = await Promise.all([this.#file, this.#free]);
		if (part.pipable || end <= HEADER_SIZE || (free ?? 0) < end) return null;
		await file.append(new Uint8Array(HEADER_SIZE));
		const ahead = new HeadStart(file, part, HEADER_SIZE, end, this.#run);
		await ahead.hasBegun;
		return ahead;
	}

	/**
	 * Gives away the file, which the caller disposes of.
	 *
	 * @throws {HostError} when the target cannot be written or another writer has it
	 */
	async take(): Promise<EarlyFile> {
		const file = await this.#file;
		const ahead = await this.#ahead;
		this.#isTaken = true;
		return { file, ahead, freeBytes: await this.#free };
	}

	async [Symbol.asyncDispose](): Promise<void> {
		if (this.#isTaken) return;
		const file = await this.#file.catch(() => null);
		await (await this.#ahead)?.end();
		await file?.[Symbol.asyncDispose]();
	}
}
