import assert from 'node:assert/strict';
import test from 'node:test';
import { Decoder } from '../../source/codec/decoder.ts';
import { Encoder } from '../../source/codec/encoder.ts';
import { CONTENT_KINDS, content } from '../support/contents.ts';

const SOLID = 2 ** 26;
/** In steps of how many bytes `between` is called. */
const STEP = 2 ** 20;

/** All kinds of content, some of it twice, so that there are near and far matches, and stretches without any. */
function chunkOf(size: number): Uint8Array {
	const bytes = new Uint8Array(size);
	const piece = Math.ceil(size / (CONTENT_KINDS.length + 3));
	for (let k = 0; k * piece < size; k++) {
		const kind = CONTENT_KINDS[k % CONTENT_KINDS.length] ?? 'text';
		const part = content(kind, Math.min(piece, size - k * piece), k % CONTENT_KINDS.length);
		bytes.set(part, k * piece);
	}
	return bytes;
}

/** Lets another encoder find from a step on, until it has been asked so many times. */
interface Handover {
	readonly level: number;
	/** Of `between`, from 1. */
	readonly step: number;
	readonly fetches: number;
}

/** Gives the stored bytes, and how many packed bytes came from the other encoder. */
function encodeByTwo(original: Uint8Array, { level, step, fetches }: Handover) {
	const encoder = new Encoder();
	const helper = new Encoder();
	// What another chunk, another format left behind must not matter.
	helper.encodeBytes('lzx', 2 ** 15, level, original.subarray(0, 2 ** 15));
	let steps = 0;
	let asked = 0;
	let moved = 0;
	encoder.input(original.length).set(original);
	const stored = encoder.encode('lzms', SOLID, level, original.length, () => {
		if (++steps !== step) return;
		const from = encoder.lend();
		const to = helper.borrow(level, original.length);
		assert.ok(from !== null && to !== null);
		for (const [k, view] of from.entries()) to[k]?.set(view);
		helper.resume();
		encoder.feed((into) => {
			if (asked++ >= fetches) return 0;
			const matches = helper.findMatches();
			into.set(matches);
			moved += matches.length;
			return matches.length;
		});
	});
	return { stored: stored?.slice() ?? null, moved };
}

const ALWAYS = Number.POSITIVE_INFINITY;

for (const [size, level, handovers] of [
	[(4 << 20) + 1, 20, [[1, ALWAYS]]],
	[
		5_000_003,
		20,
		[
			[1, ALWAYS],

			[1, 0],
			[2, 3],
		],
	],
	[
		5_242_880,
		50,
		[
			[2, ALWAYS],
			[1, 7],
		],
	],
] as const)
	test(`an LZMS chunk of ${size} bytes by two encoders is the same as by one, level ${level}`, () => {
		const original = chunkOf(size);
		const alone = new Encoder().encodeBytes('lzms', SOLID, level, original);
		assert.ok(alone !== null);
		const back = new Decoder().decodeBytes('lzms', SOLID, alone, size);
		assert.ok(Buffer.compare(back, original) === 0, 'decodes to other bytes');
		for (const [step, fetches] of handovers) {
			const { stored, moved } = encodeByTwo(original, { level, step, fetches });
			const what = `from step ${step}, ${fetches} times`;
			assert.ok(stored !== null && Buffer.compare(stored, alone) === 0, what);
			assert.equal(moved > 0, fetches > 0, what);
		}
	});

test('an encoder lends nothing where one tree covers the chunk, or none is being encoded', () => {
	const encoder = new Encoder();
	assert.equal(encoder.lend(), null);
	const lent: boolean[] = [];
	const look = () => lent.push(encoder.lend() !== null);
	const small = content('text', STEP + 1, 1);
	encoder.input(small.length).set(small);
	encoder.encode('lzms', SOLID, 50, small.length, look);
	assert.ok(lent.length > 0 && !lent.includes(true));
	assert.equal(encoder.borrow(50, STEP + 1), null);
	assert.equal(encoder.borrow(100, SOLID), null);
	assert.equal(encoder.lend(), null);
});

test('an encoder that is stopped while another one finds encodes the next chunk as ever', () => {
	const original = chunkOf(5_000_003);
	const encoder = new Encoder();
	const small = content('mixed', 3_000_000, 5);
	const before = encoder.encodeBytes('lzms', SOLID, 20, small);
	encoder.input(original.length).set(original);
	const stop = new Error('stop');
	const encode = () =>
		encoder.encode('lzms', SOLID, 20, original.length, () => {
			encoder.feed(() => {
				throw stop;
			});
		});
	assert.throws(encode, (error) => error === stop);
	assert.deepEqual(Buffer.from(encoder.input(original.length)), Buffer.from(original));
	assert.equal(encoder.lend(), null);
	const after = encoder.encodeBytes('lzms', SOLID, 20, small);
	assert.ok(before !== null && after !== null && Buffer.compare(before, after) === 0);
});
