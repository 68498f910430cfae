import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sortSteps } from '../../source/bytes/sort-steps.ts';
import { randomSource } from '../support/random.ts';

test('numbers are sorted in many steps as in one', () => {
	const random = randomSource(11);
	for (const count of [0, 1, 2, 16_383, 16_384, 16_385, 40_000, 120_001]) {
		const values = Float64Array.from({ length: count }, () => random(count) * 2 ** 20);
		const expected = values.slice().sort();
		let steps = 0;
		for (const _ of sortSteps(values)) steps++;
		assert.deepEqual(values, expected, `${count} numbers`);
		assert.ok(steps >= Math.floor(count / 65_536), `${count} numbers in ${steps} steps`);
	}
});

test('what is in order already is left alone', () => {
	const values = Float64Array.from({ length: 100_000 }, (_, k) => 3 * k);
	const expected = values.slice();
	for (const _ of sortSteps(values)) assert.deepEqual(values, expected);
	assert.deepEqual(values, expected);
});
