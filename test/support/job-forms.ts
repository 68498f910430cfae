/** An engine with a folder of files, to check, estimate and run what forms of the deck ask for. */
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { TestContext } from 'node:test';
import { machineClock } from '../../source/jobs/clock.ts';
import { openTools } from '../../source/jobs/open-tools.ts';
import { performWith } from '../../source/jobs/perform.ts';
import { REQUEST_VERBS } from '../../source/tui/engine/requests.ts';
import { WimEngine } from '../../source/tui/engine/wim-engine.ts';
import type { JobRequest, JobView } from '../../source/tui/engine.ts';
import { openWim } from '../../source/wim/wim.ts';
import { tempFolder } from './temp-tree.ts';

export type Values = JobRequest['values'];

export interface Place {
	readonly engine: WimEngine;
	readonly folder: string;
	/** A path below the folder. */
	at(name: string): string;
	/** Checks a form as its main button does. */
	errors(verb: string, values: Values): Promise<Readonly<Record<string, string>>>;
	notes(verb: string, values: Values): Promise<string>;
	/** Runs a job, and what follows it, to the end. */
	done(verb: string, values: Values): Promise<readonly JobView[]>;
}

export async function place(t: TestContext): Promise<Place> {
	const folder = tempFolder(t);
	const tools = openTools({ threads: 1, input: null, output: null, onFault: () => {} });
	const engine = new WimEngine({
		clock: machineClock,
		journal: null,
		verbs: REQUEST_VERBS,
		perform: (request, run, told) => performWith({ ...tools, ...told })(request, run),
		dispose: async () => tools[Symbol.asyncDispose](),
	});
	t.after(() => engine.close());
	const at = (name: string) => path.join(folder, name);
	mkdirSync(at('src/sub'), { recursive: true });
	for (const k of [1, 2, 3])
		writeFileSync(at(`src/f${k}.txt`), `line ${k} `.repeat(20_000 * k) + String(k));
	writeFileSync(at('src/sub/pagefile.sys'), 'not left out here');
	writeFileSync(at('src/pagefile.sys'), 'left out as usual');
	const { jobs } = engine;
	return {
		engine,
		folder,
		at,
		errors: async (verb, values) => (await jobs.check({ verb, values })).errors,
		notes: async (verb, values) => {
			const { notes, warnings } = await jobs.estimate(
				{ verb, values },
				new AbortController().signal,
			);
			return [...notes, ...warnings.map((text) => `! ${text}`)].join('\n');
		},
		done: async (verb, values) => {
			const before = jobs.list().length;
			jobs.start({ verb, values });
			await jobs.idle();
			return jobs.list().slice(before);
		},
	};
}

export const captureOf = ({ at }: Place, more: Values = {}): Values => ({
	source: at('src'),
	target: at('a.wim'),
	exists: 'append',
	name: 'First',
	compression: 'lzx:20',
	exclude: 'usual',
	...more,
});

/** Two images in one file. */
export async function twoImages(here: Place): Promise<string> {
	await here.done('capture', captureOf(here));
	await here.done('capture', captureOf(here, { source: here.at('src/sub'), name: 'Second' }));
	return here.at('a.wim');
}

export async function namesIn(file: string): Promise<readonly string[]> {
	await using wim = await openWim(file);
	return wim.images.map(({ facts }) => facts.name);
}
