import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
	exchangeSeparators,
	leavesTree,
	moveIntoTree,
	posixTarget,
	relocateIntoImage,
	windowsTarget,
} from '../../source/host/links.ts';

test('a link of this machine gets the names that Windows expects', () => {
	assert.deepEqual(windowsTarget('../lib/a.so'), {
		substituteName: '..\\lib\\a.so',
		printName: '..\\lib\\a.so',
		isRelative: true,
	});
	assert.deepEqual(windowsTarget('/etc/hostname'), {
		substituteName: '\\??\\C:\\etc\\hostname',
		printName: 'C:\\etc\\hostname',
		isRelative: false,
	});
});

for (const [substituteName, isRelative, expected] of [
	['file.txt', true, 'file.txt'],
	['..\\x\\y', true, '../x/y'],
	['\\Windows', true, '/Windows'],
	['', true, null],
	['a\0b', true, null],
	['\\??\\C:\\etc\\hostname', false, '/etc/hostname'],
	['\\??\\C:\\', false, '/'],
	['\\??\\C:', false, '/'],
	['C:\\sub', false, '/sub'],
	['\\\\?\\D:\\x', false, '/x'],
	['\\??\\Volume{0f1e2d3c-0000-0000-0000-100000000000}\\', false, null],
	['\\??\\UNC\\server\\share', false, null],
	['\\\\server\\share', false, null],
	['\\Device\\HarddiskVolume1\\x', false, null],
] as const) {
	test(`the target ${JSON.stringify(substituteName)} becomes ${JSON.stringify(expected)}`, () => {
		assert.equal(posixTarget({ substituteName, isRelative })?.text ?? null, expected);
	});
}

test('any link text survives the way to Windows and back', () => {
	fc.assert(
		fc.property(fc.string({ minLength: 1, unit: 'binary' }), (raw) => {
			const text = raw.replaceAll('\0', '') || 'x';
			// A first or second backslash after an absolute root would be a share on Windows.
			fc.pre(!text.startsWith('/') || !/^\/[/\\]|^\/Device\//i.test(text));
			assert.equal(posixTarget(windowsTarget(text))?.text, text);
			assert.equal(exchangeSeparators(exchangeSeparators(text)), text);
		}),
	);
});

test('absolute targets move with the tree', () => {
	assert.equal(moveIntoTree('/dir/f', '/mnt/target'), '/mnt/target/dir/f');
	assert.equal(moveIntoTree('/', '/mnt/target'), '/mnt/target');
	assert.equal(moveIntoTree('/dir', '/'), '/dir');
	assert.equal(moveIntoTree('/', '/'), '/');
});

test('a target below the captured root loses the way to it, whatever links lead there', () => {
	const roots = new Set(['/mnt/src', '/alias']);
	const isRoot = (path: string) => roots.has(path);
	assert.equal(relocateIntoImage('/mnt/src/dir/f', isRoot), '/dir/f');
	assert.equal(relocateIntoImage('/mnt/src', isRoot), '/');
	assert.equal(relocateIntoImage('/alias//x', isRoot), '/x');
	assert.equal(relocateIntoImage('/mnt/src2/f', isRoot), null);
	assert.equal(relocateIntoImage('dir/f', isRoot), null);
	assert.equal(
		relocateIntoImage('/any/f', (path) => path === '/'),
		'/any/f',
	);
});

test('a link that climbs above the root leaves the tree', () => {
	assert.ok(leavesTree('/etc/passwd', '/a'));
	assert.ok(leavesTree('..', '/a'));
	assert.ok(leavesTree('../../x', '/d/a'));
	assert.ok(!leavesTree('../x', '/d/a'));
	assert.ok(leavesTree('x/../../..', '/a/b'));
	assert.ok(!leavesTree('x/y', '/a'));
});
