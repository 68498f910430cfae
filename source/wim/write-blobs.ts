/**
 * Stores blobs once: what is new is hashed, compressed and written, what is there already is only named (wim.md §9.7).
 * The identity of what is stored is always the hash of what was written, whatever happens to a file meanwhile.
 */
import { fromWire, HostError, WimError } from '../base/errors.ts';
import { breathe, type Run } from '../base/run.ts';
import { type Sha1, sha1, sha1Hasher, ZERO_SHA1 } from '../bytes/sha1.ts';
import type { IntakeOrigin } from '../pool/tasks/intake.ts';
import type { Content, ContentReader } from '../storage/content.ts';
import type { ResourceWriter, StoredResource } from './write-resource.ts';
import type { TableBlob } from './write-table.ts';

/** Contents up to this size are held in memory whole, and so are read once. */
const WHOLE_MAX = 1 << 22;
/** Readers are synchronous: after so many bytes the event loop gets a turn. */
const SLICE_BYTES = 1 << 23;
/** A file that changes all the time is given up. */
const ATTEMPTS_MAX = 3;

/** What became of a blob. */
export type BlobOutcome =
	| { readonly sha1: Sha1; readonly size: number }
	| { readonly error: WimError };

/** A blob to be stored. */
export interface NewBlob {
	readonly content: Content;
	/** Whether another new blob has the same size, so that it may be the same. */
	readonly mayRepeat: boolean;
	/** Where lanes find the same bytes by themselves; null where only `content` has them. */
	readonly origin?: IntakeOrigin | null;
	/** Told once, at the latest by `finish`. */
	readonly settle: (outcome: BlobOutcome) => void;
}

/** A blob that is being written. */
interface Added {
	readonly blob: NewBlob;
	/** From 1. */
	readonly attempt: number;
	/** What it should hash to; null when nobody knows. */
	readonly expected: Sha1 | null;
	/** Why it could not be read; null also when it only is too short. */
	readonly error: WimError | null;
}

export class BlobStore {
	/** All blobs that the table is to list. */
	readonly blobs = new Map<Sha1, TableBlob>();
	/** Blobs in other files that this one refers to. */
	readonly #foreign: ReadonlyMap<Sha1, number>;
	readonly #writer: ResourceWriter;
	readonly #run: Run;
	/** On their way, with those that wait for the same bytes. */
	readonly #underWay = new Map<Sha1, NewBlob[]>();
	readonly #sizes = new Set<number>();
	/** Sizes of large blobs whose SHA-1 is known only once they are written. */
	readonly #unhashed = new Set<number>();
	#again: { readonly blob: NewBlob; readonly attempt: number }[] = [];
	#sliceBytes = 0;
	/** Holds one small content after the other: blobs are added one at a time. */
	#whole = new Uint8Array(0);

	/**
	 * @param existing blobs that the file has already
	 * @param foreign blobs by SHA-1, with their sizes, that stay where they are (a delta WIM)
	 */
	constructor(
		writer: ResourceWriter,
		existing: Iterable<TableBlob>,
		foreign: ReadonlyMap<Sha1, number>,
		run: Run,
	) {
		this.#writer = writer;
		this.#foreign = foreign;
		this.#run = run;
		for (const blob of existing) this.keep(blob);
		for (const size of foreign.values()) this.#sizes.add(size);
	}

	/** Lists a blob that is stored already. */
	keep(blob: TableBlob): void {
		this.blobs.set(blob.sha1, blob);
		this.#sizes.add(blob.size);
	}

	/** True when the blob need not be stored. */
	has(name: Sha1): boolean {
		return this.blobs.has(name) || this.#foreign.has(name);
	}

	/** Original size of a blob that is stored, or will not be; 0 for one that is nowhere. */
	sizeOf(name: Sha1): number {
		return this.blobs.get(name)?.size ?? this.#foreign.get(name) ?? 0;
	}

	/** True when a blob of this size might be there. */
	hasSize(size: number): boolean {
		return this.#sizes.has(size);
	}

	async add(blob: NewBlob, attempt = 1): Promise<void> {
		const { content, settle } = blob;
		if (content.size === 0) return settle({ sha1: ZERO_SHA1, size: 0 });
		if (this.#isForLanes(blob)) await this.#addIntake(blob, attempt);
		else if (content.size <= WHOLE_MAX) await this.#addWhole(blob);
		else await this.#addLarge(blob, attempt);
	}

	/** Whether lanes can read it before anybody knows whether it is there: it has a name, or a size of its own. */
	#isForLanes({ content, origin, mayRepeat }: NewBlob): boolean {
		if (origin === undefined || origin === null || !this.#writer.canIntake) return false;
		if (content.sha1 !== undefined) return true;
		return !mayRepeat && this.#writer.output.canSeek && !this.#sizes.has(content.size);
	}

	/** Reads for a blob; what goes wrong there settles it, and gives null. Failures to write are not caught here. */
	async #read<T>(blob: NewBlob, action: () => T | Promise<T>): Promise<T | null> {
		try {
			return await action();
		} catch (error) {
			if (!(error instanceof WimError) || error.code === 'canceled') throw error;
			blob.settle({ error });
			return null;
		}
	}

