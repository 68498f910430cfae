import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { keepOn, LIST_START, moveTo, page } from '../../../source/tui/state/list.ts';

const frame = { count: 100, height: 10, scroll: 'page' as const };

test('the window stays while the cursor is inside it', () => {
	assert.deepEqual(moveTo({ cursor: 0, top: 0 }, 9, frame), { cursor: 9, top: 0 });
});

test('leaving the window by one row scrolls half a page, or one line when asked', () => {
	assert.deepEqual(moveTo({ cursor: 9, top: 0 }, 10, frame), { cursor: 10, top: 6 });
	assert.deepEqual(moveTo({ cursor: 9, top: 0 }, 10, { ...frame, scroll: 'line' }), {
		cursor: 10,
		top: 1,
	});
	assert.deepEqual(moveTo({ cursor: 50, top: 50 }, 49, frame), { cursor: 49, top: 44 });
});

test('the last page is full', () => {
	assert.deepEqual(moveTo(LIST_START, 99, frame), { cursor: 99, top: 90 });
	assert.deepEqual(page({ cursor: 85, top: 80 }, 9, frame), { cursor: 94, top: 89 });
});

test('a move that goes nowhere is the same object', () => {
	const list = { cursor: 0, top: 0 };
	assert.equal(moveTo(list, -5, frame), list);
});

test('after rows changed the cursor is on its row, at the same height where it can', () => {
	assert.deepEqual(keepOn({ cursor: 15, top: 10 }, 40, frame), { cursor: 40, top: 35 });
	assert.deepEqual(keepOn({ cursor: 15, top: 10 }, 2, frame), { cursor: 2, top: 0 });
});

test('whatever is pressed, the cursor is in the list and in the window', () => {
	const steps = fc.array(
		fc.oneof(
			fc.record({ to: fc.integer({ min: -10, max: 200 }) }),
			fc.record({ by: fc.integer({ min: -30, max: 30 }) }),
		),
	);
	const shape = fc.record({
		count: fc.integer({ min: 0, max: 150 }),
		height: fc.integer({ min: 1, max: 40 }),
		scroll: fc.constantFrom('page' as const, 'line' as const),
	});
	fc.assert(
		fc.property(shape, steps, (shape, moves) => {
			let list = LIST_START;
			for (const move of moves) {
				list = 'to' in move ? moveTo(list, move.to, shape) : page(list, move.by, shape);
				assert.ok(list.cursor >= 0 && list.cursor <= Math.max(0, shape.count - 1));
				assert.ok(list.top >= 0 && list.top <= list.cursor);
				assert.ok(list.cursor < list.top + shape.height);
				assert.ok(list.top <= Math.max(0, shape.count - shape.height));
			}
		}),
	);
});
