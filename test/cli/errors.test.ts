import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, copyFileSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { FormatError } from '../../source/base/errors.ts';
import { encodeUtf16 } from '../../source/bytes/utf16.ts';
import { errorJson, errorText } from '../../source/cli/print-error.ts';
import { cli } from '../support/cli.ts';
import { fixture } from '../support/fixture.ts';
import { tempFolder } from '../support/temp-tree.ts';

const vector = (name: string) => fixture(`vectors/${name}`);
const plain = () => readFileSync(vector('v01.wim'));

/** Makes the bad input in a folder and gives its path. */
type Maker = (folder: string) => string;

const file =
	(name: string, bytes: () => Uint8Array): Maker =>
	(folder) => {
		writeFileSync(path.join(folder, name), bytes());
		return path.join(folder, name);
	};

const patched = (name: string, change: (bytes: Buffer) => void): Maker =>
	file(name, () => {
		const bytes = plain();
		change(bytes);
		return bytes;
	});

/** A copy of v01 whose XML data is another text, appended. */
const withXml = (name: string, xml: string): Maker =>
	file(name, () => {
		const text = encodeUtf16(`\ufeff${xml}`);
		const bytes = Buffer.concat([plain(), text]);
		bytes.writeBigUInt64LE(BigInt(text.length) | (2n << 56n), 0x48);
		bytes.writeBigUInt64LE(BigInt(bytes.length - text.length), 0x50);
		bytes.writeBigUInt64LE(BigInt(text.length), 0x58);
		return bytes;
	});

const BAD_INPUT: readonly {
	readonly what: string;
	readonly make: Maker;
	readonly exitCode: number;
	readonly sentence: RegExp;
}[] = [
	{
		what: 'a file that is not a WIM',
		make: file('text.wim', () => Buffer.alloc(4096, 'hello ')),
		exitCode: 4,
		sentence: /not a WIM, the magic is missing/,
	},
	{
		what: 'an empty file',
		make: file('empty.wim', () => Buffer.alloc(0)),
		exitCode: 4,
		sentence: /not a WIM, it is empty/,
	},
	{
		what: 'a file cut inside the header',
		make: file('header.wim', () => plain().subarray(0, 100)),
		exitCode: 4,
		sentence: /not a WIM, only 100 bytes long/,
	},
	{
		what: 'a file cut inside the data',
		make: file('cut.wim', () => plain().subarray(0, 700)),
		exitCode: 4,
		sentence: /Cannot (?:open|read) /,
	},
	{ what: 'a folder', make: (folder) => folder, exitCode: 2, sentence: /it is a folder/ },
	{
		what: 'a name that is not there',
		make: (folder) => path.join(folder, 'none.wim'),
		exitCode: 2,
		sentence: /there is no such file/,
	},
	{
		what: 'an unknown version',
		make: patched('version.wim', (bytes) => bytes.writeUInt32LE(0x10c00, 12)),
		exitCode: 7,
		sentence: /version 0x10c00 is not supported/,
	},
	{
		what: 'an unknown compression',
		make: patched('compression.wim', (bytes) => bytes.writeUInt32LE(0x2, 0x10)),
		exitCode: 7,
		sentence: /unknown compression/,
	},
	{
		what: 'an encrypted ESD',
		make: withXml(
			'encrypted.esd',
			'<WIM><ESD><ENCRYPTED/></ESD><IMAGE INDEX="1"><NAME>x</NAME></IMAGE></WIM>',
		),
		exitCode: 7,
		sentence: /it is an encrypted ESD/,
	},
	{
		what: 'an interrupted creation',
		make: (folder) => {
			copyFileSync(
				vector('malformed/m18-interrupted-creation.wim'),
				path.join(folder, 'interrupted.wim'),
			);
			return path.join(folder, 'interrupted.wim');
		},
		exitCode: 4,
		sentence: /its creation was interrupted/,
	},
	{
		what: 'part 2 without part 1',
		make: (folder) => {
			copyFileSync(vector('v04-part2.swm'), path.join(folder, 'set2.swm'));
			return path.join(folder, 'set2.swm');
		},
		exitCode: 2,
		sentence: /part 1 of the set, which holds the images, is not there/,
	},
];

for (const { what, make, exitCode, sentence } of BAD_INPUT)
	test(`${what} gets its own sentence and exit code ${exitCode}`, async (t) => {
		const folder = tempFolder(t);
		const input = make(folder);
		const before = readdirSync(folder).sort();
		const { code, out, err } = await cli(['dir', input, '1']);
		assert.equal(code, exitCode, err);
		assert.match(err, sentence);
		assert.match(err, /^wimdeck: [A-Z].*[^.]\n/, 'a sentence, and no stack');
		assert.doesNotMatch(err, /\n\s+at /);
		assert.equal(out, '');
		assert.deepEqual(readdirSync(folder).sort(), before, 'nothing is written');
	});

