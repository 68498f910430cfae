import assert from 'node:assert/strict';
import {
	linkSync,
	mkdirSync,
	readdirSync,
	symlinkSync,
	truncateSync,
	writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { NO_NTFS_FACTS, type NtfsFacts, ntfsXattrs } from '../../source/host/ntfs.ts';
import { setXattrs } from '../../source/host/xattrs.ts';
import { cli } from '../support/cli.ts';
import { ntfsVolume } from '../support/ntfs-volume.ts';
import { oracle, runOracle } from '../support/oracles.ts';
import { tempFolder } from '../support/temp-tree.ts';
import { testRun } from '../support/test-run.ts';
import { noise } from '../support/written.ts';

const text = (value: string) => new TextEncoder().encode(value);

/** A junction to `C:\\plain` as its reparse data are stored: four u16, then two names in UTF-16LE. */
function junctionData(): Uint8Array {
	const [substitute, print] = ['\\??\\C:\\plain', 'C:\\plain'].map((name) =>
		Buffer.from(name, 'utf16le'),
	);
	const lengths = [0, substitute?.length ?? 0, (substitute?.length ?? 0) + 2, print?.length ?? 0];
	const head = Buffer.from(Uint16Array.from(lengths).buffer);
	return Buffer.concat(
		[head, substitute ?? '', Buffer.alloc(2), print ?? '', Buffer.alloc(2)].map((part) =>
			Buffer.from(part),
		),
	);
}

/** Everything that NTFS can say of a file, on one file or another. */
const FACTS: Readonly<Record<string, Partial<NtfsFacts>>> = {
	'Windows/Long file name.txt': { attributes: 0x27, shortName: 'LONGFI~1.TXT' },
	'Program Files': { shortName: 'PROGRA~1', attributes: 0x2 },
	plain: { streams: [{ name: 'of a folder', value: text('stream') }] },
	'plain/a': {
		streams: [
			{ name: 'Zone.Identifier', value: text('[ZoneTransfer]') },
			{ name: 'empty', value: new Uint8Array(0) },
			{ name: 'large', value: new Uint8Array(60_000).fill(7) },
		],
		objectId: Uint8Array.from({ length: 64 }, (_, k) => k + 1),
	},
	'plain/attributes': {
		extendedAttributes: [{ flags: 0, name: 'NAME', value: text('value') }],
		times: {
			creation: 130_000_000_000_000_001n,
			write: 131_000_000_000_000_003n,
			access: 132_000_000_000_000_007n,
		},
	},
	junction: { reparse: { tag: 0xa000_0003, reserved: 0, data: junctionData() } },
	other: {
		reparse: {
			tag: 0x8000_0017,
			reserved: 0,
			data: Uint8Array.of(1, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0),
		},
	},
};

async function fill(root: string): Promise<void> {
	const at = (name: string) => path.join(root, name);
	for (const folder of ['Windows/System32', 'Program Files/App', 'junction', 'plain'])
		mkdirSync(at(folder), { recursive: true });
	for (const name of ['Windows/Long file name.txt', 'plain/a', 'plain/attributes'])
		writeFileSync(at(name), name);
	writeFileSync(at('Windows/System32/large.dll'), 'text '.repeat(30_000));
	writeFileSync(at('other'), '');
	linkSync(at('plain/a'), at('plain/b'));
	symlinkSync('a', at('plain/link'));
	writeFileSync(at('plain/sparse'), '');
	truncateSync(at('plain/sparse'), 1 << 20);
	const items = Object.entries(FACTS).map(([name, facts]) => ({
		path: name,
		xattrs: ntfsXattrs({ ...NO_NTFS_FACTS, ...facts }),
	}));
	assert.deepEqual(await setXattrs(root, items, testRun()), { refused: [] });
}

/** Lines that say where something lies in the file, or that reading changes. */
const INCIDENTAL = /^(?:Offset in WIM|Compressed size|Link Group ID|Last Access Time)/;

/** One text a file; the order of its streams means nothing. */
const listed = (wim: string) =>
	runOracle('wimlib-imagex', 'dir', wim, '--detailed')
		.split('\n')
		.filter((line) => !INCIDENTAL.test(line))
		.join('\n')
		.split(/^-+$/m)
		.map((file) =>
			file
				.split(/\n(?=\t)/)
				.map((stream) => stream.trim())
				.sort()
				.join('\n'),
		);

/** A link of Interix is read raw there, and as a link through the mount. */
const comparable = (files: readonly string[]) =>
	files.filter((file) => !/Full Path += "\/plain\/link"/.test(file));

test(
	'an NTFS volume is captured through its mount as wimlib reads the volume itself, and applied back without loss',
	oracle('wimlib-imagex'),
	async (t) => {
		const volume = ntfsVolume(t);
		const second = volume && ntfsVolume(t);
		if (volume === null || second === null) return;
		await fill(volume.mount);
		volume.remount();
		const folder = tempFolder(t);
		const wim = path.join(folder, 'ours.wim');
		const captured = await cli(['capture', volume.mount, wim, 'one', '--norpfix', '--strict-acls']);
		assert.deepEqual({ code: captured.code, err: captured.err }, { code: 0, err: '' });
		volume.unmount();
		const direct = path.join(folder, 'direct.wim');
		runOracle('wimlib-imagex', 'capture', volume.file, direct);
		const ours = listed(wim);
		assert.ok(
			ours.some((file) => /^Security Descriptor/m.test(file)),
			'descriptors are listed',
		);
		assert.deepEqual(comparable(ours), comparable(listed(direct)));
		const applied = await cli(['apply', wim, '1', second.mount, '--strict-acls']);
		assert.equal(applied.code, 0, applied.err);
		assert.equal(applied.err.split('\n').length, 2, applied.err);
		assert.match(applied.err, /3 reparse points .* mounted again/);
		second.unmount();
		const again = path.join(folder, 'again.wim');
		runOracle('wimlib-imagex', 'capture', second.file, again);
		assert.deepEqual(listed(again), ours);
	},
);

/** Streams of files and folders, larger than extended attributes can be. */
const STREAMS: Readonly<Record<string, Uint8Array>> = {
	'a:large': noise(300_000),
	'a:small': text('text'),
	'a:empty': new Uint8Array(0),
	'folder:of a folder': noise(100_000),
	':of the root': text('root'),
};

test(
	'streams of any size are captured and applied where the mount shows them as files, and what it does not show is said',
	oracle('wimlib-imagex'),
	async (t) => {
		const volume = ntfsVolume(t, false, 'windows');
		const target = volume && ntfsVolume(t, false, 'windows');
		if (volume === null || target === null) return;
		const at = (name: string) => path.join(volume.mount, name);
		mkdirSync(at('folder'));
		for (const name of ['a', 'folder/b']) writeFileSync(at(name), `contents of ${name}`);
		for (const [name, bytes] of Object.entries(STREAMS)) writeFileSync(at(name), bytes);
		writeFileSync(at('folder/b:same as large'), STREAMS['a:large'] ?? '');
		volume.remount();
		const folder = tempFolder(t);
		const wim = path.join(folder, 'ours.wim');
		const captured = await cli(['capture', volume.mount, wim]);
		assert.deepEqual({ code: captured.code, err: captured.err }, { code: 0, err: '' });
		volume.remount('xattr');
		const less = await cli(['capture', volume.mount, path.join(folder, 'less.wim')]);
		assert.notEqual(less.code, 0);
		assert.match(less.err, /3 named streams of more than 65536 bytes, first /);
		assert.match(less.err, /streams_interface=windows/);
		runOracle('wimlib-imagex', 'verify', path.join(folder, 'less.wim'));
		volume.unmount();
		const direct = path.join(folder, 'direct.wim');
		runOracle('wimlib-imagex', 'capture', volume.file, direct);
		assert.ok(listed(wim).some((file) => file.includes('same as large')));
		assert.deepEqual(listed(wim), listed(direct));
		runOracle('wimlib-imagex', 'verify', wim);
		const applied = await cli(['apply', wim, '1', target.mount]);
		assert.deepEqual({ code: applied.code, err: applied.err }, { code: 0, err: '' });
		target.unmount();
		const again = path.join(folder, 'again.wim');
		runOracle('wimlib-imagex', 'capture', target.file, again);
		assert.deepEqual(listed(again), listed(wim));
	},
);

test(
	'a volume that is named itself is mounted while it is captured or applied to, and not longer',
	oracle('wimlib-imagex'),
	async (t) => {
		const volume = ntfsVolume(t);
		const second = volume && ntfsVolume(t);
		if (volume === null || second === null) return;
		await fill(volume.mount);
		const folder = tempFolder(t);
		const wim = path.join(folder, 'ours.wim');
		const usual = process.env['TMPDIR'];
		t.after(() => {
			if (usual === undefined) delete process.env['TMPDIR'];
			else process.env['TMPDIR'] = usual;
		});
		process.env['TMPDIR'] = folder;
		const busy = await cli(['capture', volume.file, wim]);
		assert.equal(busy.code, 8, busy.err);
		assert.match(busy.err, /Cannot mount the NTFS volume .* opened\n.*name the folder/s);
		volume.unmount();
		second.unmount();
		const captured = await cli(['capture', volume.file, wim]);
		assert.deepEqual({ code: captured.code, err: captured.err }, { code: 0, err: '' });
		const direct = path.join(folder, 'direct.wim');
		runOracle('wimlib-imagex', 'capture', volume.file, direct);
		assert.deepEqual(comparable(listed(wim)), comparable(listed(direct)));
		const [ours, theirs] = [wim, direct].map((file) => runOracle('wimlib-imagex', 'info', file));
		const nameOf = (info = '') => /^Name: +(.*)$/m.exec(info)?.[1];
		assert.equal(nameOf(ours), nameOf(theirs));
		const appended = await cli(['append', volume.file, wim, 'two']);
		assert.equal(appended.code, 0, appended.err);
		const canceled = new AbortController();
		canceled.abort();
		const stopped = await cli(['apply', wim, '1', second.file], { signal: canceled.signal });
		assert.equal(stopped.code, 130, stopped.err);
		const applied = await cli(['apply', wim, '1', second.file]);
		assert.equal(applied.code, 0, applied.err);
		const again = path.join(folder, 'again.wim');
		runOracle('wimlib-imagex', 'capture', second.file, again);
		const first = path.join(folder, 'first.wim');
		runOracle('wimlib-imagex', 'export', wim, '1', first);
		assert.deepEqual(listed(again), listed(first));
		assert.deepEqual(
			readdirSync(folder).filter((name) => !name.endsWith('.wim')),
			[],
		);
	},
);

test(
	'elsewhere the losses are said, and --strict-acls refuses',
	oracle('wimlib-imagex'),
	async (t) => {
		const volume = ntfsVolume(t);
		if (volume === null) return;
		await fill(volume.mount);
		volume.remount();
		const folder = tempFolder(t);
		const wim = path.join(folder, 'a.wim');
		assert.equal((await cli(['capture', volume.mount, wim])).code, 0);
		const { code, err } = await cli(['apply', wim, path.join(folder, 'target')]);
		assert.equal(code, 0, err);
		for (const what of ['named data streams', 'security descriptors', 'short names', 'object ids'])
			assert.match(err, new RegExp(what));
		const strict = await cli(['apply', wim, path.join(folder, 'strict'), '--strict-acls']);
		assert.equal(strict.code, 7);
	},
);
