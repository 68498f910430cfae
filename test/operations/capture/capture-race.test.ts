/** Files that change, vanish or become something else between the scan and the end of a capture. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
	appendFileSync,
	mkdirSync,
	rmSync,
	symlinkSync,
	truncateSync,
	utimesSync,
	writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { HostError, WimError } from '../../../source/base/errors.ts';
import type { Run } from '../../../source/base/run.ts';
import { append } from '../../../source/operations/capture/append.ts';
import { type CaptureOptions, capture } from '../../../source/operations/capture/capture.ts';
import { oracle, runOracle } from '../../support/oracles.ts';
import { tempFolder } from '../../support/temp-tree.ts';
import { testRun } from '../../support/test-run.ts';
import {
	captureOptions,
	compressed,
	contentsOf,
	listImages,
	noise,
	tools,
} from '../../support/written.ts';

const FORMATS: Readonly<Record<string, Partial<CaptureOptions>>> = {
	none: { compression: compressed('none'), integrity: true },
	XPRESS: { compression: compressed('xpress') },
	solid: { compression: { ...compressed('lzms'), solid: true } },
	pipable: { compression: compressed('xpress'), pipable: true },
};

/** What happens to files of 200 KB after the scan. */
const MISHAPS: Readonly<Record<string, (file: string) => void>> = {
	'is gone': (file) => rmSync(file),
	'is shorter': (file) => truncateSync(file, 70_000),
	'is empty': (file) => truncateSync(file, 0),
	'is longer': (file) => appendFileSync(file, 'more'),
	'has other bytes': (file) => writeFileSync(file, contentsOf(77, 200_000)),
	'is a folder': (file) => {
		rmSync(file);
		mkdirSync(file);
	},
	'is a link': (file) => {
		rmSync(file);
		symlinkSync('/etc/passwd', file);
	},
	'is a FIFO': (file) => {
		rmSync(file);
		assert.equal(spawnSync('mkfifo', [file]).status, 0);
	},
	'is only touched': (file) => utimesSync(file, 1_700_000_000, 1_700_000_000),
};

/** Calls `act` once: when contents begin to be read, or after so many bytes of them. */
function runWith(act: () => void, afterBytes: number): ReturnType<typeof testRun> {
	const run = testRun();
	let isDone = false;
	let bytes = 0;
	const report: Run['report'] = (event) => {
		run.report(event);
		const isStart = event.type === 'phase' && (event.phase === 'write' || event.phase === 'hash');
		if (event.type === 'advance') bytes += event.bytes;
		if (isDone || !(isStart || bytes > 0) || bytes < afterBytes) return;
		isDone = true;
		act();
	};
	return { ...run, report };
}

test(
	'whatever files become while they are captured, the WIM verifies and says which it lacks',
	oracle('wimlib-imagex'),
	async (t) => {
		const top = tempFolder(t);
		const source = path.join(top, 'source');
		for (const [format, more] of Object.entries(FORMATS))
			for (const afterBytes of [0, 300_000]) {
				rmSync(source, { recursive: true, force: true });
				mkdirSync(source);
				writeFileSync(path.join(source, '0 stays'), noise(200_000));
				writeFileSync(path.join(source, 'z stays'), noise(250_000));
				for (const [k, name] of Object.keys(MISHAPS).entries()) {
					writeFileSync(path.join(source, name), contentsOf(k, 200_000));
					// Contents that occur twice are hashed first and read again.
					writeFileSync(path.join(source, `${name}, twice`), contentsOf(k, 200_000));
				}
				const run = runWith(() => {
					for (const [name, act] of Object.entries(MISHAPS)) act(path.join(source, name));
				}, afterBytes);
				const target = path.join(top, 'a.wim');
				rmSync(target, { force: true });
				const where = `${format}, after ${afterBytes} bytes`;
				try {
					await capture(
						[{ path: source, target: '/' }],
						target,
						captureOptions('one', more),
						tools,
						run,
					);
				} catch (error) {
					// A pipable WIM names its contents before it stores them: it cannot leave one out any more.
					assert.ok(format === 'pipable' && error instanceof HostError, `${where}: ${error}`);
					assert.match(error.message, /changed meanwhile|Cannot read/);
					continue;
				}
				runOracle('wimlib-imagex', 'verify', target);
				const [lines = []] = await listImages(target);
				const stored = lines.filter((line) => / file /.test(line)).length;
				const lost = run
					.problems()
					.filter(({ message }) => message.startsWith('Cannot read')).length;
				// The others are stored as they were when they were read, and reported as changed.
				const changed = run.problems().length - lost;
				assert.equal(stored + lost, 2 + 2 * Object.keys(MISHAPS).length, where);
				assert.ok(
					lines.some((line) => line.startsWith('/z stays file 250000')),
					where,
				);
				for (const problem of run.problems()) assert.ok(problem instanceof WimError, where);
				if (afterBytes === 0) assert.ok(lost >= 3 && changed >= 4, `${where}: ${lost} ${changed}`);
			}
	},
);

test(
	'an append during which a file vanishes keeps what was there and verifies',
	oracle('wimlib-imagex'),
	async (t) => {
		const top = tempFolder(t);
		const source = path.join(top, 'source');
		mkdirSync(source);
		for (const name of ['a', 'b', 'c']) writeFileSync(path.join(source, name), noise(150_000));
		const target = path.join(top, 'a.wim');
		const sources = [{ path: source, target: '/' }];
		await capture(sources, target, captureOptions('one', FORMATS['XPRESS']), tools, testRun());
		const [before] = await listImages(target);
		writeFileSync(path.join(source, 'b'), noise(160_000));
		writeFileSync(path.join(source, 'new'), noise(140_000));
		const run = runWith(() => rmSync(path.join(source, 'b')), 0);
		const more = { ...captureOptions('two', FORMATS['XPRESS']), integrity: null, rebuild: false };
		await append(sources, target, more, tools, run);
		assert.equal(run.problems().length, 1);
		runOracle('wimlib-imagex', 'verify', target);
		const [first, second = []] = await listImages(target);
		assert.deepEqual(first, before);
		assert.deepEqual(
			second.map((line) => line.split(' ')[0]),
			['/', '/a', '/c', '/new'],
		);
	},
);
