import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
	chmodSync,
	copyFileSync,
	mkdirSync,
	mkdtempSync,
	readdirSync,
	readFileSync,
	rmSync,
	statfsSync,
	statSync,
	writeFileSync,
} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { HostError, InputError } from '../../source/base/errors.ts';
import { PosixTarget } from '../../source/host/posix-target.ts';
import { NO_DEFAULTS } from '../../source/image/update-commands.ts';
import { append } from '../../source/operations/capture/append.ts';
import { capture } from '../../source/operations/capture/capture.ts';
import { update } from '../../source/operations/capture/update.ts';
import { deleteImages } from '../../source/operations/rewrite/delete.ts';
import { editProperties } from '../../source/operations/rewrite/edit-properties.ts';
import { exportImages } from '../../source/operations/rewrite/export.ts';
import { join } from '../../source/operations/rewrite/join.ts';
import { optimize } from '../../source/operations/rewrite/optimize.ts';
import { split } from '../../source/operations/rewrite/split.ts';
import { cli } from '../support/cli.ts';
import { fixture } from '../support/fixture.ts';
import { tempFolder } from '../support/temp-tree.ts';
import { testRun } from '../support/test-run.ts';
import {
	captureOptions,
	compressed,
	listImages,
	noise,
	tools,
	USUAL_EXPORT,
} from '../support/written.ts';

const compression = compressed('none');
const same = { integrity: null, dryRun: false };

/** A small file system of its own, or null where mounting is not allowed. */
function smallDisk(t: TestContext, size: string): string | null {
	const folder = mkdtempSync(path.join(os.tmpdir(), 'wimdeck-disk-'));
	const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', folder]);
	t.after(() => {
		if (mounted.status === 0) spawnSync('umount', ['-l', folder]);
		rmSync(folder, { recursive: true, force: true });
	});
	if (mounted.status !== 0) return null;
	return folder;
}

test('a target folder on a disk that is read-only is refused as that', (t) => {
	const disk = smallDisk(t, '1m');
	if (disk === null) return t.skip('mounting is not allowed');
	assert.equal(spawnSync('mount', ['-o', 'remount,ro', disk]).status, 0);
	for (const folder of ['new', 'new/and/more'])
		assert.throws(() => PosixTarget.open(path.join(disk, folder), false), {
			code: 'host-refused',
			message: /read-only/,
		});
	assert.deepEqual(readdirSync(disk), []);
});

test('on a full disk every verb says so and leaves the old file whole', async (t) => {
	const disk = smallDisk(t, '1m');
	if (disk === null) return t.skip('mounting is not allowed');
	const sources = tempFolder(t);
	for (const [name, size] of [
		['small', 300_000],
		['large', 3_000_000],
	] as const) {
		mkdirSync(path.join(sources, name));
		writeFileSync(path.join(sources, name, 'file'), noise(size));
	}
	const target = path.join(disk, 't.wim');
	const source = (name: string) => [{ path: path.join(sources, name), target: '/' }];
	const options = captureOptions('one', { compression, integrity: true });
	await capture(source('small'), target, options, tools, testRun());
	const before = readFileSync(target);
	const lists = await listImages(target);
	const more = { ...captureOptions('two', { compression }), integrity: null };
	const add = {
		type: 'add',
		source: path.join(sources, 'large'),
		target: '/x',
		flags: NO_DEFAULTS.add,
	} as const;
	const rules = { exclusions: [], exceptions: [] };
	const attempts: Readonly<Record<string, () => Promise<unknown>>> = {
		capture: () => capture(source('large'), target, options, tools, testRun()),
		append: () => append(source('large'), target, { ...more, rebuild: false }, tools, testRun()),
		'append, anew': () =>
			append(source('large'), target, { ...more, rebuild: true }, tools, testRun()),
		update: () =>
			update(
				target,
				{ image: '1', commands: [add], rules, rebuild: false, done() {}, ...same },
				tools,
				testRun(),
			),
	};
	for (const [verb, attempt] of Object.entries(attempts)) {
		await assert.rejects(attempt(), (error) => {
			assert.ok(error instanceof HostError, `${verb}: ${error}`);
			assert.match(error.message, /the disk is full/);
			assert.ok(error.facts.hint);
			return true;
		});
		assert.deepEqual(readdirSync(disk), ['t.wim'], verb);
		assert.ok(readFileSync(target).equals(before), verb);
	}
	assert.deepEqual(await listImages(target), lists);
	writeFileSync(path.join(disk, 'fill'), noise(500_000));
	await assert.rejects(
		optimize(target, { compression, recompress: false, pipable: null, ...same }, tools, testRun()),
		/Cannot write .*: 29\d K needed, .* free/,
	);
	assert.ok(readFileSync(target).equals(before));
});

