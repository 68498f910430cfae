/**
 * A decoded slice that several lanes work through: the one that decoded it from its first piece on, and others, which have
 * nothing to decode just then, from the last one back. Pieces of one folder mostly lie next to each other, so that each lane
 * makes files in folders of its own.
 */

/** What is said of a slice before anybody wants to help. Plain data. */
export interface OfferedSlice {
	/** Null until somebody asks: a thread that has it keeps 64 MiB alive, and does not notice. */
	readonly memory: SharedArrayBuffer | null;
	/** Where it begins in that memory, and how long it is, in bytes. */
	readonly at: number;
	readonly size: number;
	/** Where it begins in the resource. */
	readonly start: number;
	/** Its pieces have the ids from here on. */
	readonly firstId: number;
	readonly count: number;
	/** How many pieces are taken, how many of them from the end, whether anybody asked, and where each helper stands. */
	readonly claims: Int32Array<SharedArrayBuffer>;
}

/** It crosses threads, and so do its bytes, without a copy. */
export interface SharedSlice extends OfferedSlice {
	/** The memory of the decoder that it lies in. */
	readonly memory: SharedArrayBuffer;
}

const TAKEN = 0;
const FROM_END = 1;
const ASKED = 2;
const HELPERS = 3;

/** What a helper says of itself; 0 while it has not come. */
const LOOKING = 1;
const GONE = 2;

/** More lanes do not make files faster. */
export const HELPERS_MAX = 8;

/** How long a wait lasts at most before it begins anew: a thread that is to end is not kept from it. */
const WAIT_MS = 50;

/** Says what is there to be shared; nothing is taken yet. */
export function shareSlice(
	bytes: Uint8Array<SharedArrayBuffer>,
	place: Pick<SharedSlice, 'start' | 'firstId' | 'count'>,
): SharedSlice {
	return {
		...place,
		memory: bytes.buffer,
		at: bytes.byteOffset,
		size: bytes.length,
		claims: new Int32Array(new SharedArrayBuffer(4 * (HELPERS + HELPERS_MAX))),
	};
}

/** Asks the lane that decoded a slice for its memory: another one can help. */
export function ask({ claims }: OfferedSlice): void {
	Atomics.store(claims, ASKED, 1);
}

/** Whether anybody asked. */
export function isAsked({ claims }: SharedSlice): boolean {
	return Atomics.load(claims, ASKED) !== 0;
}

/** Pieces that nobody has taken. */
export function piecesLeft({ claims, count }: OfferedSlice): number {
	return Math.max(0, count - Atomics.load(claims, TAKEN));
}

/** For the lane that decoded the slice: the positions of pieces, each once, until all are taken. */
export function* takeFirst({ claims, count }: SharedSlice): Generator<number, void, undefined> {
	for (let next = 0; Atomics.add(claims, TAKEN, 1) < count; next++) yield next;
}

/** For helpers: see `takeFirst`. */
export function* takeLast({ claims, count }: SharedSlice): Generator<number, void, undefined> {
	while (Atomics.add(claims, TAKEN, 1) < count) yield count - 1 - Atomics.add(claims, FROM_END, 1);
}

/** For a helper, before it takes anything: the bytes stay as they are until `leave`. */
export function enter({ claims }: SharedSlice, helper: number): void {
	Atomics.store(claims, HELPERS + helper, LOOKING);
}

/** For a helper that is done; also for whoever sees that its thread has ended. */
export function leave({ claims }: SharedSlice, helper: number): void {
	Atomics.store(claims, HELPERS + helper, GONE);
	Atomics.notify(claims, HELPERS + helper);
}

/**
 * For the lane that decoded the slice, before it does anything else with its memory: from now on no piece is taken, and it
 * waits until helpers are done with the one they have.
 */
export function awaitHelpers({ claims, count }: SharedSlice): void {
	Atomics.store(claims, TAKEN, count);
	for (let k = HELPERS; k < claims.length; k++)
		while (Atomics.load(claims, k) === LOOKING) Atomics.wait(claims, k, LOOKING, WAIT_MS);
}

/** Once all pieces are taken: whether a helper may have taken some, and has told or will tell of them. */
export function hasHelped({ claims }: OfferedSlice, helper: number): boolean {
	return Atomics.load(claims, HELPERS + helper) !== 0;
}
