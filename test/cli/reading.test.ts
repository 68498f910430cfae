import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { cli } from '../support/cli.ts';
import { fixture } from '../support/fixture.ts';
import { oracle, runOracle } from '../support/oracles.ts';

const vectors = fixture('vectors');
const valid = readdirSync(vectors).filter((name) => /\.(?:wim|swm|esd|pwm)$/.test(name));

/** Malformed files that both programs open, and read alike. */
const alike = [
	'm01-dot-names',
	'm02-slash-names',
	'm03-duplicate-names',
	'm05-file-with-children',
	'm08-blob-missing',
	'm09-duplicate-blob',
	'm14-blob-table-short',
	'm16-bad-security-id',
	'm17-interrupted-append',
	'm24-wrong-part',
	'm25-case-symlink-escape',
	'm26-windows-names',
	'm27-null-in-name',
	'm28-surrogates',
	'm29-main-hash-and-streams',
	'm30-named-stream-first',
	'm33-no-bom',
	'm34-entries-before-metadata',
	'm36-no-end-after-root',
	'm37-unaligned-lengths',
	'm39-overlapping-blobs',
	'm42-chunk-table-decreasing',
].map((name) => `malformed/${name}.wim`);

const files = [...valid, ...alike];

/** A line that only we show. */
const withoutDeadBytes = (text: string) => text.replace(/^Dead Bytes:.*\n/m, '');

const sortedBlocks = (text: string) => text.split('\n\n').sort();

for (const name of files)
	test(
		`info and dir of ${name} equal those of wimlib-imagex`,
		oracle('wimlib-imagex'),
		async () => {
			const file = path.join(vectors, name);
			const info = await cli(['info', file]);
			assert.equal(info.code, 0, info.err);
			assert.equal(withoutDeadBytes(info.out), runOracle('wimlib-imagex', 'info', file));
			const header = await cli(['info', file, '--header']);
			assert.equal(header.out, runOracle('wimlib-imagex', 'info', file, '--header'));
			const blobs = await cli(['info', file, '--blobs']);
			// The order there is that of a hash table.
			assert.deepEqual(
				sortedBlocks(blobs.out),
				sortedBlocks(runOracle('wimlib-imagex', 'info', file, '--lookup-table')),
			);
			if (name.includes('-part2')) return;
			const dir = await cli(['dir', file, 'all']);
			assert.equal(dir.out, runOracle('wimlib-imagex', 'dir', file, 'all'));
			// wimlib-imagex does not find the other parts by itself.
			const ref = name.endsWith('.swm') ? [`--ref=${file.replace('-part', '-part*')}`] : [];
			const detailed = await cli(['dir', file, 'all', '--detailed', ...ref]);
			assert.equal(
				detailed.out,
				runOracle('wimlib-imagex', 'dir', file, 'all', '--detailed', ...ref),
			);
		},
	);

/** Properties that a capture by wimlib-imagex can set; they show every line of an image's block. */
const PROPERTIES = [
	'DISPLAYNAME=Shown name',
	'DISPLAYDESCRIPTION=Shown description',
	'WINDOWS/ARCH=9',
	'WINDOWS/PRODUCTNAME=Microsoft® Windows® Operating System',
	'WINDOWS/EDITIONID=Professional',
	'WINDOWS/INSTALLATIONTYPE=Client',
	'WINDOWS/HAL=acpiapic',
	'WINDOWS/PRODUCTTYPE=WinNT',
	'WINDOWS/PRODUCTSUITE=Terminal Server',
	'WINDOWS/LANGUAGES/LANGUAGE=en-US',
	'WINDOWS/LANGUAGES/LANGUAGE[2]=de-DE',
	'WINDOWS/LANGUAGES/DEFAULT=en-US',
	'WINDOWS/VERSION/MAJOR=10',
	'WINDOWS/VERSION/MINOR=0',
	'WINDOWS/VERSION/BUILD=26100',
	'WINDOWS/VERSION/SPBUILD=1',
	'WINDOWS/VERSION/SPLEVEL=0',
	'WINDOWS/SYSTEMROOT=WINDOWS',
];

let folder = '';
before(() => {
	folder = mkdtempSync(path.join(os.tmpdir(), 'wimdeck-reading-'));
});
after(() => rmSync(folder, { recursive: true, force: true }));

const CAPTURES: readonly (readonly [name: string, options: readonly string[]])[] = [
	['all-properties', PROPERTIES.map((property) => `--image-property=${property}`)],
	['boot', ['--boot', '--check', '--flags=Professional']],
	['pipable', ['--pipable', '--check']],
	['solid', ['--solid']],
	['wimboot', ['--wimboot']],
	['xpress', ['--compress=XPRESS', '--chunk-size=4096', '--norpfix']],
	['lzms', ['--compress=LZMS', '--unix-data']],
];

for (const [name, options] of CAPTURES)
	test(`a fresh ${name} capture reads as in wimlib-imagex`, oracle('wimlib-imagex'), async () => {
		const file = path.join(folder, `${name}.wim`);
		runOracle('wimlib-imagex', 'capture', vectors, file, 'A name', 'A text', ...options);
		for (const argv of [
			['info', file],
			['info', file, '1'],
			['info', file, '--header'],
			['dir', file],
			['dir', file, '1', '--detailed'],
			['dir', file, '--path=/malformed'],
			['dir', file, '--path=/v01.wim', '--one-file-only', '--detailed'],
		]) {
			const [verb = '', ...rest] = argv;
			const ours = await cli(argv);
			assert.equal(ours.code, 0, ours.err);
			assert.equal(withoutDeadBytes(ours.out), runOracle('wimlib-imagex', verb, ...rest));
		}
	});

