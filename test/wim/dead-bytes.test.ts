import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { deadBytesOf } from '../../source/wim/dead-bytes.ts';
import type { OpenPart } from '../../source/wim/open-part.ts';
import { HEADER_SIZE } from '../../source/wim/part-header.ts';

interface Stretch {
	readonly offset: number;
	readonly storedSize: number;
}

const NONE: Stretch = { offset: 0, storedSize: 0 };

function partOf(size: number, resources: readonly Stretch[], pipable = false): OpenPart {
	const [blobTable = NONE, xml = NONE, ...others] = resources;
	return {
		pipable,
		source: { size },
		header: { blobTable, xml, integrity: NONE },
		table: { resources: others },
	} as unknown as OpenPart;
}

const stretch = fc.record({ offset: fc.nat({ max: 3000 }), storedSize: fc.nat({ max: 400 }) });

test('bytes are dead that no stretch covers, however stretches overlap or reach over the end', async () => {
	await fc.assert(
		fc.asyncProperty(
			fc.nat({ max: 2500 }),
			fc.array(stretch, { maxLength: 30 }),
			async (size, resources) => {
				const isUsed = new Uint8Array(size).fill(1, 0, HEADER_SIZE);
				for (const { offset, storedSize } of resources) isUsed.fill(1, offset, offset + storedSize);
				const expected = isUsed.reduce((dead, used) => dead + 1 - used, 0);
				assert.equal(await deadBytesOf(partOf(size, resources)), expected);
			},
		),
	);
});

test('nothing is dead in a pipable file', async () => {
	assert.equal(await deadBytesOf(partOf(5000, [], true)), 0);
});

test('a quarter of a million resources are looked at in turns', async () => {
	const resources = Array.from({ length: 250_000 }, (_, k) => ({
		offset: HEADER_SIZE + ((k * 7919) % 250_000) * 100,
		storedSize: 99,
	}));
	let turns = 0;
	let isDone = false;
	const count = () => {
		turns++;
		if (!isDone) setImmediate(count);
	};
	setImmediate(count);
	const dead = await deadBytesOf(partOf(HEADER_SIZE + 250_000 * 100, resources));
	isDone = true;
	assert.equal(dead, 250_000);
	assert.ok(turns > 20, `${turns} turns`);
});
