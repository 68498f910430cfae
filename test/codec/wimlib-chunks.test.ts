import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { Decoder } from '../../source/codec/decoder.ts';
import { oracle, runOracle } from '../support/oracles.ts';
import { seededRandom } from '../support/prefix-code.ts';
import { sampleFiles } from '../support/sample-data.ts';
import { tempFolder } from '../support/temp-tree.ts';
import { readTinyWim } from '../support/tiny-wim.ts';

const powers = (from: number, to: number) =>
	Array.from({ length: to - from + 1 }, (_, k) => 2 ** (from + k));

const kinds = [
	{ type: 'XPRESS', sizes: powers(12, 16) },
	{ type: 'LZX', sizes: powers(15, 21) },
	{ type: 'LZMS', sizes: powers(15, 30) },
] as const;

test(
	'chunks written by wimlib decode, for each codec and every chunk size',
	oracle('wimlib-imagex'),
	(t) => {
		const folder = tempFolder(t);
		const tree = path.join(folder, 'tree');
		mkdirSync(tree);
		const files = sampleFiles(seededRandom(1), 150_000);
		for (const [name, bytes] of Object.entries(files)) writeFileSync(path.join(tree, name), bytes);
		const decoder = new Decoder();
		for (const { type, sizes } of kinds) {
			for (const size of sizes) {
				for (const solid of [false, true]) {
					const wim = path.join(folder, 'a.wim');
					const options = solid
						? ['--solid', `--solid-compress=${type}`, `--solid-chunk-size=${size}`]
						: [`--compress=${type}`, `--chunk-size=${size}`];
					rmSync(wim, { force: true });
					runOracle('wimlib-imagex', 'capture', tree, wim, ...options);
					const what = `${type} ${size}${solid ? ' solid' : ''}`;
					assert.equal(checkWim(decoder, wim), `${type.toLowerCase()} ${size}`, what);
				}
			}
		}
	},
);

/** Decodes every chunk and checks every digest. @returns codec and chunk size of the file data */
function checkWim(decoder: Decoder, wim: string): string {
	const kindsSeen = new Set<string>();
	let blobCount = 0;
	for (const { compression, chunkSize, chunks, blobs } of readTinyWim(wim)) {
		const parts: Uint8Array[] = [];
		for (const { stored, originalSize } of chunks) {
			parts.push(decoder.decodeBytes(compression, chunkSize, stored, originalSize));
			if (stored.length === originalSize) continue;
			const { front, back } = decoder.lastConsumed();
			if (compression === 'lzms') assert.ok(back >= front && back - front <= 4, 'readers meet');
			else assert.equal(front, stored.length, 'all stored bytes are used');
		}
		const data = Buffer.concat(parts);
		for (const { offset, size, sha1 } of blobs) {
			const digest = createHash('sha1')
				.update(data.subarray(offset, offset + size))
				.digest('hex');
			assert.equal(digest, sha1);
			blobCount += 1;
			if (size > 100_000) kindsSeen.add(`${compression} ${chunkSize}`);
		}
	}
	assert.ok(blobCount >= 5, `${blobCount} blobs`);
	return [...kindsSeen].join();
}
