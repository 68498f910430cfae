import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { symlinkSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { VERB_NAMES } from '../../source/cli/commands.ts';
import { verbHelp } from '../../source/cli/help.ts';
import { fixture, root } from '../support/fixture.ts';
import { tempFolder } from '../support/temp-tree.ts';

const main = path.join(root, 'dist', 'source', 'main.js');
const vector = (name: string) => fixture(`vectors/${name}`);

const environment = { ...process.env, XDG_STATE_HOME: '/dev/null/nowhere' };

function run(program: string, ...argv: readonly string[]) {
	return spawnSync(process.execPath, [program, ...argv], {
		encoding: 'utf8',
		env: environment,
	});
}

test('started through a link, the verb is in the name', (t) => {
	const folder = tempFolder(t);
	for (const verb of VERB_NAMES) symlinkSync(main, path.join(folder, `wim${verb}`));
	symlinkSync(main, path.join(folder, 'wimlib-imagex'));
	const info = run(path.join(folder, 'wiminfo'), vector('v02.wim'), '1');
	assert.equal(info.status, 0, info.stderr);
	assert.match(info.stdout, /^Information for Image 1\n/);
	assert.equal(run(path.join(folder, 'wimapply'), '--help').stdout, verbHelp('apply'));
	const aliased = run(path.join(folder, 'wimlib-imagex'), 'dir', vector('v02.wim'), '2');
	assert.equal(aliased.stdout, '/\n/lines.txt\n/note.txt\n');
});

test('a reader that stops early ends the run quietly', async () => {
	const child = spawn(process.execPath, [main, 'dir', vector('v09.wim'), '--detailed'], {
		env: environment,
		stdio: ['ignore', 'pipe', 'pipe'],
	});
	let err = '';
	child.stderr.on('data', (text: Buffer) => {
		err += text.toString();
	});
	child.stdout.destroy();
	const [code] = (await once(child, 'close')) as [number];
	assert.deepEqual({ code, err }, { code: 0, err: '' });
});

test('a full device is said, with exit code 8', {
	skip: process.platform !== 'linux',
}, async () => {
	const result = spawnSync(
		'/bin/sh',
		['-c', `"$0" "$1" dir "$2" >/dev/full`, process.execPath, main, vector('v09.wim')],
		{
			encoding: 'utf8',
			env: environment,
		},
	);
	assert.equal(result.status, 8, result.stderr);
	assert.match(result.stderr, /Cannot write to standard output: the disk is full/);
});

test('a limit of addresses is said, with exit code 8', {
	skip: process.platform !== 'linux',
}, (t) => {
	const limited = (addresses: number, words: string[]) =>
		spawnSync(
			'/bin/sh',
			['-c', `ulimit -v ${addresses}; exec "$0" "$@"`, process.execPath, ...words],
			{ encoding: 'utf8', env: environment },
		);
	// What Node itself starts with: 1 to 2 GB from Node 24 on. A kernel sets aside 10 GB more, or takes what it needs.
	const addresses = [1, 2, 3, 4, 6, 12].map((gigabytes) => gigabytes * 1_000_000);
	const least = addresses.find((few) => limited(few, ['-e', '0']).status === 0);
	if (least === undefined) {
		t.skip('Node does not start with so few addresses');
		return;
	}
	const result = limited(least, [
		main,
		'verify',
		path.join(root, 'fixtures', 'demo', 'install.wim'),
	]);
	assert.equal(result.status, 8, result.stderr);
	assert.match(
		result.stderr,
		/^wimdeck: Cannot [^\n]*memory[^\n]*\n(?: {2}In:[^\n]*\n)? {2}[^\n]*(ulimit -v|--threads=1)/m,
	);
	assert.doesNotMatch(result.stderr, /\n\s+at /);
});

test('too little memory to decode is no damage, with exit code 8', (t) => {
	const folder = tempFolder(t);
	// So many pages are less than a decoder needs for any chunk.
	const limited = (...words: string[]) =>
		spawnSync(process.execPath, ['--wasm-max-mem-pages=8', main, ...words], {
			encoding: 'utf8',
			env: environment,
		});
	const wim = path.join(root, 'fixtures', 'demo', 'install.wim');
	for (const words of [
		['verify', wim],
		['apply', wim, '1', path.join(folder, 'out')],
		['extract', wim, '1', '/Windows/explorer.exe', `--dest-dir=${folder}`],
	]) {
		const result = limited(...words);
		assert.equal(result.status, 8, `${words[0]}: ${result.stderr}`);
		assert.match(
			result.stderr,
			/^wimdeck: Cannot decode: \d+ bytes of memory[^\n]*\n(?: {2}In:[^\n]*\n)? {2}Use fewer/m,
		);
		assert.doesNotMatch(result.stdout, /lost|fault/);
	}
});

test('without a terminal and without a command one sentence says what to do', () => {
	const result = run(main, path.join(root, 'fixtures'));
	assert.equal(result.status, 2, result.stderr);
	assert.match(result.stderr, /^wimdeck: [^\n]*terminal[^\n]*\n/i);
	assert.doesNotMatch(result.stderr, /\n\s+at /);
});

test('plain commands load neither Ink nor React nor meow', () => {
	// The loader names every module it reads.
	const trace = spawnSync(process.execPath, [main, 'info', vector('v01.wim')], {
		encoding: 'utf8',
		env: { ...environment, NODE_DEBUG: 'esm' },
	});
	assert.equal(trace.status, 0);
	assert.match(trace.stderr, /source\/cli\/run\.js/, 'the trace shows modules');
	assert.doesNotMatch(trace.stderr, /node_modules\/(?:ink|react|meow)\//);
});

test('a defect that nobody caught is told as one, with exit code 1', async () => {
	// Fails as soon as the program has taken over what nobody catches, however long that takes.
	const listening = 'process.listenerCount("uncaughtException")>0';
	const reject = 'clearInterval(t);Promise.reject(new TypeError("boom"))';
	const boom = `data:text/javascript,const t=setInterval(()=>{if(${listening}){${reject}}},5)`;
	const child = spawn(process.execPath, ['--import', boom, main, 'apply', '-', '1', 'nowhere'], {
		env: environment,
		// Standard input stays open, so that the command waits.
		stdio: ['pipe', 'ignore', 'pipe'],
	});
	let err = '';
	child.stderr.on('data', (text: Buffer) => {
		err += text.toString();
	});
	const [code] = (await once(child, 'close')) as [number];
	assert.equal(code, 1, err);
	assert.match(err, /^wimdeck: This is a defect in wimdeck/);
	assert.match(err, /TypeError: boom/);
	assert.match(err, /Please report/);
});

test('in a folder that was removed one sentence says so', (t) => {
	const folder = path.join(tempFolder(t), 'gone');
	const result = spawnSync(
		'/bin/sh',
		[
			'-c',
			`mkdir "$2" && cd "$2" && rmdir "$2" && "$0" "$1" capture . ../a.wim`,
			process.execPath,
			main,
			folder,
		],
		{ encoding: 'utf8', env: environment },
	);
	assert.equal(result.status, 8, result.stderr);
	assert.match(result.stderr, /^wimdeck: Cannot work in the current folder: it was removed\n/);
	assert.doesNotMatch(result.stderr, /\n\s+at /);
});

test('a mount that fails says so as one object to whoever asked for JSON', {
	skip: process.platform !== 'linux',
}, (t) => {
	const folder = path.join(tempFolder(t), 'nowhere');
	const { stdout, status } = run(main, 'mount', vector('v01.wim'), '1', folder, '--json');
	const { verb, state, exitCode } = JSON.parse(stdout);
	assert.deepEqual({ verb, state, exitCode }, { verb: 'mount', state: 'failed', exitCode: status });
});

test('a file that goes to a reader who leaves is not whole, and that is said', {
	skip: process.platform === 'win32',
}, async () => {
	const words = [main, 'capture', fixture('vectors'), '-', 'x', '--compress=none'];
	const child = spawn(process.execPath, words, {
		env: environment,
		stdio: ['ignore', 'pipe', 'pipe'],
	});
	let err = '';
	child.stderr.on('data', (bytes: Buffer) => {
		err += bytes.toString();
	});
	child.stdout.destroy();
	const [code] = (await once(child, 'close')) as [number];
	assert.equal(code, 8);
	assert.match(err, /Cannot write to standard output: nobody reads it any more\n/);
});
