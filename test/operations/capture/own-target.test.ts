import assert from 'node:assert/strict';
import { symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { cli } from '../../support/cli.ts';
import { subfolder, tempFolder } from '../../support/temp-tree.ts';

test('a WIM that lies in the captured folder is left out, with its lock, and that is said', async (t) => {
	const folder = tempFolder(t);
	const source = subfolder(folder, 'source');
	const inner = subfolder(source, 'inner');
	writeFileSync(path.join(source, 'file'), 'contents');
	// Named through a link, it is the same file all the same.
	symlinkSync(source, path.join(folder, 'other name'));
	const wim = path.join(folder, 'other name', 'inner', 't.wim');
	const quiet = await cli(['capture', source, wim, 'one']);
	assert.deepEqual([quiet.code, quiet.err], [0, '']);
	for (const verb of ['append', 'append --rebuild', 'capture', 'update']) {
		const [word = '', ...options] = verb.split(' ');
		const add = `add '${source}' /again`;
		const words =
			word === 'update'
				? ['update', wim, '1', `--command=${add}`]
				: [word, source, wim, verb, ...options];
		const { code, err } = await cli(words);
		assert.equal(code, 0, err);
		assert.match(err, /Left out: the WIM that is written/, verb);
		const { out } = await cli(['dir', wim, verb === 'append' ? '2' : '1']);
		const names = out.split('\n').map((line) => path.basename(line));
		assert.ok(names.includes('file') && names.includes('inner'), verb);
		assert.deepEqual(
			names.filter((name) => name.includes('t.wim')),
			[],
			verb,
		);
	}
	assert.equal((await cli(['verify', path.join(inner, 't.wim')])).code, 0);
});
