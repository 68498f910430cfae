import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CanceledError, DigestError, FormatError } from '../../source/base/errors.ts';
import { breathe } from '../../source/base/run.ts';
import { PauseGate } from '../../source/jobs/pause.ts';
import type { JobRequest } from '../../source/jobs/request.ts';
import { type JobOutcome, type Performer, runJob } from '../../source/jobs/run-job.ts';
import { fakeClock } from '../support/fake-clock.ts';

const request: JobRequest = {
	verb: 'verify',
	wim: 'a.wim',
	references: [],
	integrity: true,
	fast: false,
};

function hooks(signal = new AbortController().signal) {
	return { signal, clock: fakeClock() };
}

test('a job that comes to its end gives its result and exit code 0', async () => {
	const outcome = await runJob(request, hooks(), async () => ({ answer: 42 }));
	assert.deepEqual(
		{ state: outcome.state, exitCode: outcome.exitCode, result: outcome.result },
		{ state: 'done', exitCode: 0, result: { answer: 42 } },
	);
});

test('problems are counted, handed on, and end with exit code 3', async () => {
	const events: string[] = [];
	const outcome = await runJob(
		request,
		{ ...hooks(), onEvent: (event) => events.push(event.type) },
		async (_, run) => {
			run.report({ type: 'problem', error: new DigestError('One') });
			run.report({ type: 'warning', message: 'Two' });
			run.report({ type: 'problem', error: new DigestError('Three') });
			return 'end';
		},
	);
	assert.deepEqual(events, ['problem', 'warning', 'problem']);
	assert.deepEqual(
		[outcome.state, outcome.exitCode, outcome.problems, outcome.warnings, outcome.result],
		['problems', 3, 2, 1, 'end'],
	);
});

const FAILURES: readonly (readonly [thrown: unknown, state: string, exitCode: number])[] = [
	[new FormatError('broken'), 'failed', 4],
	[new TypeError('bug'), 'failed', 1],
	[new CanceledError(), 'canceled', 130],
];

for (const [thrown, state, exitCode] of FAILURES)
	test(`a thrown ${(thrown as Error).name} ends as ${state} with exit code ${exitCode}`, async () => {
		const outcome = await runJob(request, hooks(), async () => {
			throw thrown;
		});
		assert.deepEqual([outcome.state, outcome.exitCode], [state, exitCode]);
		assert.equal(outcome.error, thrown);
	});

test('whatever an abort makes fail counts as canceled, but a bug stays a bug', async () => {
	for (const [thrown, exitCode] of [
		[new DOMException('aborted', 'AbortError'), 130],
		[new FormatError('cut short by the abort'), 130],
		[new TypeError('bug'), 1],
	] as const) {
		const abort = new AbortController();
		const failing: Performer<JobRequest, void> = async () => {
			abort.abort();
			throw thrown;
		};
		const outcome: JobOutcome<void> = await runJob(request, hooks(abort.signal), failing);
		assert.equal(outcome.exitCode, exitCode);
	}
});

test('a job that is canceled before it starts does nothing', async () => {
	let called = false;
	const outcome = await runJob<JobRequest, void>(request, hooks(AbortSignal.abort()), async () => {
		called = true;
	});
	assert.deepEqual([outcome.state, called], ['canceled', false]);
});

test('a paused job holds at its next step and goes on after it', async () => {
	const gate = new PauseGate();
	const steps: number[] = [];
	const perform: Performer<JobRequest, void> = async (_, run) => {
		for (let k = 0; k < 4; k++) {
			steps.push(k);
			if (k === 1) gate.pause();
			await breathe(run);
		}
	};
	const done = runJob(request, { ...hooks(), gate }, perform);
	for (let k = 0; k < 10; k++) await new Promise((resolve) => setImmediate(resolve));
	assert.deepEqual(steps, [0, 1]);
	gate.resume();
	assert.equal((await done).state, 'done');
	assert.deepEqual(steps, [0, 1, 2, 3]);
});
