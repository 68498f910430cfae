import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { fixture, root } from './support/fixture.ts';
import { tempFolder } from './support/temp-tree.ts';

/** Another program that has the package installed. */
const PROGRAM = `
import { InputError, machineClock, openImage, openTools, openWim, pathOf, performWith, runJob } from 'wimdeck';
const file = process.argv[2];
await using wim = await openWim(file);
const { tree } = await openImage(wim, wim.image(2));
const paths = [...tree.children(0)].map((child) => pathOf(tree, child));
const tools = openTools({ threads: 2, input: null, output: null, onFault: () => {} });
const request = { verb: 'verify', wim: file, references: [], integrity: true, fast: false };
const signal = new AbortController().signal;
const outcome = await runJob(request, { signal, clock: machineClock }, performWith(tools));
await tools[Symbol.asyncDispose]();
let refused = null;
try { wim.image('nobody'); } catch (error) { refused = [error instanceof InputError, error.code]; }
await wim[Symbol.asyncDispose]();
console.log(JSON.stringify({ paths, state: outcome.state, refused }));
`.replace('await using', 'const');

test('another program opens images and runs jobs with the package', (t) => {
	const folder = tempFolder(t);
	mkdirSync(path.join(folder, 'node_modules'));
	symlinkSync(root, path.join(folder, 'node_modules', 'wimdeck'));
	const run = spawnSync(
		process.execPath,
		['--input-type=module', '-e', PROGRAM, '--', 'program', fixture('vectors/v02.wim')],
		{ cwd: folder, encoding: 'utf8' },
	);
	assert.equal(run.stderr, '');
	assert.deepEqual(JSON.parse(run.stdout), {
		paths: ['/lines.txt', '/note.txt'],
		state: 'done',
		refused: [true, 'bad-input'],
	});
});

test('what the package promises to ship is there after a build', () => {
	const facts = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')) as {
		readonly bin: Readonly<Record<string, string>>;
		readonly exports: { readonly '.': Readonly<Record<string, string>> };
	};
	for (const file of [...Object.values(facts.bin), ...Object.values(facts.exports['.'])])
		assert.ok(readFileSync(path.join(root, file)).length > 0, file);
});
