import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Lane } from '../../source/pool/lane.ts';

const SIZE = 64 << 20;

test('a lane keeps the memory of a large chunk for the next one until there is nothing left to do', () => {
	const lane = new Lane();
	lane.decoder.reserve(SIZE, SIZE);
	// It is stored raw, so that it takes no time.
	const place = { inputAt: 0, storedSize: SIZE, outputAt: 0, originalSize: SIZE };
	lane.decoder.decodeAt('none', SIZE, place);
	const { decoder } = lane;
	assert.equal(lane.decoder, decoder);
	lane.trim();
	assert.notEqual(lane.decoder, decoder);
});
