import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CanceledError, FormatError } from '../../source/base/errors.ts';
import { ContentReader } from '../../source/jobs/content-reader.ts';
import { easyBytes, pooledWim } from '../support/pooled-wim.ts';

/** Does something, and counts how often the event loop comes round meanwhile. */
async function withTurns<T>(action: () => Promise<T>): Promise<{ result: T; turns: number }> {
	let turns = 0;
	let isDone = false;
	const count = () => {
		turns++;
		if (!isDone) setImmediate(count);
	};
	setImmediate(count);
	try {
		const result = await action();
		return { result, turns };
	} finally {
		isDone = true;
	}
}

const FILES = { large: easyBytes(12 << 20, 1), small: easyBytes(3000, 2) };
const SOLID = { compression: 'lzms', chunkSize: 1 << 17, solidChunkSize: 1 << 24 } as const;

test('what lies in a large solid chunk is read while the calling thread stays free', async (t) => {
	const { blob } = await pooledWim(t, FILES, SOLID);
	await using contents = new ContentReader();
	for (const [name, bytes] of Object.entries(FILES)) {
		const stretch = { start: 100, end: Math.min(bytes.length, 70_000) };
		const { result, turns } = await withTurns(() => contents.read(blob(name), stretch));
		assert.deepEqual(result, bytes.slice(stretch.start, stretch.end), name);
		// A chunk that is decoded on this thread leaves it a handful.
		assert.ok(turns > 50, `${name}: ${turns} turns`);
	}
});

test('a file is shown although it does not have its SHA-1, a damaged chunk is not', async (t) => {
	const shape = { compression: 'xpress', chunkSize: 1 << 15 } as const;
	const { blob } = await pooledWim(t, FILES, shape);
	await using contents = new ContentReader();
	const whole = { start: 0, end: FILES.small.length };
	const wrong = { ...blob('small'), sha1: '0'.repeat(39).concat('1') };
	assert.deepEqual(await contents.read(wrong, whole), FILES.small);
	await assert.rejects(contents.read({ ...wrong, defect: 'it is gone' }, whole), FormatError);
});

test('reading ends when nobody wants it any more', async (t) => {
	const { blob } = await pooledWim(t, FILES, SOLID);
	await using contents = new ContentReader();
	const canceling = new AbortController();
	const reading = contents.read(blob('small'), { start: 0, end: 10 }, canceling.signal);
	setImmediate(() => canceling.abort());
	await assert.rejects(reading, CanceledError);
});
