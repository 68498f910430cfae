import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { DumpParser, readXattrs, setXattrs } from '../../source/host/xattrs.ts';
import { subfolder, tempFolder } from '../support/temp-tree.ts';
import { testRun } from '../support/test-run.ts';

/** Whether this machine has the tools, and its temporary folder the attributes. */
function missing(folder: string): string | false {
	if (spawnSync('setfattr', ['--version']).error) return 'setfattr is not installed';
	const result = spawnSync('setfattr', ['-n', 'user.try', '-v', 'x', folder]);
	spawnSync('setfattr', ['-x', 'user.try', folder]);
	return result.status === 0 ? false : 'the temporary folder holds no extended attributes';
}

test('attributes set in one run are read back in one run, whatever the names hold', async (t) => {
	const root = tempFolder(t);
	const reason = missing(root);
	if (reason) return t.skip(reason);
	const names = ['plain', 'a=b\\c', 'line\nbreak', 'lone\ud800'];
	const items = names.map((name, at) => ({
		path: name,
		xattrs: [
			{ name: 'user.note', value: new TextEncoder().encode(`note ${at}`) },
			{ name: 'user.b=\\x', value: Uint8Array.of(0, 255, 10, at) },
			{ name: 'user.empty', value: new Uint8Array(0) },
		],
	}));
	for (const name of names.slice(0, 3)) writeFileSync(path.join(root, name), '');
	writeFileSync(Buffer.concat([Buffer.from(`${root}/lone`), Buffer.of(0xed, 0xa0, 0x80)]), '');
	assert.deepEqual(await setXattrs(root, items, testRun()), { refused: [] });
	const index = await readXattrs(root, null, testRun());
	assert.ok(!('leftOut' in index));
	for (const { path: name, xattrs } of items) {
		const found = [...(index.get(`/${name}`) ?? [])].sort((a, b) => (a.name < b.name ? -1 : 1));
		const wanted = [...xattrs].sort((a, b) => (a.name < b.name ? -1 : 1));
		assert.deepEqual(found, wanted);
	}
	assert.equal(index.size, names.length);
});

test('what the system refuses comes back as lines, and the rest is set', async (t) => {
	const root = tempFolder(t);
	const reason = missing(root);
	if (reason) return t.skip(reason);
	writeFileSync(path.join(root, 'f'), '');
	const value = Uint8Array.of(1);
	const result = await setXattrs(
		root,
		[
			{ path: 'gone', xattrs: [{ name: 'user.x', value }] },
			{
				path: 'f',
				xattrs: [
					{ name: 'nonsense.x', value },
					{ name: 'user.y', value },
				],
			},
		],
		testRun(),
	);
	assert.ok('refused' in result);
	assert.equal(result.refused.length, 2);
	assert.match(result.refused[0]!, /^gone: /);
	const dump = execFileSync('getfattr', ['-d', '--absolute-names', path.join(root, 'f')], {
		encoding: 'utf8',
	});
	assert.match(dump, /user\.y=/);
});

test('without the tools the reason is a sentence', async (t) => {
	const root = subfolder(tempFolder(t), 'empty');
	const before = process.env.PATH;
	process.env.PATH = root;
	try {
		const read = await readXattrs(root, null, testRun());
		assert.match(
			'leftOut' in read ? read.leftOut : '',
			/getfattr is not installed \(package attr\)/,
		);
		const set = await setXattrs(root, [], testRun());
		assert.match('leftOut' in set ? set.leftOut : '', /setfattr is not installed/);
	} finally {
		process.env.PATH = before;
	}
});

test('a dump is understood however it is cut into pieces', () => {
	const text = Buffer.from(
		'# file: .\nuser.a=0saGk=\n\n# file: d/a\\134b\nuser.c\\075d=0s\nuser.e\n\n',
	);
	for (let cut = 0; cut <= text.length; cut++) {
		const parser = new DumpParser();
		parser.add(text.subarray(0, cut));
		parser.add(text.subarray(cut));
		assert.deepEqual(
			[...parser.finish()],
			[
				['/', [{ name: 'user.a', value: Uint8Array.of(0x68, 0x69) }]],
				[
					'/d/a\\b',
					[
						{ name: 'user.c=d', value: new Uint8Array(0) },
						{ name: 'user.e', value: new Uint8Array(0) },
					],
				],
			],
		);
	}
});
