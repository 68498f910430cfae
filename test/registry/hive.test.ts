import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import fc from 'fast-check';
import { FormatError } from '../../source/base/errors.ts';
import { Span } from '../../source/bytes/span.ts';
import { Hive, type RegistryKey } from '../../source/registry/hive.ts';
import { fixture } from '../support/fixture.ts';

function bytesOf(name: string): Uint8Array {
	return new Uint8Array(gunzipSync(readFileSync(fixture(`hives/${name}.gz`))));
}

function hive(name: string): Hive {
	return new Hive(new Span(bytesOf(name), name));
}

function count(root: RegistryKey): { keys: number; values: number } {
	const total = { keys: 0, values: 0 };
	const pending = [root];
	for (let key = pending.pop(); key !== undefined; key = pending.pop()) {
		total.keys++;
		for (const value of key.values()) {
			total.values++;
			value.data();
		}
		pending.push(...key.subkeys());
	}
	return total;
}

test('every key and value of the sample hives is found', () => {
	for (const [name, keys, values, minor] of [
		['win10-uefi-BCD', 132, 103, 3],
		['winsetup-media-BCD', 66, 46, 3],
		['SOFTWARE-client-synthetic', 368, 161, 5],
		['SOFTWARE-winpe-synthetic', 20, 54, 5],
		['SYSTEM-winpe-synthetic', 18, 23, 5],
	] as const) {
		const opened = hive(name);
		assert.deepEqual(count(opened.root), { keys, values }, name);
		assert.equal(opened.minorVersion, minor);
		assert.deepEqual([opened.warnings, opened.problems], [[], []]);
	}
});

test('values decode by type', () => {
	const software = hive('SOFTWARE-client-synthetic');
	const text = (name: string) =>
		software.value('microsoft\\windows nt\\currentversion', name)?.text;
	assert.equal(text('EditionID'), 'Professional');
	assert.equal(text('CurrentBuild'), '19045');
	assert.equal(software.value('Microsoft\\Windows NT\\CurrentVersion', 'UBR')?.number, 3930);
	assert.equal(software.key('wimdeck-parser-tests\\many')?.subkeys().length, 300);
	const sizes = software
		.key('wimdeck-parser-tests')
		?.values()
		.map((value) => value.data().length);
	for (const size of [0, 1, 8, 16344, 16345, 40000]) assert.ok(sizes?.includes(size), String(size));
	const system = hive('SYSTEM-winpe-synthetic');
	assert.equal(system.value('ControlSet001\\Services\\FBWF', 'WinPECacheThreshold')?.number, 512);
	assert.equal(
		system.value('ControlSet001\\Control\\Nls\\Language', 'InstallLanguage')?.text,
		'0407',
	);
	assert.deepEqual(
		system.value('ControlSet001\\Control\\Nls\\Language', 'InstallLanguageFallback')?.texts,
		['en-US'],
	);
	assert.equal(system.currentControlSet, 'ControlSet001');
	assert.equal(system.key('no\\such'), null);
});

test('what is not a hive is refused', () => {
	const good = bytesOf('SYSTEM-winpe-synthetic');
	const log = good.slice();
	log[28] = 6;
	for (const bytes of [new Uint8Array(0), new Uint8Array(4096), log])
		assert.throws(() => new Hive(new Span(bytes, 'x')), FormatError);
});

test('a damaged hive gives what is left, or a format error, and never anything else', () => {
	const good = bytesOf('SOFTWARE-winpe-synthetic');
	const damage = fc.array(fc.tuple(fc.nat(good.length - 4097), fc.nat(255)), {
		minLength: 1,
		maxLength: 40,
	});
	fc.assert(
		fc.property(damage, fc.nat(good.length), (changes, cut) => {
			const bytes = good.slice(0, Math.max(4200, cut));
			for (const [at, value] of changes) if (4096 + at < bytes.length) bytes[4096 + at] = value;
			try {
				count(new Hive(new Span(bytes, 'x')).root);
			} catch (error) {
				assert.ok(error instanceof FormatError, String(error));
			}
		}),
		{ numRuns: 300 },
	);
});
