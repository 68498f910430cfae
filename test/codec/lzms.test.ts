import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { FormatError } from '../../source/base/errors.ts';
import { Decoder } from '../../source/codec/decoder.ts';
import { Encoder } from '../../source/codec/encoder.ts';
import { assertAgreement, damage, decodeByKernel } from '../support/agreement.ts';
import { type LzmsChunk, LzmsWriter, makeRandomLzms } from '../support/make-lzms.ts';
import { decodeLzmsPlainly, filterX86 } from '../support/oracle-lzms.ts';
import { seededRandom } from '../support/prefix-code.ts';
import { LZMS_VECTOR, SAMPLE, X86_VECTOR } from '../support/vectors.ts';

test('the vectors of lzms.md decode, by the kernel and by the transcription', () => {
	assert.deepEqual(new Decoder().decodeBytes('lzms', 32768, LZMS_VECTOR, 830), SAMPLE);
	assert.deepEqual(decodeLzmsPlainly(LZMS_VECTOR, 830), SAMPLE);
	const data = X86_VECTOR[0].slice();
	filterX86(data, false);
	assert.deepEqual(data, X86_VECTOR[1]);
	filterX86(data, true);
	assert.deepEqual(data, X86_VECTOR[0]);
});

test('valid LZMS chunks with all kinds of matches decode to what they mean', () => {
	fc.assert(
		fc.property(
			fc.integer(),
			fc.oneof(fc.integer({ min: 5, max: 3000 }), fc.integer({ min: 3000, max: 32768 })),
			(seed, size) => {
				const { stored, original } = makeRandomLzms(size, seededRandom(seed));
				fc.pre(stored.length < size);
				assert.deepEqual(decodeByKernel('lzms', 32768, stored, size), original);
				assertAgreement('lzms', 32768, stored, size);
			},
		),
		{ numRuns: 80 },
	);
});

test('all adaptive codes of an LZMS chunk are rebuilt in step', () => {
	const random = seededRandom(11);
	const writer = new LzmsWriter(1 << 17);
	// Several periods of each code, in stretches of different content.
	for (let k = 0; writer.output.length < 1 << 17; k++) {
		const spread = 1 + (((k >> 10) * 37) % 256);
		const byte = Math.min(random(spread), random(256));
		const at = writer.output.length;
		if (k % 3 === 0 || at < 300) writer.put({ kind: 'literal', byte });
		else if (k % 3 === 1)
			writer.put({ kind: 'lz', offset: 1 + random(at), length: 1 + random(12) });
		else {
			const power = random(3);
			writer.put({
				kind: 'delta',
				power,
				raw: 1 + random((at >> power) - 1),
				length: 1 + random(12),
			});
		}
	}
	const { stored, original } = writer.finish();
	assert.ok(stored.length < original.length);
	assert.deepEqual(decodeByKernel('lzms', 1 << 17, stored, original.length), original);
});

test('offsets and lengths of large slots decode in a chunk of 16 MiB', () => {
	const size = 1 << 24;
	const writer = new LzmsWriter(size);
	for (let k = 0; k < 200; k++) writer.put({ kind: 'literal', byte: (k * 7) & 255 });
	writer.put({ kind: 'lz', offset: 150, length: 70_000 });
	writer.put({ kind: 'literal', byte: 1 });
	writer.put({ kind: 'lz', offset: 70_000, length: 2500 });
	writer.put({ kind: 'delta', power: 7, raw: 400, length: 100_000 });
	writer.put({ kind: 'lz-recent', index: 1, length: 8_000_000 });
	writer.put({ kind: 'literal', byte: 2 });
	writer.put({ kind: 'lz', offset: 8_000_000, length: size });
	const { stored, original } = writer.finish();
	assert.equal(original.length, size);
	const decoded = decodeByKernel('lzms', size, stored, size)!;
	assert.equal(Buffer.compare(decoded, original), 0);
});

test('the x86 filter starts afresh in every chunk', () => {
	const decoder = new Decoder();
	const random = seededRandom(2);
	for (let k = 0; k < 40; k++) {
		// The same chunk twice in a row, amid others: targets used by the chunk before must not count.
		const { stored, original } = makeRandomLzms(6000, random);
		if (stored.length >= original.length) continue;
		for (let twice = 0; twice < 2; twice++)
			assert.deepEqual(decoder.decodeBytes('lzms', 32768, stored, 6000), original);
	}
});

