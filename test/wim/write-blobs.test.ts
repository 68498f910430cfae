import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { HostError } from '../../source/base/errors.ts';
import { sha1 } from '../../source/bytes/sha1.ts';
import { InlineEncoder } from '../../source/pool/tasks/encode.ts';
import type { IntakeOrigin } from '../../source/pool/tasks/intake.ts';
import { BytesContent, type Content, FileContent } from '../../source/storage/content.ts';
import { NewFile } from '../../source/storage/output-file.ts';
import { type BlobOutcome, BlobStore } from '../../source/wim/write-blobs.ts';
import { ResourceWriter } from '../../source/wim/write-resource.ts';
import { sortSolid, writeSolid } from '../../source/wim/write-solid.ts';
import { tempFolder } from '../support/temp-tree.ts';
import { testRun } from '../support/test-run.ts';
import { contentsOf } from '../support/written.ts';

/** More than what is held in memory whole. */
const LARGE = (1 << 22) + 70_000;

/** A file that is another one each time it is opened; the last state stays. */
function changing(name: string, ...states: readonly (Uint8Array | 'gone')[]): Content {
	let opened = 0;
	const first = states[0];
	const content = (size: number): Content => ({
		name,
		size,
		open() {
			const state = states[Math.min(opened++, states.length - 1)];
			if (state === undefined || state === 'gone')
				throw new HostError(`Cannot read "${name}": gone`, { path: name });
			const reader = new BytesContent(name, state).open();
			return { ...reader, change: () => (state.length === size ? null : 'its size changed') };
		},
		again() {
			const state = states[Math.min(opened, states.length - 1)];
			return content(state === undefined || state === 'gone' ? 0 : state.length);
		},
	});
	return content(first === undefined || first === 'gone' ? 10 : first.length);
}

async function store(
	t: Parameters<typeof tempFolder>[0],
	contents: readonly { content: Content; mayRepeat?: boolean; origin?: IntakeOrigin }[],
	solid = false,
) {
	const file = path.join(tempFolder(t), 'a');
	const run = testRun();
	await using output = await NewFile.create(file);
	const format = { compression: 'xpress', chunkSize: 32768, level: 20 } as const;
	const encoder = new InlineEncoder();
	const writer = new ResourceWriter(output, { ...format, layout: 'chunked' }, encoder, run);
	const blobs = new BlobStore(writer, [], new Map(), run);
	const outcomes: (BlobOutcome | null)[] = contents.map(() => null);
	const all = contents.map(({ content, mayRepeat = false, origin = null }, k) => ({
		content,
		origin,
		mayRepeat,
		settle(outcome: BlobOutcome) {
			assert.equal(outcomes[k], null, 'settled once');
			outcomes[k] = outcome;
		},
	}));
	if (solid)
		await writeSolid(
			blobs,
			new ResourceWriter(output, { ...format, layout: 'solid' }, encoder, run),
			all,
			run,
		);
	else {
		for (const blob of all) await blobs.add(blob);
		await blobs.finish();
	}
	await output.commit();
	return { outcomes, blobs, run, size: readFileSync(file).length };
}

test('a file that becomes shorter while it is read is stored as it is then', async (t) => {
	const long = contentsOf(1, LARGE);
	const short = long.subarray(0, LARGE - 50_000);
	const { outcomes, blobs, run } = await store(t, [
		{ content: changing('f', long.slice(), short) },
		{ content: changing('g', long, short), mayRepeat: true },
	]);
	// The first one is read once, before it changes; the second one shrinks between hashing and storing.
	assert.deepEqual(outcomes[0], { sha1: sha1(long), size: LARGE });
	assert.equal(blobs.has(sha1(long)), true);
	assert.deepEqual(run.problems().length, 0);
	const shrunk = await store(t, [{ content: changing('h', long, short), mayRepeat: true }]);
	assert.deepEqual(shrunk.outcomes, [{ sha1: sha1(short), size: short.length }]);
	assert.deepEqual([...shrunk.blobs.blobs.keys()], [sha1(short)]);
});

test('what is stored is named by what was written, not by what was hashed before', async (t) => {
	const before = contentsOf(1, LARGE);
	const after = contentsOf(4, LARGE);
	const twin = new BytesContent('twin', before);
	const { outcomes, blobs } = await store(t, [
		{ content: changing('f', before, after), mayRepeat: true },
		{ content: twin, mayRepeat: true },
	]);
	assert.deepEqual(outcomes, [
		{ sha1: sha1(after), size: LARGE },
		{ sha1: sha1(before), size: LARGE },
	]);
	assert.deepEqual([...blobs.blobs.keys()].sort(), [sha1(after), sha1(before)].sort());
});

