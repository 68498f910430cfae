/** Jobs of other processes, as their journal tells them: shown beside the deck's own, and controlled through it. */

import { fromWire } from '../../base/errors.ts';
import { formatCount, formatSize, plural } from '../../base/print.ts';
import type { Clock } from '../../base/run.ts';
import { touchedBy } from '../../jobs/describe-request.ts';
import type { ControlWord, Journal, RunRecord } from '../../jobs/journal.ts';
import { JournalWatch, type WatchedRun } from '../../jobs/journal-watch.ts';
import { cleanLeftovers, findLeftovers, type Leftover } from '../../jobs/leftovers.ts';
import type { JobRequest as EngineRequest } from '../../jobs/request.ts';
import type { JobState, JobView } from '../engine.ts';
import { sentence } from '../sentence.ts';
import { baseName } from '../state/selectors.ts';

export interface ForeignJobsOptions {
	readonly journal: Journal;
	readonly clock: Clock;
	readonly onChange: () => void;
}

/** The owners write once a second. */
const POLL_MS = 1000;
/** Lines shown of a log. */
const LOG_LINES_MAX = 500;

const STATES: Readonly<Record<RunRecord['state'], JobState>> = {
	running: 'running',
	done: 'done',
	problems: 'done',
	failed: 'failed',
	canceled: 'canceled',
	interrupted: 'interrupted',
};

/** `capture a -> b` without the verb, which has a column of its own. */
export const withoutVerb = (title: string): string => title.replace(/^\S+ /, '');

/** What it was called when it began: an append that found no file made one. */
const verbOf = ({ request, title }: RunRecord): string =>
	request.verb === 'append' && title.startsWith('capture ') ? 'capture' : request.verb;

/** As rows of the deck's own jobs: without folders, for which there is no room. */
function shortTitle({ request, title }: RunRecord): string {
	const { reads, writes } = touchedBy(request);
	const paths = [...new Set([...reads, ...writes])].sort((a, b) => b.length - a.length);
	// Between spaces only: `/a` is also the end of `b/a`.
	const shortened = (short: string, name: string): string =>
		[name, `${name}/`, `${name}\\`].reduce(
			(text, whole) => ` ${text} `.replaceAll(` ${whole} `, ` ${baseName(name)} `).slice(1, -1),
			short,
		);
	return paths.reduce(shortened, withoutVerb(title));
}

interface Shown {
	readonly run: WatchedRun;
	readonly leftovers: readonly Leftover[];
	readonly view: JobView;
}

export class ForeignJobs {
	readonly #journal: Journal;
	readonly #clock: Clock;
	readonly #onChange: () => void;
	readonly #watch: JournalWatch;
	readonly #timer: NodeJS.Timeout;
	readonly #hidden = new Set<number>();
	/** When this deck was opened, in milliseconds since 1970. */
	readonly #since: number;
	#shown = new Map<number, Shown>();
	#list: readonly JobView[] = [];
	#isLooking = false;
	isHistoryShown = false;

	constructor({ journal, clock, onChange }: ForeignJobsOptions) {
		this.#journal = journal;
		this.#clock = clock;
		this.#since = clock.now();
		this.#onChange = onChange;
		this.#watch = new JournalWatch(journal);
		this.#timer = setInterval(() => void this.look(), POLL_MS);
		this.#timer.unref();
		setImmediate(() => void this.look());
	}

	/** Oldest first; the same objects for as long as nothing changes. */
	list(): readonly JobView[] {
		return this.#list;
	}

