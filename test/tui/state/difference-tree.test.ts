import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ImageDifference } from '../../../source/tui/engine-views.ts';
import {
	type DifferenceFolder,
	type DifferenceRow,
	differenceSteps,
	flatRows,
	folderAt,
	rowsOf,
} from '../../../source/tui/state/difference-tree.ts';
import { DIFFERENCES, difference } from '../../support/fake-views.ts';

function built(differences: readonly ImageDifference[]): { root: DifferenceFolder; steps: number } {
	const steps = differenceSteps(differences);
	for (let count = 0; ; count++) {
		const step = steps.next();
		if (step.done) return { root: step.value, steps: count };
	}
}

const text = (row: DifferenceRow): string =>
	row.type === 'folder'
		? `${row.folder.name}/ ${Object.values(row.folder.counts).join(' ')} ${row.folder.growth}`
		: `${row.difference.kind} ${row.difference.path}`;

test('folders count what is at and below them, and how much they grew', () => {
	const { root } = built(DIFFERENCES);
	assert.deepEqual(root.counts, { added: 4, removed: 1, changed: 3, moved: 1 });
	assert.deepEqual(rowsOf(root, null).map(text), ['Users/ 1 0 0 0 12', 'Windows/ 3 1 3 1 1658736']);
	const windows = folderAt(root, '\\Windows');
	assert.equal(windows?.own?.kind, 'changed');
	assert.deepEqual(rowsOf(windows!, null).map(text), [
		'Panther/ 2 0 0 0 200000',
		'System32/ 1 0 0 1 1400000',
		'changed \\Windows\\explorer.exe',
		'changed \\Windows\\win.ini',
		'removed \\Windows\\write.exe',
	]);
});

test('one kind only leaves out folders that hold none of it', () => {
	const { root } = built(DIFFERENCES);
	const windows = folderAt(root, '\\Windows')!;
	assert.deepEqual(rowsOf(windows, 'moved').map(text), ['System32/ 1 0 0 1 1400000']);
	assert.deepEqual(rowsOf(windows, 'removed').map(text), ['removed \\Windows\\write.exe']);
});

test('a flat list goes by folder and name, with folders that differ themselves', () => {
	const { root } = built(DIFFERENCES);
	assert.deepEqual(flatRows(root, 'added', (path) => path.includes('windows')).map(text), [
		'added \\Windows\\Panther',
		'added \\Windows\\Panther\\setupact.log',
		'added \\Windows\\System32\\wimdeck.dll',
	]);
});

test('there is nothing at a path without differences, and no difference gives an empty root', () => {
	assert.equal(folderAt(built(DIFFERENCES).root, '\\Program Files'), null);
	assert.deepEqual(rowsOf(built([]).root, null), []);
});

test('deep paths and many of them are no recursion and no single step', () => {
	const deep = Array.from({ length: 3000 }, (_, i) =>
		difference('added', `${'\\d'.repeat(200)}\\f${i}`),
	);
	const { root, steps } = built(deep);
	assert.equal(root.counts.added, 3000);
	assert.ok(steps >= 3, String(steps));
});

test('a folder with 150,000 folders and one with as many files overflow nothing, and are sorted', () => {
	const count = 150_000;
	const all = Array.from({ length: count }, (_, i) => [
		difference('added', `\\d${(i * 7919) % count}\\f`),
		difference('removed', `\\one\\f${(i * 7919) % count}`),
	]).flat();
	const { root, steps } = built(all);
	assert.equal(root.folders.length, count + 1);
	assert.equal(root.folders[1]?.name, 'd1');
	assert.equal(folderAt(root, '\\one')?.files[2]?.path, '\\one\\f10');
	assert.equal(flatRows(root, 'removed', (path) => path.endsWith('99')).length, count / 100);
	assert.equal(flatRows(folderAt(root, '\\one')!, 'added', () => true).length, 0);
	assert.ok(steps > 500, String(steps));
});
