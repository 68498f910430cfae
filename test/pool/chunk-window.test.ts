import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Span } from '../../source/bytes/span.ts';
import {
	chunkCount,
	locateChunkTable,
	parseChunkTable,
	storedSizeOf,
	surveySolidTable,
} from '../../source/codec/chunk-table.ts';
import {
	chunkWindowPlace,
	parseChunkWindow,
	type ResourceShape,
} from '../../source/pool/chunk-window.ts';

const CHUNK = 32_768;

/** A resource of chunks with these stored sizes, and the bytes of its table. */
function resource(
	sizes: readonly number[],
	layout: 'chunked' | 'pipable' | 'solid',
	isHuge: boolean,
): { shape: ResourceShape; table: Uint8Array } {
	const count = sizes.length;
	// Above 4 GiB the entries have 8 bytes.
	const chunkSize = isHuge ? 2 ** 31 : CHUNK;
	const originalSize = count * chunkSize - 5;
	const data = sizes.reduce((sum, size) => sum + size, 0);
	if (layout === 'solid') {
		const table = new DataView(new ArrayBuffer(count * 4));
		for (const [k, size] of sizes.entries()) table.setUint32(k * 4, size, true);
		const storedSize = 16 + count * 4 + data;
		return {
			shape: { offset: 999, storedSize, originalSize, layout, compression: 'lzx', chunkSize },
			table: new Uint8Array(table.buffer),
		};
	}
	const width = isHuge ? 8 : 4;
	const table = new DataView(new ArrayBuffer((count - 1) * width));
	let at = 0;
	for (let k = 1; k < count; k++) {
		at += sizes[k - 1] ?? 0;
		if (width === 4) table.setUint32((k - 1) * 4, at, true);
		else table.setBigUint64((k - 1) * 8, BigInt(at), true);
	}
	const storedSize = table.byteLength + data + (layout === 'pipable' ? count * 4 : 0);
	return {
		shape: { offset: 999, storedSize, originalSize, layout, compression: 'lzx', chunkSize },
		table: new Uint8Array(table.buffer),
	};
}

/** The window, read from the table as the place says. */
function windowOf(shape: ResourceShape, table: Uint8Array, first: number, end: number) {
	const place = chunkWindowPlace(shape, first, end);
	const tableStart =
		shape.layout === 'solid' ? 16 : locateChunkTable(shape, shape.layout === 'pipable').offset;
	const at = place.offset - shape.offset - tableStart;
	return parseChunkWindow(shape, first, end, table.subarray(at, at + place.size));
}

for (const layout of ['chunked', 'pipable'] as const)
	test(`a window of a ${layout} table says what the whole table says`, () => {
		fc.assert(
			fc.property(
				fc.array(fc.integer({ min: 1, max: CHUNK - 5 }), { minLength: 1, maxLength: 40 }),
				fc.boolean(),
				fc.nat(),
				fc.nat(),
				(sizes, wantsHuge, a, b) => {
					const isHuge = wantsHuge && sizes.length > 2;
					const { shape, table } = resource(sizes, layout, isHuge);
					const count = chunkCount(shape.originalSize, shape.chunkSize);
					const whole = parseChunkTable(new Span(table, 'table'), shape, layout === 'pipable');
					const first = a % count;
					const end = first + 1 + (b % (count - first));
					const window = windowOf(shape, table, first, end);
					for (let k = first; k < end; k++) {
						assert.equal(window.starts[k - first], whole.starts[k]);
						assert.equal(window.sizes[k - first], storedSizeOf(whole, k));
					}
				},
			),
		);
	});

test('a window of a solid table counts from the front', () => {
	const sizes = [100, 200, CHUNK, 1, 50];
	const { shape, table } = resource(sizes, 'solid', false);
	const window = windowOf(shape, table, 2, 5);
	assert.deepEqual([...window.sizes], [CHUNK, 1, 50]);
	assert.deepEqual([...window.starts], [16 + 20 + 300, 36 + 300 + CHUNK, 37 + 300 + CHUNK]);
});

test('chunks whose bounds cannot be right have size 0, the others keep theirs', () => {
	const { shape, table } = resource([100, 200, 300, 400, 500], 'chunked', false);
	// The start of chunk 3 lies before that of chunk 2: both are lost, their neighbours are not.
	new DataView(table.buffer).setUint32(2 * 4, 50, true);
	assert.deepEqual([...windowOf(shape, table, 0, 5).sizes], [100, 200, 0, 950, 500]);
	const cut = parseChunkWindow(shape, 0, 5, table.subarray(0, 6));
	assert.deepEqual([...cut.sizes], [100, 0, 0, 0, 0]);
	const huge = resource([100, 200], 'chunked', false);
	new DataView(huge.table.buffer).setUint32(0, 0xffff_ffff, true);
	assert.deepEqual([...windowOf(huge.shape, huge.table, 0, 2).sizes], [0, 0]);
});

test('a wrong size in a solid table costs only that chunk, since the sum is known', () => {
	const { shape, table } = resource([100, 200, 300], 'solid', false);
	new DataView(table.buffer).setUint32(4, 0xffff_ffff, true);
	const survey = surveySolidTable(new Span(table, 'table'), {
		...shape,
		chunkCount: 3,
		tableOffset: 16,
		tableSize: 12,
	});
	const { sizes } = windowOf(shape, table, 0, 3);
	for (let k = 0; k < 3; k++) assert.equal((sizes[k] ?? 0) === 0, survey.bad.includes(k));
	assert.equal(sizes[2], 300);
});

test('a resource too small for its table is refused before anything is read', () => {
	const { shape } = resource([100, 200, 300], 'chunked', false);
	const attempt = () => chunkWindowPlace({ ...shape, originalSize: 2 ** 40 }, 0, 1);
	assert.throws(attempt, { code: 'bad-format' });
	const solid = resource([100], 'solid', false);
	const attemptSolid = () => chunkWindowPlace({ ...solid.shape, originalSize: 2 ** 40 }, 0, 1);
	assert.throws(attemptSolid, { code: 'bad-format' });
});
