import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readdirSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { StateFolder } from '../../../source/host/state-folder.ts';
import { Journal } from '../../../source/jobs/journal.ts';
import { temporaryPath } from '../../../source/storage/output-file.ts';
import { lockPath } from '../../../source/storage/write-lock.ts';
import { ForeignJobs } from '../../../source/tui/engine/foreign-jobs.ts';
import { fakeClock } from '../../support/fake-clock.ts';
import { tempFolder } from '../../support/temp-tree.ts';

// Jobs of processes that were killed, by the moment: what the row says they left, and that one key clears it away.

const MOMENTS: readonly (readonly [
	moment: string,
	left: (target: string) => readonly string[],
	summary: RegExp,
	cleaned: RegExp,
])[] = [
	['while it wrote', (target) => [temporaryPath(target), lockPath(target)], /^left \d/, /^2 files/],
	[
		'between the rename and the unlock',
		(target) => [lockPath(target)],
		/^left its lock$/,
		/^1 file /,
	],
	['after everything', () => [], /^left nothing$/, /^0 files/],
];

for (const verb of ['repair', 'salvage'] as const)
	for (const [moment, left, summary, cleaned] of MOMENTS)
		test(`${verb} into a WIM, killed ${moment}`, async (t) => {
			const folder = tempFolder(t);
			const target = path.join(folder, 'new.wim');
			const { pid } = spawnSync(process.execPath, ['-e', '0']);
			const owner = { pid, started: '1', host: os.hostname() };
			for (const file of left(target)) writeFileSync(file, JSON.stringify(owner));
			const state = path.join(folder, 'state');
			const clock = fakeClock();
			const journal = await Journal.open(state, clock);
			const runs = await StateFolder.open(path.join(state, 'runs'));
			const record = await runs?.create('1.jsonl');
			assert.ok(journal && record);
			const request = {
				verb,
				wim: '/srv/a.wim',
				donors: [],
				references: [],
				target,
				dryRun: false,
			};
			const start = { type: 'start', title: verb, request, startedAt: 1, process: owner };
			await record.append(`${JSON.stringify(start)}\n`);
			await record.close();
			const jobs = new ForeignJobs({ journal, clock, onChange: () => {} });
			try {
				await jobs.look();
				const [job] = jobs.list();
				assert.equal(job?.state, 'interrupted');
				assert.match(job.summary ?? '', summary);
				assert.equal(job.leftovers.length, left(target).length);
				assert.match(await jobs.clean(job.id), cleaned);
				assert.deepEqual(readdirSync(folder), ['state']);
			} finally {
				jobs.close();
			}
		});

test('an update of another process whose commands were not kept says that it cannot be run again', async (t) => {
	const folder = tempFolder(t);
	const clock = fakeClock();
	const { pid } = spawnSync(process.execPath, ['-e', '0']);
	const owner = { pid, started: '1', host: os.hostname() };
	const journal = await Journal.open(folder, clock);
	assert.ok(journal);
	const record = (id: number, listCount: object, commands: readonly unknown[]) => {
		const request = { verb: 'update', wim: '/srv/a.wim', commands, dryRun: false };
		const start = { type: 'start', title: 'update a.wim', request, startedAt: 1, process: owner };
		const text = `${JSON.stringify({ ...start, ...listCount })}\n`;
		writeFileSync(path.join(folder, 'runs', `${id}.jsonl`), text);
	};
	record(1, {}, [{ type: 'delete', path: '/a' }]);
	record(2, {}, []);
	record(3, { listCount: 5000 }, []);
	record(4, { listCount: 2 }, []);
	writeFileSync(path.join(folder, 'runs', '4.list'), '[{"type":"delete"}]\n[{"type":"delete"}]\n');
	const jobs = new ForeignJobs({ journal, clock, onChange: () => {} });
	try {
		await jobs.look();
		assert.deepEqual(
			jobs.list().map(({ id, whyOnce }) => [id, whyOnce]),
			[
				[-1, null],
				[-2, 'its commands were not kept'],
				[-3, 'its list of 5,000 commands or paths was not kept'],
				[-4, null],
			],
		);
		assert.match(jobs.list()[2]?.log.at(-1) ?? '', /^It cannot be run again: its list of 5,000/);
		const whole = await jobs.wholeRequestOf(-4);
		assert.equal(whole?.verb === 'update' && whole.commands.length, 2);
		assert.equal(await jobs.wholeRequestOf(-3), null);
	} finally {
		jobs.close();
	}
});

test('rows of other processes are called as those of the deck: by verb and names without folders', async (t) => {
	const folder = tempFolder(t);
	const clock = fakeClock();
	const journal = await Journal.open(folder, clock);
	assert.ok(journal);
	const runs = await StateFolder.open(path.join(folder, 'runs'));
	const process_ = { pid: process.pid, started: '1', host: os.hostname() };
	const request = {
		verb: 'append',
		create: true,
		image: { sources: [{ path: '/srv/a tree' }], updateOf: null, deltaFrom: [] },
		target: '/out/new one.wim',
		dryRun: false,
	};
	const title = 'capture /srv/a tree/ -> /out/new one.wim';
	const record = await runs?.create('1.jsonl');
	assert.ok(record);
	const start = { type: 'start', title, request, startedAt: clock.now(), process: process_ };
	await record.append(`${JSON.stringify(start)}\n`);
	await record.close();
	const jobs = new ForeignJobs({ journal, clock, onChange: () => {} });
	try {
		await jobs.look();
		const [job] = jobs.list();
		assert.equal(job?.verb, 'capture');
		assert.equal(job.title, 'a tree -> new one.wim');
	} finally {
		jobs.close();
	}
});
