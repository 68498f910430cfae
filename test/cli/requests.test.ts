import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { Readable } from 'node:stream';
import { test } from 'node:test';
import { InputError } from '../../source/base/errors.ts';
import { isVerb } from '../../source/cli/commands.ts';
import type { Context } from '../../source/cli/context.ts';
import { type Invocation, parseInvocation, splitWords } from '../../source/cli/parse.ts';
import {
	applyRequest,
	extractRequest,
	salvageRequest,
	verifyRequest,
} from '../../source/cli/requests.ts';
import {
	appendRequest,
	captureRequest,
	deleteRequest,
	diffSide,
	editRequest,
	exportRequest,
	isEdit,
	joinRequest,
	optimizeRequest,
	splitRequest,
	splitWimImage,
	updateRequest,
} from '../../source/cli/write-requests.ts';
import {
	describeRequest,
	touchedBy,
	withAbsolutePaths,
} from '../../source/jobs/describe-request.ts';
import type { JobRequest } from '../../source/jobs/request.ts';
import { tempFolder } from '../support/temp-tree.ts';

/** Only what building a request asks for. */
const contextWith = (input: string) =>
	({
		readInput: async () => Buffer.from(input),
		input: Readable.from([]),
	}) as unknown as Context;

function understood(line: string): Invocation {
	const [verb = '', ...words] = line.split(' ');
	assert.ok(isVerb(verb));
	return parseInvocation(verb, splitWords(words));
}

async function requestOf(line: string, input = ''): Promise<JobRequest> {
	const invocation = understood(line);
	const context = contextWith(input);
	switch (invocation.verb) {
		case 'verify':
			return verifyRequest(invocation);
		case 'extract':
			return extractRequest(invocation, context);
		case 'apply':
			return applyRequest(invocation);
		case 'salvage':
			return salvageRequest(invocation);
		case 'capture':
			return captureRequest(invocation, context);
		case 'append':
			return appendRequest(invocation, context);
		case 'update':
			return updateRequest(invocation, context);
		case 'info':
			return editRequest(invocation, '1');
		case 'delete':
			return deleteRequest(invocation);
		case 'export':
			return exportRequest(invocation);
		case 'split':
			return splitRequest(invocation);
		case 'join':
			return joinRequest(invocation);
		case 'optimize':
			return optimizeRequest(invocation);
		default:
			throw new Error(`No request for ${invocation.verb}`);
	}
}

