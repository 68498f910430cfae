import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
	cpSync,
	existsSync,
	mkdirSync,
	readdirSync,
	readFileSync,
	statSync,
	symlinkSync,
	writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { Journal } from '../../source/jobs/journal.ts';
import { cli } from '../support/cli.ts';
import { fakeClock } from '../support/fake-clock.ts';
import { fixture, root } from '../support/fixture.ts';
import { oracle, runOracle } from '../support/oracles.ts';
import { listTree, tempFolder } from '../support/temp-tree.ts';

const vector = (name: string) => fixture(`vectors/${name}`);

/** A folder with a small tree in `source`. */
function withSource(t: TestContext): {
	folder: string;
	source: string;
	at: (name: string) => string;
} {
	const folder = tempFolder(t);
	const source = path.join(folder, 'source');
	mkdirSync(path.join(source, 'sub'), { recursive: true });
	writeFileSync(path.join(source, 'a.txt'), 'one\n');
	writeFileSync(path.join(source, 'sub', 'b.txt'), 'two\n');
	writeFileSync(path.join(source, 'zeros'), new Uint8Array(200_000));
	symlinkSync('a.txt', path.join(source, 'link'));
	return { folder, source, at: (name) => path.join(folder, name) };
}

/** Runs a command line that must succeed. */
async function ok(...argv: readonly string[]): Promise<string> {
	const { code, out, err } = await cli(argv);
	assert.equal(code, 0, `${argv.join(' ')}\n${err}`);
	return out;
}

test(
	'the whole way: capture, append, change, export, split, join, apply',
	oracle('wimlib-imagex'),
	async (t) => {
		const { source, at } = withSource(t);
		const wim = at('x.wim');
		const verified = (file: string) => runOracle('wimlib-imagex', 'verify', file);
		await ok('capture', source, wim, 'First', 'A text', '--check', '--boot', '--flags=Pro');
		verified(wim);
		await ok('append', source, wim);
		await ok('append', source, wim);
		const info = await ok('info', wim);
		assert.match(info, /^Boot Index: {5}1$/m);
		assert.match(info, /^Name: {19}source \(1\)$/m);
		assert.match(info, /^Attributes: {5}Integrity info/m);
		await ok('info', wim, '2', 'Second', 'Another text');
		await ok('info', wim, '0', '--boot');
		assert.match(await ok('info', wim), /^Boot Index: {5}0$/m);
		const commands = [`--command=add "${source}/a.txt" /new.txt`, '--command=rename /sub /sub2'];
		await ok('update', wim, 'Second', ...commands);
		assert.equal(
			await ok('dir', wim, 'Second'),
			'/\n/a.txt\n/link\n/new.txt\n/sub2\n/sub2/b.txt\n/zeros\n',
		);
		const differences = await ok('diff', `${wim}:First`, `${wim}:Second`);
		assert.match(differences, /^\+ \/new\.txt/m);
		assert.match(differences, /^> \/sub2\/b\.txt {2}\(from \/sub\/b\.txt, 4\)$/m);
		await ok('delete', wim, '3', '--soft');
		assert.match(await ok('info', wim), /^Dead Bytes:/m);
		await ok('optimize', wim);
		assert.doesNotMatch(await ok('info', wim), /^Dead Bytes:/m);
		verified(wim);
		await ok('export', wim, 'First', at('y.esd'), '--solid');
		verified(at('y.esd'));
		await ok('split', wim, at('p.swm'), '0.0005');
		const parts = readdirSync(at('.')).filter((name) => name.endsWith('.swm'));
		assert.ok(parts.length > 1);
		await ok('join', at('j.wim'), ...parts.map(at));
		verified(at('j.wim'));
		await ok('apply', at('p.swm'), '1', at('out'));
		assert.deepEqual(listTree(at('out')), listTree(source));
		await ok('apply', wim, 'all', at('both'));
		assert.deepEqual(readdirSync(at('both')).sort(), ['First', 'Second']);
	},
);

test('an edit in place can be taken back', async (t) => {
	const { source, at } = withSource(t);
	await ok('capture', source, at('x.wim'), 'First');
	const before = readFileSync(at('x.wim'));
	await ok('append', source, at('x.wim'), 'Second');
	assert.match(await ok('undo', at('x.wim'), '--dry-run'), /^Would go back from 2 images/);
	assert.match(await ok('undo', at('x.wim')), /^Went back from 2 images .* to 1 image/);
	assert.deepEqual(readFileSync(at('x.wim')), before);
	const again = await cli(['undo', at('x.wim')]);
	assert.equal(again.code, 2);
	assert.match(again.err, /there is no edit in place/);
});