test('a file that is gone is said to be so, and leaves nothing', async (t) => {
	const bytes = contentsOf(1, LARGE);
	for (const content of [changing('small', 'gone'), changing('large', bytes, 'gone')])
		for (const solid of [false, true]) {
			const { outcomes, blobs } = await store(
				t,
				[{ content, mayRepeat: content.size > 100 }],
				solid,
			);
			const [outcome] = outcomes;
			if (content.size > 100 && outcome && !('error' in outcome)) assert.equal(outcome.size, 0);
			else assert.ok(outcome !== null && outcome !== undefined && 'error' in outcome);
			assert.equal(blobs.blobs.size, 0);
		}
});

/** A file that a scan saw with another size than it has now. */
function scanned(path: string, size: number): { content: FileContent; origin: IntakeOrigin } {
	const file = { path, name: path, size, writeTime: null, followsLinks: false };
	return { content: new FileContent(file), origin: { kind: 'file', file } };
}

test('files that lanes read are stored as they are then, whatever the scan saw', async (t) => {
	const folder = tempFolder(t);
	for (const length of [100_000, LARGE]) {
		const bytes = contentsOf(1, length);
		const file = path.join(folder, `${length}`);
		writeFileSync(file, bytes);
		const right = await store(t, [scanned(file, length)]);
		assert.deepEqual(right.outcomes, [{ sha1: sha1(bytes), size: length }]);
		assert.deepEqual(right.run.problems(), []);
		const shrunk = await store(t, [scanned(file, length + 40_000)]);
		assert.deepEqual(shrunk.outcomes, [{ sha1: sha1(bytes), size: length }]);
		assert.equal(shrunk.size, right.size);
		assert.equal(shrunk.run.problems().length, 1);
		const grown = await store(t, [scanned(file, length - 40_000)]);
		const seen = bytes.subarray(0, length - 40_000);
		assert.deepEqual(grown.outcomes, [{ sha1: sha1(seen), size: seen.length }]);
		assert.equal(grown.run.problems().length, 1);
	}
	const gone = path.join(folder, 'gone');
	const { outcomes, size } = await store(t, [scanned(gone, 50), scanned(gone, LARGE)]);
	for (const outcome of outcomes)
		assert.ok(outcome !== null && 'error' in outcome && outcome.error.facts.path === gone);
	assert.equal(size, 0);
});

test('equal contents are stored once, also large ones of which the second is only known later', async (t) => {
	const bytes = contentsOf(1, LARGE);
	const alone = await store(t, [{ content: new BytesContent('a', bytes) }]);
	const twice = await store(t, [
		{ content: new BytesContent('a', bytes) },
		{ content: new BytesContent('b', bytes.slice()) },
	]);
	assert.equal(twice.size, alone.size);
	assert.deepEqual(twice.outcomes[1], { sha1: sha1(bytes), size: LARGE });
});

test('in a solid resource a file that changed costs its own place only', async (t) => {
	const a = contentsOf(1, 50_000);
	const b = contentsOf(4, 60_000);
	const c = contentsOf(3, 70_000);
	const { outcomes, blobs } = await store(
		t,
		[
			{ content: new BytesContent('a', a) },
			{ content: changing('b', b.subarray(0, 60_000), b.subarray(0, 100)), mayRepeat: true },
			{ content: new BytesContent('c', c) },
			{ content: new BytesContent('c again', c.slice()), mayRepeat: true },
		],
		true,
	);
	assert.deepEqual(outcomes, [
		{ sha1: sha1(a), size: 50_000 },
		{ sha1: sha1(b.subarray(0, 100)), size: 100 },
		{ sha1: sha1(c), size: 70_000 },
		{ sha1: sha1(c), size: 70_000 },
	]);
	assert.equal(blobs.blobs.get(sha1(c))?.offsetInResource, 110_000);
});

test('solid resources are sorted by extension, then by name, nameless blobs last', () => {
	const names = ['b.TXT', '', 'a.dll', 'z', 'A.txt', '.hidden', 'b.dll'];
	assert.deepEqual(
		sortSolid(names.map((fileName) => ({ fileName }))).map(({ fileName }) => fileName),
		['.hidden', 'z', 'a.dll', 'b.dll', 'A.txt', 'b.TXT', ''],
	);
});
