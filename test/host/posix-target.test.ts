import assert from 'node:assert/strict';
import {
	lstatSync,
	mkdirSync,
	readdirSync,
	readFileSync,
	readlinkSync,
	statSync,
	symlinkSync,
	writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { FILETIME_OF_1970 } from '../../source/bytes/filetime.ts';
import { PosixTarget, parentOf } from '../../source/host/posix-target.ts';
import { splitDevice } from '../../source/host/special-nodes.ts';
import { StateFolder } from '../../source/host/state-folder.ts';
import { dice } from '../support/contents.ts';
import { listTree, subfolder, tempFolder } from '../support/temp-tree.ts';

test('a folder, a file, a hard link and a symbolic link come into being', (t) => {
	const target = PosixTarget.open(path.join(tempFolder(t), 'new/folder'), false);
	assert.ok(target.isEmpty);
	target.makeFolder('a');
	target.makeFile('a/file', new TextEncoder().encode('text'));
	assert.equal(target.makeHardLink('a/other', 'a/file'), true);
	target.makeSymbolicLink('a/link', '../nowhere');
	const lines = listTree(target.root);
	assert.equal(lines.length, 5);
	assert.match(lines.join('\n'), /\/a\/link link -> \.\.\/nowhere/);
	assert.match(lines.join('\n'), /\/a\/other file 4 \w+ = \/a\/file/);
});

test('nothing is written through a link that stands in the target', (t) => {
	const outside = tempFolder(t);
	mkdirSync(path.join(outside, 'victim'));
	writeFileSync(path.join(outside, 'file'), 'untouched');
	const root = tempFolder(t);
	symlinkSync(path.join(outside, 'victim'), path.join(root, 'folder'));
	symlinkSync(path.join(outside, 'file'), path.join(root, 'file'));
	symlinkSync(path.join(outside, 'file'), path.join(root, 'link'));
	symlinkSync(path.join(outside, 'file'), path.join(root, 'hard'));
	const target = PosixTarget.open(root, false);
	target.makeFolder('folder');
	target.makeFile('folder/inner');
	target.makeFile('file');
	target.makeHardLink('hard', 'folder/inner');
	target.makeSymbolicLink('link', 'file');
	assert.deepEqual(readdirSync(path.join(outside, 'victim')), []);
	assert.equal(readFileSync(path.join(outside, 'file'), 'utf8'), 'untouched');
	assert.ok(lstatSync(path.join(root, 'folder')).isDirectory());
	assert.equal(readlinkSync(path.join(root, 'link')), 'file');
});

test('a name below a folder that was not made is refused', (t) => {
	const root = tempFolder(t);
	symlinkSync('/tmp', path.join(root, 'link'));
	const target = PosixTarget.open(root, false);
	for (const make of [
		() => target.makeFile('link/file'),
		() => target.makeFolder('missing/folder'),
		() => target.makeSymbolicLink('link/x', 'y'),
	])
		assert.throws(make, { code: 'host-refused', message: /its folder could not be made/ });
});

test('a folder is never replaced by a file, a file is replaced by a folder', (t) => {
	const root = tempFolder(t);
	mkdirSync(path.join(root, 'taken'));
	writeFileSync(path.join(root, 'file'), 'old');
	const target = PosixTarget.open(root, false);
	assert.equal(target.isEmpty, false);
	assert.throws(() => target.makeFile('taken'), {
		code: 'host-refused',
		message: /a folder stands there/,
		facts: { path: path.join(root, 'taken'), hint: 'Remove the folder, or choose another target.' },
	});
	target.makeFolder('taken');
	target.makeFolder('file');
	assert.ok(lstatSync(path.join(root, 'file')).isDirectory());
});

test('times are exact to the microsecond, before 1970 too, and unknown ones are left alone', (t) => {
	const target = PosixTarget.open(tempFolder(t), false);
	target.makeFile('file');
	target.makeSymbolicLink('link', 'file');
	const nanoseconds = (name: string) =>
		lstatSync(path.join(target.root, name), { bigint: true }).mtimeNs;
	const floor = (value: bigint, by: bigint) => (value < 0n ? value - by + 1n : value) / by;
	const roll = dice(7);
	const random = Array.from({ length: 200 }, () => 17_000_000_000_000_000n + BigInt(roll(2 ** 31)));
	const edges = [17_041_646_451_234_567n, 13n, 9_999_999n, -1n, -10n, -15_000_001n];
	let keepsNanoseconds = false;
	for (const ticks of [...edges, ...random]) {
		const writeTime = FILETIME_OF_1970 + ticks;
		target.setTimes('file', { accessTime: writeTime, writeTime }, false);
		const kept = nanoseconds('file');
		keepsNanoseconds ||= kept % 1000n !== 0n;
		if (ticks < 0n && keepsNanoseconds)
			assert.ok(kept <= ticks * 100n && kept > ticks * 100n - 1500n);
		else assert.equal(floor(kept, 1000n), floor(ticks, 10n), String(ticks));
	}
	if (keepsNanoseconds) {
		const far = random.map((ticks) => {
			const writeTime = FILETIME_OF_1970 + ticks;
			target.setTimes('file', { accessTime: writeTime, writeTime }, false);
			return Math.abs(Number(nanoseconds('file') - ticks * 100n));
		});
		assert.ok(Math.max(...far) <= 360, String(far));
	}
	const before = nanoseconds('file');
	target.setTimes('file', { accessTime: 0n, writeTime: 0n }, false);
	assert.equal(nanoseconds('file'), before);
	const writeTime = FILETIME_OF_1970 + 10_000_000n;
	target.setTimes('link', { accessTime: writeTime, writeTime }, true);
	assert.equal(floor(nanoseconds('link'), 1000n), 1_000_000n);
	assert.equal(nanoseconds('file'), before);
});

test('a socket and a FIFO are made, however long the path', async (t) => {
	const deep = `folder-${'x'.repeat(120)}`;
	const target = PosixTarget.open(tempFolder(t), false);
	target.makeFolder(deep);
	await target.makeSpecial(`${deep}/socket`, 0o140755, 0);
	await target.makeSpecial(`${deep}/fifo`, 0o010640, 0);
	assert.ok(lstatSync(path.join(target.root, deep, 'socket')).isSocket());
	assert.ok(lstatSync(path.join(target.root, deep, 'fifo')).isFIFO());
	assert.deepEqual(readdirSync(path.join(target.root, deep)).sort(), ['fifo', 'socket']);
	await assert.rejects(target.makeSpecial('x', 0o100644, 0), { message: /names no kind/ });
});

test('device numbers are taken apart as Linux puts them together', () => {
	assert.deepEqual(splitDevice(0x103), { major: 1, minor: 3 });
	assert.deepEqual(splitDevice(0x1111_0370), { major: 0x103, minor: 0x1_1170 });
});

test('the probe for folding names leaves nothing behind', (t) => {
	const root = tempFolder(t);
	const target = PosixTarget.open(root, false);
	assert.deepEqual(readdirSync(root), []);
	if (process.platform === 'linux')
		assert.deepEqual(target.folding, { ignoresCase: false, normalises: false });
});

test('in a folder that was empty nothing takes the place of what this run made', (t) => {
	const target = PosixTarget.open(tempFolder(t), false);
	target.makeFile('name', new TextEncoder().encode('first'));
	target.makeFile('other');
	for (const again of [
		() => target.makeFile('name'),
		() => target.makeSymbolicLink('name', 'other'),
		() => target.makeHardLink('name', 'other'),
	])
		assert.throws(again, { code: 'host-refused', message: /it exists already/ });
	assert.equal(readFileSync(path.join(target.root, 'name'), 'utf8'), 'first');
});

test('a dry run makes nothing, and sees the room that there would be', (t) => {
	const root = tempFolder(t);
	const target = PosixTarget.open(path.join(root, 'a/b'), true);
	assert.ok(target.freeSize() > 0);
	assert.ok(target.isEmpty);
	target.makeFolder('folder');
	target.makeFile('folder/file');
	target.makeHardLink('folder/link', 'folder/file');
	target.makeSymbolicLink('folder/symbolic', 'file');
	target.setMode('folder/file', 0o600);
	assert.throws(() => target.makeFile('none/file'), /its folder could not be made/);
	assert.deepEqual(readdirSync(root), []);
	writeFileSync(path.join(root, 'file'), '');
	for (const dryRun of [true, false])
		assert.throws(() => PosixTarget.open(path.join(root, 'file'), dryRun), {
			code: 'bad-input',
			message: /something that is no folder stands there/,
		});
});

test('a dry run sees what would be in the way, and leaves it there', async (t) => {
	const root = tempFolder(t);
	subfolder(root, 'name');
	subfolder(root, 'real');
	symlinkSync('real', path.join(root, 'link'));
	subfolder(path.join(root, 'real'), 'below');
	const target = PosixTarget.open(root, true);
	for (const make of [
		() => target.makeFile('name'),
		() => target.makeRoom('name'),
		() => target.makeSymbolicLink('name', 'real'),
	])
		assert.throws(make, { code: 'host-refused', message: /a folder stands there/ });
	await assert.rejects(() => target.makeSpecial('name', 0o010644, 0), /a folder stands there/);
	// The link would be replaced by a folder: what it leads to is in nobody's way.
	target.makeFolder('link');
	target.makeFile('link/below');
	assert.deepEqual(readdirSync(root).sort(), ['link', 'name', 'real']);
	assert.deepEqual(readdirSync(path.join(root, 'link')), ['below']);
});

test('a target that is a link is followed, because the user named it', (t) => {
	const root = tempFolder(t);
	const real = subfolder(root, 'real');
	symlinkSync('real', path.join(root, 'link'));
	const target = PosixTarget.open(path.join(root, 'link'), false);
	target.makeFile('file');
	assert.ok(statSync(path.join(real, 'file')).isFile());
	assert.equal(parentOf('a/b/c'), 'a/b');
	assert.equal(parentOf('a'), '');
});

test('where no folder can be made, a target and a state folder say so at once', {
	skip: process.platform !== 'linux',
}, async () => {
	assert.throws(() => PosixTarget.open('/proc/wimdeck-test/folder', false), { code: 'bad-input' });
	assert.equal(await StateFolder.open('/proc/wimdeck-test/state'), null);
});