	/** Writes all that is under way and tries again what changed while it was read. */
	async finish(): Promise<void> {
		await this.#writer.finish();
		while (this.#again.length > 0) {
			const again = this.#again;
			this.#again = [];
			for (const { blob, attempt } of again) await this.add(blob, attempt);
			await this.#writer.finish();
		}
	}

	async #addWhole(blob: NewBlob): Promise<void> {
		const { content } = blob;
		if (this.#whole.length < content.size)
			this.#whole = new Uint8Array(Math.min(WHOLE_MAX, 2 * content.size));
		const bytes = await this.#read(blob, () => readWhole(content, this.#whole, this.#run));
		if (bytes === null) return;
		const size = bytes.length;
		await this.#slice(size);
		if (size === 0) return blob.settle({ sha1: ZERO_SHA1, size: 0 });
		const name = size === content.size ? (content.sha1 ?? sha1(bytes)) : sha1(bytes);
		if (this.#isKnown(blob, name, size)) return;
		this.#underWay.set(name, []);
		this.#sizes.add(size);
		let at = 0;
		await this.#writer.add({
			size,
			flags: 0,
			sha1: name,
			isHashed: true,
			fill(into) {
				into.set(bytes.subarray(at, at + into.length));
				at += into.length;
				return true;
			},
			settle: (stored) => {
				if (stored === null) throw new Error('Bytes in memory ended early');
				this.#stored({ sha1: name, size, resource: stored, offsetInResource: 0 });
				blob.settle({ sha1: name, size });
				return true;
			},
		});
	}

	/** True when the bytes are there, or on their way: then the blob is settled, or will be. */
	#isKnown(blob: NewBlob, name: Sha1, size: number): boolean {
		const waiting = this.#underWay.get(name);
		if (waiting !== undefined) waiting.push(blob);
		else if (this.has(name)) blob.settle({ sha1: name, size });
		else return false;
		this.#run.report({ type: 'advance', bytes: size });
		return true;
	}

	#stored(blob: TableBlob): void {
		this.keep(blob);
		const waiting = this.#underWay.get(blob.sha1) ?? [];
		this.#underWay.delete(blob.sha1);
		for (const other of waiting) other.settle({ sha1: blob.sha1, size: blob.size });
	}

	/** Too large for memory: streamed, and hashed before when it might be there already. */
	async #addLarge(blob: NewBlob, attempt: number): Promise<void> {
		const { content } = blob;
		const { canSeek } = this.#writer.output;
		const isHashedFirst = !canSeek || blob.mayRepeat || this.#sizes.has(content.size);
		const isSure = content.sha1 !== undefined;
		const expected =
			content.sha1 ??
			(isHashedFirst ? await this.#read(blob, () => hashContent(content, this.#run)) : null);
		if (isHashedFirst && expected === null) return;
		if (expected === ZERO_SHA1) return blob.settle({ sha1: ZERO_SHA1, size: 0 });
		// One that is on its way unhashed may turn out to be the same.
		if (expected !== null && this.#unhashed.has(content.size)) await this.#writer.finish();
		if (expected !== null) {
			if (this.#isKnown(blob, expected, content.size)) return;
			this.#underWay.set(expected, []);
		}
		this.#sizes.add(content.size);
		if (expected === null) this.#unhashed.add(content.size);
		const reader = await this.#read(blob, () => content.open());
		if (reader === null) {
			if (expected !== null) this.#release(expected, attempt);
			return;
		}
		const stream = new Stream(reader, () => this.#slice(1 << 20));
		try {
			await this.#writer.add({
				size: content.size,
				flags: 0,
				sha1: expected,
				isHashed: isSure,
				fill: (into) => stream.fill(into),
				settle: (stored, name) =>
					this.#settle({ blob, attempt, expected, error: stream.error }, stored, name),
			});
			reportChange(content, stream.reader, this.#run);
		} finally {
			await stream.reader.close();
		}
	}

	/** Ends a blob whose SHA-1 was not sure while it was written; see `ResourceInput.settle`. */
	#settle(added: Added, stored: StoredResource | null, name: Sha1): boolean {
		const { blob, attempt, expected, error } = added;
		const { size } = blob.content;
		if (expected !== null && (stored === null || name !== expected))
			this.#release(expected, attempt);
		if (stored === null) {
			this.#failed(blob, error, attempt);
			return false;
		}
		if (name !== expected && this.has(name)) {
			blob.settle({ sha1: name, size });
			return false;
		}
		this.#stored({ sha1: name, size, resource: stored, offsetInResource: 0 });
		blob.settle({ sha1: name, size });
		return true;
	}

	/** Lets lanes read a blob, and write it unless something goes wrong. */
	async #addIntake(blob: NewBlob, attempt: number): Promise<void> {
		const { content, origin } = blob;
		const { size } = content;
		const expected = content.sha1 ?? null;
		if (origin === undefined || origin === null) throw new Error('There is nothing to read');
		if (expected !== null) {
			if (this.#isKnown(blob, expected, size)) return;
			this.#underWay.set(expected, []);
		} else this.#unhashed.add(size);
		this.#sizes.add(size);
		let error: WimError | null = null;
		let change: string | null = null;
		let wrong: Sha1 | null = null;
		await this.#writer.addIntake({
			size,
			flags: 0,
			sha1: expected,
			origin,
			told: (part) => {
				if (part.error !== null) error ??= fromWire(part.error) as WimError;
				else if (part.sha1 !== null && part.chunkCount === 0) wrong = part.sha1;
				if (part.change !== null && change === null) {
					change = part.change;
					this.#run.report({ type: 'problem', error: changed(content.name, change) });
				}
			},
			settle: (stored, name) => {
				if (wrong === null) return this.#settle({ blob, attempt, expected, error }, stored, name);
				if (expected !== null) this.#release(expected, attempt);
				blob.settle({ sha1: wrong, size });
				return false;
			},
		});
	}

	/** Those that wait for bytes which did not come after all are stored by themselves. */
	#release(expected: Sha1, attempt: number): void {
		for (const blob of this.#underWay.get(expected) ?? []) this.#again.push({ blob, attempt });
		this.#underWay.delete(expected);
	}

	#failed(blob: NewBlob, error: WimError | null, attempt: number): void {
		if (error !== null) blob.settle({ error });
		else if (attempt < ATTEMPTS_MAX) this.#again.push({ blob: shrunk(blob), attempt: attempt + 1 });
		else
			blob.settle({
				error: new HostError(`Cannot read "${blob.content.name}": it changes all the time`, {
					path: blob.content.name,
					hint: 'Stop the program that writes it, or exclude it.',
				}),
			});
	}

	async #slice(bytes: number): Promise<void> {
		this.#sliceBytes += bytes + 4096;
		if (this.#sliceBytes < SLICE_BYTES) return;
		this.#sliceBytes = 0;
		await breathe(this.#run);
	}
}

