import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DigestError } from '../../source/base/errors.ts';
import type { Journal, RunControl } from '../../source/jobs/journal.ts';
import { type Job, JobQueue } from '../../source/jobs/queue.ts';
import type { JobRequest } from '../../source/jobs/request.ts';
import type { Performer } from '../../source/jobs/run-job.ts';
import { fakeClock } from '../support/fake-clock.ts';

const verify = (wim: string): JobRequest => ({
	verb: 'verify',
	wim,
	references: [],
	integrity: true,
	fast: false,
});

const apply = (wim: string, target: string): JobRequest => ({
	verb: 'apply',
	wim,
	image: '1',
	target,
	check: false,
	references: [],
	unixData: false,
	acls: 'restore',
	attributes: true,
	includeInvalidNames: false,
	recoverData: false,
	rpfix: null,
	dryRun: false,
});

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

/** A queue whose jobs end when the test says so. */
function scripted(parallel = 2) {
	const ends = new Map<JobRequest, (error?: Error) => void>();
	const started: JobRequest[] = [];
	const perform: Performer = (request, run) =>
		new Promise((resolve, reject) => {
			started.push(request);
			ends.set(request, (error) => (error ? reject(error) : resolve('ok')));
			run.signal.addEventListener('abort', () => reject(new Error('aborted')));
		});
	const changes: Job[] = [];
	const queue = new JobQueue({
		clock: fakeClock(),
		perform,
		journal: null,
		parallel,
		onChange: (job) => changes.push(job),
	});
	const end = async (request: JobRequest, error?: Error) => {
		ends.get(request)?.(error);
		await turn();
		await turn();
	};
	return { queue, started, end, changes };
}

const states = (queue: JobQueue) => queue.jobs.map(({ state }) => state);

test('no more jobs run side by side than allowed, in the order added', async () => {
	const { queue, end } = scripted(2);
	const requests = ['a', 'b', 'c'].map(verify);
	for (const request of requests) queue.add(request);
	await turn();
	assert.deepEqual(states(queue), ['running', 'running', 'queued']);
	await end(requests[0]!);
	assert.deepEqual(states(queue), ['done', 'running', 'running']);
});

test('a job waits for an earlier one that writes what it touches, and says for which', async () => {
	const { queue, end } = scripted(4);
	const first = apply('a.wim', '/t/x');
	queue.add(first);
	queue.add(apply('b.wim', '/t/x/below'));
	queue.add(apply('c.wim', '/t/other'));
	queue.add(verify('/t/x/inside.wim'));
	await turn();
	assert.deepEqual(states(queue), ['running', 'queued', 'running', 'queued']);
	assert.deepEqual(
		queue.jobs.map(({ waitsFor }) => waitsFor),
		[null, 1, null, 1],
	);
	await end(first);
	assert.deepEqual(states(queue), ['done', 'running', 'running', 'running']);
});

test('two jobs may read one file at the same time', async () => {
	const { queue } = scripted(4);
	queue.add(verify('a.wim'));
	queue.add(apply('a.wim', '/t'));
	await turn();
	assert.deepEqual(states(queue), ['running', 'running']);
});

test('a queued job can be canceled, a running one too, and the next one starts', async () => {
	const { queue, started } = scripted(1);
	const requests = ['a', 'b', 'c'].map(verify);
	for (const request of requests) queue.add(request);
	await turn();
	queue.cancel(2);
	await turn();
	await turn();
	assert.deepEqual(states(queue), ['running', 'canceled', 'queued']);
	queue.cancel(1);
	await turn();
	await turn();
	assert.deepEqual(states(queue), ['canceled', 'canceled', 'running']);
	assert.deepEqual(started, [requests[0], requests[2]]);
	assert.equal(queue.job(1)?.outcome?.exitCode, 130);
});

test('a job that another process holds through its record is paused in the queue too', async () => {
	let control: RunControl | null = null;
	// Leaves no record: what reads one calls this.
	const journal = {
		begin: async (_request: JobRequest, given: RunControl) => {
			control = given;
			return null;
		},
	} as unknown as Journal;
	const states: string[] = [];
	const queue = new JobQueue({
		clock: fakeClock(),
		journal,
		parallel: 1,
		perform: (_request, run) =>
			new Promise((_, reject) =>
				run.signal.addEventListener('abort', () => reject(new Error('aborted'))),
			),
		onChange: ({ state }) => states.at(-1) === state || states.push(state),
	});
	const { id } = queue.add(verify('a.wim'));
	await turn();
	const held = control as RunControl | null;
	assert.ok(held);
	held.hold(true);
	held.hold(true);
	assert.equal(queue.job(id)?.state, 'paused');
	held.hold(false);
	assert.equal(queue.job(id)?.state, 'running');
	queue.pause(id);
	held.hold(false);
	assert.equal(queue.job(id)?.state, 'running');
	held.cancel();
	await queue.ended(id);
	assert.deepEqual(states, [
		'queued',
		'running',
		'paused',
		'running',
		'paused',
		'running',
		'canceled',
	]);
});

test('a paused job in the queue lets others pass until it is resumed', async () => {
	const { queue, end } = scripted(1);
	const requests = ['a', 'b', 'c'].map(verify);
	for (const request of requests) queue.add(request);
	await turn();
	queue.pause(2);
	await end(requests[0]!);
	assert.deepEqual(states(queue), ['done', 'paused', 'running']);
	queue.resume(2);
	assert.deepEqual(states(queue), ['done', 'queued', 'running']);
	await end(requests[2]!);
	assert.deepEqual(states(queue), ['done', 'running', 'done']);
});

test('a failed job can be run again as a new one', async () => {
	const { queue, end } = scripted(1);
	const request = verify('a');
	queue.add(request);
	await turn();
	assert.equal(queue.retry(1), null, 'a running job cannot be retried');
	await end(request, new DigestError('bad'));
	assert.equal(queue.job(1)?.outcome?.exitCode, 5);
	const again = queue.retry(1);
	assert.equal(again?.retryOf, 1);
	await turn();
	assert.deepEqual(states(queue), ['failed', 'running']);
	queue.remove(1);
	assert.deepEqual(
		queue.jobs.map(({ id }) => id),
		[2],
	);
});

test('the log keeps the newest lines and counts the others', async () => {
	const queue = new JobQueue({
		clock: fakeClock(),
		perform: async (_, run) => {
			for (let k = 0; k < 800; k++) run.report({ type: 'warning', message: `note ${k}` });
		},
		journal: null,
		parallel: 1,
		onChange: () => {},
	});
	queue.add(verify('a'));
	const job = await queue.ended(1);
	assert.equal(job?.log.length, 500);
	assert.equal(job?.droppedLines, 300);
	assert.equal(job?.log.at(-1)?.message, 'note 799');
});

test('a job is a new object after every change', async () => {
	const { queue, end, changes } = scripted(1);
	const request = verify('a');
	queue.add(request);
	await turn();
	await end(request);
	assert.deepEqual(
		changes.map(({ state }) => state),
		['queued', 'running', 'done'],
	);
	assert.equal(new Set(changes).size, changes.length);
});
