import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { sha1 } from '../../../source/bytes/sha1.ts';
import { repair } from '../../../source/operations/repair/repair.ts';
import { isRepaired } from '../../../source/operations/repair/report.ts';
import { findContents } from '../../../source/operations/rescue/find-contents.ts';
import { InlinePool } from '../../../source/pool/pool.ts';
import { readChunkTable } from '../../../source/wim/read-resource.ts';
import { openWim } from '../../../source/wim/wim.ts';
import {
	captureAs,
	hurtFile,
	objectionsOf,
	type RescueFormat,
	USUAL_REPAIR,
} from '../../support/rescue-kit.ts';
import { subfolder, tempFolder } from '../../support/temp-tree.ts';
import { testRun } from '../../support/test-run.ts';
import { contentsOf, listImages, tools } from '../../support/written.ts';

// One content of ten chunks, hurt at other places in each copy.

const CHUNK_SIZE = 32_768;
const COUNT = 10;
const SIZE = CHUNK_SIZE * COUNT;

const FORMATS: readonly RescueFormat[] = [
	{ name: 'XPRESS', compression: 'xpress', chunkSize: CHUNK_SIZE },
	{ name: 'LZX', compression: 'lzx', chunkSize: CHUNK_SIZE },
	{ name: 'LZMS', compression: 'lzms', chunkSize: CHUNK_SIZE },
	{ name: 'solid LZX', compression: 'lzx', solid: true, solidChunkSize: CHUNK_SIZE },
];

/** Ten chunks that compress somewhat. */
function bigContents(): Uint8Array {
	const bytes = new Uint8Array(SIZE);
	for (let k = 0; k < COUNT; k++) bytes.set(contentsOf(k + 1, 20_000), k * CHUNK_SIZE);
	return bytes;
}

const big = bigContents();
const bigSha1 = sha1(big);

async function copies(t: TestContext, format: RescueFormat, contents = big) {
	const folder = tempFolder(t);
	const tree = subfolder(folder, 'tree');
	mkdirSync(path.join(tree, 'sub'));
	writeFileSync(path.join(tree, 'big.sys'), contents);
	writeFileSync(path.join(tree, 'sub/small.txt'), 'small');
	const at = (name: string) => path.join(folder, name);
	await captureAs(format, tree, at('whole.wim'));
	await using wim = await openWim(at('whole.wim'));
	const { resource, offsetInResource } = wim.blob(sha1(contents));
	assert.equal(offsetInResource, 0);
	const { starts, chunkCount } =
		format.compression === 'none'
			? { starts: [], chunkCount: COUNT }
			: await readChunkTable(resource);
	assert.ok(chunkCount >= COUNT);
	/** A copy in which only these chunks of the large content are good. */
	const copy = (name: string, good: readonly number[]): string => {
		hurtFile(at('whole.wim'), at(name), (bytes) => {
			for (let k = 0; k < COUNT; k++)
				if (!good.includes(k)) {
					const [start = 0, end = 0] = [starts[k], starts[k + 1]];
					bytes.fill(0x5a, resource.offset + start, resource.offset + end);
				}
		});
		return at(name);
	};
	/** Changes a byte in the middle of a chunk. */
	const flip = (file: string, chunk: number): void =>
		hurtFile(file, file, (bytes) => {
			const middle = ((starts[chunk] ?? 0) + (starts[chunk + 1] ?? 0)) >> 1;
			bytes[resource.offset + middle]! ^= 0x40;
		});
	const pool = new InlinePool();
	const repaired = (donors: readonly string[]) =>
		repair(
			at('hurt.wim'),
			at('new.wim'),
			{ ...USUAL_REPAIR, donors },
			{ ...tools, pool },
			testRun(),
		);
	return { at, copy, flip, repaired, resourceOffset: resource.offset };
}

