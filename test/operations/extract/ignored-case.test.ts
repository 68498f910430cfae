import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { cli } from '../../support/cli.ts';
import { ntfsVolume } from '../../support/ntfs-volume.ts';
import { subfolder, tempFolder } from '../../support/temp-tree.ts';

test('where names in any case are one name, no file takes the place of another', async (t) => {
	const volume = ntfsVolume(t, true);
	if (volume === null) return;
	const folder = tempFolder(t);
	const tree = subfolder(folder, 'tree');
	for (const [name, text] of [
		['Folder/File', 'one'],
		['folder/file', 'two'],
		['Single', 'three'],
	] as const) {
		mkdirSync(path.dirname(path.join(tree, name)), { recursive: true });
		writeFileSync(path.join(tree, name), text);
	}
	const wim = path.join(folder, 'x.wim');
	assert.equal((await cli(['capture', tree, wim])).code, 0);

	const target = subfolder(volume.mount, 'target');
	const refused = await cli(['apply', wim, '1', target]);
	assert.equal(refused.code, 3);
	assert.match(refused.err, /"\/folder" under its name: this file system takes it for "Folder"/);
	assert.match(refused.err, /--include-invalid-names/);
	assert.equal(readFileSync(path.join(target, 'Folder/File'), 'utf8'), 'one');
	// The driver lists lower case.
	assert.deepEqual(readdirSync(target).sort(), ['folder', 'single']);

	// A dry run says the same, from names that stand there: it may not try one out.
	const dry = await cli(['apply', wim, '1', target, '--dry-run']);
	assert.match(dry.err, /this file system takes it for "Folder"/);

	const renamed = await cli(['apply', wim, '1', `${target}2`, '--include-invalid-names']);
	assert.equal(renamed.code, 0, renamed.err);
	const texts = readdirSync(`${target}2`, { recursive: true, withFileTypes: true })
		.filter((entry) => entry.isFile())
		.map((entry) => readFileSync(path.join(entry.parentPath, entry.name), 'utf8'));
	assert.deepEqual(texts.sort(), ['one', 'three', 'two']);
});
