import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { CanceledError, DigestError, HostError } from '../../source/base/errors.ts';
import { InlineTaskPool } from '../../source/pool/inline-pool.ts';
import { ThreadPool } from '../../source/pool/thread-pool.ts';
import { flag, raise, TEST_TASKS, type TestTasks } from '../support/pool-tasks.ts';
import { raised, testThreads } from '../support/pool-threads.ts';

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
	const all: T[] = [];
	for await (const item of items) all.push(item);
	return all;
}

test('results come in the order sent although a later task ends first', async (t) => {
	const pool = testThreads(t, 2);
	const second = flag();
	const inputs = [
		{ say: 'first', after: second },
		{ say: 'second', raises: second },
		{ say: 'third' },
	];
	assert.deepEqual(await collect(pool.ordered('echo', inputs)), ['first', 'second', 'third']);
});

test('a pool without threads gives the same results as lanes', async (t) => {
	const inputs = Array.from({ length: 20 }, (_, k) => ({ say: `number ${k}` }));
	const inline = await collect(new InlineTaskPool(TEST_TASKS).ordered('echo', inputs));
	for (const laneCount of [1, 3])
		assert.deepEqual(await collect(testThreads(t, laneCount).ordered('echo', inputs)), inline);
});

test('threads that rest are ended, those that work go on, and others start with the next work', async (t) => {
	const pool = testThreads(t, 2);
	const go = flag();
	const begun = flag();
	const busy = pool.run('stick', { begun, after: go, ended: flag() });
	await raised(begun);
	const seen = [await pool.run('thread', null)];
	assert.equal(await pool.run('thread', null), seen[0], 'it stays without a rest');
	// More often than a lane that dies by itself would be replaced.
	for (let k = 0; k < 4; k++) {
		await pool.rest();
		const id = await pool.run('thread', null);
		assert.ok(!seen.includes(id), `thread ${id} was ended`);
		seen.push(id);
	}
	raise(go);
	await busy;
});

test('at most two inputs a lane are asked for before a result is taken', async (t) => {
	const pool = testThreads(t, 2);
	let asked = 0;
	let taken = 0;
	let most = 0;
	const inputs = (function* () {
		for (let k = 0; k < 30; k++) {
			asked++;
			most = Math.max(most, asked - taken);
			yield { say: String(k) };
		}
	})();
	for await (const _ of pool.ordered('echo', inputs)) taken++;
	assert.equal(taken, 30);
	assert.equal(most, 4);
});

test('whoever stops taking results stops the tasks and waits for them', async (t) => {
	const pool = testThreads(t, 1);
	let isClosed = false;
	const inputs = (function* () {
		try {
			yield { bytes: 1 };
			for (;;) yield { bytes: 2 ** 40 };
		} finally {
			isClosed = true;
		}
	})();
	const results = pool.ordered('work', inputs);
	assert.equal((await results.next()).value, 1);
	await results.return();
	assert.ok(isClosed);
	assert.equal(await pool.run('echo', { say: 'free again' }), 'free again');
});

test('errors of the source of inputs arrive after the results before them', async (t) => {
	const pool = testThreads(t, 2);
	const said: string[] = [];
	const inputs = (function* () {
		yield { say: 'one' };
		throw new HostError('Cannot read the rest');
	})();
	await assert.rejects(async () => {
		for await (const word of pool.ordered('echo', inputs)) said.push(word);
	}, HostError);
	assert.deepEqual(said, ['one']);
});

for (const kind of ['threads', 'inline'] as const)
	test(`a canceled task stops between two steps and cleans up (${kind})`, async (t) => {
		const pool = kind === 'threads' ? testThreads(t, 1) : new InlineTaskPool(TEST_TASKS);
		const stopped = flag();
		const stop = new AbortController();
		let progress = 0;
		const running = pool.run(
			'endless',
			{ stopped },
			{
				signal: stop.signal,
				onProgress: (bytes) => {
					progress += bytes;
					stop.abort();
				},
			},
		);
		const queued = pool.run('echo', { say: 'never' }, { signal: stop.signal });
		await assert.rejects(running, CanceledError);
		await assert.rejects(queued, CanceledError);
		assert.ok(progress > 0);
		assert.equal(Atomics.load(stopped, 0), 1);
		await assert.rejects(pool.run('echo', { say: 'x' }, { signal: stop.signal }), CanceledError);
		assert.equal(await pool.run('echo', { say: 'still there' }), 'still there');
	});

for (const kind of ['threads', 'inline'] as const)
	test(`errors keep class, facts and message, and bugs stay bugs (${kind})`, async (t) => {
		const pool = kind === 'threads' ? testThreads(t, 1) : new InlineTaskPool(TEST_TASKS);
		await assert.rejects(pool.run('refuse', { path: 'a.wim' }), (error) => {
			assert.ok(error instanceof DigestError);
			assert.equal(error.message, 'Cannot do it: wrong SHA-1');
			assert.deepEqual(error.facts, { path: 'a.wim', offset: 7 });
			return true;
		});
		await assert.rejects(pool.run('defect', null), { message: 'a bug' });
	});

test('a lane that dies fails its tasks and is replaced once', async (t) => {
	const pool = testThreads(t, 1);
	const deaths = [pool.run('die', null), pool.run('echo', { say: 'behind it' })];
	for (const death of deaths)
		await assert.rejects(death, (error) => {
			assert.ok(error instanceof HostError);
			assert.match(error.message, /worker thread 1 ended \(exit code 3\)/);
			assert.match(error.facts.hint ?? '', /--threads=1/);
			return true;
		});
	assert.equal(await pool.run('echo', { say: 'replaced' }), 'replaced');
	await assert.rejects(pool.run('die', null), HostError);
	await assert.rejects(pool.run('echo', { say: 'no more' }), HostError);
});

