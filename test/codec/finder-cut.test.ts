import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sha1 } from '../../source/bytes/sha1.ts';
import { Finder, WantedSet } from '../../source/codec/finder.ts';
import { contentsOf } from '../support/written.ts';

const PIECE = 64 << 10;

test('a prefix is found however many SHA-1s are wanted, in pieces of any size', () => {
	const bytes = contentsOf(3, PIECE * 2);
	const size = 71_951;
	const others = Array.from({ length: 100_000 }, (_, k) => sha1(Buffer.from(String(k))));
	for (const count of [0, 10_000, 100_000]) {
		const wanted = new WantedSet([...others.slice(0, count), sha1(bytes.subarray(0, size))]);
		for (const step of [PIECE, 4096]) {
			const finder = new Finder();
			const hits: number[] = [];
			for (let done = 0; done < bytes.length; done += step)
				for (const hit of finder.cut(bytes.subarray(done, done + step), done, wanted))
					hits.push(hit.size);
			assert.deepEqual(hits, [size], `${count} others, ${step} bytes at a time`);
		}
	}
});
