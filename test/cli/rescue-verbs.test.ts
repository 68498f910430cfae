import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { cli } from '../support/cli.ts';
import { fixture } from '../support/fixture.ts';
import { objectionsOf } from '../support/rescue-kit.ts';
import { tempFolder } from '../support/temp-tree.ts';

/** A copy of v02 with a damaged content: two names in image 1, one in image 2. */
function hurt(t: TestContext): { file: string; at: (name: string) => string; donor: string } {
	const folder = tempFolder(t);
	const at = (name: string) => path.join(folder, name);
	const donor = fixture('vectors/v02.wim');
	const bytes = readFileSync(donor);
	bytes.fill(0x5a, 0x300, 0x340);
	writeFileSync(at('hurt.wim'), bytes);
	return { file: at('hurt.wim'), at, donor };
}

test('repair writes beside the damaged file, and never over anything', async (t) => {
	const { file, at, donor } = hurt(t);
	for (const name of ['hurt.repaired.wim', 'hurt.repaired-2.wim']) {
		const { code, out } = await cli(['repair', file, '--from', donor]);
		assert.equal(code, 0, out);
		assert.match(out, /nothing stays lost\.\nWrote .* to .*\n$/);
		assert.match(out, /image 2: \/lines\.txt/);
		assert.deepEqual(objectionsOf(at(name)), []);
	}
	const taken = await cli(['repair', file, '--from', donor, '--output', at('hurt.repaired.wim')]);
	assert.equal(taken.code, 2);
});

test('repair without a donor ends with 3, and says what stays lost as text and as JSON', async (t) => {
	const { file, at } = hurt(t);
	const report = at('report.json');
	const args = ['repair', file, '--bit-search=0', '--output', at('new.wim')];
	const { code, out } = await cli([...args, '--report', report]);
	assert.equal(code, 3);
	assert.match(out, /Contents that stay lost:/);
	assert.match(out, /1 lost \(3 files\)\.$/m);
	assert.equal(JSON.parse(readFileSync(report, 'utf8')).lost.length, 1);
	assert.deepEqual(objectionsOf(at('new.wim')), []);
	const dry = await cli([...args.slice(0, 3), '--dry-run', '--json', '--output', at('dry.wim')]);
	assert.equal(dry.code, 3);
	const { result } = JSON.parse(dry.out);
	assert.equal(result.type, 'repair-report');
	assert.equal(result.isDryRun, true);
	assert.equal(existsSync(at('dry.wim')), false);
});

test('salvage --to-wim takes no TARGET, and makes a WIM', async (t) => {
	const { file, at } = hurt(t);
	const { code, out } = await cli(['salvage', file, '--to-wim', at('saved.wim')]);
	assert.equal(code, 3, out);
	assert.match(out, /PARTIAL|LOST/);
	assert.deepEqual(objectionsOf(at('saved.wim')), []);
	const one = await cli(['salvage', file, '2', '--to-wim', at('one.wim'), '--omit-lost']);
	assert.equal(one.code, 3);
	assert.match((await cli(['info', at('one.wim')])).out, /^Image Count: +1$/m);
	assert.equal((await cli(['salvage', file, '2', 'x', '--to-wim', at('y.wim')])).code, 2);
	assert.equal((await cli(['salvage', file])).code, 2);
});

