/** Command lines that make no sense or would destroy what they read: each is refused, and every file stays as it was. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
	chmodSync,
	cpSync,
	existsSync,
	mkdirSync,
	mkdtempSync,
	readdirSync,
	readFileSync,
	rmSync,
	writeFileSync,
} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { before, test } from 'node:test';
import { type CliResult, cli } from '../support/cli.ts';
import { root } from '../support/fixture.ts';
import { tempFolder } from '../support/temp-tree.ts';
import { contentsOf } from '../support/written.ts';

/** A word of a line below that names a file of the test. */
const NAME = /^(?:[a-z0-9]+\.(?:wim|swm|json)|src|nowhere|out)(?:\/|$)/;

/** Files by name: two.wim holds First and Second, none of which boots; s.swm and its parts are two.wim split. */
const files = new Map<string, Buffer>();

before(async () => {
	const folder = mkdtempSync(path.join(os.tmpdir(), 'wimdeck-test-'));
	const at = (name: string) => path.join(folder, name);
	mkdirSync(at('src'));
	for (let k = 0; k < 4; k++) writeFileSync(at(`src/${k}.bin`), contentsOf(k, 9000));
	for (const line of [
		'capture src one.wim One --compress=none',
		'capture src two.wim First --compress=none',
		'append src two.wim Second',
		'split two.wim s.swm 0.02',
		'capture src boot.wim First --boot',
		'append src boot.wim Second',
		'capture src empty.wim',
		'delete empty.wim all',
	]) {
		const { code, err } = await run(line, folder);
		assert.equal(code, 0, err);
	}
	for (const name of readdirSync(folder))
		if (name !== 'src') files.set(name, readFileSync(at(name)));
	rmSync(folder, { recursive: true });
});

/** Runs a line with the names of test files made absolute. */
function run(line: string, folder: string, stdin = ''): Promise<CliResult> {
	const absolute = (word: string) =>
		NAME.test(word)
			? path.join(folder, word)
			: word.replace(/^add (\w+)/, (_, name) => `add ${path.join(folder, name)}`);
	const words = (line.match(/'[^']*'|\S+/g) ?? []).map((quoted) => {
		const word = quoted.replace(/^'(.*)'$/, '$1');
		const [, option, value] = /^(--[a-z-]+=)(.*)$/.exec(word) ?? [];
		return option === undefined ? absolute(word) : option + absolute(value ?? '');
	});
	return cli(words, { stdin });
}

/** The files of the test in a folder of their own. */
function place(folder: string): void {
	for (const [name, bytes] of files) writeFileSync(path.join(folder, name), bytes);
	mkdirSync(path.join(folder, 'src'));
	writeFileSync(path.join(folder, 'src', 'a'), 'contents');
}

