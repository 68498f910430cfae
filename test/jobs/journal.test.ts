import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { DigestError, FormatError } from '../../source/base/errors.ts';
import { isAlive, ownIdentity } from '../../source/host/process-identity.ts';
import { stateFolderPath } from '../../source/host/state-folder.ts';
import { Journal } from '../../source/jobs/journal.ts';
import type { JobRequest } from '../../source/jobs/request.ts';
import { runJob } from '../../source/jobs/run-job.ts';
import { fakeClock } from '../support/fake-clock.ts';
import { begun, DONE } from '../support/run-record.ts';
import { tempFolder } from '../support/temp-tree.ts';
import { captureOptions } from '../support/written.ts';

const request: JobRequest = {
	verb: 'verify',
	wim: 'a.wim',
	references: ['b*.swm'],
	integrity: true,
	fast: false,
};

async function journalIn(t: TestContext): Promise<{ journal: Journal; folder: string }> {
	const folder = tempFolder(t);
	const journal = await Journal.open(path.join(folder, 'state'), fakeClock());
	assert.ok(journal);
	return { journal, folder: path.join(folder, 'state', 'runs') };
}

test('a run is seen by others while it runs and afterwards', async (t) => {
	const { journal } = await journalIn(t);
	const signal = new AbortController().signal;
	const outcome = await runJob(request, { signal, clock: fakeClock(), journal }, async (_, run) => {
		run.report({ type: 'phase', phase: 'read', totalBytes: 10 });
		run.report({ type: 'problem', error: new DigestError('One is bad', { path: '/x' }) });
		// The job does not wait for its record.
		let [record] = await journal.runs();
		while (record === undefined) [record] = await journal.runs();
		assert.equal(record?.state, 'running');
		assert.equal(record?.title, 'verify a.wim');
		assert.equal(record?.pid, process.pid);
		throw new FormatError('It broke', { path: 'a.wim', offset: 16 });
	});
	assert.equal(outcome.exitCode, 4);
	const [record] = await journal.runs();
	assert.equal(record?.state, 'failed');
	assert.equal(record?.exitCode, 4);
	assert.equal(record?.problems, 1);
	assert.deepEqual(record?.error, {
		code: 'bad-format',
		message: 'It broke',
		facts: { path: 'a.wim', offset: 16 },
	});
	assert.deepEqual(
		(await journal.log(1)).map(({ type, message, facts }) => ({ type, message, facts })),
		[{ type: 'problem', message: 'One is bad', facts: { path: '/x' } }],
	);
});

test('the record holds absolute paths, so that it can be run again from anywhere', async (t) => {
	const { journal } = await journalIn(t);
	const log = await begun(t, journal, request);
	assert.ok(log);
	const [record] = await journal.runs();
	assert.deepEqual(record?.request, {
		...request,
		wim: path.resolve('a.wim'),
		references: [path.resolve('b*.swm')],
	});
});

test('an append that finds no file is recorded as the capture that it is', async (t) => {
	const { journal, folder } = await journalIn(t);
	const target = path.join(folder, 'new.wim');
	const append: JobRequest = {
		verb: 'append',
		image: {
			sources: [{ path: '/tree', target: '/' }],
			name: null,
			namedAfter: null,
			description: '',
			properties: [],
			boot: false,
			config: null,
			unixData: false,
			dereference: false,
			acls: 'store',
			rpFix: null,
			updateOf: null,
			deltaFrom: [],
			wimBoot: false,
		},
		target,
		compression: captureOptions('one').compression,
		check: false,
		integrity: null,
		rebuild: false,
		pipable: null,
		create: true,
		dryRun: false,
	};
	await begun(t, journal, append);
	writeFileSync(target, '');
	await begun(t, journal, append);
	const titles = (await journal.runs()).map(({ title }) => title);
	assert.deepEqual(titles, [`append /tree -> ${target}`, `capture /tree -> ${target}`]);
});

test('what a run is at can be followed, and it can be paused and canceled from outside', async (t) => {
	const { journal } = await journalIn(t);
	const asked: string[] = [];
	const log = await begun(t, journal, request, {
		cancel: () => asked.push('cancel'),
		hold: (paused) => asked.push(paused ? 'pause' : 'resume'),
		isPaused: () => false,
	});
	assert.ok(log);
	log.progress({
		phase: 'read',
		doneBytes: 5,
		totalBytes: 10,
		bytesPerSecond: 1,
		remainingMs: 5000,
		elapsedMs: 5000,
		item: '/x'.repeat(2000),
		problems: 0,
		warnings: 0,
	});
	await log.tick();
	assert.equal((await journal.run(log.id))?.progress?.doneBytes, 5);
	for (const word of ['pause', 'resume', 'cancel'] as const) {
		assert.ok(await journal.control(log.id, word));
		await log.tick();
	}
	assert.deepEqual(asked, ['pause', 'resume', 'cancel']);
});