test('wherever the disk becomes full, the old file stays whole or the new one is', async (t) => {
	const disk = smallDisk(t, '1m');
	if (disk === null) return t.skip('mounting is not allowed');
	const top = tempFolder(t);
	const sourceOf = (name: string, size: number) => {
		mkdirSync(path.join(top, name));
		for (const file of ['a', 'b', 'c']) writeFileSync(path.join(top, name, file), noise(size));
		return [{ path: path.join(top, name), target: '/' }];
	};
	const target = path.join(disk, 't.wim');
	const small = sourceOf('small', 20_000);
	const large = path.join(top, 'large.wim');
	const options = captureOptions('one', { compression, integrity: true });
	await capture(small, target, options, tools, testRun());
	await capture(
		sourceOf('large', 12_000),
		large,
		captureOptions('two', { compression }),
		tools,
		testRun(),
	);
	const parts = { partSize: 14_000, integrity: null, dryRun: false };
	await split(large, path.join(top, 'p.swm'), parts, tools, testRun());
	const before = readFileSync(target);
	const lists = await listImages(target);
	const added = [{ path: path.join(top, 'large'), target: '/' }];
	const more = { ...captureOptions('two', { compression }), integrity: null };
	const usual = { ...USUAL_EXPORT, integrity: null };
	const attempts: Readonly<Record<string, () => Promise<unknown>>> = {
		append: () => append(added, target, { ...more, rebuild: false }, tools, testRun()),
		'append, anew': () => append(added, target, { ...more, rebuild: true }, tools, testRun()),
		'export into': () => exportImages(large, target, usual, tools, testRun()),
		'export to new': () => exportImages(large, path.join(disk, 'n.wim'), usual, tools, testRun()),
		split: () => split(large, path.join(disk, 'q.swm'), parts, tools, testRun()),
		join: () =>
			join(
				path.join(disk, 'j.wim'),
				[1, 2, 3].map((k) => path.join(top, k > 1 ? `p${k}.swm` : 'p.swm')),
				{ integrity: true, dryRun: false },
				tools,
				testRun(),
			),
		'delete --soft': () =>
			deleteImages(target, { images: ['1'], soft: true, ...same }, tools, testRun()),
		info: () =>
			editProperties(
				target,
				{
					change: { image: '1', name: 'x'.repeat(3000), description: null, properties: [] },
					boot: null,
					...same,
				},
				tools,
				testRun(),
			),
	};
	let refusals = 0;
	for (const [verb, attempt] of Object.entries(attempts))
		for (let pages = 0; pages < 40; pages += 3) {
			for (const name of readdirSync(disk)) if (name !== 't.wim') rmSync(path.join(disk, name));
			writeFileSync(target, before);
			const { bavail, bsize } = statfsSync(disk);
			writeFileSync(path.join(disk, 'fill'), new Uint8Array(Math.max(0, bavail - pages) * bsize));
			const names: readonly string[] = readdirSync(disk);
			const error = await attempt().then(
				() => null,
				(reason: unknown) => reason,
			);
			if (error === null) {
				await listImages(target);
				continue;
			}
			refusals++;
			assert.ok(error instanceof HostError, `${verb}, ${pages} pages: ${error}`);
			assert.match(error.message, /the disk is full|needed/);
			assert.ok(readFileSync(target).equals(before), `${verb}, ${pages} pages`);
			assert.deepEqual(readdirSync(disk), names, `${verb}, ${pages} pages`);
			assert.deepEqual(await listImages(target), lists);
		}
	assert.ok(refusals > 20, String(refusals));
});

