/** The writing verbs as a script calls them, next to `wimlib-imagex` with the same words. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
	copyFileSync,
	existsSync,
	linkSync,
	mkdirSync,
	readdirSync,
	rmSync,
	statSync,
	symlinkSync,
	writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { decodeUtf16 } from '../../source/bytes/utf16.ts';
import { cli } from '../support/cli.ts';
import { oracle, runOracle } from '../support/oracles.ts';
import { tempFolder } from '../support/temp-tree.ts';
import { contentsOf } from '../support/written.ts';

/** Lines of `dir --detailed` that depend on the encoder or on the moment. */
const INCIDENTAL =
	/^(?:Last Access Time|Last Write Time|Creation Time|Link Group ID|Solid resource|Solid offset|Compressed size|Offset in WIM)/;
/** A blob that one program stores raw and the other compressed is the same blob. */
const withoutCompression = (line: string) =>
	line.replace(/WIM_RESHDR_FLAG_COMPRESSED */, '').trimEnd();

/** What two files must agree in: trees, blobs, layout of resources, XML data, header. */
function describe(file: string): string[] {
	const listed = runOracle('wimlib-imagex', 'dir', file, 'all', '--detailed').split('\n');
	const detailed = listed.filter((line) => !INCIDENTAL.test(line)).map(withoutCompression);
	const stored = spawnSync('wimlib-imagex', ['info', file, '--xml']).stdout;
	const xml = decodeUtf16(stored)
		// Folders that had to be made for a target are not counted there.
		.replace(/<(DIRCOUNT|HIGHPART|LOWPART|TOTALBYTES)>.*?<\/\1>/g, '')
		.split(/(?<=>)(?=<)/)
		.sort();
	const header = runOracle('wimlib-imagex', 'info', file, '--header').split('\n');
	const stable = header.filter((line) => !/GUID|Path|[Ss]ize|[Oo]ffset|Original/.test(line));
	return [...detailed, ...xml, ...stable];
}

function makeSources(top: string): void {
	const at = (name: string) => path.join(top, name);
	for (const folder of [
		'src/sub/deep',
		'src/dir with space',
		'src/empty',
		'more/sub',
		'boot/Windows/System32',
	])
		mkdirSync(at(folder), { recursive: true });
	for (const [k, name] of [
		'src/a.txt',
		'src/sub/b.bin',
		'src/sub/deep/c',
		'src/dir with space/file name',
		'src/pagefile.sys',
		'more/m',
		'more/sub/n',
		'boot/x.txt',
		'boot/y',
	].entries())
		writeFileSync(at(name), contentsOf(k, 500 + 9000 * k));
	writeFileSync(at('src/copy.txt'), contentsOf(0, 500));
	writeFileSync(at('src/nothing'), '');
	linkSync(at('src/a.txt'), at('src/sub/hard'));
	symlinkSync('a.txt', at('src/link'));
	symlinkSync('sub', at('src/folder-link'));
	symlinkSync(at('src/sub'), at('src/inside'));
	symlinkSync('/nowhere', at('src/outside'));
	spawnSync('mkfifo', [at('src/fifo')]);
	writeFileSync(
		at('rules.ini'),
		'; rules\n[ExclusionList]\n*.txt\n/sub/deep\n[ExclusionException]\ncopy.txt\n',
	);
	writeFileSync(at('boot/Windows/System32/WimBootCompress.ini'), '[ExclusionList]\n*.txt\n');
	writeFileSync(at('list'), '# two\nsrc /\nmore /over/lay\nsrc/sub/hard "/other name"\n');
	writeFileSync(at('list-alone'), `src/link /l\nsrc/folder-link /f\n'src/dir with space' /d\n`);
}

/** Files to start from, all made by the other program. */
function makeBases(top: string): void {
	const make = (...words: string[]) =>
		assert.equal(spawnSync('wimlib-imagex', words, { cwd: top }).status, 0, words.join(' '));
	make('capture', 'src', 'two.wim', 'one', 'first', '--compress=XPRESS');
	make('append', 'more', 'two.wim', 'two', 'second', '--boot');
	make('capture', 'more', 'lzx.wim', 'more');
	make('capture', 'more', 'solid.wim', 'more', '--solid');
	make('capture', 'src', 'pipable.wim', 'one', '--pipable');
	make('capture', 'src', 'checked.wim', 'one', '--check');
}

