/**
 * The memory that two lanes share while they work on one large chunk: one encodes it, the other one, the helper, finds
 * its matches (`Encoder.lend`). First the encoder gives the helper what that needs to go on, then matches flow back;
 * both through the same few slots. Whether there is a helper, when it comes, and whether it stays changes nothing in
 * the bytes that are written.
 */
import type { Encoder } from '../../codec/encoder.ts';

/** Plain data, for both lanes. */
export interface MatchLine {
	readonly numbers: Int32Array<SharedArrayBuffer>;
	readonly slots: Uint8Array<SharedArrayBuffer>;
	readonly level: number;
	/** Of the chunk. */
	readonly originalSize: number;
}

/** As much as the kernel packs at once, in bytes. */
const SLOT_SIZE = 1 << 18;
const SLOT_COUNT = 8;
/** With less left to do it is done before a helper has got its share. */
const SHARED_MIN = 4 << 20;

// Places among the numbers.
/** Counts every change: who waits, waits for the next one. */
const CHANGES = 0;
const HELPER = 1;
const ENCODER = 2;
/** Slots that were filled and emptied so far. */
const FILLED = 3;
const EMPTIED = 4;
/** Bytes in each slot. */
const SIZES = 5;

// 0: not yet there.
const PRESENT = 1;
const GONE = 2;

/** @param originalSize of the chunk */
export function openMatchLine(
	level: number,
	originalSize: number,
	slotCount = SLOT_COUNT,
): MatchLine {
	return {
		numbers: new Int32Array(new SharedArrayBuffer(4 * (SIZES + slotCount))),
		slots: new Uint8Array(new SharedArrayBuffer(slotCount * SLOT_SIZE)),
		level,
		originalSize,
	};
}

/** Says that the encoder is done with the chunk, or has given it up: nobody shall wait for it. */
export function endMatchLine(line: MatchLine): void {
	change(line, ENCODER, GONE);
}

/** Says that the helper has given up, or its thread has ended. What it has not sent the encoder finds by itself. */
export function leaveMatchLine(line: MatchLine): void {
	change(line, HELPER, GONE);
}

/** Lets a helper in, if one has come: for `between` of `Encoder.encode`. */
export class HelperWatch {
	readonly #line: MatchLine;
	readonly #encoder: Encoder;
	#isOver = false;

	constructor(line: MatchLine, encoder: Encoder) {
		this.#line = line;
		this.#encoder = encoder;
	}

	/** @param bytesDone of the chunk */
	look(bytesDone: number): void {
		const line = this.#line;
		if (this.#isOver || Atomics.load(line.numbers, HELPER) !== PRESENT) return;
		this.#isOver = true;
		const views = line.originalSize - bytesDone < SHARED_MIN ? null : this.#encoder.lend();
		if (views === null) {
			endMatchLine(line);
			return;
		}
		let lent = 0;
		for (const part of partsOf(views)) {
			if (!send(line, part, HELPER)) return;
			lent++;
		}
		// The slots turn round, and the helper may have filled some by now.
		if (!waitFor(line, HELPER, () => Atomics.load(line.numbers, EMPTIED) === lent)) return;
		this.#encoder.feed((into) => receive(line, into, HELPER));
	}
}

/** Helps with the chunk of a line to its end. Yields after each slot. */
export function* helpEncode(line: MatchLine, encoder: Encoder): Generator<number, void, void> {
	const views = encoder.borrow(line.level, line.originalSize);
	if (views === null) return;
	change(line, HELPER, PRESENT);
	for (const part of partsOf(views)) {
		if (receive(line, part, ENCODER) === 0) return;
		yield 0;
	}
	encoder.resume();
	for (;;) {
		const matches = encoder.findMatches();
		if (matches.length === 0 || !send(line, matches, ENCODER)) return;
		yield 0;
	}
}

function* partsOf(views: readonly Uint8Array[]): Generator<Uint8Array, void, void> {
	for (const view of views)
		for (let at = 0; at < view.length; at += SLOT_SIZE) yield view.subarray(at, at + SLOT_SIZE);
}

function change({ numbers }: MatchLine, place: number, value: number): void {
	Atomics.store(numbers, place, value);
	Atomics.add(numbers, CHANGES, 1);
	Atomics.notify(numbers, CHANGES);
}

/**
 * Waits, blocking the thread, until another slot is filled or empty.
 *
 * @param other the side that is to do it
 * @returns false when that side is gone
 */
function waitFor(line: MatchLine, other: number, isReady: () => boolean): boolean {
	const { numbers } = line;
	for (;;) {
		const changes = Atomics.load(numbers, CHANGES);
		if (isReady()) return true;
		if (Atomics.load(numbers, other) === GONE) return false;
		Atomics.wait(numbers, CHANGES, changes);
	}
}

/** Fills the next slot. */
function send(line: MatchLine, bytes: Uint8Array, other: number): boolean {
	const { numbers, slots } = line;
	const slotCount = slots.length / SLOT_SIZE;
	const filled = Atomics.load(numbers, FILLED);
	const hasRoom = () => filled - Atomics.load(numbers, EMPTIED) < slotCount;
	if (!waitFor(line, other, hasRoom)) return false;
	const slot = filled % slotCount;
	slots.set(bytes, slot * SLOT_SIZE);
	Atomics.store(numbers, SIZES + slot, bytes.length);
	change(line, FILLED, filled + 1);
	return true;
}

/** Empties the next slot; returns how many bytes there were, 0 when the other side is gone. */
function receive(line: MatchLine, into: Uint8Array, other: number): number {
	const { numbers, slots } = line;
	const emptied = Atomics.load(numbers, EMPTIED);
	const isFilled = () => Atomics.load(numbers, FILLED) !== emptied;
	if (!waitFor(line, other, isFilled)) return 0;
	const slot = emptied % (slots.length / SLOT_SIZE);
	const size = Atomics.load(numbers, SIZES + slot);
	into.set(slots.subarray(slot * SLOT_SIZE, slot * SLOT_SIZE + size));
	change(line, EMPTIED, emptied + 1);
	return size;
}