test('a read-only folder, a missing one and a folder in place of the file are refused clearly', async (t) => {
	const top = tempFolder(t);
	mkdirSync(path.join(top, 'source'));
	const sources = [{ path: path.join(top, 'source'), target: '/' }];
	const to = (target: string) => capture(sources, target, captureOptions('x'), tools, testRun());
	await assert.rejects(to(path.join(top, 'no/t.wim')), InputError);
	await assert.rejects(to(top), InputError);
	// Known before the tree is looked at.
	const nothing = [{ path: path.join(top, 'nothing'), target: '/' }];
	const options = captureOptions('x');
	await assert.rejects(
		capture(nothing, top, options, tools, testRun()),
		/Cannot write ".*": it is a folder/,
	);
	const closed = path.join(top, 'closed');
	mkdirSync(closed);
	chmodSync(closed, 0o555);
	if (process.getuid?.() === 0) return t.skip('root may write everywhere');
	await assert.rejects(to(path.join(closed, 't.wim')), HostError);
});

test('a canceled run leaves the file as it was and nothing beside it', async (t) => {
	const top = tempFolder(t);
	mkdirSync(path.join(top, 'source'));
	writeFileSync(path.join(top, 'source/a'), noise(6_000_000));
	const sources = [{ path: path.join(top, 'source'), target: '/' }];
	mkdirSync(path.join(top, 'out'));
	const target = path.join(top, 'out/t.wim');
	const options = captureOptions('one', { compression: compressed('xpress') });
	await capture(sources, target, options, tools, testRun());
	copyFileSync(target, path.join(top, 'copy.wim'));
	const size = statSync(target).size;
	writeFileSync(path.join(top, 'source/b'), noise(9_000_000));
	for (const rebuild of [false, true]) {
		const run = testRun();
		let bytes = 0;
		const report = run.report;
		const canceling = {
			...run,
			report(event: Parameters<typeof report>[0]) {
				report(event);
				if (event.type === 'advance') bytes += event.bytes;
				if (bytes > 7_000_000) run.cancel();
			},
		};
		const more = {
			...captureOptions('two'),
			compression: compressed('xpress'),
			integrity: null,
			rebuild,
		};
		await assert.rejects(append(sources, target, more, tools, canceling), /Canceled/);
		assert.equal(statSync(target).size, size);
		assert.ok(readFileSync(target).equals(readFileSync(path.join(top, 'copy.wim'))));
		assert.deepEqual(readdirSync(path.join(top, 'out')), ['t.wim']);
	}
	rmSync(target);
});

test('a report for which there is no room leaves the one that stood there', async (t) => {
	const disk = smallDisk(t, '64k');
	if (disk === null) return t.skip('mounting is not allowed');
	const report = path.join(disk, 'r.json');
	writeFileSync(report, 'of yesterday');
	// All but the last page, which takes what the rename needs.
	writeFileSync(path.join(disk, 'fill'), Buffer.alloc(60 << 10));
	const { code, err } = await cli(['verify', fixture('demo/install.wim'), `--report=${report}`]);
	assert.equal(code, 8, err);
	assert.match(err, /Cannot write the report .*: the disk is full/);
	assert.equal(readFileSync(report, 'utf8'), 'of yesterday');
	assert.deepEqual(readdirSync(disk).sort(), ['fill', 'r.json']);
});