test('verify ends with 3 and names each damaged file of each image', async (t) => {
	const bytes = readFileSync(vector('v02.wim'));
	bytes[0x300] = (bytes[0x300] ?? 0) ^ 0x10;
	const file = path.join(tempFolder(t), 'bad.wim');
	writeFileSync(file, bytes);
	const { code, out, err } = await cli(['verify', file]);
	assert.equal(code, 3);
	assert.equal(err, '');
	for (const line of [
		/^ERR 1 {2}contents: /m,
		/^ +SHA-1 897e3867ade9f24e1fdccdde0cda3d1109d24084, 39,600 bytes$/m,
		/^ +image 1: \/hardlink\.txt$/m,
		/^ +image 1: \/lines\.txt$/m,
		/^ +image 2: \/lines\.txt$/m,
		/bad\.wim: 1 fault, 3 files hit\.$/m,
		/^Checked: .*; 2 of 2 images; 3 of 3 blobs .*; no integrity table\.$/m,
	])
		assert.match(out, line);
	const report = path.join(path.dirname(file), 'report.json');
	const quiet = await cli(['verify', file, '--quiet', '--report', report]);
	assert.equal(quiet.out, '');
	assert.match(quiet.err, /^wimdeck: /, 'without a report each problem is said');
	assert.equal(JSON.parse(readFileSync(report, 'utf8')).faults.length, 1);
});

test('verify says how much it checked, and no more', async () => {
	assert.match(
		await ok('verify', vector('v01.wim')),
		/v01\.wim: no damage\.\nChecked: header, XML data \(it has no checksum\) and blob table; 1 of 1 image; 1 of 1 blob \(12 of 12\); integrity table good\.\n$/,
	);
	assert.match(
		await ok('verify', vector('v01.wim'), '--no-check'),
		/integrity table not compared\.$/m,
	);
	assert.match(await ok('verify', vector('v01.wim'), '--fast'), /0 of 1 blob \(0 of 12\)/);
});

test('extract writes files, lists of files, and standard output', async (t) => {
	const { at } = withSource(t);
	const wim = vector('v12-nested.wim');
	await ok('extract', wim, '1', '/a/x/1.txt', '/a/x/deep', `--dest-dir=${at('one')}`);
	assert.deepEqual(readdirSync(at('one')).sort(), ['1.txt', 'deep']);
	writeFileSync(at('list'), '\\a\\x\\*.txt\n');
	await ok('extract', wim, '1', `@${at('list')}`, '--dest-dir', at('two'));
	assert.ok(existsSync(at('two/a/x/1.txt')));
	const { bytes, err } = await cli(['extract', vector('v02.wim'), '1', '/note.txt', '--to-stdout']);
	assert.equal(bytes.toString(), 'first image\n');
	assert.equal(err, '');
	const folder = await cli(['extract', wim, '1', '/a', '--to-stdout']);
	assert.equal(folder.code, 2);
	assert.equal(folder.bytes.length, 0);
	writeFileSync(at('empty'), '; nothing is wanted\n');
	await ok('extract', wim, '1', `@${at('empty')}`, '--dest-dir', at('four'));
	assert.deepEqual(existsSync(at('four')) ? readdirSync(at('four')) : [], []);
	const nothing = await cli(['extract', wim, '1', '/*.zip', `--dest-dir=${at('three')}`]);
	assert.equal(nothing.code, 2);
	const fine = await cli([
		'extract',
		wim,
		'1',
		'/*.zip',
		'--nullglob',
		`--dest-dir=${at('three')}`,
	]);
	assert.equal(fine.code, 0);
	assert.match(fine.err, /note: Nothing in the image matches/);
});

test('what to do about missing parts is said once, not with each file', async (t) => {
	const { at } = withSource(t);
	cpSync(vector('v04-part.swm'), at('alone.swm'));
	const { code, err } = await cli(['apply', at('alone.swm'), '1', at('out')]);
	assert.equal(code, 3);
	assert.match(err, /^wimdeck: Cannot extract .*\n {2}Pass part 2 of the set with --ref=/m);
	assert.equal(err.split('Pass part 2').length, 2);
	const { err: quiet } = await cli(['apply', at('alone.swm'), '1', at('out2'), '--quiet']);
	assert.doesNotMatch(quiet, /Pass part/);
	await ok('apply', at('alone.swm'), '1', at('out3'), '--ref', vector('v04-part2.swm'));
});

test('a pipable WIM flows through a pipe', async (t) => {
	const { source, at } = withSource(t);
	const piped = await cli(['capture', source, '-', 'Piped']);
	assert.equal(piped.code, 0, piped.err);
	assert.equal(piped.bytes.subarray(0, 5).toString(), 'WLPWM');
	const { code, err } = await cli(['apply', '-', '1', at('out')], { stdin: piped.bytes });
	assert.equal(code, 0, err);
	assert.deepEqual(listTree(at('out')), listTree(source));
	const one = at('two.wim');
	await ok('capture', source, one, 'One');
	await ok('append', source, one, 'Two');
	const both = await cli(['export', one, 'all', '-', '--pipable']);
	assert.equal(both.code, 0, both.err);
	const unnamed = await cli(['apply', '-', at('none')], { stdin: both.bytes });
	assert.equal(unnamed.code, 2);
	assert.match(unnamed.err, /holds 2 images: name one, or all\n {2}Write the index, the name/);
});