/** The reader of a large content, whose failures end the resource instead of the run. */
class Stream {
	readonly reader: ContentReader;
	error: WimError | null = null;
	readonly #pause: () => Promise<void>;

	constructor(reader: ContentReader, pause: () => Promise<void>) {
		this.reader = reader;
		this.#pause = pause;
	}

	async fill(into: Uint8Array): Promise<boolean> {
		await this.#pause();
		try {
			return (await this.reader.read(into)) === into.length;
		} catch (error) {
			if (!(error instanceof WimError)) throw error;
			this.error = error;
			return false;
		}
	}
}

/** A file that became shorter is tried again with the size that it has then. */
function shrunk(blob: NewBlob): NewBlob {
	return {
		...blob,
		mayRepeat: true,
		origin: null,
		content: blob.content.again?.() ?? blob.content,
	};
}

/** Says so when what was read is not what there was when the tree was scanned. */
export function reportChange(content: Content, reader: ContentReader, run: Run): void {
	const change = reader.change();
	if (change !== null) run.report({ type: 'problem', error: changed(content.name, change) });
}

function changed(name: string, change: string): HostError {
	return new HostError(`"${name}" changed while it was captured: ${change}`, {
		path: name,
		hint: 'The image has the file as it was read; capture again when nothing writes to it.',
	});
}

/** Reads all bytes of a content, of which there may be fewer than expected by now, to the front of `into`. */
async function readWhole(content: Content, into: Uint8Array, run: Run): Promise<Uint8Array> {
	const reader = await content.open();
	try {
		const bytes = into.subarray(0, content.size);
		const got = await reader.read(bytes);
		reportChange(content, reader, run);
		return got === bytes.length ? bytes : bytes.subarray(0, got);
	} finally {
		await reader.close();
	}
}

/** The SHA-1 of a content as it is now; `ZERO_SHA1` when nothing is left of it. */
export async function hashContent(content: Content, run: Run): Promise<Sha1> {
	const reader = await content.open();
	try {
		const hash = sha1Hasher();
		const piece = new Uint8Array(Math.min(1 << 20, Math.max(1, content.size)));
		let unpaused = 0;
		let left = content.size;
		while (left > 0) {
			const got = await reader.read(piece.subarray(0, Math.min(piece.length, left)));
			if (got === 0) break;
			hash.update(piece.subarray(0, got));
			left -= got;
			unpaused += got;
			if (unpaused >= SLICE_BYTES) {
				unpaused = 0;
				await breathe(run);
			}
		}
		return left === content.size ? ZERO_SHA1 : hash.digest('hex');
	} finally {
		await reader.close();
	}
}