/** Command lines; `@` is the file that each program works on, `@new` one that does not exist. */
const LINES: readonly (readonly [base: string, line: string, stdin?: string])[] = [
	['two.wim', 'capture src @new.wim n d --flags=Pro --image-property=A/B=1 --boot --check'],
	['two.wim', 'capture src @new.wim n d --image-property=DESCRIPTION=x --image-property=FLAGS=y'],
	['two.wim', 'capture src @new.wim n --unix-data --norpfix'],
	['two.wim', 'capture src @new.wim n --config=rules.ini --no-acls --compress=none'],
	['two.wim', 'capture src @new.wim n --compress=XPRESS:20 --chunk-size=4K --pipable'],
	['two.wim', 'capture src @new.wim n --delta-from=two.wim --update-of=1 --check'],
	['two.wim', 'capture list @new.wim n --source-list'],
	['two.wim', 'capture list @new.wim n --source-list --norpfix'],
	['two.wim', 'capture boot @new.wim n --wimboot'],
	['two.wim', 'capture more @new.wim n --wimboot --compress=LZX'],
	['two.wim', 'append src @.wim three --update-of=-2 --unix-data'],
	['two.wim', 'append src @.wim three --compress=LZX'],
	['two.wim', 'append more @.wim three --chunk-size=64K'],
	['two.wim', 'append more @.wim three --wimboot'],
	['two.wim', 'append more @.wim three --pipable'],
	['pipable.wim', 'append more @.wim three --rebuild --boot --update-of=1'],
	['pipable.wim', 'append more @.wim three --not-pipable'],
	['pipable.wim', 'append more @.wim three'],
	['solid.wim', 'append src @.wim three'],
	['checked.wim', 'append src @.wim three --nocheck'],
	['two.wim', 'append src @new.wim three --create --compress=none'],
	['two.wim', 'delete @.wim two'],
	['two.wim', 'delete @.wim 1 --soft --check'],
	['two.wim', 'export @.wim all @new.wim --boot'],
	['two.wim', 'export @.wim 1 @new.wim other text --compress=LZX'],
	['two.wim', 'export @.wim 1 @new.wim --wimboot'],
	['two.wim', 'export @.wim 2 @.wim again'],
	['lzx.wim', 'export two.wim all @.wim --boot --rebuild'],
	['two.wim', 'export solid.wim 1 @new.wim'],
	['two.wim', 'export solid.wim 1 @new.wim --compress=XPRESS'],
	['two.wim', 'export solid.wim 1 @new.wim --chunk-size=64K'],
	['solid.wim', 'optimize @.wim --chunk-size=64K'],
	['two.wim', 'export solid.wim 1 @.wim'],
	['solid.wim', 'export two.wim 1 @.wim'],
	['pipable.wim', 'export two.wim 2 @.wim'],
	['two.wim', 'optimize @.wim --recompress --check'],
	['two.wim', 'optimize @.wim --solid'],
	['checked.wim', 'optimize @.wim --pipable --nocheck'],
	['two.wim', 'info @.wim 1 renamed described --boot --image-property=WINDOWS/VERSION/BUILD=1'],
	[
		'two.wim',
		'update @.wim 1',
		'# all of it\nadd src/sub/hard "/x/y z"\nadd more /sub\ndelete --recursive /empty\nrename /copy.txt /sub/moved\n',
	],
	[
		'two.wim',
		'update @.wim 1',
		'add src/link /l\nadd src/folder-link /f\nadd --dereference src/link /followed\n',
	],
	[
		'two.wim',
		'update @.wim 1',
		'add --unix-data src/fifo /fifo\nadd src/a.txt /t1\nadd src/a.txt /t2\n',
	],
	['solid.wim', 'update @.wim --command="add src/a.txt /a" --check'],
];