test('a dry run says what would be and changes nothing', async (t) => {
	const { source, at } = withSource(t);
	await ok('capture', source, at('x.wim'), 'First');
	const state = () => readdirSync(at('.')).map((name) => `${name} ${statSync(at(name)).size}`);
	const before = state();
	for (const argv of [
		['capture', source, at('y.wim')],
		['append', source, at('x.wim')],
		['apply', at('x.wim'), '1', at('out')],
		['extract', at('x.wim'), '1', '/a.txt', `--dest-dir=${at('out')}`],
		['info', at('x.wim'), '1', 'Other'],
		['delete', at('x.wim'), '1'],
		['export', at('x.wim'), '1', at('z.wim')],
		['split', at('x.wim'), at('p.swm'), '1'],
		['optimize', at('x.wim'), '--recompress'],
		['salvage', at('x.wim'), at('saved')],
		['update', at('x.wim'), '--command=delete /a.txt'],
	]) {
		const out = await ok(...argv, '--dry-run');
		if (argv[0] !== 'salvage') assert.match(out, /[Ww]ould/, argv.join(' '));
		assert.deepEqual(state(), before, argv.join(' '));
	}
});

test('every job prints one JSON object with the same keys', async (t) => {
	const { source, at } = withSource(t);
	const rows: readonly (readonly string[])[] = [
		['capture', source, at('x.wim')],
		['append', source, at('x.wim')],
		['verify', at('x.wim')],
		['apply', at('x.wim'), '1', at('out')],
		['extract', at('x.wim'), '1', '/a.txt', `--dest-dir=${at('e')}`],
		['diff', `${at('x.wim')}:1`, source],
		['info', at('x.wim'), '1', 'Other'],
		['export', at('x.wim'), '1', at('y.wim')],
		['delete', at('x.wim'), '2'],
		['optimize', at('x.wim')],
		['split', at('x.wim'), at('p.swm'), '1'],
		['salvage', at('x.wim'), at('saved')],
	];
	for (const argv of rows) {
		const out = await ok(...argv, '--json');
		assert.equal(out.split('\n').length, 2, 'one line');
		const value = JSON.parse(out);
		assert.deepEqual(Object.keys(value), [
			'verb',
			'state',
			'exitCode',
			'problems',
			'warnings',
			'elapsedMs',
			'error',
			'result',
		]);
		assert.equal(value.state, 'done', argv.join(' '));
		assert.ok(value.result);
	}
	const failed = await cli(['verify', at('none.wim'), '--json']);
	assert.equal(failed.code, 2);
	const value = JSON.parse(failed.out);
	assert.deepEqual([value.state, value.exitCode, value.error.code], ['failed', 2, 'bad-input']);
});

test('options that only mean something on Windows are accepted and say so', async (t) => {
	const { at } = withSource(t);
	const { code, err } = await cli([
		'apply',
		vector('v01.wim'),
		'1',
		at('out'),
		'--compact=lzx',
		'--wimboot',
	]);
	assert.equal(code, 0, err);
	assert.match(err, /note: --compact changes nothing here: it only has a meaning on Windows/);
	assert.match(err, /note: --wimboot changes nothing here/);
});