test('other lanes go on when one is dead for good', async (t) => {
	const pool = testThreads(t, 2);
	for (let k = 0; k < 3; k++) await assert.rejects(pool.run('die', null), HostError);
	assert.equal(await pool.run('echo', { say: 'here' }), 'here');
});

test('a worker file that cannot be loaded is an error of the machine', async (t) => {
	const pool = new ThreadPool<TestTasks>({
		laneCount: 1,
		memorySize: 1,
		registry: TEST_TASKS,
		entry: () => new URL('./no-such-worker.js', import.meta.url),
	});
	t.after(() => pool[Symbol.asyncDispose]());
	await assert.rejects(pool.run('echo', { say: 'x' }), HostError);
});

test('heavy tasks do not queue behind one another while another lane is free', async (t) => {
	const pool = testThreads(t, 2);
	const last = flag();
	const options = { weight: 64 << 20 };
	// The first one waits for the third: with both of them on one lane this would never end.
	const first = pool.run('echo', { say: 'first', after: last }, options);
	const second = pool.run('echo', { say: 'second' }, options);
	const third = pool.run('echo', { say: 'third', raises: last }, options);
	assert.deepEqual(await Promise.all([first, second, third]), ['first', 'second', 'third']);
});

test('tasks that need much memory stay on the first lanes', async (t) => {
	const pool = testThreads(t, 3);
	assert.equal(pool.lanesFor(400 << 20), 2);
	assert.equal(pool.lanesFor(2 ** 40), 1);
	assert.equal(pool.lanesFor(0), 3);
	const release = flag();
	const order: string[] = [];
	const limited = (say: string, more: object = {}) =>
		pool
			.run('echo', { say, ...more }, { laneLimit: 1, weight: 32 << 20 })
			.then((x) => order.push(x));
	const first = limited('first', { after: release });
	const opener = pool.run('echo', { say: 'opener', raises: release });
	const second = limited('second');
	await Promise.all([first, second, opener]);
	assert.deepEqual(order, ['first', 'second']);
});

test('buffers are handed over, not copied', async (t) => {
	const buffer = await testThreads(t, 1).run('handOver', { size: 1000 });
	assert.equal(buffer.byteLength, 1000);
});

test('small work stays on the calling thread, unless it cannot be interrupted', (t) => {
	const pool = testThreads(t, 2);
	assert.notEqual(pool.forWork(1 << 20, 32 << 10), pool);
	assert.equal(pool.forWork(1 << 20, 64 << 20), pool);
	assert.equal(pool.forWork(64 << 20, 32 << 10), pool);
});

test('the calling thread gets its turn while a pool without threads works', async () => {
	const pool = new InlineTaskPool(TEST_TASKS);
	let turns = 0;
	let isDone = false;
	const count = () => {
		turns++;
		if (!isDone) setImmediate(count);
	};
	setImmediate(count);
	await pool.run('work', { bytes: 20 << 20 });
	isDone = true;
	assert.ok(turns >= 19, `${turns} turns`);
});

test('idle lanes do not keep the process alive, running tasks do', () => {
	const poolFile = new URL('../../source/pool/pool.js', import.meta.url).href;
	const script = `
		import { openPool } from ${JSON.stringify(poolFile)};
		const pool = openPool(1);
		const { results } = await pool.run('hash', { items: [{ path: process.execPath }] });
		process.stdout.write(results[0].sha1);
	`;
	const output = execFileSync(process.execPath, ['--input-type=module', '-e', script], {
		encoding: 'utf8',
		timeout: 60_000,
	});
	assert.match(output, /^[0-9a-f]{40}$/);
});

test('a step that does not end is ended with its thread when its task is canceled, if it may be', async (t) => {
	const pool = testThreads(t, 2);
	const careful = { begun: flag(), after: flag(), ended: flag() };
	const stop = new AbortController();
	const running = pool.run('stick', careful, { signal: stop.signal });
	await raised(careful.begun);
	stop.abort();
	// More often than a lane that dies by itself would be replaced; the other task has its time meanwhile.
	for (let round = 0; round < 3; round++) {
		const stuck = { begun: flag(), after: flag(), ended: flag() };
		const end = new AbortController();
		const options = { signal: end.signal, canEndAnywhere: true };
		const task = pool.run('stick', stuck, options);
		await raised(stuck.begun);
		end.abort();
		await assert.rejects(task, CanceledError);
		assert.equal(stuck.ended[0], 0);
		assert.equal(await pool.run('echo', { say: 'a new lane' }), 'a new lane');
	}
	raise(careful.after);
	await assert.rejects(running, CanceledError);
	assert.equal(careful.ended[0], 1);
});

test('what a pool still has to do when it ends is canceled', async () => {
	const pool = new ThreadPool<TestTasks>({
		laneCount: 1,
		memorySize: 1,
		registry: TEST_TASKS,
		entry: () => new URL('../support/pool-worker.js', import.meta.url),
	});
	const tasks = Array.from({ length: 4 }, () => pool.run('endless', { stopped: flag() }));
	const ends = Promise.allSettled(tasks);
	await pool[Symbol.asyncDispose]();
	for (const end of await ends) {
		assert.equal(end.status, 'rejected');
		assert.ok((end as PromiseRejectedResult).reason instanceof CanceledError);
	}
});

test('lanes are started ahead for as much work as is expected, and then take small work, too', (t) => {
	const pool = testThreads(t, 2);
	const small = 1 << 20;
	pool.expect(small);
	assert.notEqual(pool.forWork(small, 0), pool);
	pool.expect(100 << 20);
	assert.equal(pool.forWork(small, 0), pool);
});