/** A command line, and what its request must hold among other things. */
const MEANINGS: readonly (readonly [line: string, expected: object])[] = [
	['verify a.wim', { wim: 'a.wim', integrity: true, fast: false, references: [] }],
	['verify a.swm --no-check --ref=b*.swm', { integrity: false, references: ['b*.swm'] }],
	['verify a.wim --fast', { fast: true }],
	[
		'extract a.wim 1 /x /y',
		{
			image: '1',
			target: '.',
			globs: true,
			nullGlob: false,
			paths: [
				{ path: '/x', keepFolders: false },
				{ path: '/y', keepFolders: false },
			],
		},
	],
	['extract a.wim 1 /x --to-stdout', { target: '-' }],
	[
		'extract a.wim 1 --dest-dir=d --no-globs',
		{ target: 'd', globs: false, nullGlob: false, paths: [{ path: '/', keepFolders: false }] },
	],
	['extract a.wim 1 /x --nullglob', { globs: true, nullGlob: true }],
	['extract a.wim 1 /x --preserve-dir-structure', { paths: [{ path: '/x', keepFolders: true }] }],
	['apply a.wim t', { image: null, target: 't', acls: 'restore', attributes: true, rpfix: null }],
	[
		'apply a.wim all t --no-acls --no-attributes',
		{ image: 'all', acls: 'skip', attributes: false },
	],
	[
		'apply a.wim 2 t --strict-acls --unix-data --rpfix',
		{ acls: 'strict', unixData: true, rpfix: true },
	],
	['apply - 2 t --norpfix --recover-data', { wim: '-', rpfix: false, recoverData: true }],
	[
		'apply a t --include-invalid-names --check --dry-run',
		{ includeInvalidNames: true, check: true, dryRun: true },
	],
	['apply a t --check --no-check', { check: false }],
	['salvage a.wim t', { image: null, target: 't' }],
	['salvage a.wim 2 t --unix-data', { image: '2', unixData: true }],
	['capture s a.wim', { target: 'a.wim', integrity: false, pipable: null }],
	['capture s a.wim --check --pipable', { integrity: true, pipable: true }],
	['capture s a.wim --include-integrity', { integrity: true }],
	[
		'capture s a.wim --compress=maximum:80 --chunk-size=128K',
		{
			compression: {
				compress: { type: 'lzx', level: 80 },
				chunkSize: 131072,
				solid: false,
				solidCompress: null,
				solidChunkSize: null,
				noSolidSort: false,
			},
		},
	],
	[
		'capture s a.wim --solid --solid-compress=lzms:20 --solid-chunk-size=1M --no-solid-sort',
		{
			compression: {
				compress: null,
				chunkSize: null,
				solid: true,
				solidCompress: { type: 'lzms', level: 20 },
				solidChunkSize: 1048576,
				noSolidSort: true,
			},
		},
	],
	['append s a.wim', { integrity: null, rebuild: false, create: false, check: false }],
	[
		'append s a.wim --check --rebuild --create',
		{ integrity: true, rebuild: true, create: true, check: true },
	],
	['append s a.wim --no-check', { integrity: false, check: false }],
	['append s a.wim --include-integrity', { integrity: true, check: false }],
	['delete a.wim 2 --soft', { images: ['2'], soft: true, integrity: null }],
	[
		'export a.wim all b.esd --boot --recompress --rebuild',
		{
			images: ['all'],
			target: 'b.esd',
			name: null,
			boot: true,
			recompress: true,
			rebuild: true,
			pipable: null,
		},
	],
	['export a.wim 1 b.wim N D --not-pipable', { name: 'N', description: 'D', pipable: false }],
	['split a.wim a.swm 3800', { target: 'a.swm', partSize: 3800 * 1024 * 1024 }],
	['split a.wim a.swm 0.5', { partSize: 512 * 1024 }],
	['join a.wim b.swm c.swm d.swm', { target: 'a.wim', parts: ['b.swm', 'c.swm', 'd.swm'] }],
	['optimize a.wim --recompress --not-pipable', { recompress: true, pipable: false }],
	[
		'info a.wim 2 N',
		{ change: { image: '2', name: 'N', description: null, properties: [] }, boot: null },
	],
	['info a.wim 0 --boot', { change: null, boot: '0' }],
	['info a.wim --boot', { change: null, boot: '1' }],
	[
		'info a.wim 1 --image-property=FLAGS=Pro',
		{
			change: {
				image: '1',
				name: null,
				description: null,
				properties: [{ path: 'FLAGS', text: 'Pro' }],
			},
		},
	],
];

for (const [line, expected] of MEANINGS)
	test(`"${line}" asks for what it says`, async () => {
		const request = (await requestOf(line)) as unknown as Record<string, unknown>;
		for (const [name, value] of Object.entries(expected))
			assert.deepEqual(request[name], value, name);
	});

