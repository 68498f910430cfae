import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { FormatError } from '../../source/base/errors.ts';
import { Span } from '../../source/bytes/span.ts';
import {
	type ChunkTable,
	chunkCount,
	chunkTableSize,
	entrySize,
	locateChunkTable,
	originalSizeOf,
	parseChunkTable,
	parseSolidHeader,
	parseSolidTable,
	SolidHeader,
	storedSizeOf,
	surveyChunkTable,
	surveySolidTable,
} from '../../source/codec/chunk-table.ts';

const GIB4 = 2 ** 32;

function tableOf(entries: readonly number[], width: 4 | 8 = 4): Span {
	const bytes = new Uint8Array(entries.length * width);
	const view = new DataView(bytes.buffer);
	entries.forEach((entry, at) => {
		if (width === 4) view.setUint32(at * 4, entry, true);
		else view.setBigUint64(at * 8, BigInt(entry), true);
	});
	return new Span(bytes, 'a.wim', 1000);
}

function chunksOf(table: ChunkTable): [start: number, stored: number, original: number][] {
	return Array.from({ length: table.chunkCount }, (_, k) => [
		table.starts[k]!,
		storedSizeOf(table, k),
		originalSizeOf(table, k),
	]);
}

test('counts and sizes follow from the original size alone', () => {
	const rows: readonly (readonly [
		original: number,
		chunk: number,
		count: number,
		table: number,
	])[] = [
		[0, 32768, 0, 0],
		[1, 32768, 1, 0],
		[32768, 32768, 1, 0],
		[32769, 32768, 2, 4],
		[39600, 32768, 2, 4],
		[GIB4 - 1, 32768, 131072, 131071 * 4],
		[GIB4, 32768, 131072, 131071 * 8],
		[2 ** 50, 4096, 2 ** 38, (2 ** 38 - 1) * 8],
	];
	for (const [original, chunk, count, table] of rows) {
		assert.equal(chunkCount(original, chunk), count, `${original}`);
		assert.equal(chunkTableSize(original, chunk), table, `${original}`);
	}
	assert.equal(entrySize(GIB4 - 1), 4);
	assert.equal(entrySize(GIB4), 8);
});

test('the example of wim.md §2.2 gives its two chunks', () => {
	const sizes = { originalSize: 39600, storedSize: 1862, chunkSize: 32768 };
	assert.deepEqual(locateChunkTable(sizes), { offset: 0, size: 4 });
	const table = parseChunkTable(new Span(Uint8Array.of(0xa8, 5, 0, 0), 'v02.wim'), sizes);
	assert.deepEqual(chunksOf(table), [
		[4, 1448, 32768],
		[1452, 410, 6832],
	]);
});

test('a single chunk has no table', () => {
	const sizes = { originalSize: 5000, storedSize: 5000, chunkSize: 32768 };
	assert.deepEqual(chunksOf(parseChunkTable(tableOf([]), sizes)), [[0, 5000, 5000]]);
});

test('resources of 4 GiB and more have entries of 8 bytes', () => {
	const chunkSize = 2 ** 30;
	const starts = [2 ** 30, 2 ** 31, 2 ** 31 + 5];
	const sizes = { originalSize: GIB4, storedSize: 24 + 2 ** 31 + 6, chunkSize };
	const table = parseChunkTable(tableOf(starts, 8), sizes);
	assert.deepEqual(chunksOf(table), [
		[24, 2 ** 30, chunkSize],
		[24 + 2 ** 30, 2 ** 30, chunkSize],
		[24 + 2 ** 31, 5, chunkSize],
		[24 + 2 ** 31 + 5, 1, chunkSize],
	]);
});

test('in pipable files the table comes last, and prefixes stand between the chunks', () => {
	const sizes = {
		originalSize: 70000,
		storedSize: 4 + 100 + 4 + 200 + 4 + 300 + 8,
		chunkSize: 32768,
	};
	assert.deepEqual(locateChunkTable(sizes, true), { offset: 612, size: 8 });
	const table = parseChunkTable(tableOf([100, 300]), sizes, true);
	assert.deepEqual(chunksOf(table), [
		[4, 100, 32768],
		[108, 200, 32768],
		[312, 300, 4464],
	]);
	assert.throws(() => parseChunkTable(tableOf([100, 700]), sizes, true), FormatError);
});