test('a run whose process is gone is interrupted', async (t) => {
	const { journal, folder } = await journalIn(t);
	const child = spawn(process.execPath, ['-e', '']);
	await once(child, 'exit');
	const start = {
		type: 'start',
		title: 'verify gone.wim',
		request,
		startedAt: 0,
		process: { pid: child.pid, started: 'boot/1' },
	};
	writeFileSync(path.join(folder, '7.jsonl'), `${JSON.stringify(start)}\n{"type":"prob`);
	const [record] = await journal.runs();
	assert.equal(record?.id, 7);
	assert.equal(record?.state, 'interrupted');
});

test('a recycled process id is not taken for the old process', async () => {
	const own = await ownIdentity();
	assert.equal(await isAlive(own), true);
	if (own.started !== null) assert.equal(await isAlive({ ...own, started: 'boot/1' }), false);
});

test('files are private, bounded, and go when they are old', async (t) => {
	const { journal, folder } = await journalIn(t);
	for (let k = 0; k < 105; k++) {
		const log = await begun(t, journal, request);
		if (k === 0) for (let n = 0; n < 3000; n++) log?.event({ type: 'warning', message: 'x' });
		await log?.finish(DONE);
	}
	const ids = (await journal.runs()).map(({ id }) => id);
	assert.equal(ids.length, 100);
	assert.equal(ids[0], 105);
	assert.equal(statSync(folder).mode & 0o777, 0o700);
	for (const name of readdirSync(folder))
		assert.equal(statSync(path.join(folder, name)).mode & 0o777, 0o600);
	assert.equal(await journal.clear(null), 100);
	assert.deepEqual(readdirSync(folder), []);
});

test('a log stays bounded, and its counts stay right', async (t) => {
	const { journal } = await journalIn(t);
	const signal = new AbortController().signal;
	await runJob(request, { signal, clock: fakeClock(), journal }, async (_, run) => {
		for (let n = 0; n < 3000; n++) run.report({ type: 'warning', message: 'x'.repeat(200) });
	});
	assert.equal((await journal.log(1)).length, 1000);
	assert.equal((await journal.run(1))?.warnings, 3000);
});

test('lines that are not whole are passed over', async (t) => {
	const { journal, folder } = await journalIn(t);
	await begun(t, journal, request);
	appendFileSync(path.join(folder, '1.jsonl'), '{"type":"problem","mess');
	writeFileSync(path.join(folder, 'stray.txt'), 'x');
	writeFileSync(path.join(folder, '9.jsonl'), 'garbage\n');
	assert.deepEqual(
		(await journal.runs()).map(({ id }) => id),
		[1],
	);
});

test('without a place for it there is no journal and nothing fails', async (t) => {
	const folder = tempFolder(t);
	writeFileSync(path.join(folder, 'file'), '');
	assert.equal(await Journal.open(path.join(folder, 'file'), fakeClock()), null);
	mkdirSync(path.join(folder, 'x'));
	const signal = new AbortController().signal;
	const outcome = await runJob(
		request,
		{ signal, clock: fakeClock(), journal: null },
		async () => 1,
	);
	assert.equal(outcome.exitCode, 0);
});

test('the state folder is where the platform wants it', () => {
	const rows: readonly (readonly [NodeJS.Platform, Record<string, string>, string])[] = [
		['linux', { HOME: '/h' }, '/h/.local/state/wimdeck'],
		['linux', { HOME: '/h', XDG_STATE_HOME: '/s' }, '/s/wimdeck'],
		['linux', { HOME: '/h', XDG_STATE_HOME: 'relative' }, '/h/.local/state/wimdeck'],
		['linux', { HOME: '' }, path.join(os.userInfo().homedir, '.local/state/wimdeck')],
		['linux', { HOME: 'here' }, path.join(os.userInfo().homedir, '.local/state/wimdeck')],
		['darwin', { HOME: '/h' }, '/h/Library/Application Support/wimdeck'],
		['win32', { HOME: '/h', LOCALAPPDATA: '/l' }, '/l/wimdeck'],
	];
	for (const [platform, environment, expected] of rows)
		assert.equal(stateFolderPath(environment, platform), expected);
});
