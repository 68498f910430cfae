import assert from 'node:assert/strict';
import { test } from 'node:test';
import { collector } from '../../source/pool/collector.ts';
import { DecodedRoom, roomCells } from '../../source/pool/decoded-room.ts';
import { Lane } from '../../source/pool/lane.ts';

const MIB = 1 << 20;

/** Decodes a chunk into the memory of the lane: one that is stored raw, so that it takes no time. */
function decodeRaw(lane: Lane, room: number, size: number): void {
	lane.decoder.reserve(size, room);
	lane.hold(size, room);
	const place = { inputAt: 0, storedSize: size, outputAt: 0, originalSize: size };
	lane.decoder.decodeAt('none', size, place);
}

/** A lane among others. @param plenty bytes that are nothing much */
function busyLane(collect: () => void, plenty = 0): Lane {
	return new Lane(undefined, { room: new DecodedRoom(roomCells(2, plenty), 0), collect });
}

for (const { what, room, size, isGivenBack } of [
	{ what: 'a large chunk', room: 64 * MIB, size: 64 * MIB, isGivenBack: true },
	{ what: 'more than half of one', room: 64 * MIB, size: 40 * MIB, isGivenBack: true },
	{ what: 'less than half of one', room: 128 * MIB, size: 40 * MIB, isGivenBack: false },
	{ what: 'a small chunk', room: 16 * MIB, size: 16 * MIB, isGivenBack: false },
])
	test(`a lane ${isGivenBack ? 'gives back' : 'keeps'} the memory of ${what}`, () => {
		let collected = 0;
		const lane = busyLane(() => collected++);
		decodeRaw(lane, room, size);
		const { decoder } = lane;
		lane.settle();
		assert.equal(collected, isGivenBack ? 1 : 0);
		assert.equal(lane.decoder === decoder, !isGivenBack);
		// What it has now needs no giving back.
		lane.settle();
		assert.equal(collected, isGivenBack ? 1 : 0);
	});

test('a lane keeps large chunks where two of them are nothing much', () => {
	for (const [plenty, isKept] of [
		[128 * MIB, true],
		[128 * MIB - 1024, false],
	] as const) {
		let collected = 0;
		const lane = busyLane(() => collected++, plenty);
		decodeRaw(lane, 64 * MIB, 64 * MIB);
		const { decoder } = lane;
		lane.noteShared(64 * MIB);
		lane.settle();
		assert.equal(lane.decoder === decoder, isKept);
		assert.equal(collected, isKept ? 0 : 1);
	}
});

test('a lane without others keeps all it has until there is nothing left to do', () => {
	const lane = new Lane();
	decodeRaw(lane, 64 * MIB, 64 * MIB);
	const { decoder } = lane;
	lane.settle();
	assert.equal(lane.decoder, decoder);
	lane.trim();
	assert.notEqual(lane.decoder, decoder);
});

test('a lane keeps a large chunk that was decoded for somebody who wants one after the other', () => {
	let collected = 0;
	const lane = busyLane(() => collected++);
	const size = 64 * MIB;
	lane.decoder.reserve(size, size);
	const place = { inputAt: 0, storedSize: size, outputAt: 0, originalSize: size };
	lane.decoder.decodeAt('none', size, place);
	const { decoder } = lane;
	lane.settle();
	assert.equal(lane.decoder, decoder);
	assert.equal(collected, 0);
});

test('a lane lets go of what it saw of another one', () => {
	let collected = 0;
	const lane = busyLane(() => collected++);
	lane.noteShared(4 * MIB);
	lane.settle();
	assert.equal(collected, 0);
	lane.noteShared(64 * MIB);
	lane.settle();
	lane.settle();
	assert.equal(collected, 1);
});

test('what a lane gave back is gone at once', async () => {
	const lane = busyLane(collector());
	decodeRaw(lane, 33 * MIB, 33 * MIB);
	const memory = new WeakRef(lane.decoder.outputBytes.buffer);
	// A reference that was just made holds until the end of the turn.
	await new Promise((resolve) => setImmediate(resolve));
	lane.settle();
	assert.equal(memory.deref(), undefined);
});
