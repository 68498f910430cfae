import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CanceledError } from '../../../source/base/errors.ts';
import { KeepBudget } from '../../../source/operations/read/keep-budget.ts';

const KIB = 1024;

test('buffers are handed out up to the limit, then as others come back', async () => {
	const budget = new KeepBudget(300 * KIB);
	const first = await budget.take(100 * KIB);
	const second = await budget.take(200 * KIB);
	let third: SharedArrayBuffer | null = null;
	const waiting = budget.take(150 * KIB).then((buffer) => {
		third = buffer;
	});
	budget.give(first);
	await new Promise((resolve) => setImmediate(resolve));
	assert.equal(third, null);
	budget.give(second);
	await waiting;
	assert.equal(third, second, 'a buffer that fits is used again');
	assert.equal(budget.peak, 300 * KIB);
});

test('what is larger than the limit is given alone', async () => {
	const budget = new KeepBudget(100 * KIB);
	const large = await budget.take(500 * KIB);
	assert.equal(large.byteLength, 500 * KIB);
	const waiting = budget.take(1);
	budget.give(large);
	assert.equal((await waiting).byteLength, 64 * KIB, 'a huge buffer is not wasted on a byte');
});

test('nobody waits for a budget that is closed', async () => {
	const budget = new KeepBudget(100 * KIB);
	await budget.take(100 * KIB);
	const waiting = budget.take(100 * KIB);
	budget.close();
	await assert.rejects(waiting, CanceledError);
	await assert.rejects(budget.take(1), CanceledError);
});
