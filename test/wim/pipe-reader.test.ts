import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import type { WimError } from '../../source/base/errors.ts';
import { type Sha1, sha1 } from '../../source/bytes/sha1.ts';
import { visitBlobs } from '../../source/image/blob-users.ts';
import { ImageTree } from '../../source/image/tree.ts';
import { PipeReader } from '../../source/wim/pipe-reader.ts';
import { fixture } from '../support/fixture.ts';
import { oracle, runOracle } from '../support/oracles.ts';
import { subfolder, tempFolder } from '../support/temp-tree.ts';

const VECTOR = readFileSync(fixture('vectors/v06.pwm'));

/** Hands bytes over in pieces of at most `size`. */
async function* inPieces(
	bytes: Uint8Array,
	size: number,
): AsyncGenerator<Uint8Array, void, undefined> {
	for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function readAll(bytes: Uint8Array, size = 1000, recover = false) {
	await using reader = await PipeReader.open(inPieces(bytes, size), 'standard input');
	const wanted = new Set<Sha1>();
	for (const { index } of reader.wim.images) {
		const tree = ImageTree.parse(await reader.metadata(index));
		visitBlobs(tree, (name) => wanted.add(name));
	}
	const blobs = new Map<Sha1, Uint8Array>();
	const errors: WimError[] = [];
	for await (const blob of reader.blobs(new Set(wanted))) {
		const pieces: Uint8Array[] = [];
		try {
			for await (const piece of blob.pieces(recover)) pieces.push(piece.slice());
		} catch (error) {
			errors.push(error as WimError);
		}
		blobs.set(blob.sha1, Buffer.concat(pieces));
	}
	return { reader, wanted, blobs, errors };
}

function assertWhole({ wanted, blobs, errors }: Awaited<ReturnType<typeof readAll>>): void {
	assert.deepEqual(errors, []);
	assert.deepEqual([...blobs.keys()].sort(), [...wanted].sort());
	for (const [name, bytes] of blobs) assert.equal(sha1(bytes), name);
}

for (const size of [1, 7, 208, 100_000])
	test(`a pipable file in pieces of ${size} bytes gives its images and blobs`, async () => {
		const result = await readAll(VECTOR, size);
		assertWhole(result);
		assert.ok(result.wanted.size > 0);
		assert.equal(result.reader.wim.isPipable, true);
	});

test('only what is wanted is handed over, and an image can be passed over', async () => {
	await using reader = await PipeReader.open(inPieces(VECTOR, 50), 'standard input');
	const last = reader.wim.images.length;
	assert.equal(
		(await reader.metadata(last)).region,
		`metadata resource of image ${last} of standard input`,
	);
	for await (const _ of reader.blobs(new Set())) assert.fail('nothing was wanted');
});

test('a blob that its consumer leaves in the middle does not disturb the next one', async () => {
	const { wanted } = await readAll(VECTOR);
	await using reader = await PipeReader.open(inPieces(VECTOR, 50), 'standard input');
	const seen: Sha1[] = [];
	for await (const blob of reader.blobs(new Set(wanted))) {
		seen.push(blob.sha1);
		for await (const _ of blob.pieces(false)) break;
	}
	assert.deepEqual(seen.sort(), [...wanted].sort());
});

test('what is no pipable WIM, or not its beginning, is refused with a sentence', async () => {
	const cases: [bytes: Uint8Array, code: string, message: RegExp][] = [
		[new Uint8Array(0), 'bad-format', /not a WIM, it is empty/],
		[new Uint8Array(500), 'bad-format', /not a WIM, the magic is missing/],
		[readFileSync(fixture('vectors/v01.wim')), 'bad-format', /this WIM is not pipable/],
		[VECTOR.subarray(0, 100), 'bad-format', /Cannot read the header: 208 bytes needed, 100 came/],
		[VECTOR.subarray(0, 220), 'bad-format', /header of the XML data: 40 bytes needed, 12 came/],
	];
	for (const [bytes, code, message] of cases)
		await assert.rejects(PipeReader.open(inPieces(bytes, 64), 'standard input'), { code, message });
});

test('a stream that is cut short at any place ends with an error or fewer blobs, never with wrong ones', async () => {
	for (let end = 260; end < VECTOR.length; end += 97) {
		try {
			const { blobs, errors } = await readAll(VECTOR.subarray(0, end), 4096);
			if (errors.length > 0) continue;
			for (const [name, bytes] of blobs) assert.equal(sha1(bytes), name);
		} catch (error) {
			assert.match(String((error as WimError).code), /^bad-(format|digest)$/, `cut at ${end}`);
		}
	}
});

test('any flipped bit ends with an error or the right bytes', async () => {
	let failures = 0;
	for (let at = 208; at < VECTOR.length; at += 37) {
		const damaged = Uint8Array.from(VECTOR);
		damaged[at]! ^= 1 << (at % 8);
		try {
			const { blobs, errors } = await readAll(damaged, 4096);
			if (errors.length === 0) for (const [name, bytes] of blobs) assert.equal(sha1(bytes), name);
			failures += errors.length;
		} catch (error) {
			assert.match(
				String((error as WimError).code),
				/^(bad-format|bad-digest|missing-data|unsupported)$/,
				`flipped at ${at}`,
			);
			failures++;
		}
	}
	assert.ok(failures > 0);
});

/** A tree with several chunks a file, in pseudo-random text. */
function makeTree(root: string): void {
	let seed = 7;
	const next = () => {
		seed = (seed * 1103515245 + 12345) & 0x7fffffff;
		return seed >> 16;
	};
	for (let k = 0; k < 12; k++) {
		const words = Array.from({ length: 1 + (next() % 9000) }, () => `word${next() % 300} `);
		writeFileSync(path.join(k < 6 ? root : subfolder(root, 'sub'), `file${k}.txt`), words.join(''));
	}
}

for (const type of ['none', 'XPRESS', 'LZX', 'LZMS'])
	test(
		`a stream that wimlib wrote with ${type} is read, with integrity table or without`,
		oracle('wimlib-imagex'),
		async (t) => {
			const folder = tempFolder(t);
			makeTree(subfolder(folder, 'tree'));
			for (const check of ['--check', '--no-check']) {
				const file = path.join(folder, `${type}${check}.wim`);
				runOracle(
					'wimlib-imagex',
					'capture',
					path.join(folder, 'tree'),
					file,
					'--pipable',
					check,
					`--compress=${type}`,
				);
				assertWhole(await readAll(readFileSync(file), 10_000));
			}
		},
	);

test(
	'the parts of a split set can follow each other in one stream',
	oracle('wimlib-imagex'),
	async (t) => {
		const folder = tempFolder(t);
		makeTree(subfolder(folder, 'tree'));
		const file = path.join(folder, 'x.wim');
		runOracle(
			'wimlib-imagex',
			'capture',
			path.join(folder, 'tree'),
			file,
			'--pipable',
			'--check',
			'--compress=none',
		);
		runOracle('wimlib-imagex', 'split', file, path.join(folder, 'x.swm'), '0.1', '--check');
		const parts = [1, 2, 3].map((number) =>
			readFileSync(path.join(folder, `x${number === 1 ? '' : number}.swm`)),
		);
		const [first, second, third] = parts;
		const result = await readAll(Buffer.concat([first!, third!, second!]), 10_000);
		for (const [name, bytes] of result.blobs) assert.equal(sha1(bytes), name);
		assert.ok(result.blobs.size > (await readAll(first!, 10_000)).blobs.size);
		await assert.rejects(PipeReader.open(inPieces(second!, 1000), 'standard input'), {
			code: 'bad-format',
			message: /part 2 of a set comes first/,
		});
	},
);

test(
	'a damaged chunk costs its own bytes only when asked to go on',
	oracle('wimlib-imagex'),
	async (t) => {
		const folder = tempFolder(t);
		const contents = Array.from({ length: 20_000 }, (_, k) => `line ${k * 7919}\n`).join('');
		writeFileSync(path.join(subfolder(folder, 'tree'), 'file'), contents);
		const file = path.join(folder, 'x.wim');
		runOracle(
			'wimlib-imagex',
			'capture',
			path.join(folder, 'tree'),
			file,
			'--pipable',
			'--compress=XPRESS',
		);
		const bytes = readFileSync(file);
		// The Huffman table at the start of a chunk somewhere in the blob: no decoder accepts one full of 0xFF.
		const magics = [...Array(bytes.length - 8).keys()].filter(
			(at) => bytes.readBigUInt64LE(at) === 0x2b9b_9ba2_443d_b9d8n,
		);
		let at = magics[2]! + 40;
		for (let chunk = 0; chunk < 2; chunk++) at += 4 + bytes.readUInt32LE(at);
		bytes.fill(0xff, at + 4, at + 4 + 256);
		const strict = await readAll(bytes, 10_000);
		assert.match(strict.errors[0]!.message, /^Cannot read blob \w{40}: chunk 2 is damaged \(/);
		const lenient = await readAll(bytes, 10_000, true);
		assert.equal(lenient.errors.length, 1);
		const [blob] = [...lenient.blobs.values()];
		const expected = Buffer.from(contents);
		expected.fill(0, 2 * 32768, 3 * 32768);
		assert.deepEqual(Buffer.from(blob!), expected);
	},
);