for (const format of FORMATS) {
	test(`${format.name}: three copies make a content whole that no two have`, async (t) => {
		const { at, copy, repaired } = await copies(t, format);
		copy('hurt.wim', [0, 1, 2]);
		const donors = [copy('one.wim', [3, 4, 5]), copy('two.wim', [5, 6, 7, 8, 9])];
		const report = await repaired(donors);
		assert.ok(isRepaired(report), JSON.stringify(report.lost));
		assert.deepEqual(
			report.repaired.map(({ sha1: name, remedy }) => [name, remedy.kind, remedy.from]),
			[[bigSha1, 'donor', donors.join(' and ')]],
		);
		// Each byte counts once: where two are good, the one that is good for longer gives it.
		assert.equal(
			report.donors.reduce((sum, { bytes }) => sum + bytes, 0),
			SIZE - 3 * CHUNK_SIZE,
		);
		assert.deepEqual(await listImages(at('new.wim')), await listImages(at('whole.wim')));
		assert.deepEqual(objectionsOf(at('new.wim')), []);
	});

	test(`${format.name}: a content that stays partial gets what donors have of it`, async (t) => {
		const { at, copy, repaired } = await copies(t, format);
		copy('hurt.wim', [0, 1]);
		const report = await repaired([copy('one.wim', [1, 4]), copy('two.wim', [4, 5])]);
		assert.equal(report.repaired.length, 0);
		const lost = [
			{ offset: 2 * CHUNK_SIZE, size: 2 * CHUNK_SIZE },
			{ offset: 6 * CHUNK_SIZE, size: SIZE - 6 * CHUNK_SIZE },
		];
		assert.deepEqual(
			report.lost.map(({ sha1: name, lost: ranges, isPartial }) => [name, ranges, isPartial]),
			[[bigSha1, lost, true]],
		);
		assert.match(report.lost[0]?.why ?? '', /; some of it is good in .*two\.wim/);
		const left = Uint8Array.from(big);
		for (const { offset, size } of lost) left.fill(0, offset, offset + size);
		await using wim = await openWim(at('new.wim'));
		assert.ok(wim.blobs.has(sha1(left)), 'what is good somewhere stands there, zeros elsewhere');
		assert.ok(!wim.blobs.has(bigSha1));
		assert.deepEqual(objectionsOf(at('new.wim')), []);
	});

	test(`${format.name}: what is lost in the file is made of two donors that are both hurt`, async (t) => {
		const { at, copy, repaired } = await copies(t, format);
		copy('hurt.wim', []);
		const donors = [copy('one.wim', [0, 2, 4, 6, 8]), copy('two.wim', [1, 3, 5, 7, 9])];
		const report = await repaired(donors);
		assert.ok(isRepaired(report), JSON.stringify(report.lost));
		assert.deepEqual(await listImages(at('new.wim')), await listImages(at('whole.wim')));
		assert.equal(readFileSync(at('hurt.wim')).length, readFileSync(at('whole.wim')).length);
	});
}

test('two damaged places of the same file make a content whole without a donor', async (t) => {
	const { copy } = await copies(t, { name: 'LZX', compression: 'lzx', chunkSize: CHUNK_SIZE });
	await using one = await openWim(copy('one.wim', [0, 1, 2, 3, 4]));
	await using two = await openWim(copy('two.wim', [5, 6, 7, 8, 9]));
	const found = await findContents(
		{
			needed: new Map([[bigSha1, { sha1: bigSha1, size: SIZE, names: [] }]]),
			candidates: new Map([[bigSha1, [one.blob(bigSha1), two.blob(bigSha1)]]]),
			unlisted: new Set(),
			donors: null,
			bitSearch: null,
			whyMissing: 'It is nowhere',
		},
		new InlinePool(),
		testRun(),
	);
	const whole = found.whole.get(bigSha1);
	assert.deepEqual(whole?.remedy, { kind: 'copy', from: one.first.source.name, offset: null });
	assert.equal(found.hurt.size, 0);
	const bytes = new Uint8Array(SIZE + 1);
	const reader = await whole?.content?.open();
	assert.equal(await reader?.read(bytes), SIZE);
	await reader?.close();
	assert.equal(sha1(bytes.subarray(0, SIZE)), bigSha1);
});

test('a donor with wrong bytes that nothing shows does not keep another from helping', async (t) => {
	// A chunk that does not compress is stored raw: nothing in it can be wrong by itself.
	const raw = 4;
	const contents = Uint8Array.from(big);
	const noise = createHash('shake256', { outputLength: CHUNK_SIZE }).update('noise').digest();
	contents.set(noise, raw * CHUNK_SIZE);
	const format = { name: 'LZX', compression: 'lzx', chunkSize: CHUNK_SIZE } as const;
	const { copy, flip, repaired } = await copies(t, format, contents);
	copy('hurt.wim', [0, 1, 2, 5, 6]);
	// It reaches farther than the other one where both are good.
	const liar = copy('liar.wim', [3, raw, 5, 6, 7]);
	flip(liar, raw);
	const donor = copy('donor.wim', [3, raw, 7, 8, 9]);
	const report = await repaired([liar, donor]);
	assert.ok(isRepaired(report), JSON.stringify(report.lost));
	assert.deepEqual(
		report.repaired.map(({ sha1: name, remedy }) => [name, remedy.from]),
		[[sha1(contents), donor]],
	);
});

