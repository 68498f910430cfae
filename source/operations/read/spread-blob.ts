import type { Hash } from 'node:crypto';
import { DigestError, fromWire, type WimError, type WireError } from '../../base/errors.ts';
import { type Sha1, sha1Hasher } from '../../bytes/sha1.ts';
import type { ByteRange } from '../../pool/tasks/pieces.ts';
import type { FileTarget } from '../../storage/target-file.ts';
import type { Blob } from '../../wim/resource.ts';

/** Hashing this much takes half a millisecond; then keys get their turn. */
const HASH_STEP_SIZE = 1 << 20;

/** A stretch of the blob that a lane has read. */
export interface SpreadPart {
	/** From the start of the blob. */
	readonly offset: number;
	readonly size: number;
	/** Null when they are not needed. */
	readonly bytes: Uint8Array | null;
	/** To be called once the bytes are of no use any more. */
	readonly release: () => void;
}

/** A blob whose bytes come from several lanes, in any order: its SHA-1 follows in order. */
export class SpreadBlob {
	readonly blob: Blob;
	readonly targets: readonly FileTarget[];
	/** What the machine refused, by target. */
	readonly targetErrors = new Map<FileTarget, WimError>();
	/** All bytes, when they were asked for; for small blobs. */
	readonly bytes: Uint8Array | null;
	readonly #badRanges: ByteRange[] = [];
	readonly #waiting = new Map<number, SpreadPart>();
	#hasher: Hash | null;
	#sha1: Sha1 | null = null;
	#error: WimError | null = null;
	#done = 0;
	#isDraining = false;

	constructor(
		blob: Blob,
		targets: readonly FileTarget[],
		options: { readonly verify: boolean; readonly withBytes: boolean },
	) {
		this.blob = blob;
		this.targets = targets;
		this.bytes = options.withBytes ? new Uint8Array(blob.size) : null;
		this.#hasher = options.verify ? sha1Hasher() : null;
	}

	/** Targets that can still be written. */
	get openTargets(): readonly FileTarget[] {
		return this.targets.filter((target) => !this.targetErrors.has(target));
	}

	get error(): WimError | null {
		return this.#error;
	}

	get sha1(): Sha1 | null {
		return this.#sha1;
	}

	/** False once a part is lost, and where nobody asked for it. */
	get isHashed(): boolean {
		return this.#hasher !== null;
	}

	/** Ascending; neighbours are joined. */
	get badRanges(): readonly ByteRange[] {
		const joined: { start: number; end: number }[] = [];
		for (const { start, end } of this.#badRanges.toSorted((a, b) => a.start - b.start)) {
			const last = joined.at(-1);
			if (last?.end === start) last.end = end;
			else joined.push({ start, end });
		}
		return joined;
	}

	noteDamage(error: WireError | null, badRanges: readonly ByteRange[]): void {
		this.#badRanges.push(...badRanges);
		if (error === null) return;
		this.#error ??= fromWire(error) as WimError;
		// With a hole in it the SHA-1 says nothing new.
		this.#hasher = null;
	}

	noteTargetError(target: FileTarget | undefined, error: WireError): void {
		if (target !== undefined && !this.targetErrors.has(target))
			this.targetErrors.set(target, fromWire(error) as WimError);
	}

	/**
	 * Takes a part; hashes it as soon as everything before it is hashed.
	 *
	 * @returns true, once, when the blob is complete
	 */
	async add(part: SpreadPart): Promise<boolean> {
		this.#waiting.set(part.offset, part);
		if (this.#isDraining) return false;
		this.#isDraining = true;
		for (;;) {
			const next = this.#waiting.get(this.#done);
			if (next === undefined) break;
			this.#waiting.delete(this.#done);
			if (next.bytes) await this.#consume(next.bytes, next.offset);
			next.release();
			this.#done += next.size;
		}
		this.#isDraining = false;
		if (this.#done < this.blob.size) return false;
		this.#conclude();
		return true;
	}

	async #consume(bytes: Uint8Array, offset: number): Promise<void> {
		this.bytes?.set(bytes, offset);
		for (let at = 0; at < bytes.length && this.#hasher; at += HASH_STEP_SIZE) {
			this.#hasher.update(bytes.subarray(at, at + HASH_STEP_SIZE));
			if (at + HASH_STEP_SIZE < bytes.length)
				await new Promise<void>((resolve) => setImmediate(resolve));
		}
	}

	#conclude(): void {
		if (this.#hasher === null) return;
		this.#sha1 = this.#hasher.digest('hex');
		if (this.#sha1 === this.blob.sha1) return;
		this.#error ??= new DigestError(
			`Cannot read blob ${this.blob.sha1}: the SHA-1 of its bytes is ${this.#sha1}`,
		);
	}
}
