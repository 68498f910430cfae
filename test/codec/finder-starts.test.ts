import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import { sha1 } from '../../source/bytes/sha1.ts';
import { Encoder } from '../../source/codec/encoder.ts';
import { type ChunkEnd, Finder, WantedSet } from '../../source/codec/finder.ts';
import { seeded } from '../support/damage-kit.ts';
import { contentsOf } from '../support/written.ts';

test('a stretch that ends where the bytes end is found at every size', () => {
	const bytes = contentsOf(5, 3000);
	const finder = new Finder();
	for (const size of [1, 2, 3, 4, 54, 55, 56, 57, 63, 64, 65, 119, 120, 127, 128, 1000, 2999]) {
		const wanted = new WantedSet([sha1(bytes.subarray(3000 - size))]);
		const hits = finder.startsBefore(bytes, 1, 2999, wanted);
		assert.deepEqual(
			hits.map((hit) => hit.size),
			[size],
		);
		assert.deepEqual(finder.startsBefore(bytes, size + 1, 2999, wanted), []);
		if (size > 1) assert.deepEqual(finder.startsBefore(bytes, 1, size - 1, wanted), []);
	}
});

test('prefixes of given sizes are found from any start', () => {
	const bytes = contentsOf(6, 5000);
	const finder = new Finder();
	finder.loadPrefixes(bytes);
	const sizes = [1, 3, 55, 56, 60, 63, 64, 65, 120, 128, 500, 2048, 4000];
	for (const start of [0, 1, 7, 999])
		for (const [k, size] of sizes.entries()) {
			const wanted = new WantedSet([sha1(bytes.subarray(start, start + size))]);
			const hits = finder.prefixes(start, Uint32Array.from(sizes), wanted);
			assert.deepEqual(
				hits.map((hit) => hit.size),
				[size],
				`start ${start}, size ${k}`,
			);
		}
});

test('an LZMS chunk of contents that do not repeat at once shows its beginning, other bytes rarely', () => {
	const words = Array.from({ length: 400 }, (_, k) => sha1(Buffer.from(String(k))).slice(0, 8));
	const original = Buffer.from(
		Array.from({ length: 3000 }, (_, k) => words[(k * k + 3 * k) % 400]).join(''),
	);
	const stored = new Encoder().encodeBytes('lzms', 32_768, 50, original.subarray(0, 20_000));
	assert.ok(stored !== null);
	const before = contentsOf(9, 30_000);
	const finder = new Finder();
	const starts = finder.scanLzms(16, Buffer.concat([before, stored]));
	assert.ok(starts.includes(before.length));
	assert.ok(starts.length < (before.length + stored.length) / 20, `${starts.length} starts`);
	assert.ok(finder.scanLzms(8, Buffer.concat([before, stored])).includes(before.length));
});

test('no LZMS chunk is looked for where bytes repeat one word', () => {
	const finder = new Finder();
	for (const word of [[0], [0xff], [0x55, 0xaa], [0xde, 0xad, 0xbe, 0xef]])
		for (const literals of [0, 4, 16]) {
			const starts = finder.scanLzms(literals, Buffer.alloc(5000, Buffer.from(word)));
			// The last word has none behind it.
			assert.ok(
				starts.every((at) => at > 4988),
				`${word}, ${literals} literals: ${starts}`,
			);
		}
});

test('the end of an LZMS chunk that begins with a thousand literals is found', () => {
	// Nothing repeats before the second half.
	const random = seeded(3);
	const half = Buffer.from(Array.from({ length: 4000 }, () => Math.floor(random() * 256)));
	const original = Buffer.concat([half, half]);
	const stored = new Encoder().encodeBytes('lzms', 32_768, 50, original);
	assert.ok(stored !== null);
	assert.equal(Buffer.from(stored).readUInt32LE(0), 0, 'the range coder begins with zeros');
	const behind = Buffer.concat([stored, contentsOf(9, 9000)]);
	const finder = new Finder();
	const end = { storedSize: stored.length, originalSize: original.length };
	const isEnd = (one: ChunkEnd) => isDeepStrictEqual(one, end);
	assert.ok(canEnd(finder, behind, isEnd));
	// Of a chunk with one match another end may fit by chance.
	const sized = finder.endsOfLzms(original.length, behind, true, original.length);
	assert.ok(sized.some(isEnd) && sized.length < 5, `${sized.length} ends`);
	// A longer run of zeros than any chunk begins with is turned down at once.
	const zeroed = Buffer.concat([Buffer.alloc(200), behind.subarray(200)]);
	assert.deepEqual(finder.endsOfLzms(32_768, zeroed, true), []);
});

test('the end of an LZMS chunk of hardly anything but literals is found, however far it is', () => {
	// Every letter is as likely as every other; what repeats comes late.
	const random = seeded(4);
	const letters = Buffer.from(Array.from({ length: 12_000 }, () => 48 + Math.floor(random() * 64)));
	const original = Buffer.concat([letters, letters.subarray(0, 500)]);
	const stored = new Encoder().encodeBytes('lzms', 32_768, 50, original);
	assert.ok(stored !== null);
	const finder = new Finder();
	const behind = Buffer.concat([stored, contentsOf(9, 3000)]);
	const isEnd = (one: ChunkEnd) =>
		isDeepStrictEqual(one, { storedSize: stored.length, originalSize: original.length });
	assert.ok(canEnd(finder, behind, isEnd));
});

/** Tries all ends that a chunk of 32 KiB at the start of some bytes may have. */
function canEnd(finder: Finder, stored: Uint8Array, isEnd: (one: ChunkEnd) => boolean): boolean {
	for (let longest = stored.length; longest > 0; longest = finder.untried) {
		if (finder.endsOfLzms(32_768, stored, true, 1, longest).some(isEnd)) return true;
		assert.ok(finder.untried < longest, 'each call goes on');
	}
	return false;
}
