/**
 * Looks for a single flipped bit in the stored bytes of one chunk, with the SHA-1 of the whole contents as the oracle
 * (wim.md §13.5): flips each bit, decodes, and hashes what decodes. Of the bits of a chunk that does not decode, all but one
 * in a hundred give a chunk that does not either, or that ends elsewhere than its stored bytes do.
 */
import type { Hash } from 'node:crypto';
import { FormatError } from '../../base/errors.ts';
import { type Sha1, sha1Hasher } from '../../bytes/sha1.ts';
import type { Compression } from '../../codec/compression.ts';
import { type Decoder, tookAll } from '../../codec/decoder.ts';
import type { Lane } from '../lane.ts';

export interface FlipInput {
	/** Of the contents that are right in everything but this chunk. */
	readonly sha1: Sha1;
	/** The contents; those bytes that the chunk gives do not matter. */
	readonly plain: Uint8Array<SharedArrayBuffer>;
	/** Where the bytes of the chunk stand in `plain`. */
	readonly start: number;
	readonly end: number;
	/** How many decoded bytes precede the first one that `plain` takes: not 0 only in solid resources. */
	readonly skip: number;
	readonly stored: Uint8Array;
	readonly compression: Compression;
	readonly chunkSize: number;
	readonly originalSize: number;
	/** What is hashed: chunks that take all of their stored bytes, as all known writers make them, or those that do not. */
	readonly ends: 'exact' | 'other';
	/** Bits to try, counted from the first byte of `stored`, its lowest bit first. */
	readonly firstBit: number;
	readonly endBit: number;
}

export interface FlipOutput {
	/** The bit that makes it right; null when none of them does. */
	readonly bit: number | null;
	/** So many bits were asked for. */
	readonly count: number;
}

/** Original bytes between two pauses: a few milliseconds of work. */
const STEP_BYTES = 1 << 20;

/** Yields the bytes that it hashed and decoded. */
export function* flipTask(input: FlipInput, lane: Lane): Generator<number, FlipOutput, void> {
	const { stored, compression, chunkSize, originalSize, plain, start, end, skip } = input;
	const { decoder } = lane;
	decoder.reserve(stored.length, originalSize);
	decoder.input(stored.length).set(stored);
	const before = lane.remember('flip', `${input.sha1} ${start}`, () =>
		sha1Hasher().update(plain.subarray(0, start)),
	);
	const after = plain.subarray(end);
	const count = input.endBit - input.firstBit;
	const isRight = (bytes: Uint8Array) =>
		(before.copy() as Hash).update(bytes).update(after).digest('hex') === input.sha1;
	let unpaused = 0;
	for (let bit = input.firstBit; bit < input.endBit; bit++) {
		const at = bit >> 3;
		const mask = 1 << (bit & 7);
		const bytes = decoder.input(stored.length);
		bytes[at] = (bytes[at] ?? 0) ^ mask;
		const decoded = decodeOrNull();
		const isHashed = decoded !== null && endsExactly(decoder, input) === (input.ends === 'exact');
		bytes[at] = (bytes[at] ?? 0) ^ mask;
		unpaused += originalSize;
		if (isHashed) {
			unpaused += after.length;
			if (isRight(decoded.subarray(skip, skip + end - start))) return { bit, count };
		}
		if (unpaused >= STEP_BYTES) {
			yield unpaused;
			unpaused = 0;
		}
	}
	return { bit: null, count };

	function decodeOrNull(): Uint8Array | null {
		try {
			return decoder.decode(compression, chunkSize, stored.length, originalSize);
		} catch (error) {
			if (error instanceof FormatError) return null;
			throw error;
		}
	}
}

/** Whether the last chunk that was decoded took all of its stored bytes; raw ones always do. */
export function endsExactly(
	decoder: Decoder,
	{ compression, stored, originalSize }: Pick<FlipInput, 'compression' | 'stored' | 'originalSize'>,
): boolean {
	return stored.length === originalSize || tookAll(compression, decoder.lastConsumed());
}