for (const { what, make, exitCode, sentence } of BAD_INPUT.filter((bad) => bad.exitCode === 7))
	test(`verify of ${what} says what is not supported, and calls nothing damaged`, async (t) => {
		const { code, out, err } = await cli(['verify', make(tempFolder(t))]);
		assert.equal(code, exitCode, out + err);
		assert.match(out + err, sentence);
	});

test('verify of an unknown version that is damaged, too, says damaged', async (t) => {
	const input = patched('version.wim', (bytes) => {
		bytes.writeUInt32LE(0x10c00, 12);
		// In the contents of a file.
		bytes.writeUInt8(bytes.readUInt8(300) ^ 1, 300);
	})(tempFolder(t));
	assert.equal((await cli(['verify', input])).code, 3);
});

test('wrong arguments are told as one object to whoever asked for JSON', async () => {
	const lines: readonly (readonly string[])[] = [
		['info', '--json', '--bogus', 'x.wim'],
		['info', '--json'],
		['infoo', 'x.wim', '--json'],
		['verify', 'x.wim', '--json', '--threads=many'],
	];
	for (const argv of lines) {
		const { code, out, err } = await cli(argv);
		assert.equal(code, 2, err);
		const { error } = JSON.parse(out) as { error: { code: string; message: string } };
		assert.equal(error.code, 'bad-input');
		assert.ok(err.includes(error.message), err);
	}
});

test('a file without permission is refused by the machine', async (t) => {
	const target = path.join(tempFolder(t), 'locked.wim');
	copyFileSync(vector('v01.wim'), target);
	chmodSync(target, 0);
	// Root may read everything, so it becomes somebody else for a moment, once all code is loaded.
	await cli(['info', vector('v01.wim')]);
	const isRoot = process.geteuid?.() === 0;
	if (isRoot) process.seteuid?.(65534);
	try {
		const { code, err } = await cli(['info', target]);
		assert.equal(code, 8);
		assert.match(err, /permission denied/);
	} finally {
		if (isRoot) process.seteuid?.(0);
	}
});

test('a FIFO in the place of a file is refused by every verb, without waiting for a writer', {
	timeout: 60_000,
}, async (t) => {
	const folder = tempFolder(t);
	const fifo = path.join(folder, 'x.wim');
	if (spawnSync('mkfifo', [fifo]).status !== 0) return t.skip('there is no mkfifo');
	const whole = fixture('vectors/v01.wim');
	const out = path.join(folder, 'out');
	for (const words of [
		['info', fifo],
		['dir', fifo],
		['verify', fifo],
		['extract', fifo, '1', '/'],
		['apply', fifo, '1', out],
		['optimize', fifo],
		['optimize', fifo, '--dry-run'],
		['delete', fifo, '1'],
		['undo', fifo],
		['update', fifo, '1', '--command=delete /a'],
		['append', folder, fifo],
		['export', fifo, '1', out],
		['export', whole, '1', fifo],
		['split', fifo, out, '1'],
		['join', out, fifo],
		['salvage', fifo, out],
		['repair', fifo],
		['repair', whole, `--from=${fifo}`, `--output=${out}`, '--bit-search=0', '--dry-run'],
		['verify', whole, `--ref=${fifo}`],
		['capture', folder, out, `--delta-from=${fifo}`],
		['diff', fifo, whole],
	]) {
		const { code, err, out: text } = await cli(words);
		assert.notEqual(code, 1, `${words.join(' ')}: ${err}`);
		assert.notEqual(code, 0, `${words.join(' ')}: ${text}`);
		assert.match(err, /not a regular file|it is no file/, words.join(' '));
	}
	assert.deepEqual(readdirSync(folder), ['x.wim']);
});

test('a part of another set is no part of this one, and lends what it has', async (t) => {
	const folder = tempFolder(t);
	const first = path.join(folder, 'set.swm');
	const other = path.join(folder, 'other.swm');
	copyFileSync(vector('v04-part.swm'), first);
	const bytes = readFileSync(vector('v04-part2.swm'));
	bytes.fill(7, 0x18, 0x28);
	writeFileSync(other, bytes);
	const { code, out, err } = await cli(['info', first, `--ref=${other}`]);
	assert.equal(code, 0);
	assert.match(out, /^Part Number: +1\/2$/m);
	assert.match(err, /note: "[^"]*other.swm" is part 2 of another set\n/);
	const verified = await cli(['verify', first, `--ref=${other}`]);
	assert.equal(verified.code, 3, 'part 2 is missing still');
	const target = path.join(folder, 'out');
	assert.equal((await cli(['apply', first, '1', target, `--ref=${other}`])).code, 0);
});