test('progress goes to standard error: nothing into a pipe unless asked for', async () => {
	const wim = vector('v02.wim');
	assert.equal((await cli(['verify', wim])).err, '');
	const plain = await cli(['verify', wim, '--progress=plain']);
	assert.match(plain.err, /^verify: checking\b/m);
	const json = await cli(['verify', wim, '--progress=json']);
	const lines = json.err
		.trim()
		.split('\n')
		.map((line) => JSON.parse(line));
	assert.ok(lines.length > 0);
	for (const line of lines)
		assert.deepEqual(Object.keys(line), [
			'type',
			'verb',
			'phase',
			'bytes',
			'totalBytes',
			'bytesPerSecond',
			'remainingMs',
			'elapsedMs',
			'path',
			'problems',
			'warnings',
		]);
	const terminal = await cli(['verify', wim], { terminal: true });
	assert.match(terminal.err, /\rverify: [^\n]*\u001b\[K/);
	assert.ok(terminal.err.endsWith('\r\u001b[K'), 'the line is taken away at the end');
	for (const part of terminal.err.split('\r')) assert.ok(part.length < 80 + 3);
	const quiet = await cli(['verify', wim, '--quiet'], { terminal: true });
	assert.deepEqual([quiet.err, quiet.out], ['', '']);
});

test('a command leaves a journal that wimdeck jobs shows', async (t) => {
	const { at } = withSource(t);
	const environment = { XDG_STATE_HOME: at('state') };
	const run = (...argv: readonly string[]) => cli(argv, { environment });
	assert.equal((await run('jobs')).err, 'No jobs.\n');
	await run('verify', vector('v01.wim'));
	await run('verify', vector('malformed/m19-wrong-data.wim'));
	await run('verify', at('none.wim'));
	const list = await run('jobs');
	const lines = list.out.trimEnd().split('\n');
	assert.equal(lines.length, 3);
	assert.match(
		lines[0] ?? '',
		/^ {3}3 {2}\d{4}-\d\d-\d\d \d\d:\d\d {2}failed +verify none\.wim .*no such file/,
	);
	assert.match(lines[1] ?? '', /problems +verify m19-wrong-data\.wim .*1 damaged/);
	assert.match(lines[2] ?? '', /done +verify v01\.wim/);
	const one = await run('jobs', '2');
	assert.match(one.out, /^ {2}! Cannot read blob c22b5f91/m);
	const json = JSON.parse((await run('jobs', '2', '--json')).out);
	assert.equal(json.state, 'problems');
	assert.equal(json.exitCode, 3);
	assert.equal(json.request.wim, vector('malformed/m19-wrong-data.wim'));
	assert.equal((await run('jobs', '2', '--follow')).code, 3, 'follow ends as the job did');
	assert.equal((await run('jobs', '2', '--cancel')).code, 2);
	assert.equal((await run('jobs', '99')).code, 2);
	assert.equal((await run('jobs', '--cancel')).code, 2);
	const nothing = await run('jobs', '--follow');
	assert.equal(nothing.code, 0);
	assert.match(nothing.err, /No job is running/);
	assert.match((await run('jobs', '2', '--clean')).err, /it was not killed/);
	assert.equal((await run('jobs', '2', '--clear')).out, '1 forgotten\n');
	assert.equal((await run('jobs', '--clear')).out, '2 forgotten\n');
	assert.deepEqual(JSON.parse((await run('jobs', '--json')).out), { jobs: [] });
});

test('another process can follow a running job and cancel it', async (t) => {
	const { at } = withSource(t);
	const journal = await Journal.open(path.join(at('state'), 'wimdeck'), fakeClock());
	assert.ok(journal);
	let canceled = false;
	const request = {
		verb: 'verify',
		wim: 'a.wim',
		references: [],
		integrity: true,
		fast: false,
	} as const;
	const log = await journal.begin(request, {
		cancel: () => {
			canceled = true;
		},
		hold: () => {},
		isPaused: () => false,
	});
	assert.ok(log);
	const environment = { XDG_STATE_HOME: at('state') };
	assert.match((await cli(['jobs'], { environment })).out, /running +verify a\.wim {2}starting/);
	const paused = await cli(['jobs', '1', '--pause', '--json'], { environment });
	assert.deepEqual(JSON.parse(paused.out), { id: 1, asked: 'pause' });
	const following = cli(['jobs', '1', '--cancel', '--follow'], { environment });
	while (!canceled) await log.tick();
	await log.finish({
		state: 'canceled',
		exitCode: 130,
		result: null,
		error: null,
		problems: 0,
		warnings: 0,
		elapsedMs: 5,
	});
	const { code, out } = await following;
	assert.equal(code, 130);
	assert.match(out, /canceled +verify a\.wim/);
});

test('Ctrl+C ends a job with 130 and leaves nothing half done', async (t) => {
	const { at, source } = withSource(t);
	const abort = new AbortController();
	abort.abort();
	const { code, err } = await cli(['capture', source, at('x.wim')], { signal: abort.signal });
	assert.equal(code, 130);
	assert.equal(err, 'wimdeck: Canceled\n');
	assert.equal(existsSync(at('x.wim')), false);
});

test('a reader that stops reading a WIM ends its capture with an error', async (t) => {
	if (process.platform === 'win32') return t.skip('needs a shell');
	const { source } = withSource(t);
	const main = path.join(root, 'dist', 'source', 'main.js');
	writeFileSync(
		path.join(source, 'large'),
		new Uint8Array(8_000_000).map((_, k) => (k * 7919) >> 5),
	);
	const script =
		'"$0" "$1" capture "$2" - --compress=none 2>"$3" | head -c 10 >/dev/null; cat "$3"';
	const result = spawnSync(
		'/bin/sh',
		['-c', script, process.execPath, main, source, `${source}.err`],
		{
			encoding: 'utf8',
			env: { ...process.env, XDG_STATE_HOME: '/dev/null/nowhere' },
		},
	);
	assert.match(result.stdout, /^wimdeck: Cannot write to standard output/);
	assert.doesNotMatch(result.stdout, /\n\s+at /);
});