/** As above, for the image that a capture makes. */
const IMAGES: readonly (readonly [line: string, expected: object])[] = [
	[
		'capture s a.wim',
		{
			sources: [{ path: 's', target: '/' }],
			name: null,
			namedAfter: null,
			description: '',
			properties: [],
			boot: false,
			config: null,
			unixData: false,
			dereference: false,
			acls: 'store',
			rpFix: null,
			updateOf: null,
			deltaFrom: [],
		},
	],
	[
		'capture s a.wim N D --boot --config=c.ini',
		{ name: 'N', description: 'D', boot: true, config: 'c.ini' },
	],
	[
		'capture s a.wim --flags=Pro --image-property=A/B=c=d',
		{
			properties: [
				{ path: 'FLAGS', text: 'Pro' },
				{ path: 'A/B', text: 'c=d' },
			],
		},
	],
	[
		'capture s a.wim --dereference --unix-data --no-acls --norpfix',
		{ dereference: true, unixData: true, acls: 'skip', rpFix: false },
	],
	['capture s a.wim --update-of=b.wim:2', { updateOf: { wim: 'b.wim', image: '2' } }],
	['capture s a.wim --update-of b.wim:-1', { updateOf: { wim: 'b.wim', image: '-1' } }],
	['append s a.wim --update-of=1', { updateOf: { wim: null, image: '1' } }],
	[
		'capture s a.wim --update-of=1 --delta-from=b.wim',
		{ updateOf: { wim: 'b.wim', image: '1' }, deltaFrom: ['b.wim'] },
	],
	['append s a.wim --delta-from=b.wim --delta-from=c.wim', { deltaFrom: ['b.wim', 'c.wim'] }],
	['capture s a.wim --wimboot', { wimBoot: true, properties: [] }],
];

for (const [line, expected] of IMAGES)
	test(`"${line}" describes its image`, async () => {
		const request = await requestOf(line);
		assert.ok(request.verb === 'capture' || request.verb === 'append');
		const image = request.image as unknown as Record<string, unknown>;
		for (const [name, value] of Object.entries(expected))
			assert.deepEqual(image[name], value, name);
	});

test('a source list gives several sources', async () => {
	const request = await requestOf(
		'capture - a.wim --source-list',
		'# comment\n"a b" /x\n\nwinpe\t/\nplain\n',
	);
	assert.ok(request.verb === 'capture');
	assert.deepEqual(request.image.sources, [
		{ path: 'a b', target: '/x' },
		{ path: 'winpe', target: '/' },
		{ path: 'plain', target: 'plain' },
	]);
	await assert.rejects(requestOf('capture - a.wim --source-list', '# nothing\n'), InputError);
});

test('a list file names paths whose folders are kept', async (t) => {
	const list = path.join(tempFolder(t), 'list.txt');
	writeFileSync(list, '; comment\r\nWindows\\System32\\*.*\r\n"a b"\r\n');
	const expected = [
		{ path: 'Windows\\System32\\*.*', keepFolders: true },
		{ path: 'a b', keepFolders: true },
	];
	const request = await requestOf(`extract a.wim 1 @${list}`);
	assert.ok(request.verb === 'extract');
	assert.deepEqual(request.paths, expected);
	const piped = await requestOf('extract a.wim 1 @-', 'x\n');
	assert.ok(piped.verb === 'extract');
	assert.deepEqual(piped.paths, [{ path: 'x', keepFolders: true }]);
	await assert.rejects(requestOf('extract a.wim 1 @/nowhere/list'), InputError);
});

test('update commands come from options, else from standard input', async () => {
	const words = parseInvocation(
		'update',
		splitWords(['a.wim', '1', '--command=delete /x', '--command', 'rename /a /b', '--force']),
	);
	const given = await updateRequest(words, contextWith('delete /never\n'));
	assert.deepEqual(given.commands, [
		{ type: 'delete', path: '/x', force: true, recursive: false },
		{ type: 'rename', from: '/a', to: '/b' },
	]);
	const piped = await requestOf('update a.wim --recursive --no-replace', 'delete /x\nadd s /y\n');
	assert.ok(piped.verb === 'update');
	assert.deepEqual(
		piped.commands.map((command) => command.type),
		['delete', 'add'],
	);
	const [remove, add] = piped.commands;
	assert.ok(remove?.type === 'delete' && remove.recursive);
	assert.ok(add?.type === 'add' && add.flags.noReplace);
});

test('an info that changes something is told from one that shows', () => {
	const rows = [
		['info a.wim', false],
		['info a.wim 1', false],
		['info a.wim 1 --check', false],
		['info a.wim 1 N', true],
		['info a.wim 1 --boot', true],
		['info a.wim 1 --image-property=A=b', true],
	] as const;
	for (const [line, expected] of rows) assert.equal(isEdit(understood(line)), expected, line);
	assert.throws(() => editRequest(understood('info a.wim --boot'), null), InputError);
});