const three = { originalSize: 70000, storedSize: 8 + 600, chunkSize: 32768 };
const faults: readonly (readonly [
	name: string,
	entries: readonly number[],
	sizes: typeof three,
	bad: readonly number[],
	reason: RegExp,
])[] = [
	['decreasing', [300, 100], three, [1], /chunk 1 of 3 has -200 bytes/],
	['an empty first chunk', [0, 300], three, [0], /chunk 0 of 3 has 0 bytes, expected 1 to 32768/],
	['an empty last chunk', [100, 600], three, [2], /chunk 2 of 3 has 0 bytes, expected 1 to 4464/],
	['an entry past the end', [100, 900], three, [1, 2], /chunk 1/],
	[
		'a chunk larger than its original size',
		[100, 32869],
		{ ...three, storedSize: 40000 },
		[1, 2],
		/chunk 1 of 3 has 32769 bytes/,
	],
	[
		'a last chunk larger than it may be',
		[100, 200],
		{ ...three, storedSize: 8 + 200 + 4465 },
		[2],
		/chunk 2 of 3 has 4465/,
	],
];

for (const [name, entries, sizes, bad, reason] of faults) {
	test(`a chunk table is refused, and surveyed in tolerant mode: ${name}`, () => {
		assert.throws(
			() => parseChunkTable(tableOf(entries), sizes),
			(error) =>
				error instanceof FormatError &&
				reason.test(error.message) &&
				error.facts.region === 'a.wim' &&
				error.facts.offset === 1000 + 4 * Math.max(0, bad[0]! - 1),
		);
		assert.deepEqual(surveyChunkTable(tableOf(entries), sizes).bad, bad);
	});
}

test('a table that ends too early is refused; a survey gives the chunks that it still bounds', () => {
	assert.throws(
		() => parseChunkTable(tableOf([100]), three),
		/Cannot read chunk table: 8 bytes needed, 4 left/,
	);
	const { table, bad } = surveyChunkTable(tableOf([100]), three);
	assert.deepEqual(bad, [1, 2]);
	assert.deepEqual(chunksOf(table)[0], [8, 100, 32768]);
});

test('sizes that cannot be right are refused before anything is allocated', () => {
	const rows: readonly (readonly [
		originalSize: number,
		storedSize: number,
		chunkSize: number,
		reason: RegExp,
	])[] = [
		[0, 10, 32768, /resource of 0 bytes has no chunks/],
		[10, 10, 0, /0 is no chunk size/],
		[2 ** 50, 200, 32768, /34359738368 chunks need at least \d+ bytes, the resource has 200/],
		[70000, 10, 32768, /3 chunks need at least 11 bytes/],
	];
	for (const [originalSize, storedSize, chunkSize, reason] of rows) {
		const sizes = { originalSize, storedSize, chunkSize };
		for (const act of [
			() => locateChunkTable(sizes),
			() => parseChunkTable(tableOf([]), sizes),
			() => surveyChunkTable(tableOf([]), sizes),
		])
			assert.throws(act, (error) => error instanceof FormatError && reason.test(error.message));
	}
	const pipable = { originalSize: 70000, storedSize: 22, chunkSize: 32768 };
	assert.throws(() => locateChunkTable(pipable, true), /3 chunks need at least 23 bytes/);
});

test('any list of chunk sizes comes back from its table, ordinary and pipable', () => {
	const chunkSize = 4096;
	fc.assert(
		fc.property(
			fc.array(fc.integer({ min: 1, max: chunkSize }), { minLength: 1, maxLength: 40 }),
			fc.integer({ min: 1, max: chunkSize }),
			fc.boolean(),
			(stored, lastOriginal, pipable) => {
				const last = stored.length - 1;
				stored[last] = Math.min(stored[last]!, lastOriginal);
				const entries: number[] = [];
				let sum = 0;
				for (const size of stored.slice(0, -1)) {
					sum += size;
					entries.push(sum);
				}
				const total = sum + stored[last]! + 4 * entries.length + (pipable ? 4 * stored.length : 0);
				const sizes = {
					originalSize: last * chunkSize + lastOriginal,
					storedSize: total,
					chunkSize,
				};
				const table = parseChunkTable(tableOf(entries), sizes, pipable);
				assert.deepEqual(
					chunksOf(table).map(([, size]) => size),
					stored,
				);
			},
		),
	);
});

