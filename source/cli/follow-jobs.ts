/** `jobs --follow`: one job, or all that run, shown until they end. */

import { setTimeout as wait } from 'node:timers/promises';
import { CanceledError, ExitCode, fromWire, WimError } from '../base/errors.ts';
import { printable } from '../base/print.ts';
import type { Journal, RunRecord } from '../jobs/journal.ts';
import { JournalWatch } from '../jobs/journal-watch.ts';
import type { Context } from './context.ts';
import { runJson, runLine, runRemark } from './job-text.ts';
import { errorText, placeOf } from './print-error.ts';

/** The owners write once a second. */
const FOLLOW_MS = 500;

/** Lines that are written over as long as they change; nothing is written when they do not. */
class LiveLines {
	readonly #context: Context;
	#shown: readonly string[] = [];

	constructor(context: Context) {
		this.#context = context;
	}

	/** Only on a terminal: elsewhere the lines would pile up. */
	get isLive(): boolean {
		return this.#context.progress.style === 'line';
	}

	show(lines: readonly string[]): void {
		const { target } = this.#context.progress;
		const width = Math.max(20, target.columns()) - 1;
		const cut = lines.map((line) => line.slice(0, width));
		if (!this.isLive || cut.join('\n') === this.#shown.join('\n')) return;
		this.clear();
		target.write(cut.map((line) => `${line}\u001b[K`).join('\r\n'));
		this.#shown = cut;
	}

	/** Takes them away, so that something else may be written. */
	clear(): void {
		const above = this.#shown.length - 1;
		if (this.#shown.length > 0)
			this.#context.progress.target.write(`\r${above > 0 ? `\u001b[${above}A` : ''}\u001b[J`);
		this.#shown = [];
	}
}

/** What a followed job shows while it runs. */
const liveText = (run: RunRecord): string =>
	`${run.id}: ${printable(run.title)}  ${runRemark(run)}`;

async function pause(lines: LiveLines, { signal }: Context): Promise<void> {
	await wait(FOLLOW_MS, undefined, { signal }).catch(() => {
		lines.clear();
		// The job goes on; only the watching ends.
		throw new CanceledError('Stopped following; the job goes on');
	});
}

/**
 * Shows a job until it ends.
 *
 * @param find gives the record of now, or throws when there is none
 * @returns its exit code
 */
export async function followJob(find: () => Promise<RunRecord>, context: Context): Promise<number> {
	const lines = new LiveLines(context);
	for (;;) {
		const run = await find();
		if (run.state !== 'running') {
			lines.clear();
			context.out.line(context.json ? JSON.stringify(runJson(run)) : runLine(run));
			if (run.error !== null) {
				const error = fromWire(run.error);
				if (error instanceof WimError && placeOf(error) !== '') context.err(errorText(error));
			}
			return run.exitCode ?? ExitCode.problems;
		}
		lines.show([liveText(run)]);
		await pause(lines, context);
	}
}

/** Shows all running jobs until none runs; each one's end is a line that stays. */
export async function followAll(journal: Journal, context: Context): Promise<number> {
	const watch = new JournalWatch(journal);
	const lines = new LiveLines(context);
	const told = new Map<number, string>();
	let hasRun = false;
	for (;;) {
		const runs = (await watch.poll()) ?? null;
		if (runs !== null) {
			const news = runs.filter(({ sawItRun }) => sawItRun).map(({ record }) => record);
			const running = news.filter(({ state }) => state === 'running');
			hasRun ||= news.length > 0;
			// JSON tells every change, lines only where a state changes.
			const changed = news.filter((run) => {
				const now = context.json ? JSON.stringify(runJson(run)) : run.state;
				if (told.get(run.id) === now) return false;
				told.set(run.id, now);
				return context.json || !lines.isLive || run.state !== 'running';
			});
			if (changed.length > 0) lines.clear();
			for (const run of changed)
				context.out.line(context.json ? JSON.stringify(runJson(run)) : runLine(run));
			lines.show(running.map(liveText));
			if (running.length === 0) {
				lines.clear();
				if (!hasRun && !context.quiet) context.err('No job is running.\n');
				return ExitCode.done;
			}
		}
		await pause(lines, context);
	}
}
