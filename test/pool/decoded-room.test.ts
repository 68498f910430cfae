import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HostError } from '../../source/base/errors.ts';
import { clearLane, DecodedRoom, roomCells } from '../../source/pool/decoded-room.ts';
import { flag, HELD_CHUNK_SIZE, raise } from '../support/pool-tasks.ts';
import { raised, testThreads } from '../support/pool-threads.ts';

const SIZE = HELD_CHUNK_SIZE;

test('a lane waits with the second half of its chunk until the one that began before is done', async (t) => {
	const pool = testThreads(t, 2, SIZE);
	const count = flag();
	const [begun, go, half] = [flag(), flag(), flag()];
	const first = pool.run('hold', { size: SIZE, raises: begun, after: go, count });
	await raised(begun);
	const second = pool.run('hold', { size: SIZE / 4, raises: half, more: SIZE, count });
	// There is room for less than half of one beside a whole one.
	await raised(half);
	raise(go);
	assert.deepEqual(await Promise.all([first, second]), [0, 1]);
});

test('the lane that began first never waits, whatever the others hold', async (t) => {
	const pool = testThreads(t, 2, SIZE);
	const count = flag();
	const [begun, go, late] = [flag(), flag(), flag()];
	const first = pool.run('hold', { size: 0, raises: begun, after: go, more: SIZE, count });
	await raised(begun);
	const second = pool.run('hold', { size: SIZE, raises: late, count });
	await raised(late);
	raise(go);
	assert.deepEqual((await Promise.all([first, second])).toSorted(), [0, 1]);
});

test('no lane waits for one that has decoded its chunk and goes on with it', async (t) => {
	const pool = testThreads(t, 2, SIZE);
	const count = flag();
	const [begun, go] = [flag(), flag()];
	const input = { size: SIZE, isDecoded: true, raises: begun, after: go, count };
	const first = pool.run('hold', input);
	await raised(begun);
	assert.equal(await pool.run('hold', { size: SIZE / 4, more: SIZE, count }), 0);
	raise(go);
	assert.equal(await first, 1);
});

test('what a lane held that died is free again', async (t) => {
	const pool = testThreads(t, 2, SIZE);
	const count = flag();
	const [begun, go] = [flag(), flag()];
	const dying = pool.run('holdAndDie', { size: SIZE, raises: begun, after: go });
	await raised(begun);
	const next = pool.run('hold', { size: SIZE / 2, more: SIZE, count });
	raise(go);
	await assert.rejects(dying, HostError);
	assert.equal(await next, 0);
});

test('three lanes hold about two chunks', () => {
	const cells = roomCells(3, 0);
	const [one, two, three] = [0, 1, 2].map((lane) => new DecodedRoom(cells, lane));
	assert.ok(one && two && three);
	one.hold(SIZE, SIZE);
	two.hold(SIZE / 2, SIZE);
	// Were there no room, this would not come back.
	three.hold(SIZE / 4, SIZE);
	one.end(0);
	two.hold(SIZE, SIZE);
	three.hold((SIZE / 4) * 3, SIZE);
	clearLane(cells, 1);
	clearLane(cells, 2);
	one.hold(SIZE, SIZE);
});

test('what is nothing much is told for all lanes together', () => {
	const room = new DecodedRoom(roomCells(4, 4 * SIZE), 0);
	assert.equal(room.isTight(SIZE), false);
	assert.equal(room.isTight(SIZE + 1024), true);
	// No machine has so much that it does not fit into the cell.
	assert.equal(new DecodedRoom(roomCells(4, 2 ** 50), 0).isTight(1 << 30), false);
});
