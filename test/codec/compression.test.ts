import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
	COMPRESSIONS,
	chunkSizeRange,
	compressionName,
	isLegalChunkSize,
} from '../../source/codec/compression.ts';

test('chunk sizes are legal as powers of two within the range of their format', () => {
	const powers = Array.from({ length: 33 }, (_, k) => 2 ** k);
	const legal = (name: 'xpress' | 'lzx' | 'lzms') =>
		powers.filter((size) => isLegalChunkSize(name, size)).map(Math.log2);
	assert.deepEqual(legal('xpress'), [12, 13, 14, 15, 16]);
	assert.deepEqual(legal('lzx'), [15, 16, 17, 18, 19, 20, 21]);
	assert.deepEqual(legal('lzms'), [15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30]);
	for (const size of [0, -32768, 32767, 32769, 40000, 49152, 32768.5, Number.NaN])
		for (const name of ['xpress', 'lzx', 'lzms'] as const)
			assert.equal(isLegalChunkSize(name, size), false, `${name} ${size}`);
	assert.equal(isLegalChunkSize('none', 0), true);
	assert.equal(isLegalChunkSize('none', 12345), true);
});

test('what writers use is legal, and names are as people write them', () => {
	for (const name of COMPRESSIONS) {
		const { normal, solid } = chunkSizeRange(name);
		assert.ok(isLegalChunkSize(name, normal) && isLegalChunkSize(name, solid), name);
	}
	assert.deepEqual(COMPRESSIONS.map(compressionName), ['none', 'XPRESS', 'LZX', 'LZMS']);
});
