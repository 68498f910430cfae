import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { tempFolder } from '../support/temp-tree.ts';
import { makeCorpus } from './corpus.ts';
import { inTurns, measure, type Side } from './measure.ts';
import { rowTable } from './table.ts';

const one = (ms: number, peakMb: number) => ({ ms, cpuMs: 2 * ms, peakMb });

test('the table divides the reference time by ours and takes the greatest memory', () => {
	const table = rowTable([
		{
			verb: 'capture',
			format: 'LZX',
			ours: [one(1000, 50), one(3000, 70), one(2000, 60)],
			reference: [one(1000, 8), one(5000, 9), one(3000, 7)],
			size: 0.9982,
		},
		{ verb: 'info', format: 'small', ours: [one(95, 50)], reference: [one(5, 3)], size: null },
		{
			verb: 'split',
			format: 'LZX',
			ours: [{ ...one(200, 50), syncMs: 0 }],
			reference: [{ ...one(100, 3), syncMs: 30 }],
			size: null,
		},
	]);
	assert.deepEqual(table.split('\n').slice(2), [
		'| capture | LZX | 1.50 | 1.50 | 2.00 | 3.00 |  | 100 % | 70 | 9 | 0.9982 |',
		'| info | small | 90 ms more |  | 0.10 | 0.01 |  | 0 % | 50 | 3 |  |',
		'| split | LZX | 0.50 | 0.50 | 0.20 | 0.10 | 0.03 | 0 % | 50 | 3 |  |',
		'',
	]);
});

test('a corpus keeps within its size, spread over all files, and comes out the same twice', (context) => {
	const folder = tempFolder(context);
	const source = path.join(folder, 'source');
	mkdirSync(source);
	for (let k = 0; k < 40; k++)
		writeFileSync(path.join(source, `${10 + k}.bin`), new Uint8Array(5000 + 100 * k));
	const filesIn = (name: string) =>
		readdirSync(path.join(folder, name), { recursive: true, withFileTypes: true })
			.filter((entry) => entry.isFile())
			.map((entry) => path.relative(folder, path.join(entry.parentPath, entry.name)).slice(2))
			.sort();
	for (const name of ['a1', 'b1'])
		makeCorpus(path.join(folder, name), { binaryBytes: 100_000, textFiles: 7 }, source);
	const files = filesIn('a1');
	assert.deepEqual(files, filesIn('b1'));
	assert.equal(files.filter((name) => name.endsWith('.txt')).length, 7);
	const binaries = files.filter((name) => name.endsWith('.bin'));
	const total = binaries.reduce(
		(sum, name) => sum + statSync(path.join(folder, `a1${name}`)).size,
		0,
	);
	assert.ok(total <= 100_000 && total > 85_000, `${total} bytes`);
	assert.ok(
		binaries.some((name) => /-4[0-9]\.bin$/.test(name)),
		'files from the end are among them',
	);
});

test('a command that fails says what it printed', async () => {
	const script = 'console.error("no such thing"); process.exitCode = 4';
	await assert.rejects(measure(process.execPath, ['-e', script]), /ended with 4: no such thing/);
});

test('each run begins without its target and after its preparation', async (context) => {
	const hasReference = await measure('wimlib-imagex', ['--version']).catch(() => null);
	if (hasReference === null) return context.skip('wimlib-imagex is not there');
	const folder = tempFolder(context);
	const target = path.join(folder, 'target');
	const seen: string[][] = [];
	const side = (args: string[]): Side => ({
		args,
		target,
		prepare() {
			seen.push(readdirSync(folder));
			writeFileSync(target, 'x');
		},
	});
	const turns = await inTurns(2, side(['--version']), side(['--version']));
	assert.deepEqual(seen, [[], [], [], []]);
	assert.equal(turns.ours.length, 2);
	assert.ok(turns.reference.every(({ ms, syncMs }) => ms > 0 && syncMs === undefined));
	const written = { ...side(['--version']), isSynced: true };
	const synced = await inTurns(1, written, written);
	assert.ok([...synced.ours, ...synced.reference].every(({ ms, syncMs = ms }) => syncMs < ms));
});

for (const script of ['large-salvage', 'damage'])
	test(`the script ${script} has --help, and tells wrong options without a stack`, () => {
		const run = (...args: readonly string[]) =>
			spawnSync(process.execPath, [path.join(import.meta.dirname, `${script}.js`), ...args], {
				encoding: 'utf8',
			});
		const help = run('--help');
		assert.equal(help.status, 0);
		assert.match(help.stdout, /^npm run bench:[a-z]+ .*--format=/);
		for (const wrong of ['--nonsense', '--format=zip']) {
			const { status, stdout, stderr } = run('.', wrong);
			assert.equal(status, 2);
			assert.equal(stdout, '');
			assert.ok(stderr.includes(help.stdout), stderr);
			assert.doesNotMatch(stderr, /\n {4}at /);
		}
	});
