import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { sha1 } from '../../../source/bytes/sha1.ts';
import { InlinePool } from '../../../source/pool/pool.ts';
import { content } from '../../support/contents.ts';
import {
	easyBytes,
	PrivateSource,
	pooledWim,
	readAll,
	testPool,
	threadsOnly,
} from '../../support/pooled-wim.ts';

const MIB = 1 << 20;

/** Ends early once it is cut. */
class CutSource extends PrivateSource {
	end = Number.POSITIVE_INFINITY;

	override read(offset: number, into: Uint8Array): Promise<number> {
		return super.read(offset, into.subarray(0, Math.max(0, this.end - offset)));
	}
}

/** One solid chunk that stores more than is read at once of such a chunk. */
async function largeWim(t: TestContext, isPrivate: boolean) {
	const files: Record<string, Uint8Array> = {};
	for (let k = 0; k < 8; k++) {
		files[`easy ${k}`] = easyBytes(300_000 + k, k + 1);
		files[`random ${k}`] = content('random', 200_000 + k, k + 1);
	}
	let source: CutSource | null = null;
	const wim = await pooledWim(t, files, {
		compression: 'lzms',
		chunkSize: 131_072,
		solidChunkSize: 4 * MIB,
		...(isPrivate
			? {
					source: (bytes) => {
						source = new CutSource('private.wim', bytes);
						return source;
					},
				}
			: {}),
	});
	return { ...wim, source: source as CutSource | null };
}

for (const { how, isPrivate } of [
	{ how: 'from memory that all threads see', isPrivate: false },
	{ how: 'from bytes that were fetched', isPrivate: true },
])
	test(`a large chunk is read as it is decoded, ${how}`, async (t) => {
		const { wim, files } = await largeWim(t, isPrivate);
		const wanted = [...wim.blobs.values()].map((blob) => ({ blob, wantsBytes: true }));
		const [first] = wanted;
		assert.ok((first?.blob.resource.storedSize ?? 0) > MIB + MIB / 2);
		for (const pool of [new InlinePool(), threadsOnly(testPool(t, 2))]) {
			const { results } = await readAll(pool, wanted);
			assert.equal(results.size, 16);
			for (const bytes of Object.values(files)) {
				const result = results.get(sha1(bytes));
				assert.equal(result?.error, null);
				assert.ok(result?.bytes && Buffer.compare(result.bytes, bytes) === 0);
			}
		}
	});

test('a large chunk that the file ends in is told as cut', async (t) => {
	const { wim, source } = await largeWim(t, true);
	assert.ok(source);
	const wanted = [...wim.blobs.values()].map((blob) => ({ blob }));
	const { resource } = wanted[0]?.blob ?? {};
	source.end = (resource?.offset ?? 0) + MIB;
	for (const pool of [new InlinePool(), threadsOnly(testPool(t, 2))]) {
		const { results } = await readAll(pool, wanted);
		assert.equal(results.size, 16);
		for (const { error } of results.values())
			assert.match(error?.message ?? '', /chunk 0 of 1 is damaged \(the file ends inside it\)/);
	}
});
