import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { accessEntries, accessText } from '../../source/image/access-entries.ts';

/** A SID such as `S-1-5-32-544`. */
function sid(text: string): number[] {
	const [authority = 0, ...parts] = text.split('-').slice(2).map(Number);
	const bytes = [1, parts.length, 0, 0, 0, 0, 0, authority];
	for (const part of parts)
		bytes.push(part & 255, (part >> 8) & 255, (part >> 16) & 255, part >>> 24);
	return bytes;
}

function ace(type: number, flags: number, mask: number, who: string): number[] {
	const name = sid(who);
	const size = 8 + name.length;
	const m = [mask & 255, (mask >> 8) & 255, (mask >> 16) & 255, mask >>> 24];
	return [type, flags, size & 255, size >> 8, ...m, ...name];
}

function descriptor(...aces: readonly number[][]): Uint8Array {
	const body = aces.flat();
	const size = 8 + body.length;
	const head = [1, 0, 4, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 20, 0, 0, 0];
	return Uint8Array.from([...head, 2, 0, size & 255, size >> 8, aces.length, 0, 0, 0, ...body]);
}

test('entries are read in their order and said in words', () => {
	const bytes = descriptor(
		ace(1, 0, 0x10000, 'S-1-1-0'),
		ace(0, 3, 0x1f01ff, 'S-1-5-18'),
		ace(0, 0x1b, 0xa0000000, 'S-1-5-32-545'),
		ace(0, 0x10, 0x1301bf, 'S-1-5-21-1-2-3-1001'),
		ace(9, 0, 1, 'S-1-1-0'),
	);
	assert.deepEqual(accessEntries(bytes).map(accessText), [
		'deny Everyone: 0x10000',
		'allow SYSTEM: full control (files, folders)',
		'allow Users: read and execute (files, folders, below only, inherited)',
		'allow S-1-5-21-1-2-3-1001: modify (inherited)',
		'type 9 ?: 0x1',
	]);
});

test('a list that promises more than there is ends where the bytes end', () => {
	const bytes = descriptor(ace(0, 0, 0x1f01ff, 'S-1-5-18'), ace(0, 0, 0x1f01ff, 'S-1-1-0'));
	assert.equal(accessEntries(bytes.subarray(0, bytes.length - 5)).length, 1);
	assert.deepEqual(accessEntries(bytes.subarray(0, 19)), []);
	const late = bytes.slice();
	new DataView(late.buffer).setUint32(16, 5000, true);
	assert.deepEqual(accessEntries(late), []);
});

test('no bytes are too strange', () => {
	fc.assert(
		fc.property(fc.uint8Array({ maxLength: 200 }), (noise) => {
			const bytes = Uint8Array.from([1, 0, 4, 0x80, ...noise]);
			for (const entry of accessEntries(bytes)) assert.equal(typeof accessText(entry), 'string');
		}),
	);
});
