import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { likeliestFirst } from '../../../source/operations/repair/likely-donors.ts';
import { captureAs, hurtFile } from '../../support/rescue-kit.ts';
import { subfolder, tempFolder } from '../../support/temp-tree.ts';

test('files with the GUID of the damaged one are the likeliest donors', async (t) => {
	const folder = tempFolder(t);
	const tree = subfolder(folder, 'tree');
	writeFileSync(path.join(tree, 'a.txt'), 'some text');
	const at = (name: string) => path.join(folder, name);
	await captureAs({ name: 'none', compression: 'none' }, tree, at('damaged.wim'));
	hurtFile(at('damaged.wim'), at('other.wim'), (bytes) => void bytes.fill(0xee, 0x18, 0x28));
	hurtFile(at('damaged.wim'), at('same.wim'), (bytes) => void bytes.fill(0, 300));
	hurtFile(at('damaged.wim'), at('wiped.wim'), (bytes) => void bytes.fill(0, 0, 208));
	writeFileSync(at('short.wim'), 'no WIM');
	const names = ['absent.wim', 'other.wim', 'short.wim', 'wiped.wim', 'same.wim'].map(at);
	assert.deepEqual(await likeliestFirst(at('damaged.wim'), names), [
		at('same.wim'),
		...names.slice(0, -1),
	]);
	assert.deepEqual(await likeliestFirst(at('wiped.wim'), names), names);
});
