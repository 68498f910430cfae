import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
	type Layout,
	type LayoutInput,
	layout,
	type Rectangle,
	sizeClass,
} from '../../../source/tui/state/layout.ts';

const input = (columns: number, rows: number, more: Partial<LayoutInput> = {}): LayoutInput => ({
	columns,
	rows,
	focus: 'files',
	isZoomed: false,
	detailsOpen: false,
	jobCount: 0,
	isStart: false,
	...more,
});

const SIZES: readonly [columns: number, rows: number, size: string][] = [
	[80, 24, 'normal'],
	[120, 40, 'wide'],
	[100, 30, 'wide'],
	[100, 29, 'normal'],
	[99, 50, 'normal'],
	[60, 18, 'normal'],
	[59, 24, 'narrow'],
	[80, 17, 'narrow'],
	[40, 10, 'narrow'],
	[39, 24, 'tooSmall'],
	[80, 9, 'tooSmall'],
];

for (const [columns, rows, size] of SIZES)
	test(`a screen of ${columns}x${rows} is ${size}`, () =>
		assert.equal(sizeClass(columns, rows), size));

test('80x24 shows 20 file rows, 16 beside jobs', () => {
	assert.equal(layout(input(80, 24)).panes.files?.body.height, 20);
	assert.equal(layout(input(80, 24, { jobCount: 1 })).panes.files?.body.height, 16);
	assert.equal(layout(input(80, 24, { jobCount: 1 })).panes.jobs?.body.height, 3);
});

test('wide screens show three panes and five jobs', () => {
	const { panes } = layout(input(120, 40, { jobCount: 2 }));
	assert.ok(panes.images && panes.files && panes.details);
	assert.equal(panes.jobs?.body.height, 5);
});

test('details take the place of the images in normal screens', () => {
	const { panes } = layout(input(80, 24, { detailsOpen: true }));
	assert.ok(panes.details && panes.files && !panes.images);
	assert.ok(layout(input(80, 24, { detailsOpen: true, focus: 'images' })).panes.images);
});

test('zoom shows one pane', () => {
	assert.deepEqual(Object.keys(layout(input(80, 24, { isZoomed: true, jobCount: 3 })).panes), [
		'files',
	]);
});

const all = ({ header, status, footer, panes, dividers, jobRow }: Layout): Rectangle[] => [
	header,
	status,
	footer,
	...dividers,
	...(jobRow ? [jobRow] : []),
	...Object.values(panes).flatMap(({ title, body }) => [title, body]),
];

test('nothing overlaps, nothing leaves the screen, and the last cell stays free', () => {
	const sizes = fc.record({
		columns: fc.integer({ min: 40, max: 250 }),
		rows: fc.integer({ min: 10, max: 100 }),
		focus: fc.constantFrom(
			'images' as const,
			'files' as const,
			'details' as const,
			'jobs' as const,
		),
		isZoomed: fc.boolean(),
		detailsOpen: fc.boolean(),
		jobCount: fc.integer({ min: 0, max: 9 }),
		isStart: fc.boolean(),
	});
	fc.assert(
		fc.property(sizes, (given) => {
			const cells = new Uint8Array(given.columns * given.rows);
			for (const { x, y, width, height } of all(layout(given))) {
				assert.ok(x >= 0 && y >= 0 && width >= 1 && height >= 0);
				assert.ok(x + width <= given.columns && y + height <= given.rows);
				for (let row = y; row < y + height; row++)
					for (let column = x; column < x + width; column++) {
						const at = row * given.columns + column;
						assert.equal(cells[at], 0, `cell ${column},${row} is drawn twice`);
						cells[at] = 1;
					}
			}
			assert.equal(cells.at(-1), 0);
		}),
	);
});
