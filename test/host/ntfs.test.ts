import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { encodeEaList, ntfsXattrs, parseEaList, readNtfsFacts } from '../../source/host/ntfs.ts';
import { setXattrs } from '../../source/host/xattrs.ts';
import { ntfsVolume } from '../support/ntfs-volume.ts';
import { tempFolder } from '../support/temp-tree.ts';
import { testRun } from '../support/test-run.ts';

test('attributes, ACL, short name, object id, times, streams survive being set and read on an NTFS volume', async (t) => {
	const volume = ntfsVolume(t);
	if (volume === null) return;
	const root = volume.mount;
	mkdirSync(path.join(root, 'folder'));
	writeFileSync(path.join(root, 'folder/Long file name.txt'), 'hello');
	const first = await readNtfsFacts(root, testRun());
	assert.ok(first !== null && !('leftOut' in first));
	const before = first.get('/folder/Long file name.txt')!;
	const facts = {
		...before,
		attributes: 0x26,
		shortName: 'LONGFI~1.TXT',
		objectId: Uint8Array.from({ length: 64 }, (_, at) => (at < 16 ? at + 1 : 0)),
		times: {
			creation: 130_000_000_000_000_001n,
			write: 131_000_000_000_000_003n,
			access: 132_000_000_000_000_007n,
		},
		streams: [{ name: 'second', value: new TextEncoder().encode('stream') }],
	};
	const set = await setXattrs(
		root,
		[{ path: 'folder/Long file name.txt', xattrs: ntfsXattrs(facts) }],
		testRun(),
	);
	assert.deepEqual(set, { refused: [] });
	const after = await readNtfsFacts(root, testRun());
	assert.ok(after !== null && !('leftOut' in after));
	assert.deepEqual(after.get('/folder/Long file name.txt'), facts);
	assert.ok((after.get('/')?.securityDescriptor?.length ?? 0) > 20);
});

test('elsewhere there are no NTFS facts', async (t) => {
	assert.equal(await readNtfsFacts(tempFolder(t), testRun()), null);
});

test('a list of extended attributes of Windows is read to its end, and no further than its bytes', () => {
	const list = Uint8Array.of(
		...[16, 0, 0, 0, 0, 1, 2, 0, 0x41, 0, 7, 8, 0, 0, 0, 0],
		...[0, 0, 0, 0, 0x80, 2, 1, 0, 0x42, 0x43, 0, 9],
	);
	assert.deepEqual(parseEaList(list), [
		{ flags: 0, name: 'A', value: Uint8Array.of(7, 8) },
		{ flags: 0x80, name: 'BC', value: Uint8Array.of(9) },
	]);
	assert.equal(parseEaList(list.subarray(0, 20)).length, 1);
	assert.equal(parseEaList(list.subarray(0, 11)).length, 0);
});

test('a list of extended attributes of Windows survives being written and read', () => {
	const list = [
		{ flags: 0, name: 'ONE', value: Uint8Array.of(1, 2, 3) },
		{ flags: 0x80, name: 'SECOND', value: new Uint8Array(0) },
	];
	assert.deepEqual(parseEaList(encodeEaList(list)), list);
});
