import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Fault } from '../../../source/operations/verify/verify-report.ts';
import { findingOf } from '../../../source/tui/engine/finding.ts';

const FAULT: Fault = {
	id: 3,
	class: 'blob',
	severity: 'error',
	message:
		'Cannot read resource at 0x1a3f00: chunk 12 of 21 is damaged (Cannot decode LZX chunk: a match begins before the chunk)',
	code: 'bad-format',
	part: 'install.wim',
	range: { offset: 0x1a3f00, size: 301_114 },
	sha1: '9f0c2a7d41be55a0c03e77128a6d90f40b12ee5c',
	blobSize: 656_952,
	lost: [{ offset: 393_216, size: 32_768 }],
	images: [1],
	blocksImage: false,
	files: [{ image: 1, path: '/Windows/afd.sys' }],
	copies: [],
	copiesSought: false,
	storedAs: 'LZX',
	notes: [],
};

test('a chunk that does not unpack: what in a few words, why as evidence, and what is left', () => {
	const { what, where, notes } = findingOf(FAULT);
	assert.equal(where, 'resource @0x1a3f00');
	assert.equal(what, 'chunk 12 of 21 does not unpack');
	assert.deepEqual(notes, [
		'Evidence: Cannot decode LZX chunk: a match begins before the chunk.',
		'Readable: 624,184 of 656,952 bytes.',
	]);
});

test('a content of which nothing is left says so', () => {
	const { notes } = findingOf({ ...FAULT, lost: [{ offset: 0, size: 656_952 }] });
	assert.equal(notes[1], 'Readable: nothing of 656,952 bytes.');
});

test('findings name each other by their numbers', () => {
	const { notes } = findingOf({ ...FAULT, notes: ['In it: faults 1, 2, 3.'], lost: null });
	assert.equal(notes[1], 'In it: findings 1, 2, 3.');
});

test('a damaged resource says how large it is, how it is packed, and whether its contents are elsewhere', () => {
	const told = (fault: Partial<Fault>) => findingOf({ ...FAULT, lost: null, ...fault });
	assert.equal(told({}).about, '656,952 bytes, LZX, 301,114 packed');
	assert.equal(told({ blobSize: null, storedAs: null }).about, null);
	const elsewhere = (fault: Partial<Fault>) =>
		told(fault).notes.filter((note) => note.startsWith('Elsewhere'));
	assert.deepEqual(elsewhere({}), [], 'nobody has looked yet');
	assert.deepEqual(elsewhere({ copiesSought: true }), [
		'Elsewhere: no other copy of this SHA-1 in the file.',
	]);
	const copy = { part: 'install2.swm', offset: 0xd0 };
	const copies = [
		{ ...copy, isGood: true },
		{ ...copy, isGood: false },
	];
	assert.deepEqual(elsewhere({ copiesSought: true, copies }), [
		'Elsewhere: a good copy in install2.swm at 0xd0.',
		'Elsewhere: a damaged copy in install2.swm at 0xd0.',
	]);
});