/** Words as a shell would part them. */
const wordsOf = (line: string) =>
	(line.match(/(?:[^\s"]|"[^"]*")+/g) ?? []).map((word) => word.replaceAll('"', ''));

async function runBoth(top: string, base: string, line: string, stdin: string): Promise<void> {
	for (const one of ['ours', 'theirs']) {
		for (const file of [`${one}.wim`, `${one}new.wim`])
			rmSync(path.join(top, file), { force: true });
		copyFileSync(path.join(top, base), path.join(top, `${one}.wim`));
	}
	const words = (one: string) => wordsOf(line).map((word) => word.replaceAll('@', one));
	const theirs = spawnSync('wimlib-imagex', words('theirs'), { cwd: top, input: stdin });
	assert.equal(theirs.status, 0, `${line}\n${theirs.stderr}`);
	const ours = await cli(words('ours'), { stdin });
	assert.equal(ours.code, 0, `${line}\n${ours.err}`);
}

test(
	'a script gets from each writing verb what wimlib-imagex gives it',
	oracle('wimlib-imagex'),
	async (t) => {
		const top = tempFolder(t);
		makeSources(top);
		makeBases(top);
		const back = process.cwd();
		t.after(() => process.chdir(back));
		process.chdir(top);
		for (const [base, line, stdin = ''] of LINES) {
			await runBoth(top, base, line, stdin);
			for (const file of ['.wim', 'new.wim']) {
				assert.equal(existsSync(`ours${file}`), existsSync(`theirs${file}`), line);
				if (!existsSync(`ours${file}`)) continue;
				assert.deepEqual(describe(`ours${file}`), describe(`theirs${file}`), `${line}: ${file}`);
				if (line.includes('--delta-from')) continue;
				runOracle('wimlib-imagex', 'verify', `ours${file}`);
				// Ours also checks what only a reader from a pipe needs.
				const { code, out } = await cli(['verify', `ours${file}`]);
				assert.equal(code, 0, `${line}: ${file}\n${out}`);
			}
		}
	},
);

/** A folder with sources, which the test then works in. */
function workplace(t: TestContext): string {
	const top = tempFolder(t);
	makeSources(top);
	const back = process.cwd();
	t.after(() => process.chdir(back));
	process.chdir(top);
	return top;
}

const done = async (line: string, stdin = '') => {
	const result = await cli(wordsOf(line), { stdin });
	assert.equal(result.code, 0, `${line}\n${result.err}`);
	return result;
};

test('a file of which all images were deleted is whole, also beside another one', async (t) => {
	workplace(t);
	for (const options of ['', '--check', '--pipable']) {
		await done('capture more b.wim two');
		for (const soft of ['', '--soft']) {
			await done(`capture src a.wim one ${options}`);
			await done(`delete a.wim all ${soft}`);
			await done('verify a.wim');
			await done('verify a.wim --ref=b.wim');
		}
	}
});

test('export to "-" is a pipable WIM on standard output, and nothing else goes there', async (t) => {
	const top = workplace(t);
	await done('capture src a.wim one');
	const { bytes } = await done('export a.wim 1 -');
	writeFileSync('piped.wim', bytes);
	await done('export a.wim 1 file.wim --pipable');
	assert.equal(bytes.length, statSync('file.wim').size);
	assert.match((await done('info piped.wim')).out, /Attributes: +Pipable/);
	assert.equal((await done('dir piped.wim')).out, (await done('dir a.wim')).out);
	assert.ok(!readdirSync(top).includes('-'));
});

test('what cannot go to standard output is refused before anything is read', async (t) => {
	workplace(t);
	await done('capture src a.wim one');
	for (const [line, expected] of [
		['capture src - n --check', /integrity table/],
		['capture src - n --not-pipable', /only a pipable WIM/],
		['capture src - n --solid', /solid/],
		['export a.wim 1 - --check', /integrity table/],
	] as const) {
		const { code, bytes, err } = await cli(wordsOf(line));
		assert.deepEqual({ code, size: bytes.length }, { code: 2, size: 0 }, line);
		assert.match(err, expected);
	}
	for (const line of ['capture src - n --json', 'export a.wim 1 - --json', 'append src - --json']) {
		const { code, out, err } = await cli(wordsOf(line));
		assert.equal(code, 2, line);
		const { error } = JSON.parse(out);
		assert.ok(err.includes(error.message), err);
	}
	assert.equal((await done('capture src - n --dry-run --json')).out.split('\n').length, 2);
});

test('a WIMBoot configuration that is given becomes part of the image', async (t) => {
	workplace(t);
	const { err } = await done('capture more plain.wim n --wimboot');
	assert.match(err, /there is no \/Windows\/System32\/WimBootCompress.ini/);
	await done('capture boot own.wim n --wimboot');
	assert.doesNotMatch((await done('dir own.wim')).out, /x\.txt/);
	await done('capture boot given.wim n --wimboot --config=rules.ini');
	const stored = await done(
		'extract given.wim 1 /Windows/System32/WimBootCompress.ini --to-stdout',
	);
	assert.match(stored.out, /^; rules/);
	assert.match((await done('info given.wim')).out, /Chunk Size: +4096/);
});

test('update with --wimboot-config does not wait for standard input', async (t) => {
	workplace(t);
	await done('capture boot a.wim n');
	await done('update a.wim --wimboot-config=rules.ini', 'delete /y\n');
	const { out } = await done('dir a.wim');
	assert.match(out, /\/y\n/);
	const stored = await done('extract a.wim 1 /Windows/System32/WimBootCompress.ini --to-stdout');
	assert.match(stored.out, /^; rules/);
});

test('an image of a source list is called after the list', async (t) => {
	const folder = tempFolder(t);
	mkdirSync(path.join(folder, 'src'));
	const list = path.join(folder, 'all.txt');
	const line = `"${path.join(folder, 'src')}" /\n`;
	writeFileSync(list, line);
	const file = path.join(folder, 'new.wim');
	for (const verb of ['capture', 'append'])
		assert.equal((await cli([verb, list, file, '--source-list'])).code, 0);
	assert.equal((await cli(['append', '-', file, '--source-list'], { stdin: line })).code, 0);
	const { images } = JSON.parse((await cli(['info', file, '--json'])).out);
	const names = images.map(({ name }: { name: string }) => name);
	assert.deepEqual(names, ['all.txt', 'all.txt (1)', 'src']);
});

test('a property whose name XML cannot hold is refused', async (t) => {
	workplace(t);
	for (const name of ['1bad', '-x', 'A/', 'a b', 'A[0]'])
		assert.equal(
			(await cli(['capture', 'src', 'a.wim', `--image-property=${name}=x`])).code,
			2,
			name,
		);
	assert.ok(!existsSync('a.wim'));
});

test('bases of a delta are compared with their integrity tables when asked to', async (t) => {
	workplace(t);
	await done('capture src base.wim n --check');
	await done('capture src delta.wim n --delta-from=base.wim --check');
	spawnSync('dd', ['if=/dev/zero', 'of=base.wim', 'bs=1', 'seek=400', 'count=9', 'conv=notrunc']);
	const { code, err } = await cli(wordsOf('capture src new.wim n --delta-from=base.wim --check'));
	assert.equal(code, 5, err);
	assert.ok(!existsSync('new.wim'));
});

test('a file of another set is not joined', async (t) => {
	workplace(t);
	await done('capture src a.wim n --compress=none');
	await done('split a.wim p.swm 0.03');
	await done('capture more other.wim n');
	const { code, err } = await cli(wordsOf('join all.wim p.swm p2.swm other.wim'));
	assert.equal(code, 2);
	assert.match(err, /"[^"]*other.wim" is no part of the set/);
	await done('join all.wim p.swm p2.swm');
});

test('parts stay within the size that was asked for, tables included, and keep the integrity table', async (t) => {
	const top = workplace(t);
	for (const options of ['', '--pipable', '--check']) {
		await done(`capture src a.wim n --compress=none ${options}`);
		await done('split a.wim p.swm 0.035');
		const parts = readdirSync(top).filter((name) => /^p\d*\.swm$/.test(name));
		assert.ok(parts.length > 1);
		for (const part of parts) {
			assert.ok(
				statSync(part).size <= 0.035 * 1024 * 1024,
				`${options} ${part}: ${statSync(part).size}`,
			);
			const { out } = await done(`info ${part} --header`);
			const size = /Integrity Size += (\d+)/.exec(out)?.[1];
			assert.equal(size !== '0', options === '--check', `${part}: ${size}`);
			rmSync(part);
		}
	}
});

/** Where nothing is compressed anew, what a dry run says is what happens, to the byte. */
const EXACT: readonly (readonly [base: string, line: string])[] = [
	['two.wim', 'delete @.wim 1'],
	['checked.wim', 'delete @.wim all --soft'],
	['solid.wim', 'delete @.wim 2'],
	['pipable.wim', 'delete @.wim 1'],
	['two.wim', 'optimize @.wim --check'],
	['solid.wim', 'optimize @.wim'],
	['two.wim', 'export @.wim all @new.wim'],
	['two.wim', 'export @.wim 1 @.wim again'],
	['checked.wim', 'export two-lzx.wim all @.wim'],
	['solid.wim', 'export @.wim 1 @new.wim'],
	['pipable.wim', 'export @.wim 1 @new.wim --pipable'],
	['two.wim', 'split @.wim @.swm 0.03'],
	['pipable.wim', 'split @.wim @.swm 0.03 --check'],
	['two.wim', 'info @.wim 1 renamed --boot'],
	['pipable.wim', 'info @.wim 1 renamed'],
];

test('a dry run says to the byte what delete, optimize, split, info and export by copy write', async (t) => {
	workplace(t);
	await done('capture src two.wim one --compress=fast');
	await done('append more two.wim two');
	await done('capture src two-lzx.wim extra');
	await done('append more two-lzx.wim more');
	await done('capture src solid.wim one --solid');
	await done('append more solid.wim two');
	await done('capture src pipable.wim one --pipable');
	await done('capture more checked.wim one --check');
	for (const [base, line] of EXACT) {
		copyFileSync(base, 'work.wim');
		rmSync('worknew.wim', { force: true });
		const words = line.replaceAll('@', 'work');
		const sizes = async (options: string) => {
			const { result } = JSON.parse((await done(`${words} ${options} --json`)).out);
			const { sizeAfter, fileSize, writtenBytes, parts, isEstimate } = result;
			return { sizeAfter, fileSize, writtenBytes, parts, isEstimate };
		};
		const before = readdirSync('.').map((name) => `${name} ${statSync(name).size}`);
		const planned = await sizes('--dry-run');
		const after = readdirSync('.').map((name) => `${name} ${statSync(name).size}`);
		assert.deepEqual(after, before, `${line}: a dry run changes nothing`);
		assert.equal(planned.isEstimate, false, line);
		assert.deepEqual(await sizes(''), planned, line);
		const [, , , target = ''] = words.split(' ');
		const written = line.startsWith('export') ? target : 'work.wim';
		if (planned.parts === undefined)
			assert.equal(statSync(written).size, planned.sizeAfter ?? planned.fileSize, line);
		for (const part of planned.parts ?? []) assert.equal(statSync(part.path).size, part.size, line);
		for (const name of readdirSync('.')) if (name.endsWith('.swm')) rmSync(name);
	}
});

test('a FIFO is not replaced by a file', async (t) => {
	workplace(t);
	spawnSync('mkfifo', ['pipe']);
	for (const line of ['capture src pipe', 'export base.wim 1 pipe', 'split base.wim pipe 1']) {
		if (!existsSync('base.wim')) await done('capture src base.wim');
		const { code, err } = await cli(wordsOf(line));
		assert.equal(code, 2, `${line}: ${err}`);
		assert.ok(statSync('pipe').isFIFO(), line);
	}
});

test('what a delta WIM leaves to its base is said once, with the number', async (t) => {
	workplace(t);
	await done('capture src base.wim one');
	await done('capture src delta.wim one --delta-from=base.wim');
	for (const line of ['optimize delta.wim', 'split delta.wim p.swm 1']) {
		const { err } = await done(line);
		assert.equal(err.trimEnd().split('\n').length, 1, err);
		assert.match(err, /What other files hold stays there: .* \(\d+ blobs in all\)/);
	}
	const { out } = await done('dir delta.wim');
	assert.equal(out, (await done('dir base.wim')).out);
});
