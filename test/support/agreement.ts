import assert from 'node:assert/strict';
import { FormatError } from '../../source/base/errors.ts';
import type { Compression } from '../../source/codec/compression.ts';
import { Decoder } from '../../source/codec/decoder.ts';
import { decodeLzmsPlainly } from './oracle-lzms.ts';
import { decodeLzxPlainly } from './oracle-lzx.ts';
import { decodeXpressPlainly } from './oracle-xpress.ts';
import type { Random } from './prefix-code.ts';

const decoder = new Decoder();

/** What stands around a chunk in both areas; it must still stand there afterwards. */
const FOREIGN = 0xa5;
const MARGIN = 80;

/**
 * Decodes with the kernel, amid foreign bytes.
 *
 * @returns null for a `FormatError`
 */
export function decodeByKernel(
	compression: Compression,
	chunkSize: number,
	stored: Uint8Array,
	originalSize: number,
): Uint8Array | null {
	const inputRoom = stored.length + 2 * MARGIN;
	const outputRoom = originalSize + 2 * MARGIN;
	decoder.reserve(inputRoom, outputRoom);
	const input = decoder.inputBytes.subarray(0, inputRoom);
	const output = decoder.outputBytes.subarray(0, outputRoom);
	input.fill(FOREIGN);
	input.set(stored, MARGIN);
	output.fill(FOREIGN);
	let right = true;
	try {
		decoder.decodeAt(compression, chunkSize, {
			inputAt: MARGIN,
			storedSize: stored.length,
			outputAt: MARGIN,
			originalSize,
		});
	} catch (error) {
		assert.ok(error instanceof FormatError, `unexpected: ${error}`);
		assert.match(error.message, /^Cannot decode (XPRESS|LZX|LZMS|raw) chunk: [a-z0-9]/);
		right = false;
	}
	for (const [area, size] of [
		[input, stored.length],
		[output, originalSize],
	] as const) {
		assert.ok(
			area.subarray(0, MARGIN).every((byte) => byte === FOREIGN),
			'bytes before changed',
		);
		assert.ok(
			area.subarray(MARGIN + size).every((byte) => byte === FOREIGN),
			'bytes behind changed',
		);
	}
	assert.deepEqual(input.subarray(MARGIN, MARGIN + stored.length), stored, 'the input changed');
	return right ? output.slice(MARGIN, MARGIN + originalSize) : null;
}

/**
 * Decodes with the plain transcription of the specification.
 *
 * @returns null when the chunk is not valid
 */
export function decodePlainly(
	compression: Compression,
	chunkSize: number,
	stored: Uint8Array,
	originalSize: number,
): Uint8Array | null {
	try {
		switch (compression) {
			case 'xpress':
				return decodeXpressPlainly(stored, originalSize);
			case 'lzx':
				return decodeLzxPlainly(stored, chunkSize, originalSize);
			case 'lzms':
				return decodeLzmsPlainly(stored, originalSize);
			case 'none':
				return stored;
		}
	} catch (error) {
		if (error instanceof RangeError || error instanceof TypeError) throw error;
		return null;
	}
}

/** Asserts that kernel and transcription give the same bytes, or both refuse. */
export function assertAgreement(
	compression: Compression,
	chunkSize: number,
	stored: Uint8Array,
	originalSize: number,
): void {
	const plain = decodePlainly(compression, chunkSize, stored, originalSize);
	const fast = decodeByKernel(compression, chunkSize, stored, originalSize);
	if (plain === null || fast === null)
		assert.equal(
			fast === null,
			plain === null,
			plain === null ? 'only the kernel accepts' : 'only the kernel refuses',
		);
	else assert.ok(Buffer.compare(fast, plain) === 0, 'different bytes');
}

/** A chunk with some bits flipped, bytes overwritten, cut off or added; or two of these. */
export function damage(stored: Uint8Array, originalSize: number, random: Random): Uint8Array {
	let bytes = stored.slice();
	for (let k = random(2); k >= 0; k--) {
		switch (random(5)) {
			case 0:
				for (let n = random(4); n >= 0; n--) bytes[random(bytes.length)]! ^= 1 << random(8);
				break;
			case 1: {
				const at = random(bytes.length);
				for (let n = at; n < Math.min(at + 1 + random(16), bytes.length); n++)
					bytes[n] = random(256);
				break;
			}
			case 2:
				bytes = bytes.slice(0, 1 + random(bytes.length));
				break;
			case 3:
				bytes = Uint8Array.from([
					...bytes,
					...Array.from({ length: 1 + random(9) }, () => random(256)),
				]);
				break;
			default: {
				// The headers and codes at the start matter most.
				bytes[random(Math.min(bytes.length, 100))] = random(256);
			}
		}
	}
	return bytes.subarray(0, originalSize - 1);
}
