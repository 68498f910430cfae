import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { HostError } from '../../source/base/errors.ts';
import { cleanLeftovers, findLeftovers } from '../../source/jobs/leftovers.ts';
import type { MountRequest, SplitRequest } from '../../source/jobs/request.ts';
import { ChangeLog } from '../../source/operations/mount/change-log.ts';
import { temporaryPath } from '../../source/storage/output-file.ts';
import { lockPath, WriteLock } from '../../source/storage/write-lock.ts';
import { PartHeader } from '../../source/wim/part-header.ts';
import { fixture } from '../support/fixture.ts';
import { tempFolder } from '../support/temp-tree.ts';
import { testRun } from '../support/test-run.ts';

const WIM = readFileSync(path.join(fixture('vectors'), 'v02.wim'));

/** The number of a process that has ended. */
const goneOf = (): number => spawnSync(process.execPath, ['-e', '0']).pid;

const deadLock = () => JSON.stringify({ pid: goneOf(), started: '1', host: os.hostname() });

const split = (target: string): SplitRequest => ({
	verb: 'split',
	wim: '/srv/a.wim',
	target,
	partSize: 1 << 20,
	check: false,
	integrity: false,
	dryRun: false,
});

const mounting = (folder: string): MountRequest => ({
	verb: 'mount',
	wim: path.join(folder, 'a.wim'),
	image: null,
	target: path.join(folder, 'mounted'),
	writable: true,
	check: false,
	references: [],
	staging: null,
	streams: 'xattr',
	unixData: false,
	allowOther: false,
});

test('temporary files of all parts and the lock of a killed split are found and removed', async (t) => {
	const folder = tempFolder(t);
	const target = path.join(folder, 'a.swm');
	writeFileSync(temporaryPath(target), 'half');
	writeFileSync(path.join(folder, '.a2.swm.wimdeck-new'), 'half of two');
	writeFileSync(path.join(folder, '.ab.swm.wimdeck-new'), 'of somebody else');
	writeFileSync(lockPath(target), deadLock());
	const found = await findLeftovers(split(target));
	assert.deepEqual(
		found
			.map(({ kind, size, path: file }) => [path.basename(file), kind, size].join(' '))
			.slice(0, 2),
		['.a.swm.wimdeck-new temporary 4', '.a2.swm.wimdeck-new temporary 11'],
	);
	assert.equal(found[2]?.kind, 'lock');
	assert.equal((await cleanLeftovers(split(target), testRun())).length, 3);
	assert.deepEqual(readdirSync(folder), ['.ab.swm.wimdeck-new']);
	assert.deepEqual(await findLeftovers(split(target)), []);
});

test('an edit that was begun in place is taken back', async (t) => {
	const folder = tempFolder(t);
	const wim = path.join(folder, 'a.wim');
	const marked = Buffer.concat([WIM, Buffer.from('appended and never finished')]);
	const at = PartHeader.offsets.flags;
	marked.writeUInt32LE(marked.readUInt32LE(at) | 0x40, at);
	writeFileSync(wim, marked);
	const request = {
		verb: 'delete',
		wim,
		images: ['1'],
		soft: true,
		check: false,
		integrity: null,
		dryRun: false,
	} as const;
	const found = await findLeftovers(request);
	assert.deepEqual(
		found.map(({ kind }) => kind),
		['edit'],
	);
	await cleanLeftovers(request, testRun());
	assert.deepEqual(readFileSync(wim), WIM);
	assert.equal(existsSync(lockPath(wim)), false);
});

test('nothing is touched while another process writes there', async (t) => {
	const folder = tempFolder(t);
	const target = path.join(folder, 'a.swm');
	writeFileSync(temporaryPath(target), 'being written');
	await using _lock = await WriteLock.take(target);
	await assert.rejects(cleanLeftovers(split(target), testRun()), (error: unknown) => {
		assert.ok(error instanceof HostError);
		assert.match(error.message, /being written by process/);
		return true;
	});
	assert.equal(readFileSync(temporaryPath(target), 'utf8'), 'being written');
});

test('the folder in which a killed mount kept changes is found and removed', async (t) => {
	const folder = tempFolder(t);
	const ended = goneOf();
	const left = path.join(folder, `.wimdeck-staging-${ended}`);
	mkdirSync(left);
	writeFileSync(path.join(left, '1'), 'changed');
	// Somebody else's, who is there still.
	mkdirSync(path.join(folder, `.wimdeck-staging-${process.ppid}`));
	const request = mounting(folder);
	const expected = [{ path: left, kind: 'temporary', size: 7 }];
	assert.deepEqual(await findLeftovers({ ...request, writable: false }), []);
	assert.deepEqual(await findLeftovers({ ...request, staging: folder }), expected);
	assert.deepEqual(await cleanLeftovers(request, testRun()), expected);
	assert.deepEqual(readdirSync(folder), [`.wimdeck-staging-${process.ppid}`]);
});

test('a folder of changes is only removed for the file that they are of', async (t) => {
	const folder = tempFolder(t);
	const [ours, others, unknown] = ['', '-1', '-2'].map((ending) => {
		const left = path.join(folder, `.wimdeck-staging-${goneOf()}${ending}`);
		mkdirSync(left);
		return left;
	}) as [string, string, string];
	const wim = path.join(folder, 'a.wim');
	const facts = { index: 1, metadata: '', unixData: false, streams: 'xattr' } as const;
	for (const [left, name] of [
		[ours, wim],
		[others, path.join(folder, 'b.wim')],
	] as const) {
		const log = ChangeLog.create(left, { ...facts, wim: name });
		log.add(1n, { type: 'unlink', folder: 1, name: 'gone' });
		log.close();
	}
	// Of a version that is not known here, or damaged: nobody can say whose it is.
	writeFileSync(path.join(unknown, 'changes'), '{"version":999}\n');
	assert.deepEqual(
		(await cleanLeftovers(mounting(folder), testRun())).map((left) => left.path),
		[ours],
	);
	assert.deepEqual(
		readdirSync(folder).toSorted(),
		[others, unknown].map((left) => path.basename(left)).toSorted(),
	);
});
