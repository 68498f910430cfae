/** The queue of `jobs/` as the deck shows it. */

import os from 'node:os';
import path from 'node:path';
import { InputError } from '../../base/errors.ts';
import { formatDuration, plural } from '../../base/print.ts';
import type { Clock, Run } from '../../base/run.ts';
import { calledVerb, touchedBy } from '../../jobs/describe-request.ts';
import type { Journal } from '../../jobs/journal.ts';
import { type Job, JobQueue } from '../../jobs/queue.ts';
import type { JobRequest as EngineRequest } from '../../jobs/request.ts';
import type { JobTools } from '../../jobs/tools.ts';
import type { RewriteSummary } from '../../operations/rewrite/delete.ts';
import type { Fault, Range } from '../../operations/verify/verify-report.ts';
import { isThere } from '../../storage/host-fs.ts';
import type {
	DeckJobs,
	Finding,
	JobCheck,
	JobEstimate,
	JobRequest,
	JobState,
	JobView,
} from '../engine.ts';
import { sentence } from '../sentence.ts';
import { checkRequest } from './checks.ts';
import { estimateOf, freedLater } from './estimates.ts';
import { findingOf } from './finding.ts';
import { checkAfter, Losses, saveReport } from './follow-ups.ts';
import { ForeignJobs, withoutVerb } from './foreign-jobs.ts';
import { GoodRanges } from './good-ranges.ts';
import { engineRequest, titleOf } from './requests.ts';
import { rescueEstimate } from './rescue-estimate.ts';
import { mapsOf, resultText } from './results.ts';
import { requireSeen, unseenFault } from './seen-images.ts';
import { freeAt } from './target-facts.ts';

/** Does what a request says, and tells of faults as they are found. */
export type DeckPerformer = (
	request: EngineRequest,
	run: Run,
	told: Pick<JobTools, 'onFault'> & Required<Pick<JobTools, 'onGood'>>,
) => Promise<unknown>;

export interface DeckJobsOptions {
	readonly clock: Clock;
	readonly journal: Journal | null;
	readonly perform: DeckPerformer;
	readonly verbs: readonly string[];
}

/** Jobs side by side: reading ones may share a disk, writing ones share the cores. */
const PARALLEL_MAX = 3;

interface Extra {
	/** Null: it was started without a form. */
	readonly request: JobRequest | null;
	/** Of the request; it may name 100,000 paths, so that it is made once. */
	readonly title: string | null;
	verb: string;
	readonly findings: Map<number, Finding>;
	readonly good: GoodRanges;
	shown: readonly Finding[];
	startedMs: number | null;
	endedMs: number | null;
	lastEventMs: number;
	view: { readonly of: Job; readonly findings: readonly Finding[]; readonly view: JobView } | null;
}

const STATES: Readonly<Record<Job['state'], JobState>> = {
	queued: 'queued',
	running: 'running',
	paused: 'paused',
	done: 'done',
	problems: 'done',
	failed: 'failed',
	canceled: 'canceled',
};

export class QueuedJobs implements DeckJobs {
	readonly verbs: ReadonlySet<string>;
	readonly #clock: Clock;
	readonly #queue: JobQueue;
	readonly #perform: DeckPerformer;
	readonly #extras = new Map<number, Extra>();
	readonly #byRequest = new WeakMap<EngineRequest, Extra>();
	readonly #listeners = new Set<() => void>();
	readonly #foreign: ForeignJobs | null;
	readonly #journal: Journal | null;

	constructor({ clock, journal, perform, verbs }: DeckJobsOptions) {
		this.verbs = new Set(verbs);
		this.#clock = clock;
		this.#perform = perform;
		this.#journal = journal;
		this.#foreign =
			journal === null ? null : new ForeignJobs({ journal, clock, onChange: () => this.#tell() });
		this.#queue = new JobQueue({
			clock,
			journal,
			parallel: Math.max(1, Math.min(PARALLEL_MAX, os.availableParallelism())),
			perform: (request, run) => this.#performQueued(request, run),
			onChange: (job) => this.#changed(job),
		});
	}

