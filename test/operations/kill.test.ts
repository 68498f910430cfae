import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
	copyFileSync,
	existsSync,
	mkdirSync,
	readdirSync,
	readFileSync,
	rmSync,
	writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { append } from '../../source/operations/capture/append.ts';
import { capture } from '../../source/operations/capture/capture.ts';
import { exportImages } from '../../source/operations/rewrite/export.ts';
import { split } from '../../source/operations/rewrite/split.ts';
import { openWim } from '../../source/wim/wim.ts';
import { oracle, runOracle } from '../support/oracles.ts';
import { tempFolder } from '../support/temp-tree.ts';
import { testRun } from '../support/test-run.ts';
import { performVerb } from '../support/write-verbs.ts';
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
	readonly verb: string;
	/** What is there before, of what `prepareAll` makes; null for nothing. */
	readonly former: string | null;
	/** What is written. */
	readonly file: string;
	/** What is read: beside the folder of the file. */
	readonly sources: readonly string[];
}

const onto = (former: string | null, verb: string, ...sources: readonly string[]): Setting => ({
	verb,
	former,
	file: 't.wim',
	sources,
});

const SETTINGS: readonly Setting[] = [
	onto('base.wim', 'capture', 'other'),
	onto('base.wim', 'capture --pipable', 'other'),
	onto('base.wim', 'append', 'other'),
	onto('base.wim', 'append --rebuild', 'other'),
	onto('base.wim', 'delete'),
	onto('base.wim', 'delete --soft'),
	onto('base.wim', 'info'),
	onto('base.wim', 'optimize'),
	onto('base.wim', 'update', 'other'),
	onto('base.wim', 'export', 'other.wim'),
	{ ...onto(null, 'split', 'base.wim'), file: 'p.swm' },
	onto(null, 'join', 'p.swm'),
	onto('appended.wim', 'undo'),
	onto(null, 'repair', 'hurt.wim', 'one'),
	onto(null, 'salvage --to-wim', 'hurt.wim'),
];

/** The folder of one setting, and the file in it that is written. */
class Place {
	readonly setting: Setting;
	readonly folder: string;
	readonly file: string;
	readonly #sources: readonly string[];
	readonly #former: string | null;

	constructor(top: string, setting: Setting) {
		const { file, sources, former } = setting;
		this.setting = setting;
		this.folder = path.join(top, 'work');
		this.file = path.join(this.folder, file);
		this.#sources = sources.map((name) => path.join(top, name));
		this.#former = former === null ? null : path.join(top, former);
	}

	/** Puts back what is there before. */
	renew(): void {
		rmSync(this.folder, { recursive: true, force: true });
		mkdirSync(this.folder);
		if (this.#former !== null) copyFileSync(this.#former, this.file);
	}

	/** Runs the verb in a process of its own and kills it after so many ms; null lets it end. Says how long it took. */
	async runChild(killAfter: number | null): Promise<number> {
		const { verb } = this.setting;
		const child = spawn(process.execPath, [CHILD, verb, this.file, ...this.#sources], {
			stdio: ['ignore', 'pipe', killAfter === null ? 'inherit' : 'ignore'],
		});
		await once(child.stdout, 'data');
		const start = performance.now();
		const timer = killAfter === null ? null : setTimeout(() => child.kill('SIGKILL'), killAfter);
		child.stdout.resume();
		const [code] = await once(child, 'exit');
		if (timer) clearTimeout(timer);
		if (killAfter === null) assert.equal(code, 0, verb);
		return performance.now() - start;
	}

	/** Runs a verb here: the same one, or any other. */
	async run(verb: string): Promise<void> {
		await performVerb(verb, this.file, this.#sources);
	}

	/** How the file is compressed, names and trees of all images; null when there is no file. */
	async state(): Promise<string | null> {
		if (!existsSync(this.file)) return null;
		await using wim = await openWim(this.file);
		const names = wim.images.map(({ index }) => wim.xml.facts(index).name);
		return JSON.stringify([wim.compression, names, await listImages(this.file)]);
	}

	/** The names of all files, those of parts and of leftovers too. */
	names(): string[] {
		return readdirSync(this.folder).sort();
	}

	verify(): void {
		// Part 1 comes last: where it is, all parts are.
		const isSplit = this.setting.verb === 'split';
		const parts = isSplit ? [`--ref=${this.folder}/p*.swm`] : [];
		runOracle('wimlib-imagex', 'verify', this.file, ...parts);
	}
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
	const hurt = readFileSync(`${folder}/base.wim`);
	// In the middle of the contents: neither header nor metadata.
	hurt.fill(0x5a, hurt.length >> 2, (hurt.length >> 2) + 600);
	writeFileSync(`${folder}/hurt.wim`, hurt);
}

function treesOf(state: string | null): unknown {
	return JSON.parse(state ?? '[]')[2];
}

for (const setting of SETTINGS)
	test(
		`${setting.verb}: killed at any moment, the file is as before or as after, and the next run tidies up`,
		oracle('wimlib-imagex'),
		async (t) => {
			const top = tempFolder(t);
			await prepareAll(top);
			const place = new Place(top, setting);
			place.renew();
			const before = await place.state();
			const duration = await place.runChild(null);
			const after = await place.state();
			const names = place.names();
			assert.notEqual(after, before);
			const counts = { old: 0, new: 0, leftovers: 0 };
			for (let k = 0; k < KILLS; k++) {
				place.renew();
				const usual = place.names().join();
				await place.runChild(((k + 0.5) / KILLS) * duration * 1.05);
				const what = `${setting.verb}, kill ${k}`;
				const state = await place.state();
				assert.ok(state === before || state === after, `${what}: old or new`);
				if (state !== null) place.verify();
				const isNew = state === after;
				counts[isNew ? 'new' : 'old']++;
				if (place.names().join() !== (isNew ? names.join() : usual)) counts.leftovers++;
				// What is done already is no work for the same verb: another one tidies up then.
				const isDone = isNew && setting.verb !== 'split';
				await place.run(isDone ? 'info' : setting.verb);
				const last = await place.state();
				if (isDone) assert.deepEqual(treesOf(last), treesOf(after), what);
				else assert.equal(last, after, what);
				assert.deepEqual(place.names(), names, `${what}: nothing is left over`);
				place.verify();
			}
			t.diagnostic(
				`${setting.verb}: ${KILLS} kills, ${counts.old} before and ${counts.new} after the switch-over; ${counts.leftovers} left something, all tidied up`,
			);
		},
	);
