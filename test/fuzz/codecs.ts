import assert from 'node:assert/strict';
import { FormatError } from '../../source/base/errors.ts';
import { Span } from '../../source/bytes/span.ts';
import {
	originalSizeOf,
	parseChunkTable,
	parseSolidHeader,
	parseSolidTable,
	storedSizeOf,
	surveyChunkTable,
} from '../../source/codec/chunk-table.ts';
import type { Compression } from '../../source/codec/compression.ts';
import { assertAgreement, damage, decodeByKernel } from '../support/agreement.ts';
import { makeRandomLzms } from '../support/make-lzms.ts';
import { type LzxBlock, makeLzx } from '../support/make-lzx.ts';
import { makeXpress, randomXpressItems } from '../support/make-xpress.ts';
import type { Random } from '../support/prefix-code.ts';
import type { FuzzTarget, FuzzTargets } from './target.ts';

/** A call of a kernel on a chunk of at most 64 KiB takes far less than a millisecond; this is for a hang. */
const CALL_MS_MAX = 1000;

interface Chunk {
	readonly chunkSize: number;
	readonly stored: Uint8Array;
	readonly original: Uint8Array;
}

type Maker = (random: Random, size: number) => Chunk;

const makers: Readonly<Record<'xpress' | 'lzx' | 'lzms', Maker>> = {
	xpress: (random, size) => ({
		chunkSize: 65536,
		...makeXpress(randomXpressItems(random, size), random, random(2) === 0),
	}),
	lzx: (random, size) => {
		const chunkSize = 2 ** (15 + random(7));
		const blocks: LzxBlock[] = [];
		for (let left = size; left > 0; ) {
			const part = random(3) === 0 ? left : 1 + random(left);
			const kind = (['verbatim', 'aligned', 'uncompressed'] as const)[random(3)]!;
			blocks.push({ kind, size: part });
			left -= part;
		}
		return { chunkSize, ...makeLzx(chunkSize, blocks, random, random(2) === 0) };
	},
	lzms: (random, size) => ({ chunkSize: 32768, ...makeRandomLzms(size, random) }),
};

/** A valid chunk, then damaged ones: the kernel and the transcription must agree on all. */
function damagedChunks(compression: 'xpress' | 'lzx' | 'lzms'): FuzzTarget {
	return (random, keep) => {
		const size = 600 + random(random(10) === 0 ? 30_000 : 3000);
		const { chunkSize, stored, original } = makers[compression](random, size);
		if (stored.length >= original.length) return;
		keep(stored);
		assert.deepEqual(timed(compression, chunkSize, stored, size), original);
		for (let k = 0; k < 5; k++) {
			const damaged = damage(stored, size, random);
			if (compression === 'lzms' && random(4) > 0 && damaged.length % 2 === 1) continue;
			// A wrong original size is damage, too.
			const claimed = random(8) === 0 ? damaged.length + 1 + random(size) : size;
			keep(damaged);
			timed(compression, chunkSize, damaged, claimed);
			assertAgreement(compression, chunkSize, damaged, claimed);
		}
	};
}

/** Bytes without any sense, in many sizes and large windows: no hang, no crash, nothing written outside. */
function noise(compression: 'xpress' | 'lzx' | 'lzms', chunkSizes: readonly number[]): FuzzTarget {
	return (random, keep) => {
		const chunkSize = chunkSizes[random(chunkSizes.length)]!;
		const originalSize = 2 + random(chunkSize - 1);
		const sparse = 1 + random(256);
		const input = new Uint8Array(1 + random(Math.min(originalSize - 1, 3000)));
		for (let k = 0; k < input.length; k++) input[k] = random(256) < sparse ? random(256) : 0;
		keep(input);
		timed(compression, chunkSize, input, originalSize);
	};
}

function timed(
	compression: Compression,
	chunkSize: number,
	stored: Uint8Array,
	originalSize: number,
): Uint8Array | null {
	const start = performance.now();
	const result = decodeByKernel(compression, chunkSize, stored, originalSize);
	assert.ok(performance.now() - start < CALL_MS_MAX, 'the kernel took too long');
	return result;
}

/** Whatever a table says, the chunks of an accepted one lie inside the resource, one behind the other. */
const chunkTables: FuzzTarget = (random, keep) => {
	const chunkSize = 2 ** (12 + random(10));
	const pipable = random(2) === 0;
	const originalSize = random(5) === 0 ? 2 ** (20 + random(33)) : 1 + random(chunkSize * 20);
	const bytes = new Uint8Array(random(120));
	const view = new DataView(bytes.buffer);
	for (let at = 0, sum = 0; at + 4 <= bytes.length; at += 4) {
		sum += 1 + random(chunkSize + 2);
		view.setUint32(at, random(12) === 0 ? random(2 ** 32) : sum, true);
	}
	keep(bytes);
	const storedSize = random(chunkSize * 22);
	const sizes = { originalSize, storedSize, chunkSize };
	try {
		const table = parseChunkTable(new Span(bytes, 'fuzz'), sizes, pipable);
		let end = 0;
		for (let k = 0; k < table.chunkCount; k++) {
			assert.ok(table.starts[k]! >= end + table.gap);
			assert.ok(storedSizeOf(table, k) >= 1 && storedSizeOf(table, k) <= originalSizeOf(table, k));
			end = table.starts[k]! + storedSizeOf(table, k);
		}
		assert.ok(end <= storedSize);
		assert.deepEqual(surveyChunkTable(new Span(bytes, 'fuzz'), sizes, pipable).bad, []);
	} catch (error) {
		if (!(error instanceof FormatError)) throw error;
	}
};

const solidHeaders: FuzzTarget = (random, keep) => {
	const bytes = Uint8Array.from({ length: 16 + 4 * random(20) }, () =>
		random(2) ? 0 : random(256),
	);
	if (random(2) === 0) bytes.set([0, 0, 1 << random(4), 0, random(5), 0, 0, 0], 8);
	keep(bytes);
	try {
		const storedSize = bytes.length + random(100_000);
		const shape = parseSolidHeader(new Span(bytes, 'fuzz'), storedSize);
		const table = parseSolidTable(new Span(bytes.subarray(16), 'fuzz'), shape);
		assert.equal(table.starts[table.chunkCount], storedSize);
	} catch (error) {
		if (!(error instanceof FormatError)) throw error;
	}
};

export const targets: FuzzTargets = {
	xpress: damagedChunks('xpress'),
	lzx: damagedChunks('lzx'),
	lzms: damagedChunks('lzms'),
	'xpress-noise': noise('xpress', [4096, 65536]),
	'lzx-noise': noise('lzx', [32768, 1 << 18, 1 << 21]),
	'lzms-noise': noise('lzms', [32768, 1 << 20, 1 << 23]),
	'chunk-table': chunkTables,
	'solid-header': solidHeaders,
};