test('info --xml and --extract-xml give the XML data as stored', async () => {
	const file = path.join(vectors, 'v02.wim');
	const stored = readFileSync(file).subarray(3639, 3639 + 1464);
	const { bytes } = await cli(['info', file, '--xml']);
	assert.deepEqual(bytes, stored);
	const tables = await cli(['info', file, '--header', '--blobs']);
	const all = await cli(['info', file, '--xml', '--blobs', '--header']);
	assert.deepEqual(all.bytes, Buffer.concat([tables.bytes, stored]));
	const target = path.join(folder, 'v02.xml');
	const { code, out } = await cli(['info', file, '--extract-xml', target]);
	assert.deepEqual({ code, out }, { code: 0, out: '' });
	assert.deepEqual(readFileSync(target), stored);
});

test('info counts the bytes that nothing refers to', async () => {
	const rows = [
		['v01.wim', 0],
		// The old tables of the one-image file, 0x8E2 to 0xC81.
		['v02.wim', 0xc82 - 0x8e2],
		['v06.pwm', 0],
	] as const;
	for (const [name, dead] of rows) {
		const { out } = await cli(['info', path.join(vectors, name), '--json']);
		assert.equal(JSON.parse(out).deadBytes, dead, name);
	}
});

test('info --json has stable keys and numbers', async () => {
	const { out } = await cli([
		'info',
		path.join(vectors, 'v02.wim'),
		'--json',
		'--header',
		'--blobs',
	]);
	const value = JSON.parse(out);
	assert.deepEqual(Object.keys(value), [
		'path',
		'guid',
		'version',
		'imageCount',
		'compression',
		'chunkSize',
		'partNumber',
		'partCount',
		'missingParts',
		'bootIndex',
		'totalBytes',
		'fileSize',
		'deadBytes',
		'attributes',
		'pipable',
		'solid',
		'integrity',
		'warnings',
		'images',
		'header',
		'blobs',
	]);
	assert.deepEqual(Object.keys(value.images[0]), [
		'index',
		'name',
		'description',
		'displayName',
		'displayDescription',
		'flags',
		'directoryCount',
		'fileCount',
		'totalBytes',
		'hardLinkBytes',
		'creationTime',
		'lastModificationTime',
		'wimBoot',
		'windows',
	]);
	assert.equal(value.images[0].hardLinkBytes, 39600);
	assert.match(value.images[0].creationTime, /^2026-11-21T03:15:08\.\d{7}Z$/);
	assert.equal(value.header.blobTable.offset, 3389);
	assert.equal(value.blobs.length, 5);
});

test('dir --json is one object, also for all images', async () => {
	const file = path.join(vectors, 'v02.wim');
	const { out } = await cli(['dir', file, 'all', '--json']);
	const value = JSON.parse(out);
	assert.equal(out.endsWith(']}\n'), true);
	assert.deepEqual(Object.keys(value), ['path', 'images']);
	assert.deepEqual(
		value.images.map(
			({ index, name, entries }: { index: number; name: string; entries: unknown[] }) => [
				index,
				name,
				entries.length,
			],
		),
		[
			[1, 'One', 5],
			[2, 'Two', 3],
		],
	);
	assert.deepEqual(value.images[0].entries[1], {
		path: '/copy.txt',
		type: 'file',
		attributes: 128,
		size: 12,
		sha1: 'ab53c674c65b19876dae0fd1dbced9ffac46bece',
		lastWriteTime: '2024-01-02T03:04:05.1234567Z',
	});
});

test('dir --detailed --json tells everything, extended attributes too', async () => {
	const { out } = await cli(['dir', path.join(vectors, 'v09.wim'), '--detailed', '--json']);
	const entries = JSON.parse(out).images[0].entries as { path: string; unix: unknown }[];
	const file = entries.find((entry) => entry.path === '/file.txt') as Record<string, unknown>;
	assert.deepEqual(file['extendedAttributes'], [{ name: 'user.note', value: '6869', text: 'hi' }]);
	assert.deepEqual(file['unix'], { uid: 1000, gid: 1000, mode: 0o100640, rdev: 0 });
});

test('unpaired surrogates leave as WTF-8 into a pipe and as text to a terminal', async () => {
	const file = path.join(vectors, 'malformed/m28-surrogates.wim');
	const piped = await cli(['dir', file]);
	assert.ok(/\xed[\xa0-\xbf][\x80-\xbf]/.test(piped.bytes.toString('latin1')));
	const shown = await cli(['dir', file], { terminal: true });
	assert.match(shown.out, /<D[89A-F][0-9A-F]{2}>/);
});

test('control characters in names do not reach a terminal', async () => {
	const file = path.join(vectors, 'malformed/m26-windows-names.wim');
	for (const argv of [
		['dir', file],
		['dir', file, '--detailed'],
	]) {
		assert.match((await cli(argv)).out, /[\u0001-\u0008\u000b-\u001f]/);
		assert.doesNotMatch((await cli(argv, { terminal: true })).out, /[\u0000-\u0008\u000b-\u001f]/);
	}
});
