import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { fixture, root } from '../support/fixture.ts';
import { tempFolder } from '../support/temp-tree.ts';

const DIST = path.join(root, 'dist');
const WIM = fixture('vectors/v02.wim');

/** The program as it is installed, with its code caches or without. */
function installed(t: TestContext, cacheOf: (name: string) => Uint8Array | null): string {
	const folder = tempFolder(t);
	const dist = path.join(folder, 'dist');
	mkdirSync(dist);
	copyFileSync(path.join(root, 'package.json'), path.join(folder, 'package.json'));
	for (const name of readdirSync(DIST)) {
		if (/\.(js|pack)$|^package\.json$/.test(name))
			copyFileSync(path.join(DIST, name), path.join(dist, name));
		const cache = name.endsWith('.cache') ? cacheOf(name) : null;
		if (cache !== null) writeFileSync(path.join(dist, name), cache);
	}
	return path.join(dist, 'wimdeck.js');
}

function run(program: string, ...argv: readonly string[]) {
	const { status, stdout, stderr } = spawnSync(process.execPath, [program, ...argv], {
		encoding: 'utf8',
	});
	return { status, stdout, stderr };
}

const COMMANDS = [['--version'], ['info', WIM], ['dir', WIM, '1'], ['verify', WIM]];

for (const [what, cacheOf] of [
	['are missing', () => null],
	['are cut', (name: string) => readFileSync(path.join(DIST, name)).subarray(0, 1000)],
	['are empty', () => new Uint8Array(0)],
	[
		'belong to another version of V8',
		(name: string) => {
			const cache = readFileSync(path.join(DIST, name));
			// Magic number, then a hash of the version.
			cache.writeUInt32LE((cache.readUInt32LE(4) ^ 1) >>> 0, 4);
			return cache;
		},
	],
] as const)
	test(`the program does the same when its code caches ${what}`, (t) => {
		const program = installed(t, cacheOf);
		for (const argv of COMMANDS)
			assert.deepEqual(run(program, ...argv), run(path.join(DIST, 'wimdeck.js'), ...argv));
	});

/** Says on standard error which code caches V8 took and which it refused. */
const WATCH = `import vm from 'node:vm';
import { createRequire } from 'node:module';
const { Script } = vm;
createRequire('file:///')('node:vm').Script = function (text, options) {
	const script = new Script(text, options);
	const pack = /-(\\w+)-\\w+\\.pack$/.exec(options.filename)[1];
	process.stderr.write(script.cachedDataRejected === false ? 'took ' + pack + ' ' : 'refused ' + pack + ' ');
	return script;
};`;

for (const [argv, packs] of [
	[['info', WIM], ['core']],
	[
		['verify', WIM],
		['core', 'read', 'jobs'],
	],
	[
		['optimize', WIM, '--dry-run'],
		['core', 'write', 'jobs'],
	],
] as const)
	test(`the code caches of ${argv[0]} are taken`, () => {
		const watch = `--import=data:text/javascript,${encodeURIComponent(WATCH)}`;
		const { NODE_OPTIONS: _, ...env } = process.env;
		const args = [watch, path.join(DIST, 'wimdeck.js'), ...argv, '--quiet'];
		const { stderr } = spawnSync(process.execPath, args, { encoding: 'utf8', env });
		assert.equal(stderr, packs.map((pack) => `took ${pack} `).join(''));
	});

test('other V8 flags change nothing but the time', () => {
	const program = path.join(DIST, 'wimdeck.js');
	const result = spawnSync(
		process.execPath,
		['--no-opt', '--stack-size=900', program, 'info', WIM],
		{
			encoding: 'utf8',
		},
	);
	assert.equal(result.stdout, run(program, 'info', WIM).stdout);
	assert.equal(result.stderr, '');
});

test('what the package offers can be imported', () => {
	const file = path.join(DIST, 'index.mjs');
	const text = `import { openWim } from ${JSON.stringify(file)};
const wim = await openWim(${JSON.stringify(WIM)});
console.log(wim.images.length);
await wim[Symbol.asyncDispose]();`;
	const args = ['--input-type=module', '-e', text];
	const result = spawnSync(process.execPath, args, { encoding: 'utf8' });
	assert.deepEqual([result.stdout, result.stderr], ['2\n', '']);
});