	list(): readonly JobView[] {
		const own = this.#queue.jobs.map((job) => this.#viewOf(job));
		return [...own, ...(this.#foreign?.list() ?? [])];
	}

	subscribe(listener: () => void): () => void {
		this.#listeners.add(listener);
		return () => void this.#listeners.delete(listener);
	}

	start(request: JobRequest): number {
		return this.#add(engineRequest(request), request);
	}

	async again(id: number): Promise<number> {
		const request = id < 0 ? await this.#foreign?.wholeRequestOf(id) : this.#queue.job(id)?.request;
		if (!request) throw new InputError('Cannot run the job again: its record is gone');
		// A job of the queue is told from others by its request.
		return this.#add({ ...request }, this.#extras.get(id)?.request ?? null);
	}

	#add(real: EngineRequest, request: JobRequest | null): number {
		const extra: Extra = {
			request,
			title: request === null ? null : titleOf(request),
			verb: calledVerb(real, isThere),
			findings: new Map(),
			good: new GoodRanges(),
			shown: [],
			startedMs: null,
			endedMs: null,
			lastEventMs: this.#clock.elapsed(),
			view: null,
		};
		this.#byRequest.set(real, extra);
		return this.#queue.add(real).id;
	}

	cancel(id: number): void {
		if (id < 0) this.#foreign?.control(id, 'cancel');
		else this.#queue.cancel(id);
	}

	pause(id: number): void {
		if (id < 0) this.#foreign?.control(id, 'pause');
		else this.#queue.pause(id);
	}

	resume(id: number): void {
		if (id < 0) this.#foreign?.control(id, 'resume');
		else this.#queue.resume(id);
	}

	dismiss(id: number): void {
		if (id < 0) this.#foreign?.dismiss(id);
		this.#queue.remove(id);
		this.#extras.delete(id);
	}

	async clean(id: number): Promise<string> {
		if (this.#foreign === null) return 'There is nothing to clean up';
		return this.#foreign.clean(id);
	}

	get isHistoryShown(): boolean {
		return this.#foreign?.isHistoryShown ?? false;
	}

	showHistory(isShown: boolean): void {
		this.#foreign?.showHistory(isShown);
	}

	detach(): void {
		if (this.#journal !== null) this.#journal.isUnseen = true;
	}

	close(): void {
		this.#foreign?.close();
	}

	async check(request: JobRequest): Promise<JobCheck> {
		const [check, fault] = await Promise.all([checkRequest(request), unseenFault(request)]);
		return fault === null ? check : { ...check, errors: { ...check.errors, '': fault } };
	}

	async estimate(request: JobRequest, signal: AbortSignal): Promise<JobEstimate> {
		const { errors } = await checkRequest(request);
		// What is wrong is told when the form is submitted, not while somebody types.
		if (Object.keys(errors).length > 0) return { notes: [], warnings: [] };
		const real = engineRequest(request);
		// What is changed in place grows where it is.
		const place = 'target' in real ? real.target : touchedBy(real).writes[0];
		const free = place === undefined ? null : await freeAt(place);
		const told: string[] = [];
		if (real.verb === 'salvage' || real.verb === 'repair')
			return rescueEstimate(real, free, (request) => this.#rehearse(request, signal, told));
		if (!('dryRun' in real)) return estimateOf(real, null, free, told);
		if (willBeInItself(real))
			told.push('The target lies in the source folder; it is left out of the image');
		const result = await this.#rehearse(real, signal, told);
		const estimate = estimateOf(real, result, free, told);
		if (real.verb !== 'delete' || !real.soft) return estimate;
		const rebuilt = await this.#rehearse({ ...real, soft: false }, signal, []);
		return { ...estimate, notes: [...estimate.notes, freedLater(rebuilt as RewriteSummary)] };
	}

	/** The job with its report, which fails it when it cannot be written. */
	async #performQueued(request: EngineRequest, run: Run): Promise<unknown> {
		const asked = this.#byRequest.get(request)?.request ?? null;
		const values = asked?.values ?? {};
		if (asked !== null) await requireSeen(asked);
		const told = {
			onFault: (fault: Fault): void => this.#found(request, fault),
			// The progress that goes with it makes it seen.
			onGood: (part: string, { offset, size }: Range): void =>
				this.#byRequest.get(request)?.good.add(part, offset, size),
		};
		if (request.verb !== 'extract' && request.verb !== 'apply') {
			const result = await this.#perform(request, run, told);
			await saveReport(values, result);
			return result;
		}
		const losses = new Losses();
		const result = await this.#perform(request, losses.watch(run), told);
		if (request.recoverData) await losses.save(values);
		return result;
	}

	/** A dry run beside the queue; it ends with its signal. */
	#rehearse(
		request: Extract<EngineRequest, { readonly dryRun: boolean }>,
		signal: AbortSignal,
		told: string[],
	): Promise<unknown> {
		signal.throwIfAborted();
		const run: Run = {
			signal,
			clock: this.#clock,
			report: (event) => {
				if (event.type === 'warning') told.push(event.message);
				if (event.type === 'problem') told.push(sentence(event.error));
			},
		};
		return this.#perform({ ...request, dryRun: true }, run, {
			onFault: () => {},
			onGood: () => {},
		});
	}

