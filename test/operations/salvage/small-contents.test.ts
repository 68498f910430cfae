import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { sha1 } from '../../../source/bytes/sha1.ts';
import { salvage } from '../../../source/operations/salvage/salvage.ts';
import { digests, makeSpecimen } from '../../support/damage-formats.ts';
import { seeded } from '../../support/damage-kit.ts';
import { inlineWriter } from '../../support/inline-writer.ts';
import { oracle } from '../../support/oracles.ts';
import { captureAs, USUAL_SALVAGE } from '../../support/rescue-kit.ts';
import { subfolder, tempFolder } from '../../support/temp-tree.ts';
import { testRun } from '../../support/test-run.ts';

test(
	'small LZMS contents come back one by one where no tree says what is wanted',
	oracle('wimlib-imagex'),
	async (t) => {
		const folder = tempFolder(t);
		const { files, blobs } = makeSpecimen('split LZMS', folder);
		const [[name, bytes] = ['', Buffer.alloc(0)]] = files;
		const own = blobs.filter(({ file, isMetadata }) => file === name && !isMetadata);
		// Noise compresses to nothing less: the last one of this part is stored as it is.
		const raw = own.find(({ size, place }) => place?.size === size)?.place?.offset ?? 0;
		const small = own.filter(({ place }) => (place?.offset ?? raw) < raw);
		assert.ok(small.length > 20, `${small.length} contents`);
		const file = path.join(folder, 'cut.wim');
		writeFileSync(file, bytes.subarray(0, raw));
		const out = path.join(folder, 'out');
		await salvage(file, out, inlineWriter, USUAL_SALVAGE, testRun());
		const found = new Set(digests(out).values());
		assert.deepEqual(
			small
				.filter(({ sha1 }) => !found.has(sha1))
				.map(({ sha1, size }) => `${sha1} of ${size} bytes`),
			[],
		);
	},
);

/** Letters of which each is as likely as the others, after a line of its own. */
function letters(seed: number, size: number): Buffer {
	const random = seeded(seed);
	const text = Array.from({ length: size }, () => 'etaoinsr hdlu\n'[Math.floor(random() * 14)]);
	return Buffer.from(`text ${seed}, written for nobody\r\n${text.join('')}`);
}

test('LZMS contents between noise come back though zeros took tree and tables', async (t) => {
	const random = seeded(1);
	const noise = (size: number) => Buffer.from(Array.from({ length: size }, () => random() * 256));
	const folder = tempFolder(t);
	const tree = subfolder(folder, 'tree');
	const contents = new Map([
		['a.txt', letters(1, 900)],
		// Nothing begins where noise ends, but what nobody knows the end of.
		['b.bin', noise(900)],
		['c.txt', letters(2, 700)],
		['d.txt', letters(3, 800)],
		['e.bin', noise(60)],
		['f.txt', letters(4, 3000)],
		['g.bin', noise(50)],
		['h.bin', noise(200_000)],
	]);
	for (const [name, bytes] of contents) writeFileSync(path.join(tree, name), bytes);
	const file = path.join(folder, 'zeros.wim');
	await captureAs({ name: 'lzms', compression: 'lzms', chunkSize: 131_072 }, tree, file);
	const bytes = readFileSync(file);
	// Most of the file are zeros: they are no beginnings, and no ends, and take no time.
	writeFileSync(file, bytes.fill(0, bytes.indexOf(contents.get('h.bin') ?? '') + 100));
	const out = path.join(folder, 'out');
	await salvage(file, out, inlineWriter, USUAL_SALVAGE, testRun());
	const found = new Set(digests(out).values());
	const texts = [...contents].filter(([name]) => name.endsWith('.txt'));
	assert.deepEqual(
		texts.filter(([, text]) => !found.has(sha1(text))).map(([name]) => name),
		[],
	);
});