/** A chunk that holds these bytes before the filter of the decoder: literals, and matches for runs of one byte. */
function chunkOf(bytes: Uint8Array): LzmsChunk {
	const writer = new LzmsWriter(bytes.length);
	for (let at = 0; at < bytes.length; ) {
		let run = 1;
		while (at + run < bytes.length && bytes[at + run] === bytes[at]) run += 1;
		writer.put({ kind: 'literal', byte: bytes[at]! });
		if (run > 1) writer.put({ kind: 'lz', offset: 1, length: run - 1 });
		at += run;
	}
	return writer.finish();
}

test('the x86 filter keeps its limits: how far code reaches, how long a target counts, where a chunk ends', () => {
	const opcodes = [
		[0xe8],
		[0xff, 0x15],
		[0x48, 0x8d, 0x05],
		[0x48, 0x8b, 0x0d],
		[0x4c, 0x8d, 0x3d],
		[0xf0, 0x83, 0x05],
	];
	const gaps = [...range(500, 520), ...range(1010, 1030), ...range(65_500, 65_512)];
	for (const opcode of opcodes) {
		for (const gap of gaps) {
			// Two references to one target make code of what follows; then a third, later.
			const bytes = new Uint8Array(gap + 80);
			bytes.set([0x90, 0xe8, 100, 0, 0, 0, 0xe8, 95, 0, 0, 0], 0);
			bytes.set([...opcode, 7, 1, 0, 0], 11 + gap);
			// It refers to the target of the first two again, so distances of 65535 and 65536 show as well.
			bytes.set([0xe8, (95 - 30 - gap) & 255, ((95 - 30 - gap) >> 8) & 255, 0, 0], 36 + gap);
			bytes.set([0xe8, 9, 1, 0, 0], 46 + gap);
			const { stored, original } = chunkOf(bytes);
			assert.deepEqual(decodeByKernel('lzms', 1 << 17, stored, bytes.length), original, `${gap}`);
		}
	}
	for (const size of range(30, 60)) {
		for (const at of range(size - 22, size - 6)) {
			const bytes = new Uint8Array(size);
			bytes.set([0x90, 0xe8, 100, 0, 0, 0, 0xe8, 95, 0, 0, 0], 0);
			bytes.set([0xe8, 1, 2].slice(0, size - at), at);
			const { stored, original } = chunkOf(bytes);
			if (stored.length >= size) continue;
			assert.deepEqual(decodeByKernel('lzms', 32768, stored, size), original, `${size} ${at}`);
		}
	}
});

function range(from: number, end: number): number[] {
	return Array.from({ length: end - from }, (_, k) => from + k);
}

test('a delta distance beyond 32 bits is refused, and not taken modulo', () => {
	const size = 2 ** 26;
	const writer = new LzmsWriter(size);
	for (let k = 0; k < 300; k++) writer.put({ kind: 'literal', byte: k & 255 });
	writer.putBrokenDelta({ power: 7, raw: 2 ** 25 + 1 });
	const { stored } = writer.finish();
	assert.throws(() => new Decoder().decodeBytes('lzms', size, stored, size), /delta match/);
	assert.throws(() => decodeLzmsPlainly(stored, size), /delta/);
});

test('tiny LZMS chunks: both streams end where the data ends, give or take nothing', () => {
	const random = seededRandom(4);
	for (let k = 0; k < 1500; k++) {
		const words = 2 + random(3);
		const high = random(2) === 0 ? 255 : 127;
		const stored = Uint8Array.from({ length: 2 * words }, () =>
			random(3) === 0 ? high : random(2) === 0 ? 0 : random(256),
		);
		assertAgreement('lzms', 32768, stored, stored.length + 1 + random(30));
	}
});

test('damaged LZMS chunks: kernel and transcription give the same bytes or both refuse', () => {
	fc.assert(
		fc.property(fc.integer(), fc.integer({ min: 40, max: 3000 }), (seed, size) => {
			const random = seededRandom(seed);
			const { stored } = makeRandomLzms(size, random);
			fc.pre(stored.length < size);
			for (let k = 0; k < 4; k++) {
				const damaged = damage(stored, size, random);
				assertAgreement('lzms', 32768, damaged, size);
				const even = damaged.subarray(0, damaged.length & ~1);
				if (even.length > 0) assertAgreement('lzms', 32768, even, size);
			}
		}),
		{ numRuns: 150 },
	);
});