test('a WIM with its image is cut at the last colon, but not at that of a drive', () => {
	assert.deepEqual(splitWimImage('a.wim:2'), { wim: 'a.wim', image: '2' });
	assert.deepEqual(splitWimImage('C:\\a.wim:Pro'), { wim: 'C:\\a.wim', image: 'Pro' });
	assert.deepEqual(splitWimImage('C:\\a.wim'), { wim: null, image: 'C:\\a.wim' });
	assert.deepEqual(splitWimImage('2'), { wim: null, image: '2' });
	assert.deepEqual(diffSide('a.wim:2', false, []), {
		type: 'image',
		wim: 'a.wim',
		image: '2',
		references: [],
	});
	assert.deepEqual(diffSide('a.wim:2', true, []), { type: 'folder', path: 'a.wim:2' });
});

test('parts of no size are refused', async () => {
	for (const size of ['0', 'x', '-1', '1e3'])
		await assert.rejects(requestOf(`split a.wim a.swm ${size}`), InputError);
});

/** Each verb: its title, what it reads and writes, from the folder /f. */
const PLACES: readonly (readonly [line: string, title: string, reads: string, writes: string])[] = [
	['verify a.wim', 'verify a.wim', '/f/a.wim', ''],
	['extract a.wim 1 /x --to-stdout', 'extract a.wim #1 -> standard output', '/f/a.wim', '-'],
	['apply a.wim 2 t --ref=r', 'apply a.wim #2 -> t', '/f/a.wim', '/f/t'],
	['apply - t --dry-run', 'apply standard input -> t (dry run)', '-', ''],
	['capture s a.wim --config=c', 'capture s -> a.wim', '/f/s', '/f/a.wim'],
	[
		'append s a.wim --delta-from=d --update-of=u:1',
		'append s -> a.wim',
		'/f/s /f/d /f/u',
		'/f/a.wim',
	],
	['info a.wim 1 N', 'edit properties of a.wim', '', '/f/a.wim'],
	['delete a.wim 1', 'delete a.wim #1', '', '/f/a.wim'],
	['export a.wim all b.wim', 'export a.wim #all -> b.wim', '/f/a.wim', '/f/b.wim'],
	['split a.wim p.swm 1', 'split a.wim -> p.swm', '/f/a.wim', '/f/p.swm'],
	['join o.wim a.swm b.swm', 'join 2 parts -> o.wim', '/f/a.swm /f/b.swm', '/f/o.wim'],
	['join o.wim a.swm', 'join a.swm -> o.wim', '/f/a.swm', '/f/o.wim'],
	['optimize a.wim', 'optimize a.wim', '', '/f/a.wim'],
	['salvage a.wim t', 'salvage a.wim -> t', '/f/a.wim', '/f/t'],
];

for (const [line, title, reads, writes] of PLACES)
	test(`"${line}" has a title and known places`, async () => {
		const request = await requestOf(line);
		assert.equal(describeRequest(request), title);
		const absolute = withAbsolutePaths(request, '/f');
		const touched = touchedBy(absolute);
		assert.equal(touched.reads.join(' '), reads);
		assert.equal(touched.writes.join(' '), writes);
		assert.deepEqual(withAbsolutePaths(absolute, '/other'), absolute, 'absolute stays absolute');
	});

test('paths inside images are not taken for paths of this machine', async () => {
	const update = withAbsolutePaths(
		await requestOf('update a.wim', 'add s /in\ndelete in\nrename a b\n'),
		'/f',
	);
	assert.ok(update.verb === 'update');
	assert.deepEqual(
		update.commands.map(({ type: _, ...words }) => Object.values(words).slice(0, 2)),
		[
			['/f/s', '/in'],
			['in', false],
			['a', 'b'],
		],
	);
	const capture = withAbsolutePaths(await requestOf('capture s a.wim'), '/f');
	assert.ok(capture.verb === 'capture');
	assert.deepEqual(capture.image.sources, [{ path: '/f/s', target: '/' }]);
});
