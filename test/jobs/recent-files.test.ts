import assert from 'node:assert/strict';
import { existsSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { recentFiles } from '../../source/jobs/recent-files.ts';
import { tempFolder } from '../support/temp-tree.ts';

test('the newest comes first, once, and at most thirty are kept, for the user alone', async (t) => {
	const folder = path.join(tempFolder(t), 'state');
	const recent = recentFiles(folder);
	assert.equal(existsSync(folder), false);
	for (let i = 0; i < 35; i++) await recent.add(`/srv/${i}.wim`);
	await recent.add('/srv/20.wim');
	const list = await recentFiles(folder).list();
	assert.equal(list.length, 30);
	assert.deepEqual(list.slice(0, 3), ['/srv/20.wim', '/srv/34.wim', '/srv/33.wim']);
	assert.equal(list.filter((one) => one === '/srv/20.wim').length, 1);
	assert.equal(statSync(path.join(folder, 'recent.json')).mode & 0o077, 0);
});

test('a broken list or a folder that cannot be made is no error', async (t) => {
	const folder = tempFolder(t);
	for (const text of ['[', '{"a": 1}', '[1, null, "/a.wim"]']) {
		writeFileSync(path.join(folder, 'recent.json'), text);
		assert.deepEqual(await recentFiles(folder).list(), text.includes('/a') ? ['/a.wim'] : []);
	}
	writeFileSync(path.join(folder, 'file'), '');
	const nowhere = recentFiles(path.join(folder, 'file', 'state'));
	await nowhere.add('/b.wim');
	assert.deepEqual(await nowhere.list(), []);
});
