import assert from 'node:assert/strict';
import { readdirSync, renameSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { StateFolder } from '../../source/host/state-folder.ts';
import { Journal } from '../../source/jobs/journal.ts';
import { KeptLists } from '../../source/jobs/kept-lists.ts';
import type { JobRequest } from '../../source/jobs/request.ts';
import { fakeClock } from '../support/fake-clock.ts';
import { DONE, IDLE } from '../support/run-record.ts';
import { tempFolder } from '../support/temp-tree.ts';

const COUNT = 2500;

const updateOf = (count: number): JobRequest => ({
	verb: 'update',
	wim: 'a.wim',
	image: '1',
	commands: Array.from({ length: count }, (_, k) => ({
		type: 'delete',
		path: `/folder/${k}`,
		force: false,
		recursive: true,
	})),
	config: null,
	rebuild: false,
	check: false,
	integrity: null,
	dryRun: false,
});

const exportOf = (images: readonly string[]): JobRequest =>
	({ verb: 'export', wim: '/srv/a.wim', target: '/srv/b.wim', images }) as unknown as JobRequest;

const repairOf = (donors: readonly string[]): JobRequest => ({
	verb: 'repair',
	wim: '/srv/a.wim',
	target: '/srv/b.wim',
	donors,
	references: [],
	lost: 'mark',
	bitSearchSeconds: 0,
	integrity: null,
	dryRun: false,
});

/** The request of a run that is over, as another process reads it, and the folder of the journal. */
async function recorded(t: TestContext, request: JobRequest) {
	const state = tempFolder(t);
	const journal = await Journal.open(state, fakeClock());
	const log = await journal?.begin(request, IDLE);
	await log?.finish(DONE);
	const other = await Journal.open(state, fakeClock());
	assert.ok(journal && other);
	return { journal: other, folder: path.join(state, 'runs') };
}

test('all commands of a long update are kept, so that it can be run again', async (t) => {
	const { journal, folder } = await recorded(t, updateOf(COUNT));
	const [run] = await journal.runs();
	assert.equal(run?.title, 'update a.wim #1');
	assert.equal(run.listCount, COUNT);
	assert.equal(run.canRunAgain, true);
	assert.ok(statSync(path.join(folder, '1.jsonl')).size < 2000, 'the record stays short');
	assert.deepEqual(await journal.request(1), { ...updateOf(COUNT), wim: path.resolve('a.wim') });
	for (const name of readdirSync(folder))
		assert.equal(statSync(path.join(folder, name)).mode & 0o777, 0o600);
	await journal.clear(1);
	assert.deepEqual(readdirSync(folder), []);
});

test('relative paths of a long list mean what they meant', async (t) => {
	const donors = Array.from({ length: COUNT }, (_, k) => `donor ${k}.wim`);
	const { journal } = await recorded(t, repairOf(donors));
	assert.deepEqual(await journal.request(1), repairOf(donors.map((donor) => path.resolve(donor))));
});

test('a few entries that are long stand apart, too', async (t) => {
	const donors = [`/${'x'.repeat(3_000_000)}`, '/y'];
	const { journal } = await recorded(t, repairOf(donors));
	assert.equal((await journal.run(1))?.listCount, 2);
	assert.deepEqual(await journal.request(1), repairOf(donors));
});

test('a short request stands in its record, and so it does without a list', async (t) => {
	const verify = { verb: 'verify', wim: '/a.wim', references: [], integrity: true, fast: false };
	for (const request of [updateOf(3), repairOf([]), verify as JobRequest]) {
		const { journal, folder } = await recorded(t, request);
		const run = await journal.run(1);
		assert.equal(run?.listCount, null);
		assert.equal(run.canRunAgain, true);
		assert.deepEqual(await journal.request(1), run.request);
		assert.deepEqual(readdirSync(folder).sort(), ['1.jsonl', '1.now']);
	}
});

test('a title names a few of many images', async (t) => {
	const images = Array.from({ length: 2000 }, (_, k) => String(k + 1));
	const { journal } = await recorded(t, exportOf(images));
	assert.equal(
		(await journal.run(1))?.title,
		'export a.wim #1,2,3,4,5,6,7,8 and 1,992 more -> /srv/b.wim',
	);
});

test('what was killed while its list was written, or had it left out, cannot be run again', async (t) => {
	const { journal, folder } = await recorded(t, updateOf(COUNT));
	renameSync(path.join(folder, '1.list'), path.join(folder, '1.list-new'));
	assert.equal((await journal.run(1))?.canRunAgain, false);
	assert.equal(await journal.request(1), null);
	await journal.clear(1);
	assert.deepEqual(readdirSync(folder), []);
	// As earlier versions did.
	const old = await recorded(t, updateOf(0));
	assert.equal((await old.journal.run(1))?.canRunAgain, false);
	assert.equal(await old.journal.request(1), null);
});

test('a list that is none is not taken for one', async (t) => {
	const { journal, folder } = await recorded(t, updateOf(COUNT));
	for (const text of ['garbage', '[1,2', '{"a":1}', '7']) {
		writeFileSync(path.join(folder, '1.list'), `${text}\n`);
		assert.equal(await journal.request(1), null, text);
	}
	assert.equal(await journal.request(2), null);
});

test('lists are bounded one by one and all together, the oldest go first', async (t) => {
	const folder = await StateFolder.open(tempFolder(t));
	assert.ok(folder);
	const size = JSON.stringify(repairOf(['/one', '/two'])).length;
	const lists = new KeptLists(folder, { sizeMax: size, totalMax: 40 });
	for (const id of [1, 2, 3]) await lists.keep(id, repairOf(['/one', '/two']), '/');
	assert.deepEqual([...(await folder.names())].sort(), ['2.list', '3.list']);
	await lists.keep(4, repairOf(['x'.repeat(size)]), '/');
	assert.deepEqual([...(await folder.names())].sort(), ['2.list', '3.list']);
	assert.equal(await lists.has(4), false);
	assert.deepEqual(await lists.load(3, repairOf([])), repairOf(['/one', '/two']));
});