test('after decoding, the two readers of an LZMS chunk have met', () => {
	const decoder = new Decoder();
	fc.assert(
		fc.property(fc.integer(), fc.integer({ min: 100, max: 5000 }), (seed, size) => {
			const { stored } = makeRandomLzms(size, seededRandom(seed));
			fc.pre(stored.length < size);
			decoder.decodeBytes('lzms', 32768, stored, size);
			const { front, back } = decoder.lastConsumed();
			assert.ok(back - front >= 0 && back - front <= 4, `${front} ${back}`);
		}),
		{ numRuns: 50 },
	);
});

/** Calls, jumps and loads with close targets, and random bytes between them: the x86 filter has something to do. */
function makeCode(size: number, random: (below: number) => number): Uint8Array {
	const openings = [[0xe8], [0xe9], [0xff, 0x15], [0x48, 0x8d, 0x05], [0xf0, 0x83, 0x05]];
	const bytes: number[] = [];
	while (bytes.length < size) {
		const opening = openings[random(openings.length)] ?? [];
		bytes.push(...opening, random(256), random(4), 0, 0);
		for (let k = random(4); k > 0; k--) bytes.push(random(256));
	}
	return Uint8Array.from(bytes.slice(0, size));
}

test('as much of an LZMS chunk as is needed is right, wherever that ends', () => {
	const decoder = new Decoder();
	const encoder = new Encoder();
	fc.assert(
		fc.property(
			fc.integer(),
			fc.integer({ min: 200, max: 20_000 }),
			fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 8, maxLength: 8 }),
			(seed, size, shares) => {
				const code = makeCode(size, seededRandom(seed));
				encoder.input(size).set(code);
				const stored = encoder.encode('lzms', 32768, 20, size)?.slice();
				fc.pre(stored !== undefined);
				assert.ok(stored);
				for (const neededSize of [
					1,
					size - 17,
					size - 16,
					size - 1,
					...shares.map((share) => 1 + Math.floor(share * (size - 1))),
				]) {
					decoder.reserve(stored.length, size);
					decoder.inputBytes.set(stored);
					const place = {
						inputAt: 0,
						storedSize: stored.length,
						outputAt: 0,
						originalSize: size,
						neededSize,
					};
					decoder.outputBytes.fill(0);
					decoder.decodeAt('lzms', 32768, place);
					const got = decoder.outputBytes.subarray(0, neededSize);
					assert.ok(
						Buffer.compare(got, code.subarray(0, neededSize)) === 0,
						`${neededSize} of ${size}`,
					);
				}
			},
		),
		{ numRuns: 60 },
	);
});

test('an LZMS chunk is not decoded much further than needed', () => {
	const size = 1 << 20;
	const code = makeCode(size, seededRandom(3));
	const encoder = new Encoder();
	encoder.input(size).set(code);
	const stored = encoder.encode('lzms', size, 20, size);
	assert.ok(stored);
	const decoder = new Decoder();
	decoder.reserve(stored.length, size);
	decoder.inputBytes.set(stored);
	decoder.outputBytes.fill(0);
	const place = { inputAt: 0, storedSize: stored.length, outputAt: 0, originalSize: size };
	decoder.decodeAt('lzms', size, { ...place, neededSize: 1000 });
	assert.deepEqual(decoder.outputBytes.slice(0, 1000), code.slice(0, 1000));
	assert.ok(
		decoder.outputBytes.subarray(size / 8, size).every((byte) => byte === 0),
		'the rest was not touched',
	);
});

const refused: readonly (readonly [
	name: string,
	stored: Uint8Array,
	size: number,
	reason: RegExp,
])[] = [
	['an odd stored size', LZMS_VECTOR.slice(1), 830, /odd or too small/],
	['two bytes', LZMS_VECTOR.slice(0, 2), 830, /odd or too small/],
	['a match past the end', LZMS_VECTOR, 829, /past the end of the chunk/],
	['a chunk without its middle', Uint8Array.of(0, 0, 0, 0), 830, /ends too early/],
	['a match before the start', new Uint8Array(60).fill(255), 830, /before the chunk|delta match/],
];

for (const [name, stored, size, reason] of refused) {
	test(`LZMS refuses: ${name}`, () => {
		assert.throws(
			() => new Decoder().decodeBytes('lzms', 32768, stored, size),
			(error) => error instanceof FormatError && reason.test(error.message),
		);
		assert.throws(() => decodeLzmsPlainly(stored, size));
	});
}