test('raw copies that show no damage are put together where they differ', async (t) => {
	const format = { name: 'none', compression: 'none' } as const;
	const { at, resourceOffset, repaired } = await copies(t, format);
	/** A copy with other bytes at these offsets of the content. */
	const hurt = (name: string, ...offsets: readonly number[]): string => {
		hurtFile(at('whole.wim'), at(name), (bytes) => {
			for (const offset of offsets)
				bytes.fill(0xee, resourceOffset + offset, resourceOffset + offset + 9);
		});
		return at(name);
	};
	hurt('hurt.wim', 5, 150_000, SIZE - 9);
	const donor = hurt('donor.wim', 70_000, 230_000);
	const report = await repaired([donor]);
	assert.ok(isRepaired(report), JSON.stringify(report.lost));
	assert.deepEqual(
		report.repaired.map(({ sha1: name, remedy }) => [name, remedy.kind, remedy.from]),
		[[bigSha1, 'donor', donor]],
	);
	assert.deepEqual(await listImages(at('new.wim')), await listImages(at('whole.wim')));
});

test('of three raw copies the first try is what two of them say; what none has right stays lost', async (t) => {
	const format = { name: 'none', compression: 'none' } as const;
	const { at, resourceOffset, repaired } = await copies(t, format);
	const places = Array.from({ length: 12 }, (_, k) => 20_000 * k + 3000);
	/** Each copy is hurt at every third place: twelve disputes, more than could be tried without the majority. */
	const hurt = (name: string, which: number, ...more: readonly number[]): string => {
		hurtFile(at('whole.wim'), at(name), (bytes) => {
			for (const [k, offset] of [...places.entries(), ...more.map((one) => [which, one] as const)])
				if (k % 3 === which)
					bytes.fill(0xe0 + which, resourceOffset + offset, resourceOffset + offset + 5);
		});
		return at(name);
	};
	hurt('hurt.wim', 0);
	const donors = [hurt('one.wim', 1), hurt('two.wim', 2)];
	assert.ok(isRepaired(await repaired(donors)));
	assert.deepEqual(await listImages(at('new.wim')), await listImages(at('whole.wim')));
	// All three are wrong in one place, each in another way.
	rmSync(at('new.wim'));
	hurt('hurt.wim', 0, 290_000);
	const report = await repaired([hurt('one.wim', 1, 290_000), hurt('two.wim', 2, 290_000)]);
	assert.equal(report.lost.length, 1);
	assert.equal(report.lost[0]?.sha1, bigSha1);
	assert.equal(report.repaired.length, 0);
});

test('copies with more differences than can be tried come back where those near each other are of one copy', async (t) => {
	const { at, resourceOffset, repaired } = await copies(t, { name: 'none', compression: 'none' });
	const hurt = (name: string, first: number): string => {
		hurtFile(at('whole.wim'), at(name), (bytes) => {
			for (let k = 0; k < 10; k++)
				bytes.fill(0xee, resourceOffset + first + 9000 * k, resourceOffset + first + 9000 * k + 3);
		});
		return at(name);
	};
	hurt('hurt.wim', 10_000);
	const report = await repaired([hurt('donor.wim', 200_000)]);
	assert.ok(isRepaired(report), JSON.stringify(report.lost));
	assert.deepEqual(await listImages(at('new.wim')), await listImages(at('whole.wim')));
});

test('what no way of putting copies together gives right stays lost', async (t) => {
	const { at, resourceOffset, repaired } = await copies(t, { name: 'none', compression: 'none' });
	const other = (name: string, seed: number): string => {
		hurtFile(at('whole.wim'), at(name), (bytes) => {
			for (let k = 0; k < SIZE; k += 8192)
				bytes.fill(seed, resourceOffset + k, resourceOffset + k + 100);
		});
		return at(name);
	};
	other('hurt.wim', 0xee);
	const report = await repaired([other('donor.wim', 0xdd)]);
	assert.deepEqual(
		report.lost.map(({ sha1: name }) => name),
		[bigSha1],
	);
});
