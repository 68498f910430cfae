import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EntryKind, type Listing } from '../../../source/tui/engine.ts';
import {
	filterTest,
	orderOf,
	orderSteps,
	type SortKey,
	storedOrder,
	visibleRows,
} from '../../../source/tui/state/order.ts';
import { longListing } from '../../support/fake-engine.ts';

const ROWS: readonly [
	name: string,
	size: number,
	time: number,
	attributes: number,
	kind: number,
][] = [
	['b.txt', 10, 300, 0, 0],
	['Zoo', 0, 100, 0x10, EntryKind.folder],
	['A.exe', 30, Number.NaN, 0, 0],
	['alpha', 0, 200, 0x12, EntryKind.folder],
	['c.dll', 20, 100, 0x06, 0],
];

const listing: Listing = {
	imageIndex: 1,
	folder: 0,
	parent: 0,
	path: '\\',
	positions: Int32Array.from(ROWS, (_, i) => i + 1),
	names: ROWS.map(([name]) => name),
	sizes: Float64Array.from(ROWS, ([, size]) => size),
	packed: Float64Array.from(ROWS, ([, size]) => 100 - size),
	times: Float64Array.from(ROWS, ([, , time]) => time),
	attributes: Uint32Array.from(ROWS, ([, , , attributes]) => attributes),
	kinds: Uint8Array.from(ROWS, ([, , , , kind]) => kind),
};

const namesIn = (order: Int32Array): string[] => [...order].map((row) => listing.names[row]!);

const SORTS: readonly [key: SortKey, descending: boolean, expected: string[]][] = [
	['name', false, ['alpha', 'Zoo', 'A.exe', 'b.txt', 'c.dll']],
	['name', true, ['Zoo', 'alpha', 'c.dll', 'b.txt', 'A.exe']],
	['size', true, ['alpha', 'Zoo', 'A.exe', 'c.dll', 'b.txt']],
	['time', false, ['Zoo', 'alpha', 'A.exe', 'c.dll', 'b.txt']],
	['extension', false, ['alpha', 'Zoo', 'c.dll', 'A.exe', 'b.txt']],
	['packed', false, ['alpha', 'Zoo', 'A.exe', 'c.dll', 'b.txt']],
	['damage', false, ['c.dll', 'A.exe', 'alpha', 'b.txt', 'Zoo']],
];

for (const [key, descending, expected] of SORTS)
	test(`sorted by ${key}${descending ? ' downwards' : ''}, folders first`, () => {
		const order = orderOf(listing, {
			sort: { key, descending },
			isDamaged: (row) => listing.names[row] === 'c.dll',
		});
		assert.deepEqual(namesIn(order), expected);
	});

const FILTERS: readonly [filter: string, name: string, passes: boolean][] = [
	['sys', 'afd.SYS', true],
	['sys', 'afd.dll', false],
	['*.sys', 'afd.sys', true],
	['*.sys', 'afd.sys.bak', false],
	['a?d.*', 'afd.sys', true],
	['=afd.sys', 'AFD.SYS', true],
	['=afd', 'afd.sys', false],
	['!sys', 'afd.sys', false],
	['!*.sys', 'afd.dll', true],
	['a.c', 'abc', false],
	['[x]', 'a[x]b', true],
	['!', 'wow!', true],
];

for (const [filter, name, passes] of FILTERS)
	test(`the filter "${filter}" ${passes ? 'keeps' : 'drops'} ${name}`, () => {
		assert.equal(filterTest(filter)(name.toLowerCase()), passes);
	});

test('hidden and system entries go when they shall not be shown', () => {
	const rows = visibleRows(listing, { filter: '', showHidden: false }, storedOrder(listing));
	assert.deepEqual(namesIn(rows), ['b.txt', 'Zoo', 'A.exe']);
});

test('a filter keeps the order', () => {
	const sorted = orderOf(listing, {
		sort: { key: 'name', descending: true },
		isDamaged: () => false,
	});
	const rows = visibleRows(listing, { filter: '.', showHidden: true }, sorted);
	assert.deepEqual(namesIn(rows), ['c.dll', 'b.txt', 'A.exe']);
});

test('sorting in slices gives the order of sorting at once', () => {
	const long = longListing(40_000);
	for (const key of ['name', 'size'] as const) {
		const options = { sort: { key, descending: key === 'size' }, isDamaged: () => false };
		const steps = orderSteps(long, options);
		let slices = 0;
		for (;;) {
			const step = steps.next();
			if (step.done) {
				assert.deepEqual(step.value, orderOf(long, options));
				break;
			}
			slices++;
		}
		assert.ok(slices >= 5);
	}
});
