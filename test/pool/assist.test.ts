import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CanceledError } from '../../source/base/errors.ts';
import { Decoder } from '../../source/codec/decoder.ts';
import { openPool, type Pool } from '../../source/pool/pool.ts';
import { PoolEncoder } from '../../source/pool/pool-encoder.ts';
import {
	type EncodeReply,
	type EncodeRequest,
	InlineEncoder,
} from '../../source/pool/tasks/encode.ts';
import {
	endMatchLine,
	leaveMatchLine,
	type MatchLine,
	openMatchLine,
} from '../../source/pool/tasks/match-line.ts';
import { content } from '../support/contents.ts';

const SIZE = (9 << 20) + 4321;
const LEVEL = 20;

/** Mostly zeros, which are fast; code, text, and some of both again from far away. */
const ORIGINAL = new Uint8Array(SIZE);
ORIGINAL.set(content('code', 300_000, 7), 1 << 20);
ORIGINAL.set(content('text', 1 << 20, 8), 3 << 20);
ORIGINAL.copyWithin(SIZE - (2 << 20), 1 << 20, 2 << 20);
ORIGINAL.copyWithin(SIZE - (1 << 20), 3 << 20, 4 << 20);

function request(): EncodeRequest {
	const bytes = ORIGINAL.slice();
	return { compression: 'lzms', chunkSize: 1 << 26, level: LEVEL, bytes, sizes: [SIZE] };
}

const EXPECTED = await new InlineEncoder().encode(request());

function assertSame(reply: EncodeReply): void {
	assert.deepEqual(reply.sizes, EXPECTED.sizes);
	assert.ok(Buffer.compare(reply.bytes, EXPECTED.bytes) === 0, 'other bytes');
}

/** Turns of the event loop until `isTrue`; a lane never waits for this thread meanwhile. */
async function until(isTrue: () => boolean): Promise<void> {
	while (!isTrue()) await new Promise((resolve) => setImmediate(resolve));
}

// What the numbers of a line mean is the business of `match-line.ts`: here only whether they move.
const isThere = ({ numbers }: MatchLine) => numbers[1] === 1;
const filled = ({ numbers }: MatchLine) => Atomics.load(numbers, 3);

/** An encode task and, already waiting for it, a helper on another lane. */
async function helped(pool: Pool, helpers: Pool, line: MatchLine) {
	const helping = helpers.run('assist', line);
	await until(() => isThere(line));
	const encoding = pool.run('encode', { ...request(), line }).finally(() => endMatchLine(line));
	return { helping, encoding };
}

test('what is stored decodes to the original bytes', () => {
	const back = new Decoder().decodeBytes('lzms', 1 << 26, EXPECTED.bytes, SIZE);
	assert.ok(Buffer.compare(back, ORIGINAL) === 0);
});

for (const slotCount of [1, 2, 3, 8])
	test(`a lane with a helper compresses to the same bytes, slots: ${slotCount}`, async () => {
		await using pool = openPool(2);
		const line = openMatchLine(LEVEL, SIZE, slotCount);
		const { helping, encoding } = await helped(pool, pool, line);
		assertSame(await encoding);
		assert.equal(await helping, null);
		// More than the input and the tables.
		assert.ok(filled(line) > (SIZE + (18 << 20)) >> 18, `${filled(line)} slots were filled`);
	});

test('a helper whose thread ends in the midst changes nothing but the time', async () => {
	await using pool = openPool(1);
	for (const slots of [3, 140]) {
		const line = openMatchLine(LEVEL, SIZE, 2);
		const helpers = openPool(1);
		const { helping, encoding } = await helped(pool, helpers, line);
		const gone = helping.catch(() => leaveMatchLine(line));
		await until(() => filled(line) >= slots);
		await helpers[Symbol.asyncDispose]();
		await gone;
		assertSame(await encoding);
	}
});

test('a helper goes when the chunk is given up before it came', async () => {
	await using pool = openPool(1);
	const line = openMatchLine(LEVEL, SIZE);
	endMatchLine(line);
	assert.equal(await pool.run('assist', line), null);
});

for (const threads of [1, 2, 3])
	test(`last chunks compress to the same bytes on ${threads} lanes`, async () => {
		await using pool = openPool(threads);
		const tasks: string[] = [];
		const encoder = new PoolEncoder(spying(pool, tasks));
		const replies = [encoder.encode(request()), encoder.encode(request())];
		encoder.helpOut();
		for (const reply of replies) assertSame(await reply);
		// With two lanes one is done first, unless both end in the same turn; with three one has nothing to do at all.
		if (threads !== 2) assert.equal(tasks.includes('assist'), threads === 3);
		assert.equal(tasks.filter((name) => name === 'encode').length, 2);
	});

test('canceling a chunk cancels its helper, and the lanes go on', async () => {
	await using pool = openPool(2);
	const controller = new AbortController();
	const tasks: string[] = [];
	const encoder = new PoolEncoder(spying(pool, tasks));
	const reply = encoder.encode(request(), controller.signal);
	encoder.helpOut();
	assert.deepEqual(tasks, ['encode', 'assist']);
	setImmediate(() => controller.abort());
	await assert.rejects(reply, CanceledError);
	const next = encoder.encode(request());
	encoder.helpOut();
	assertSame(await next);
});

/** A pool that notes which tasks are run. */
function spying(pool: Pool, tasks: string[]): Pool {
	return new Proxy(pool, {
		get(target, name) {
			const value = Reflect.get(target, name, target);
			if (typeof value !== 'function') return value;
			if (name !== 'run') return value.bind(target);
			return (task: string, ...rest: unknown[]) => {
				tasks.push(task);
				return value.call(target, task, ...rest);
			};
		},
	});
}