test('a file beside the first part that is no part of its set is passed over, and that is said', async (t) => {
	const folder = tempFolder(t);
	const first = path.join(folder, 'set.swm');
	copyFileSync(vector('v04-part.swm'), first);
	const bytes = readFileSync(vector('v04-part2.swm'));
	bytes.fill(7, 0x18, 0x28);
	writeFileSync(path.join(folder, 'set2.swm'), bytes);
	const { code, err } = await cli(['dir', first]);
	assert.equal(code, 0);
	assert.match(err, /note: ".*set2\.swm" has the name of a part of this set but is not one/);
	const applied = await cli(['apply', first, path.join(folder, 'out')]);
	assert.equal(applied.code, 3);
	assert.match(applied.err, /set2\.swm" has the name[\s\S]*Pass part 2 of the set with --ref/);
	copyFileSync(vector('v04-part2.swm'), path.join(folder, 'set2.swm'));
	assert.equal((await cli(['dir', first])).err, '');
});

test('with --json a failed reading verb prints one object with the error', async () => {
	const nowhere = vector('nowhere.wim');
	for (const line of ['info', 'dir', 'verify', 'extract 1', 'apply out']) {
		const [verb = '', ...rest] = line.split(' ');
		const { code, out, err } = await cli([verb, nowhere, ...rest, '--json']);
		assert.equal(code, 2);
		assert.equal(JSON.parse(out).error.exitCode, 2, verb);
		assert.match(err, /^wimdeck: Cannot open /);
	}
	// Some of it was printed already.
	const { code, out } = await cli(['dir', vector('v02.wim'), 'all', '--path=/copy.txt', '--json']);
	assert.equal(code, 2);
	const value = JSON.parse(out);
	assert.deepEqual(Object.keys(value), ['path', 'images', 'error']);
	assert.equal(value.images[0].entries[0].path, '/copy.txt');
	assert.match(value.error.message, /Cannot find "\/copy\.txt" in image 2/);
});

const WRONG: readonly (readonly [line: string, exitCode: number, pattern: RegExp])[] = [
	['dir v02.wim', 2, /holds 2 images: name one, or all/],
	['dir v02.wim 3', 2, /there is no such image/],
	['dir v02.wim Three', 2, /there is no such image/],
	['dir v01.wim --path=/nowhere', 2, /there is no "\/nowhere"/],
	['info v01.wim --ref=none*.wim', 2, /no file matches/],
	['dir malformed/m20-subdir-past-end.wim', 4, /metadata resource of image 1/],
	['dir malformed/m19-wrong-data.wim --check', 0, /has no integrity table to check/],
];

for (const [line, exitCode, pattern] of WRONG)
	test(`"${line}" ends with ${exitCode}`, async () => {
		const [verb = '', name = '', ...rest] = line.split(' ');
		const { code, err } = await cli([verb, vector(name), ...rest]);
		assert.equal(code, exitCode, err);
		assert.match(err, pattern);
	});

test('a changed byte is found by --check', async (t: TestContext) => {
	const target = patched('changed.wim', (bytes) => {
		bytes[0xd8] = (bytes[0xd8] ?? 0) ^ 1;
	})(tempFolder(t));
	const { code, err } = await cli(['info', target, '--check']);
	assert.equal(code, 5);
	assert.match(err, /1 stretch of 1 differ from its integrity table/);
	assert.match(err, /wimdeck verify/);
	assert.equal((await cli(['info', vector('v01.wim'), '--check'])).code, 0);
});

test('an error names its place once, and its hint', () => {
	const error = new FormatError('Cannot read dentry', {
		path: 'a.wim',
		region: 'metadata resource of image 2',
		offset: 0x1d0,
		hint: 'Do it.',
	});
	assert.equal(
		errorText(error),
		'wimdeck: Cannot read dentry\n  In: a.wim, metadata resource of image 2, offset 0x1d0\n  Do it.\n',
	);
	assert.equal(
		errorText(new FormatError('Cannot open "a.wim"', { path: 'a.wim' })),
		'wimdeck: Cannot open "a.wim"\n',
	);
	assert.deepEqual(errorJson(error), {
		code: 'bad-format',
		exitCode: 4,
		message: 'Cannot read dentry',
		path: 'a.wim',
		region: 'metadata resource of image 2',
		offset: 0x1d0,
		hint: 'Do it.',
	});
});

test('a defect shows its stack and asks for a report', () => {
	const text = errorText(new TypeError('x is not a function'));
	assert.match(text, /This is a defect in wimdeck/);
	assert.match(text, /TypeError: x is not a function\n\s+at /);
	assert.match(text, /Please report/);
});

test('no error can send a control sequence to the terminal', async () => {
	const evil = `\u001b]0;owned\u0007\u009b31m\u202e.wim`;
	for (const argv of [
		['info', evil],
		[evil, 'x'],
		['dir', vector('v01.wim'), evil],
		['dir', vector('v01.wim'), `--path=${evil}`],
		[`--${evil}`],
		['explain', evil],
		['info', vector('v01.wim'), `--threads=${evil}`],
	]) {
		const { err, out, code } = await cli(argv, { terminal: true });
		assert.equal(code, 2);
		assert.doesNotMatch(err + out, /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/);
	}
});