test('verify --load shows a saved report with its map, and refuses it when the file changed', async (t) => {
	const { file, at } = hurt(t);
	const report = at('report.json');
	const first = await cli(['verify', file, '--map', '--report', report]);
	assert.equal(first.code, 3);
	assert.match(first.out, /^Map of .*hurt\.wim, 512 a cell:$/m);
	assert.match(first.out, /^ *0x0 {2}[.#=?-]+$/m);
	const again = await cli(['verify', '--load', report, '--map']);
	assert.equal(again.code, 3);
	assert.equal(again.out, first.out);
	const json = await cli(['verify', '--load', report, '--json']);
	assert.equal(JSON.parse(json.out).result.faults.length, 1);
	writeFileSync(file, 'other');
	const stale = await cli(['verify', '--load', report]);
	assert.equal(stale.code, 2);
	assert.match(stale.err, /Run wimdeck verify again/);
	assert.equal((await cli(['verify'])).code, 2);
});

test('reports fit a terminal, and keep their lines in a pipe', async (t) => {
	const { file, at } = hurt(t);
	for (const args of [
		['verify', file],
		['salvage', file, at('saved')],
		['repair', file, '--bit-search=0', '--output', at('new.wim')],
	]) {
		const { out } = await cli(args, { terminal: true });
		const long = out.split('\n').filter((line) => line.length > 79 && line.trim().includes(' '));
		// A word that is longer than a line, as a path may be, stands alone.
		assert.deepEqual(
			long.filter((line) => !/^ *\S+$/.test(line.trim())),
			[],
		);
	}
	const { out } = await cli(['verify', file]);
	assert.match(out, /^Checked: .{80,}$/m);
});

test('verify --load refuses what says how to check', async (t) => {
	const { file, at } = hurt(t);
	const report = at('report.json');
	await cli(['verify', file, '--report', report]);
	for (const option of ['--fast', '--ref=*.swm', '--no-check']) {
		const { code, err } = await cli(['verify', '--load', report, option]);
		assert.equal(code, 2);
		assert.match(err, /does not go with --load/);
	}
});

test('verify tells many contents with one fault together, and what to do', async (t) => {
	const folder = tempFolder(t);
	const at = (name: string) => path.join(folder, name);
	mkdirSync(at('tree'));
	for (let k = 0; k < 30; k++) writeFileSync(at(`tree/${k}.bin`), randomBytes(80_000));
	await cli(['capture', at('tree'), at('whole.wim')]);
	await cli(['split', at('whole.wim'), at('set.swm'), '1']);
	rmSync(at('set2.swm'));
	const { code, out } = await cli(['verify', at('set.swm')]);
	assert.equal(code, 3);
	assert.equal(out.match(/missing contents/g)?.length, 1, out);
	assert.match(out, /missing contents \(\d+ of them\)/);
	assert.match(out, /image 1: \/\d+\.bin/);
	assert.match(out, /Part 2 of 3 is not there: put it beside the others/);
	assert.match(out, /wimdeck salvage .*set\.swm FOLDER .*; \d+ contents can be read/);
});

test('verify says how much a cut file lacks, and that its tables are damaged', async (t) => {
	const { at, donor } = hurt(t);
	const bytes = readFileSync(donor);
	writeFileSync(at('cut.wim'), bytes.subarray(0, 0x700));
	const { out } = await cli(['verify', at('cut.wim')]);
	const short = Number(/cut short by ([\d,]+) bytes or more/.exec(out)?.[1]?.replace(',', ''));
	assert.ok(short > 100 && short <= bytes.length - 0x700, out);
	assert.match(out, /^Checked: header, XML data \(damaged\) and blob table \(damaged\);/m);
	const whole = await cli(['verify', donor]);
	assert.doesNotMatch(whole.out, /What to do/);
});

test('salvage ends with what it comes to, and shows a part of a long list', async (t) => {
	const { file, at } = hurt(t);
	const { out } = await cli(['salvage', file, at('saved')]);
	assert.match(out, /^Of \d+ files \d+ are whole, \d+ partial, \d+ lost\.$/m);
	assert.match(out, /wimdeck repair .*hurt\.wim --from=DONOR/);
	mkdirSync(at('tree'));
	for (let k = 0; k < 30; k++) writeFileSync(at(`tree/${k}.bin`), randomBytes(3000));
	await cli(['capture', at('tree'), at('many.wim'), '--compress=none']);
	const bytes = readFileSync(at('many.wim'));
	for (let k = 300; k < 80_000; k += 1000) bytes[k] = (bytes[k] ?? 0) ^ 1;
	writeFileSync(at('many.wim'), bytes);
	const many = await cli(['salvage', at('many.wim'), at('out')]);
	assert.match(many.out, /^ {2}and \d+ more$/m);
	assert.match(many.out, /The whole list is in .*wimdeck-salvage\.txt\.$/m);
	const list = readFileSync(at('out/wimdeck-salvage.txt'), 'utf8');
	assert.ok((list.match(/^(PARTIAL|LOST) /gm)?.length ?? 0) > 20, list);
	assert.doesNotMatch(list, / more$/m);
});

test('images without a name stay so, where the XML data says it', async (t) => {
	const folder = tempFolder(t);
	const at = (name: string) => path.join(folder, name);
	mkdirSync(at('tree'));
	writeFileSync(at('tree/a.txt'), 'contents');
	assert.equal((await cli(['capture', at('tree'), at('whole.wim'), ''])).code, 0);
	assert.equal((await cli(['repair', at('whole.wim'), '--output', at('new.wim')])).code, 0);
	assert.equal((await cli(['salvage', at('whole.wim'), '--to-wim', at('saved.wim')])).code, 0);
	for (const name of ['new.wim', 'saved.wim'])
		assert.match((await cli(['info', at(name)])).out, /^Name: *$/m, name);
});

test('a file that holds nothing is told apart from one of which nothing is left', async (t) => {
	const folder = tempFolder(t);
	const at = (name: string) => path.join(folder, name);
	mkdirSync(at('tree'));
	assert.equal((await cli(['capture', at('tree'), at('empty.wim'), 'One'])).code, 0);
	assert.equal((await cli(['delete', at('empty.wim'), '1'])).code, 0);
	writeFileSync(at('zeros.wim'), Buffer.alloc(100));
	for (const [name = '', why = ''] of [
		['empty.wim', 'by its header it holds no images, and none were found'],
		['zeros.wim', 'no table and no image were found'],
	])
		for (const args of [
			['salvage', at(name), at('out')],
			['repair', at(name), '--output', at('new.wim')],
		]) {
			const { code, err } = await cli(args);
			assert.equal(code, 4);
			assert.ok(
				err.startsWith(`wimdeck: Nothing can be recovered from "${at(name)}": ${why}\n`),
				err,
			);
			assert.equal(existsSync(at('new.wim')), false);
		}
});