const REFUSED: readonly (readonly [line: string, pattern: RegExp])[] = [
	// What is read is not written over.
	[
		'verify two.wim --report=two.wim',
		/Cannot write the report ".*two\.wim": it is the file that is read/,
	],
	['verify two.wim --report=one.wim', /a WIM stands there\n {2}Name another file/],
	['verify two.wim --report=nowhere/r.json', /there is no such file or folder/],
	['verify two.wim --report=src', /it is a folder/],
	['salvage two.wim new --dry-run --report=new/r.json', /there is no such file or folder/],
	['salvage two.wim new --report=new/deep/r.json', /there is no such file or folder/],
	['salvage two.wim --to-wim=new/n.wim --report=new/r.json', /there is no such file or folder/],
	['salvage two.wim out --report=two.wim', /it is the file that is read/],
	['salvage two.wim out --report=nowhere/r.json', /there is no such file or folder/],
	['repair two.wim --from=one.wim --report=one.wim', /it is the file that is read/],
	[
		'info two.wim --extract-xml=two.wim',
		/Cannot write the XML data ".*": it is the file that is read/,
	],
	['info two.wim --extract-xml=one.wim', /a WIM stands there/],
	['split two.wim two.wim 1', /Cannot split into ".*two\.wim": it is the file to be split/],
	['split two.wim two.wim 1 --dry-run', /it is the file to be split/],
	['join s2.swm s.swm', /Cannot join into ".*s2\.swm": it is one of the parts/],
	// Which image boots, and how they are called.
	['export two.wim all out.wim --boot', /none of these does in ".*two\.wim"\n {2}Leave --boot out/],
	['export two.wim all one.wim --boot', /none of these does/],
	['export two.wim all out.wim --boot --dry-run', /none of these does/],
	['append src two.wim Third --image-property=NAME=First', /the name "First": image 1 of/],
	['info empty.wim --boot', /holds no images/],
	['update empty.wim --command=x', /Unknown update command/],
	["update empty.wim '--command=delete /a'", /holds no images\n {2}Run wimdeck append/],
	["update two.wim '--command=delete /a'", /holds 2 images: name one\n {2}Run wimdeck info/],
	['info one.wim 2', /there is no such image\n {2}The file holds one image only, which is 1\./],
	// Names that no reader would show.
	["update two.wim 1 '--command=add src /../x'", /no file can be called "\.\."/],
	["update two.wim 1 '--command=add src /./x'", /no file can be called "\."/],
	["update two.wim 1 '--command=rename /0.bin /..'", /no file can be called "\.\."/],
	[
		`update two.wim 1 '--command=add src /${'x'.repeat(300)}'`,
		/x\.\.\.": a name has 300 units\n {2}Shorten/,
	],
	// Words that name nothing, or nothing that flows.
	["capture '' out.wim", /needs SOURCE, which cannot be empty/],
	["capture src ''", /needs WIM, which cannot be empty/],
	["join out.wim s.swm ''", /needs PART, which cannot be empty/],
	['info one.wim --extract-xml=', /--extract-xml needs the name of a file/],
	['dir -', /cannot use standard input or output as WIM\n {2}Name a file; write \.\/-/],
	['split two.wim - 1', /cannot use standard input or output as PART1\.swm/],
	['join - s.swm', /cannot use standard input or output as OUT/],
	['extract one.wim 1 --compact=zip', /"zip" is not one of its values/],
	['one.wim two.wim', /The deck opens one file, and has no use for ".*two\.wim"/],
];

for (const [line, pattern] of REFUSED)
	test(`"${line.slice(0, 80)}" is refused, and nothing changes`, async (t) => {
		const folder = tempFolder(t);
		place(folder);
		const { code, err } = await run(line, folder);
		assert.match(err, pattern);
		assert.equal(code, 2);
		for (const [name, bytes] of files)
			assert.ok(bytes.equals(readFileSync(path.join(folder, name))), `${name} changed`);
		const extra = readdirSync(folder).filter((name) => name !== 'src' && !files.has(name));
		assert.deepEqual(extra, []);
	});

test('a report goes into the folder that salvage makes, and to a device', async (t) => {
	const folder = tempFolder(t);
	place(folder);
	const salvaged = await run('salvage one.wim out --report=out/r.json', folder);
	assert.equal(salvaged.code, 0, salvaged.err);
	assert.ok(existsSync(path.join(folder, 'out', 'r.json')));
	assert.equal((await run('verify one.wim --report=/dev/null', folder)).code, 0);
	// A report of before is replaced.
	cpSync(path.join(folder, 'out', 'r.json'), path.join(folder, 'r.json'));
	assert.equal((await run('verify one.wim --report=r.json', folder)).code, 0);
	const report = JSON.parse(readFileSync(path.join(folder, 'r.json'), 'utf8'));
	assert.equal(report.type, 'verify-report');
});

test('what an ordinary user may not do is said before the work, and as what it is', async (t) => {
	if (process.getuid?.() !== 0) return t.skip('needs a user to become another one');
	const folder = tempFolder(t);
	place(folder);
	chmodSync(folder, 0o755);
	const closed = path.join(folder, 'closed');
	mkdirSync(closed, { mode: 0o755 });
	const program = path.join(root, 'dist', 'wimdeck.js');
	const nobody = (...words: string[]) =>
		spawnSync(process.execPath, [program, ...words], {
			cwd: folder,
			uid: 65534,
			gid: 65534,
			env: { ...process.env, HOME: '', XDG_STATE_HOME: closed },
			encoding: 'utf8',
		});
	if (nobody('--version').status !== 0) return t.skip('another user cannot read the program');
	for (const [words, pattern] of [
		[
			'verify one.wim --report=closed/r.json',
			/^wimdeck: Cannot write the report "closed\/r\.json": permission/,
		],
		['capture src closed/x.wim', /^wimdeck: Cannot write ".*closed\/x\.wim": permission denied/],
		[
			'append src one.wim',
			/^wimdeck: Cannot write into the folder of ".*one\.wim": permission denied/,
		],
	] as const) {
		const { status, stdout, stderr } = nobody(...words.split(' '));
		assert.deepEqual([status, stdout], [8, ''], words);
		assert.match(stderr, pattern);
	}
	const jobs = nobody('jobs');
	assert.deepEqual([jobs.status, jobs.stdout], [0, '']);
	assert.match(jobs.stderr, /No jobs: the folder of their journal cannot be used/);
});

