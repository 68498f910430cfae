import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import {
	readWindowsProperties,
	type TreeFiles,
	windowsRoot,
} from '../../source/image/windows-properties.ts';
import { fixture } from '../support/fixture.ts';

const hive = (name: string) =>
	new Uint8Array(gunzipSync(readFileSync(fixture(`hives/${name}.gz`))));

function peFile(machine: number): Uint8Array {
	const bytes = new Uint8Array(512);
	const view = new DataView(bytes.buffer);
	view.setUint32(0x3c, 0x80, true);
	view.setUint32(0x80, 0x4550, true);
	view.setUint16(0x84, machine, true);
	return bytes;
}

function tree(files: Readonly<Record<string, Uint8Array>>): TreeFiles {
	const find = (path: string) =>
		Object.entries(files).find(([name]) => name.toLowerCase() === path.toLowerCase())?.[1];
	return {
		rootFolders: [...new Set(Object.keys(files).map((path) => path.split('/')[1] ?? ''))],
		hasFile: (path) => find(path) !== undefined,
		read: async (path, limit) => find(path)?.slice(0, limit) ?? null,
	};
}

test('properties come from kernel32.dll and both hives', async () => {
	const files = tree({
		'/Users/x': new Uint8Array(1),
		'/Windows/System32/Kernel32.dll': peFile(0x8664),
		'/Windows/System32/config/SOFTWARE': hive('SOFTWARE-client-synthetic'),
		'/Windows/System32/config/SYSTEM': hive('SYSTEM-winpe-synthetic'),
	});
	const list = await readWindowsProperties(files, assert.fail);
	const text = (path: string) => list.find((property) => property.path === path)?.text;
	assert.equal(text('WINDOWS/ARCH'), '9');
	assert.equal(text('WINDOWS/EDITIONID'), 'Professional');
	assert.equal(text('FLAGS'), 'Professional');
	assert.equal(text('WINDOWS/VERSION/BUILD'), '19045');
	assert.equal(text('WINDOWS/LANGUAGES/DEFAULT'), 'de-DE');
	assert.equal(text('WINDOWS/SYSTEMROOT'), 'WINDOWS');
	assert.deepEqual(
		list.filter((property) => property.onlyIfMissing).map((property) => property.path),
		['FLAGS', 'DISPLAYNAME', 'DISPLAYDESCRIPTION'],
	);
});

test('the folder with most of Windows in it is the system root, a tie goes to the one called Windows', () => {
	const one = new Uint8Array(1);
	assert.equal(
		windowsRoot(
			tree({
				'/WINNT/System32/config/SYSTEM': one,
				'/WINNT/System32/kernel32.dll': one,
				'/windows/System32/kernel32.dll': one,
			}),
		),
		'WINNT',
	);
	assert.equal(
		windowsRoot(tree({ '/a/System32/kernel32.dll': one, '/WINDOWS/System32/kernel32.dll': one })),
		'WINDOWS',
	);
	assert.equal(windowsRoot(tree({ '/a/b': one })), null);
});

test('a broken hive costs its own properties only', async () => {
	const warnings: string[] = [];
	const list = await readWindowsProperties(
		tree({
			'/Windows/System32/kernel32.dll': peFile(0xaa64),
			'/Windows/System32/config/SOFTWARE': new Uint8Array(8192),
		}),
		(message) => warnings.push(message),
	);
	assert.deepEqual(
		list.map(({ path, text }) => [path, text]),
		[
			['WINDOWS/ARCH', '12'],
			['WINDOWS/SYSTEMROOT', 'WINDOWS'],
		],
	);
	assert.equal(warnings.length, 1);
});

test('of a hive that was not closed cleanly the logs are asked for, and the user is told', async () => {
	const dirty = hive('SOFTWARE-client-synthetic');
	// The sequence numbers of the base block, then its checksum, in which they cancel out no longer.
	const view = new DataView(dirty.buffer);
	view.setUint32(508, view.getUint32(508, true) ^ view.getUint32(4, true) ^ 9, true);
	view.setUint32(4, 9, true);
	const asked: string[] = [];
	const files = tree({ '/Windows/System32/config/SOFTWARE': dirty });
	const messages: string[] = [];
	const list = await readWindowsProperties(
		{
			...files,
			read: (path, limit) => {
				asked.push(path);
				return files.read(path, limit);
			},
		},
		(message) => messages.push(message),
	);
	assert.ok(list.some(({ text }) => text === 'Professional'));
	for (const suffix of ['.LOG1', '.LOG2', '.LOG'])
		assert.ok(asked.includes(`/Windows/System32/config/SOFTWARE${suffix}`));
	assert.equal(messages.length, 1);
	assert.match(messages[0] ?? '', /not closed cleanly, and the newest changes may be missing$/);
});