	/** Looks at the journal now. */
	async look(): Promise<void> {
		if (this.#isLooking) return;
		this.#isLooking = true;
		try {
			const runs = await this.#watch.poll();
			if (runs === null) return;
			const next = new Map<number, Shown>();
			for (const run of runs) next.set(run.record.id, await this.#show(run));
			this.#shown = next;
			this.#refresh();
		} finally {
			this.#isLooking = false;
		}
	}

	/** With all that it is to do; null when that is not known any more. */
	wholeRequestOf(viewId: number): Promise<EngineRequest | null> {
		return this.#journal.request(-viewId);
	}

	control(viewId: number, word: ControlWord): void {
		void this.#journal.control(-viewId, word);
	}

	/** Takes a job off the list; one that would come back is forgotten. */
	dismiss(viewId: number): void {
		const record = this.#shown.get(-viewId)?.run.record;
		if (!record || record.state === 'running') return;
		this.#hidden.add(record.id);
		if (record.state === 'interrupted' || record.isUnseen) void this.#journal.clear(record.id);
		this.#refresh();
	}

	async clean(viewId: number): Promise<string> {
		const request = this.#shown.get(-viewId)?.run.record.request;
		if (request === undefined) return 'There is nothing to clean up';
		const cleaned = await cleanLeftovers(request, {
			signal: new AbortController().signal,
			clock: this.#clock,
			report: () => {},
			paused: () => null,
		});
		this.dismiss(viewId);
		const edits = cleaned.filter(({ kind }) => kind === 'edit').length;
		const files = plural(cleaned.length - edits, 'file');
		return edits > 0
			? `The half-done edit was taken back; ${files} removed`
			: `${files} removed; nothing is left of the job`;
	}

	showHistory(isShown: boolean): void {
		this.isHistoryShown = isShown;
		this.#refresh();
	}

	close(): void {
		clearInterval(this.#timer);
	}

	#refresh(): void {
		this.#list = [...this.#shown.values()]
			.filter(({ run }) => this.#isListed(run))
			.map(({ view }) => view);
		this.#onChange();
	}

	#isListed({ record, sawItRun }: WatchedRun): boolean {
		if (this.#hidden.has(record.id)) return false;
		const isNews = record.state === 'running' || record.state === 'interrupted';
		// A short one may have begun and ended between two looks.
		const isOfNow = record.startedAt >= this.#since;
		return isNews || sawItRun || isOfNow || record.isUnseen || this.isHistoryShown;
	}

	async #show(run: WatchedRun): Promise<Shown> {
		const before = this.#shown.get(run.record.id);
		if (before?.run === run) return before;
		const leftovers =
			run.record.state === 'interrupted' ? await findLeftovers(run.record.request) : [];
		return { run, leftovers, view: this.#viewOf(run, leftovers, before?.view) };
	}

	#viewOf(
		{ record, log }: WatchedRun,
		leftovers: readonly Leftover[],
		before: JobView | undefined,
	): JobView {
		const { progress, startedAt, endedAt, problems, warnings } = record;
		const nowMs = this.#clock.elapsed();
		/** On the store's clock. */
		const atMs = (since1970: number): number => nowMs - (this.#clock.now() - since1970);
		const doneBytes = progress?.doneBytes ?? 0;
		const hasMoved = before?.doneBytes !== doneBytes || before.phase !== (progress?.phase ?? '');
		const left = leftovers.map(leftoverLine);
		return {
			id: -record.id,
			label: `#${record.id}`,
			verb: verbOf(record),
			title: shortTitle(record),
			// The record holds absolute paths.
			writes: touchedBy(record.request).writes,
			state: record.state === 'running' && record.isPaused ? 'paused' : STATES[record.state],
			phase: progress?.phase ?? '',
			doneBytes,
			totalBytes: progress?.totalBytes ?? null,
			rate: progress?.bytesPerSecond ?? null,
			etaMs: progress?.remainingMs ?? null,
			startedMs: before?.startedMs ?? atMs(startedAt),
			lastEventMs: hasMoved || !before ? nowMs : before.lastEventMs,
			endedMs: endedAt === null ? null : atMs(endedAt),
			problemCount: problems,
			warningCount: warnings,
			summary: summaryOf(record, leftovers),
			waitsFor: null,
			log: [...logLines(log), ...left, ...endLines(record)].slice(-LOG_LINES_MAX),
			logCount: log.length,
			findings: [],
			good: [],
			map: null,
			canPause: true,
			request: null,
			whyOnce: whyOnce(record),
			isForeign: true,
			leftovers: left,
		};
	}
}

function whyOnce({ state, request, canRunAgain, listCount }: RunRecord): string | null {
	if (state === 'running') return null;
	// This process would be the one that serves the folder, and wait for itself wherever it looks into it.
	if (request.verb === 'mount') return 'an image is mounted with "wimdeck mount"';
	if (canRunAgain) return null;
	return listCount === null
		? 'its commands were not kept'
		: `its list of ${formatCount(listCount)} commands or paths was not kept`;
}

function leftoverLine({ path, kind, size }: Leftover): string {
	switch (kind) {
		case 'temporary':
			return `left: ${path} (${formatSize(size)}, temporary)`;
		case 'lock':
			return `left: ${path} (lock)`;
		case 'edit':
			return `left: ${path} is marked as being changed; its old contents still count`;
	}
}

function summaryOf(record: RunRecord, leftovers: readonly Leftover[]): string | null {
	if (record.error !== null && record.state === 'failed') return sentence(fromWire(record.error));
	if (record.state !== 'interrupted') return null;
	if (leftovers.length === 0) return 'left nothing';
	const has = (wanted: Leftover['kind']): boolean => leftovers.some(({ kind }) => kind === wanted);
	if (has('edit')) return 'left a half-done edit';
	// Killed when its file had its name already.
	if (!has('temporary')) return 'left its lock';
	const bytes = leftovers.reduce(
		(sum, { kind, size }) => sum + (kind === 'temporary' ? size : 0),
		0,
	);
	return `left ${formatSize(bytes)}`;
}

const logLines = (log: WatchedRun['log']): readonly string[] =>
	log.map(({ type, message, facts }) => {
		const where =
			facts.path !== undefined && !message.includes(facts.path) ? ` (${facts.path})` : '';
		return `${type}: ${message}${where}`;
	});

function endLines(record: RunRecord): readonly string[] {
	const why = whyOnce(record);
	return why === null ? [endLine(record)] : [endLine(record), `It cannot be run again: ${why}`];
}

function endLine(record: RunRecord): string {
	switch (record.state) {
		case 'running':
			return `process ${record.pid}; wimdeck jobs ${record.id} --follow`;
		case 'interrupted':
			return `interrupted: process ${record.pid} is gone`;
		default:
			return record.error === null
				? `${record.state}, exit code ${record.exitCode ?? ''}`
				: sentence(fromWire(record.error));
	}
}