test('of several exported images the one boots that does in the source', async (t) => {
	const folder = tempFolder(t);
	place(folder);
	for (const [line, index] of [
		['export boot.wim all out.wim --boot', 1],
		["export boot.wim '*' two.wim --boot --replace", 1],
		['export boot.wim ALL one.wim --boot', 2],
		['export two.wim Second json.wim --boot', 1],
	] as const) {
		assert.equal((await run(line, folder)).code, 0, line);
		const written = /\w+\.wim(?= --boot)/.exec(line)?.[0] ?? '';
		const { out } = await run(`info ${written} --json`, folder);
		assert.equal(JSON.parse(out).bootIndex, index, line);
	}
});

test('an update without commands writes nothing, unless something else is asked for', async (t) => {
	const folder = tempFolder(t);
	place(folder);
	const nothing = await run('update two.wim 1', folder, '# only a comment\n');
	assert.deepEqual([nothing.code, nothing.out], [0, 'Nothing to change: there was no command\n']);
	assert.ok(files.get('two.wim')?.equals(readFileSync(path.join(folder, 'two.wim'))));
	assert.equal((await run('update two.wim 1 --check', folder)).code, 0);
	const { out } = await run('info two.wim --check', folder);
	assert.match(out, /Integrity info/);
});

test('options that belong to another one say so when that is missing', async (t) => {
	const folder = tempFolder(t);
	place(folder);
	const line = 'capture src out.wim --solid-chunk-size=1M --no-solid-sort';
	const { code, err } = await run(line, folder);
	assert.equal(code, 0);
	assert.match(err, /note: --solid-chunk-size changes nothing here: it belongs to --solid/);
	assert.match(err, /note: --no-solid-sort changes nothing here/);
	assert.equal((await run(`${line} --solid`, folder)).err, '');
});

test('a name that a property gives is the one that must be free', async (t) => {
	const folder = tempFolder(t);
	place(folder);
	const line = 'append src two.wim First --image-property=NAME=Third';
	assert.equal((await run(line, folder)).code, 0);
	const { out } = await run('info two.wim --json', folder);
	const names = JSON.parse(out).images.map(({ name }: { name: string }) => name);
	assert.deepEqual(names, ['First', 'Second', 'Third']);
});

