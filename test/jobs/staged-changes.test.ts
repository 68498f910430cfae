import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { identityOf } from '../../source/host/process-identity.ts';
import { type KeptChanges, stagedStore } from '../../source/jobs/staged-changes.ts';
import { tempFolder } from '../support/temp-tree.ts';

const KEPT: KeptChanges = {
	guid: '00112233445566778899aabbccddeeff',
	images: [
		{
			index: 2,
			name: 'Pro',
			changes: [
				{ type: 'add', path: '\\new.txt', source: '/srv/new.txt' },
				{ type: 'delete', path: '\\old\ud800.txt' },
				{ type: 'rename', path: '\\a', to: '\\b' },
			],
		},
		{ index: 5, name: '', changes: [{ type: 'delete', path: '\\x' }] },
	],
};

test('what is staged is kept for the user alone, one file of it for each WIM', async (t) => {
	const folder = path.join(tempFolder(t), 'state');
	const store = stagedStore(folder);
	await store.save('/srv/a.wim', KEPT);
	await store.save('/srv/b.wim', { ...KEPT, images: KEPT.images.slice(1) });
	const again = stagedStore(folder);
	const { guid, images } = (await again.load('/srv/a.wim'))!;
	assert.deepEqual({ guid, images }, KEPT);
	assert.equal((await again.load('/srv/b.wim'))?.images[0]?.index, 5);
	assert.equal(await again.load('/srv/c.wim'), null);
	for (const name of readdirSync(folder))
		assert.equal(statSync(path.join(folder, name)).mode & 0o077, 0);
	await again.save('/srv/a.wim', null);
	assert.equal(await again.load('/srv/a.wim'), null);
	assert.equal(readdirSync(folder).length, 1);
});

test('what a living process stages is not taken from it, what a dead one left is', async (t) => {
	const folder = tempFolder(t);
	const store = stagedStore(folder);
	await store.save('/srv/a.wim', KEPT);
	const file = path.join(folder, readdirSync(folder)[0]!);
	const written = JSON.parse(readFileSync(file, 'utf8')) as object;
	const other = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)']);
	t.after(() => other.kill());
	await once(other, 'spawn');
	writeFileSync(file, JSON.stringify({ ...written, owner: await identityOf(other.pid!) }));
	assert.equal(await store.load('/srv/a.wim'), null);
	await store.save('/srv/a.wim', null);
	other.kill();
	await once(other, 'exit');
	assert.equal((await store.load('/srv/a.wim'))?.images.length, 2, 'it was not ours to remove');
});

test('records that are broken, or of another file, are as none', async (t) => {
	const folder = tempFolder(t);
	const store = stagedStore(folder);
	await store.save('/srv/a.wim', KEPT);
	const file = path.join(folder, readdirSync(folder)[0]!);
	const whole = readFileSync(file, 'utf8');
	const record = JSON.parse(whole) as Record<string, unknown>;
	const broken = [
		'',
		'[',
		'null',
		'7',
		whole.slice(0, -20),
		...[
			{ wim: '/srv/b.wim' },
			{ images: [{ index: 1, name: '', changes: [{ type: 'add', path: '\\x' }] }] },
			{ images: [{ index: 1, name: '', changes: [null] }] },
			{ images: [{ index: 1, name: '', changes: 'all' }] },
			{ images: [{ index: '1', name: '', changes: [] }] },
			{ images: [null] },
			{ images: 'all' },
			{ guid: 5 },
			{ owner: null },
		].map((change) => JSON.stringify({ ...record, ...change })),
	];
	for (const text of broken) {
		writeFileSync(file, text);
		assert.equal(await store.load('/srv/a.wim'), null, text);
	}
	const nowhere = stagedStore(path.join(file, 'state'));
	await nowhere.save('/srv/a.wim', KEPT);
	assert.equal(await nowhere.load('/srv/a.wim'), null);
});
