import assert from 'node:assert/strict';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { DigestError } from '../../source/base/errors.ts';
import { StateFolder } from '../../source/host/state-folder.ts';
import { Journal } from '../../source/jobs/journal.ts';
import { JournalWatch } from '../../source/jobs/journal-watch.ts';
import type { Progress } from '../../source/jobs/progress.ts';
import type { JobRequest } from '../../source/jobs/request.ts';
import { fakeClock } from '../support/fake-clock.ts';
import { begun, DONE } from '../support/run-record.ts';
import { tempFolder } from '../support/temp-tree.ts';

const request: JobRequest = {
	verb: 'verify',
	wim: '/srv/a.wim',
	references: [],
	integrity: true,
	fast: false,
};

const PROGRESS: Progress = {
	phase: 'read',
	doneBytes: 5,
	totalBytes: 10,
	bytesPerSecond: null,
	remainingMs: null,
	elapsedMs: 100,
	item: null,
	problems: 0,
	warnings: 0,
};

async function journalIn(t: TestContext): Promise<{ journal: Journal; folder: StateFolder }> {
	const state = path.join(tempFolder(t), 'state');
	const journal = await Journal.open(state, fakeClock());
	const folder = await StateFolder.open(path.join(state, 'runs'));
	assert.ok(journal && folder);
	return { journal, folder };
}

/** A run as another process would have written it; `started` is not ours, so that it counts as foreign. */
async function foreignRun(folder: StateFolder, id: number, started: string | null): Promise<void> {
	const file = await folder.create(`${id}.jsonl`);
	assert.ok(file);
	const process_ = { pid: process.pid, started };
	const line = { type: 'start', title: 'verify a.wim', request, startedAt: 1, process: process_ };
	await file.append(`${JSON.stringify(line)}\n`);
	await file.close();
}

test('runs of this process are not those of others', async (t) => {
	const { journal } = await journalIn(t);
	const log = await begun(t, journal, request);
	assert.ok(log);
	assert.deepEqual(await new JournalWatch(journal).poll(), []);
	assert.equal((await journal.runs()).length, 1);
});

test('what has not changed is not told again, and what has is', async (t) => {
	const { journal, folder } = await journalIn(t);
	await foreignRun(folder, 1, 'another/process');
	const watch = new JournalWatch(journal);
	const first = await watch.poll();
	assert.equal(first?.length, 1);
	assert.equal(first?.[0]?.record.state, 'interrupted', 'no process has that start');
	assert.equal(await watch.poll(), null);
	await foreignRun(folder, 2, 'another/one');
	const second = await watch.poll();
	assert.deepEqual(
		second?.map(({ record }) => record.id),
		[1, 2],
	);
	assert.equal(second?.[0], first?.[0], 'the same object, since nothing changed of it');
	await journal.clear(1);
	assert.deepEqual(
		(await watch.poll())?.map(({ record }) => record.id),
		[2],
	);
	assert.equal(await watch.poll(), null);
});

test('progress, a pause and problems of a run are seen by others', async (t) => {
	const { journal } = await journalIn(t);
	let isPaused = false;
	const log = await begun(t, journal, request, {
		cancel: () => {},
		hold: () => {},
		isPaused: () => isPaused,
	});
	assert.ok(log);
	log.progress(PROGRESS);
	await log.tick();
	assert.equal((await journal.run(1))?.progress?.doneBytes, 5);
	assert.equal((await journal.run(1))?.isPaused, false);
	const before = await journal.stamp(1);
	isPaused = true;
	await log.tick();
	assert.equal((await journal.run(1))?.isPaused, true, 'told although no progress came');
	assert.deepEqual((await journal.run(1))?.progress, PROGRESS);
	assert.notEqual(await journal.stamp(1), '');
	log.event({ type: 'problem', error: new DigestError('One is bad') });
	await log.tick();
	assert.notEqual(await journal.stamp(1), before);
	assert.equal((await journal.log(1)).length, 1);
});

test('a run that ended when nobody could see it says so', async (t) => {
	const { journal } = await journalIn(t);
	const log = await begun(t, journal, request);
	assert.ok(log);
	await log.finish(DONE, true);
	assert.equal((await journal.run(1))?.isUnseen, true);
});