test('names and descriptions that XML data cannot hold are refused', async (t) => {
	const folder = tempFolder(t);
	place(folder);
	const at = (name: string) => path.join(folder, name);
	const control = /: XML data cannot hold a control character\n {2}Leave it out/;
	const bytes = /: XML data cannot hold bytes that are no UTF-8, or half a character\n/;
	const lines: readonly (readonly [words: readonly string[], pattern: RegExp])[] = [
		[['capture', at('src'), at('new.wim'), 'a\u0001b'], control],
		[['capture', at('src'), at('new.wim'), 'ab', 'half \ud83d'], bytes],
		[['capture', at('src'), at('new.wim'), 'a', '--image-property=FLAGS=\u001b[31m'], control],
		[['append', at('src'), at('two.wim'), 'caf\udce9'], bytes],
		[['append', at('src'), at('new.wim'), '\u0007', '--create'], control],
		[['info', at('two.wim'), '1', 'caf\udce9'], bytes],
		[['info', at('two.wim'), '1', 'First', '\ufffe'], /cannot hold the character U\+FFFE/],
		[['info', at('two.wim'), '1', '--image-property=NAME=\u0000x'], control],
		[['export', at('one.wim'), '1', at('new.wim'), 'a\u0001b'], control],
		[['export', at('one.wim'), '1', at('two.wim'), 'New', 'a\u0001b', '--dry-run'], control],
	];
	for (const [words, pattern] of lines) {
		const { code, err } = await cli(words);
		assert.equal(code, 2, err);
		assert.match(err, pattern);
		assert.ok(!existsSync(at('new.wim')));
	}
	assert.ok(readFileSync(at('two.wim')).equals(files.get('two.wim') ?? Buffer.alloc(0)));
	// Tabs, line ends and whatever has a character of its own are as good as letters.
	const name = 'Tab\tand 😀 <&">';
	assert.equal((await cli(['capture', at('src'), at('new.wim'), name, 'two\nlines'])).code, 0);
	const [image] = JSON.parse((await cli(['info', at('new.wim'), '--json'])).out).images;
	assert.deepEqual([image.name, image.description], [name, 'two\nlines']);
	// A name that comes from a folder is no other matter.
	mkdirSync(at('odd\u0001'));
	const { code, err } = await cli(['append', at('odd\u0001'), at('new.wim')]);
	assert.equal(code, 2, err);
	assert.match(err, /: XML data cannot hold a control character\n {2}Give the image a name of its/);
	assert.equal((await cli(['append', at('odd\u0001'), at('new.wim'), 'Odd'])).code, 0);
});

test('a carriage return in a name or description comes back', async (t) => {
	const folder = tempFolder(t);
	place(folder);
	const file = path.join(folder, 'new.wim');
	const source = path.join(folder, 'src');
	assert.equal((await cli(['capture', source, file, 'one\rname', 'two\r\nlines'])).code, 0);
	const [image] = JSON.parse((await cli(['info', file, '--json'])).out).images;
	assert.deepEqual([image.name, image.description], ['one\rname', 'two\r\nlines']);
});

test('a pipable file becomes solid only when it may be an ordinary one', async (t) => {
	const folder = tempFolder(t);
	place(folder);
	const done = async (line: string) => {
		const { code, err } = await run(line, folder);
		assert.equal(code, 0, err);
	};
	await done('capture src piped.wim Piped --pipable');
	const isPipable = async () =>
		JSON.parse((await run('info piped.wim --json', folder)).out).pipable as boolean;
	for (const line of [
		'optimize piped.wim --solid',
		'optimize piped.wim --solid --dry-run',
		'append src piped.wim More --solid',
		'export one.wim One piped.wim --solid',
	]) {
		const { code, err } = await run(line, folder);
		assert.equal(code, 2, line);
		assert.match(err, /pipable WIM with solid resources\n {2}Leave --solid out.*--not-pipable/);
		assert.ok(await isPipable());
	}
	await done('optimize piped.wim --recompress');
	assert.ok(await isPipable());
	await done('optimize piped.wim --solid --not-pipable');
	assert.equal(await isPipable(), false);
});

test('what a delta lacks without its base is counted, not listed file by file', async (t) => {
	const folder = tempFolder(t);
	place(folder);
	for (let k = 0; k < 40; k++) writeFileSync(path.join(folder, 'src', `f${k}`), contentsOf(k, 99));
	await run('capture src base.wim Base', folder);
	writeFileSync(path.join(folder, 'src', 'own'), 'only here');
	await run('capture src delta.wim Delta --delta-from=base.wim', folder);
	for (const line of ['apply delta.wim 1 out', 'apply delta.wim 1 out --quiet']) {
		const { code, err } = await run(line, folder);
		assert.equal(code, 3, err);
		assert.equal(err.match(/^wimdeck: Cannot extract "/gm)?.length, 12);
		// 40 files and the one that each test has.
		assert.match(err, /^wimdeck: and 29 more problems like these: /m);
		assert.equal(err.includes('pass its base with --ref=FILE'), !line.endsWith('quiet'));
	}
	const json = await run('apply delta.wim 1 out --progress=json', folder);
	assert.equal(json.err.match(/"type":"problem"/g)?.length, 41);
	const whole = await run('apply delta.wim 1 out --ref=base.wim', folder);
	assert.deepEqual([whole.code, whole.err], [0, '']);
});
