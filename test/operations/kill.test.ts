import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { append } from '../../source/operations/append.ts';
import { capture } from '../../source/operations/capture.ts';
import { exportImages } from '../../source/operations/export.ts';
import { split } from '../../source/operations/split.ts';
import { oracle, runOracle } from '../support/oracles.ts';
import { tempFolder } from '../support/temp-tree.ts';
import { testRun } from '../support/test-run.ts';
import {
	captureOptions,
	compressed,
	listImages,
	makeTree,
	type TreeItem,
	tools,
	USUAL_EXPORT,
} from '../support/written.ts';

const CHILD = fileURLToPath(new URL('../support/write-child.js', import.meta.url));

/** How often each verb is killed; WIMDECK_KILLS asks for more. */
const KILLS = Number(process.env['WIMDECK_KILLS'] ?? 2);

const treeOf = (seed: number): TreeItem[] => [
	{ kind: 'folder', parent: 0, name: 'a', seed: 0, size: 0 },
	...Array.from({ length: 40 }, (_, k) => ({
		kind: 'file' as const,
		parent: k % 2,
		name: `file ${k}`,
		seed: (k % 5) + seed,
		size: 3000 * k + seed,
	})),
];

interface Setting {
	/** What is there before. */
	readonly prepare: (folder: string) => Promise<void>;
	readonly verb: string;
	readonly file: string;
	readonly arguments: readonly string[];
}

const existing = async (folder: string) => copyFileSync(`${folder}/../base.wim`, `${folder}/t.wim`);
const nothing = async () => {};
const inPlace = (verb: string): Setting => ({
	prepare: existing,
	verb,
	file: 't.wim',
	arguments: ['../other'],
});

const SETTINGS: readonly Setting[] = [
	{ prepare: existing, verb: 'capture', file: 't.wim', arguments: ['../other'] },
	inPlace('append'),
	inPlace('append --rebuild'),
	inPlace('delete'),
	inPlace('delete --soft'),
	inPlace('info'),
	inPlace('optimize'),
	inPlace('update'),
	{ prepare: existing, verb: 'export', file: 't.wim', arguments: ['../other.wim'] },
	{ prepare: nothing, verb: 'split', file: 'p.swm', arguments: ['../base.wim'] },
	{ prepare: nothing, verb: 'join', file: 't.wim', arguments: ['../p.swm'] },
	{
		prepare: async (folder) => copyFileSync(`${folder}/../appended.wim`, `${folder}/t.wim`),
		verb: 'undo',
		file: 't.wim',
		arguments: [],
	},
];

/** Runs a verb and kills it after so many ms; null lets it end. Says how long it took from `ready` on. */
async function runChild(
	folder: string,
	setting: Setting,
	killAfter: number | null,
): Promise<number> {
	const args = [CHILD, setting.verb, setting.file, ...setting.arguments];
	const child = spawn(process.execPath, args, {
		cwd: folder,
		stdio: ['ignore', 'pipe', killAfter === null ? 'inherit' : 'ignore'],
	});
	await once(child.stdout, 'data');
	const start = performance.now();
	const timer = killAfter === null ? null : setTimeout(() => child.kill('SIGKILL'), killAfter);
	child.stdout.resume();
	const [code] = await once(child, 'exit');
	if (timer) clearTimeout(timer);
	if (killAfter === null) assert.equal(code, 0, setting.verb);
	return performance.now() - start;
}

async function prepareAll(folder: string): Promise<void> {
	const run = testRun();
	const compression = compressed('xpress');
	for (const [k, name] of ['one', 'two', 'other'].entries())
		makeTree(path.join(folder, name), treeOf(k * 3));
	const sources = (name: string) => [{ path: path.join(folder, name), target: '/' }];
	const options = captureOptions('one', { compression, integrity: true });
	const more = { ...captureOptions('two', { compression }), integrity: null, rebuild: false };
	await capture(sources('one'), `${folder}/base.wim`, options, tools, run);
	await append(sources('two'), `${folder}/base.wim`, more, tools, run);
	await capture(sources('other'), `${folder}/other.wim`, options, tools, run);
	await exportImages(`${folder}/base.wim`, `${folder}/appended.wim`, USUAL_EXPORT, tools, run);
	const third = captureOptions('three', { compression });
	await append(
		sources('other'),
		`${folder}/appended.wim`,
		{ ...third, integrity: null, rebuild: false },
		tools,
		run,
	);
	const parts = { partSize: 30_000, integrity: false, dryRun: false };
	await split(`${folder}/base.wim`, `${folder}/p.swm`, parts, tools, run);
}

for (const setting of SETTINGS)
	test(
		`${setting.verb}: killed at any moment, the file is as before or as after, and the next run tidies up`,
		oracle('wimlib-imagex'),
		async (t) => {
			const top = tempFolder(t);
			await prepareAll(top);
			const folder = path.join(top, 'work');
			const file = path.join(folder, setting.file);
			const fresh = async () => {
				rmSync(folder, { recursive: true, force: true });
				mkdirSync(folder);
				await setting.prepare(folder);
			};
			await fresh();
			const before = existsSync(file) ? await listImages(file) : null;
			const duration = await runChild(folder, setting, null);
			const after = await listImages(file);
			const names = readdirSync(folder).sort();
			for (let k = 0; k < KILLS; k++) {
				await fresh();
				await runChild(folder, setting, ((k + 0.5) / KILLS) * duration * 1.05);
				if (existsSync(file)) {
					const now = await listImages(file).catch(() => null);
					// Part 1 comes last: where it is, all parts are.
					assert.ok(now !== null, `${setting.verb}, kill ${k}: the file opens`);
					const state = JSON.stringify(now);
					const isOld = before !== null && state === JSON.stringify(before);
					assert.ok(
						isOld || state === JSON.stringify(after),
						`${setting.verb}, kill ${k}: old or new`,
					);
					const parts = setting.verb === 'split' ? [`--ref=${folder}/p*.swm`] : [];
					runOracle('wimlib-imagex', 'verify', file, ...parts);
					if (!isOld && before !== null) continue;
				} else assert.equal(before, null);
				await runChild(folder, setting, null);
				assert.deepEqual(await listImages(file), after);
				assert.deepEqual(readdirSync(folder).sort(), names);
			}
		},
	);