function solid(originalSize: number, chunkSize: number, format: number): Span {
	return new Span(SolidHeader.encode({ originalSize, chunkSize, format }), 'b.esd', 208);
}

test('a solid resource says how it is cut', () => {
	assert.equal(SolidHeader.size, 16);
	assert.deepEqual(SolidHeader.offsets, { originalSize: 0, chunkSize: 8, format: 12 });
	const shape = parseSolidHeader(solid(70000, 32768, 3), 16 + 12 + 600);
	assert.deepEqual(shape, {
		originalSize: 70000,
		storedSize: 628,
		chunkSize: 32768,
		compression: 'lzms',
		chunkCount: 3,
		tableOffset: 16,
		tableSize: 12,
	});
	assert.deepEqual(chunksOf(parseSolidTable(tableOf([100, 200, 300]), shape)), [
		[28, 100, 32768],
		[128, 200, 32768],
		[328, 300, 4464],
	]);
});

test('solid headers that contradict themselves are refused, with the offset of the field', () => {
	const rows: readonly (readonly [span: Span, stored: number, at: number, reason: RegExp])[] = [
		[solid(70000, 32768, 4), 628, 12, /4 is no compression format/],
		[solid(70000, 0, 3), 628, 8, /0 is no chunk size/],
		[solid(70000, 40000, 3), 628, 8, /40000 is no chunk size/],
		[solid(70000, 16384, 2), 628, 8, /16384 is no chunk size/],
		[solid(0, 32768, 3), 628, 0, /it holds no bytes/],
		[solid(2 ** 50, 32768, 3), 628, 0, /34359738368 chunks need/],
	];
	for (const [span, stored, at, reason] of rows)
		assert.throws(
			() => parseSolidHeader(span, stored),
			(error) =>
				error instanceof FormatError &&
				reason.test(error.message) &&
				error.facts.offset === 208 + at,
		);
	assert.throws(
		() => parseSolidHeader(new Span(new Uint8Array(15), 'b.esd'), 15),
		/solid resource header: 16 bytes needed/,
	);
});

test('solid tables are refused when a size or the sum is wrong; a survey counts from both ends', () => {
	const shape = parseSolidHeader(solid(5 * 32768, 32768, 3), 16 + 20 + 1500);
	const right = [100, 200, 300, 400, 500];
	assert.deepEqual(surveySolidTable(tableOf(right), shape).bad, []);
	assert.throws(
		() => parseSolidTable(tableOf([100, 0, 300, 400, 500]), shape),
		/chunk 1 of 5 has 0 bytes/,
	);
	assert.throws(
		() => parseSolidTable(tableOf([100, 200, 300, 400, 499]), shape),
		/the chunks have 1499 bytes, expected 1500/,
	);
	assert.throws(() => parseSolidTable(tableOf([100, 200]), shape), /20 bytes needed, 8 left/);

	// One wrong size follows from the sum.
	const one = surveySolidTable(tableOf([100, 200, 70000, 400, 500]), shape);
	assert.deepEqual(one.bad, []);
	assert.deepEqual(chunksOf(one.table), chunksOf(parseSolidTable(tableOf(right), shape)));
	// Of two, what lies outside is still known.
	const two = surveySolidTable(tableOf([100, 0, 300, 70000, 500]), shape);
	assert.deepEqual(two.bad, [1, 2, 3]);
	assert.deepEqual(chunksOf(two.table)[4], [36 + 1000, 500, 32768]);
	// A resource that was cut off keeps its first chunks.
	const cut = surveySolidTable(tableOf(right), { ...shape, storedSize: 36 + 700 });
	assert.deepEqual(cut.bad, [3, 4]);
	assert.equal(cut.spare, -800);
});