	async idle(): Promise<void> {
		while (this.#queue.unfinished.length > 0)
			await Promise.all(this.#queue.unfinished.map(({ id }) => this.#queue.ended(id)));
	}

	#found(request: EngineRequest, fault: Fault): void {
		const extra = this.#byRequest.get(request);
		if (!extra) return;
		// A fault is told again when more is known of it.
		extra.findings.set(fault.id, findingOf(fault));
		extra.shown = [...extra.findings.values()];
		this.#tell();
	}

	#changed(job: Job): void {
		const extra = this.#extras.get(job.id) ?? this.#byRequest.get(job.request);
		if (extra) {
			this.#extras.set(job.id, extra);
			const nowMs = this.#clock.elapsed();
			extra.lastEventMs = nowMs;
			if (job.state === 'running' && extra.startedMs === null) {
				extra.startedMs = nowMs;
				// A job before it may have made the file.
				extra.verb = calledVerb(job.request, isThere);
			}
			if (job.outcome !== null && extra.endedMs === null) {
				extra.endedMs = nowMs;
				// With problems, too, something was written.
				const next =
					job.outcome.error === null ? checkAfter(job.request, extra.request?.values ?? {}) : null;
				if (next) this.start(next);
			}
		}
		this.#tell();
	}

	#tell(): void {
		for (const listener of this.#listeners) listener();
	}

	#viewOf(job: Job): JobView {
		const extra = this.#extras.get(job.id);
		if (!extra) throw new Error(`Job ${job.id} is not one of the deck's`);
		const known = extra.view;
		if (known && known.of === job && known.findings === extra.shown) return known.view;
		const view = this.#makeView(job, extra);
		extra.view = { of: job, findings: extra.shown, view };
		return view;
	}

	#makeView(job: Job, extra: Extra): JobView {
		const { progress, outcome } = job;
		const result =
			outcome === null || outcome.error !== null ? null : resultText(job.request, outcome.result);
		return {
			id: job.id,
			label: String(job.id),
			verb: extra.verb,
			writes: touchedBy(job.request).writes.map((name) => path.resolve(name)),
			title: extra.title ?? withoutVerb(job.title),
			state: STATES[job.state],
			phase: progress?.phase ?? '',
			doneBytes: progress?.doneBytes ?? 0,
			totalBytes: progress?.totalBytes ?? null,
			rate: progress?.bytesPerSecond ?? null,
			etaMs: progress?.remainingMs ?? null,
			startedMs: extra.startedMs ?? extra.lastEventMs,
			lastEventMs: extra.lastEventMs,
			endedMs: extra.endedMs,
			problemCount: outcome?.problems ?? progress?.problems ?? 0,
			warningCount: outcome?.warnings ?? progress?.warnings ?? 0,
			summary: outcome === null ? null : outcome.error === null ? result : sentence(outcome.error),
			waitsFor: job.waitsFor,
			log: [
				...(job.droppedLines > 0 ? [`(${plural(job.droppedLines, 'older line')} dropped)`] : []),
				...job.log.map(({ type, message, facts }) => {
					const where =
						facts.path !== undefined && !message.includes(facts.path) ? ` (${facts.path})` : '';
					return `${type}: ${message}${where}`;
				}),
				...(outcome === null
					? []
					: [
							outcome.error === null
								? `${outcome.state} in ${formatDuration(outcome.elapsedMs)}${result === null ? '' : `, ${result}`}`
								: sentence(outcome.error),
						]),
			],
			logCount: job.droppedLines + job.log.length,
			findings: extra.shown,
			good: outcome === null ? extra.good.list() : [],
			map: mapsOf(outcome?.result),
			canPause: true,
			request: extra.request,
			whyOnce: null,
			isForeign: false,
			leftovers: [],
		};
	}
}

/** A capture whose new file will lie in what is captured; one that is there already is told of by the capture. */
function willBeInItself(request: EngineRequest): boolean {
	if (request.verb !== 'capture' && request.verb !== 'append') return false;
	const target = path.resolve(request.target);
	if (isThere(target)) return false;
	return request.image.sources.some((source) =>
		target.startsWith(path.join(path.resolve(source.path), path.sep)),
	);
}
