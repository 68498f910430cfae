import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Progress, ProgressMeter } from '../../source/jobs/progress.ts';
import { fakeClock } from '../support/fake-clock.ts';

test('people see at most ten reports a second, whatever the operation does', () => {
	const clock = fakeClock();
	const seen: Progress[] = [];
	const meter = new ProgressMeter(clock, (progress) => seen.push(progress));
	meter.take({ type: 'phase', phase: 'read', totalBytes: 10_000 });
	for (let ms = 0; ms < 10_000; ms++) {
		clock.advance(1);
		meter.take({ type: 'advance', bytes: 1 });
	}
	assert.ok(seen.length >= 78 && seen.length <= 82, `${seen.length} reports in ten seconds`);
	meter.flush();
	assert.equal(seen.at(-1)?.doneBytes, 10_000);
});

test('rate and estimate follow the last seconds', () => {
	const clock = fakeClock();
	const meter = new ProgressMeter(clock, () => {});
	meter.take({ type: 'phase', phase: 'read', totalBytes: 1_000_000 });
	assert.equal(meter.snapshot().bytesPerSecond, null);
	const run = (seconds: number, bytesPerSecond: number) => {
		for (let k = 0; k < seconds * 10; k++) {
			clock.advance(100);
			meter.take({ type: 'advance', bytes: bytesPerSecond / 10 });
		}
	};
	run(10, 10_000);
	assert.equal(Math.round(meter.snapshot().bytesPerSecond ?? 0), 10_000);
	run(20, 20_000);
	const { bytesPerSecond, remainingMs, doneBytes } = meter.snapshot();
	assert.equal(doneBytes, 500_000);
	assert.equal(Math.round(bytesPerSecond ?? 0), 20_000);
	assert.equal(Math.round((remainingMs ?? 0) / 1000), 25);
});

test('a pause counts neither as time nor into the rate', () => {
	const clock = fakeClock();
	const meter = new ProgressMeter(clock, () => {});
	meter.take({ type: 'phase', phase: 'read', totalBytes: null });
	for (let k = 0; k < 20; k++) {
		clock.advance(100);
		meter.take({ type: 'advance', bytes: 1000 });
	}
	meter.pause();
	clock.advance(3_600_000);
	meter.resume();
	assert.equal(meter.snapshot().elapsedMs, 2000);
	for (let k = 0; k < 20; k++) {
		clock.advance(100);
		meter.take({ type: 'advance', bytes: 1000 });
	}
	assert.equal(Math.round(meter.snapshot().bytesPerSecond ?? 0), 10_000);
	assert.equal(meter.snapshot().remainingMs, null);
});

test('a new phase is shown at once and counts from nothing', () => {
	const clock = fakeClock();
	const seen: Progress[] = [];
	const meter = new ProgressMeter(clock, (progress) => seen.push(progress));
	meter.take({ type: 'phase', phase: 'read', totalBytes: 10 });
	meter.take({ type: 'advance', bytes: 10 });
	meter.take({ type: 'phase', phase: 'finish', totalBytes: null });
	assert.deepEqual(
		seen.map(({ phase, doneBytes }) => [phase, doneBytes]),
		[
			['read', 0],
			['finish', 0],
		],
	);
});

test('however many phases there are, no second has more than ten reports', () => {
	const clock = fakeClock();
	const shown: number[] = [];
	const meter = new ProgressMeter(clock, () => shown.push(clock.elapsed()));
	for (let ms = 0; ms < 5000; ms += 10) {
		clock.advance(10);
		// Two images a turn, written one after another; then a long one.
		if (ms < 3000) meter.take({ type: 'phase', phase: 'write', totalBytes: 100 });
		meter.take({ type: 'advance', bytes: 1 });
	}
	for (const from of shown)
		assert.ok(shown.filter((at) => at >= from && at < from + 1000).length <= 10, `from ${from}`);
	assert.ok(shown.length >= 40, `${shown.length} reports in five seconds`);
});

test('work that outruns what was named is never more than all of it', () => {
	const meter = new ProgressMeter(fakeClock(), () => {});
	meter.take({ type: 'phase', phase: 'search', totalBytes: 100 });
	meter.take({ type: 'advance', bytes: 100 });
	assert.equal(meter.snapshot().totalBytes, 100);
	meter.take({ type: 'advance', bytes: 20 });
	const { doneBytes, totalBytes, remainingMs } = meter.snapshot();
	assert.deepEqual([doneBytes, totalBytes, remainingMs], [120, null, null]);
});
