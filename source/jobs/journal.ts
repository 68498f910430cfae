/**
 * The journal of runs: what every job, of the deck or of a command, leaves behind so that other processes can
 * watch it, cancel it, or see how it ended. One run is two small private files: `12.jsonl`, lines that are only
 * ever added to, and `12.now`, one line of fixed width that is written over once a second. A third, `12.do`, is
 * how others ask the owner to stop, pause or go on.
 */

import { type ErrorFacts, toWire, type WireError } from '../base/errors.ts';
import type { Clock } from '../base/run.ts';
import { isAlive, ownIdentity, type ProcessIdentity } from '../host/process-identity.ts';
import { type StateFile, StateFolder, stateFolderPath } from '../host/state-folder.ts';
import { isThere } from '../storage/host-fs.ts';
import { calledVerb, describeRequest, withAbsolutePaths } from './describe-request.ts';
import { KeptLists, listOf, withoutLongList } from './kept-lists.ts';
import type { Progress } from './progress.ts';
import type { JobRequest } from './request.ts';
import type { JobOutcome, JobState, NotableEvent } from './run-job.ts';

/** Runs kept; the oldest that have ended go first. */
const RUNS_MAX = 100;
/** Problems and warnings kept of one run; further ones are only counted. */
const EVENTS_MAX = 1000;
const LOG_SIZE_MAX = 1024 * 1024;
const PROGRESS_WIDTH = 2048;
const PROGRESS_ITEM_MAX = 800;
const TICK_MS = 1000;
/** Where only a process id is known, a run whose progress is older than this counts as interrupted. */
const SILENT_MAX_MS = 60_000;

export type ControlWord = 'cancel' | 'pause' | 'resume';

export interface LogLine {
	readonly type: 'problem' | 'warning';
	/** Milliseconds since the start of the run. */
	readonly atMs: number;
	readonly message: string;
	readonly facts: ErrorFacts;
}

/** One run as others see it. */
export interface RunRecord {
	readonly id: number;
	/** `interrupted`: its process is gone and it did not end. */
	readonly state: JobState | 'running' | 'interrupted';
	/** One line for people. */
	readonly title: string;
	readonly request: JobRequest;
	/** Entries of its list of commands or paths when that is long and stands apart; null: `request` is whole. */
	readonly listCount: number | null;
	/** `Journal.request` has all of the request. */
	readonly canRunAgain: boolean;
	/** Milliseconds since 1970. */
	readonly startedAt: number;
	/** Null while it runs, and when it was interrupted. */
	readonly endedAt: number | null;
	readonly pid: number;
	readonly process: ProcessIdentity;
	/** It runs, but is held. */
	readonly isPaused: boolean;
	/** It ended when nobody could see it: the line to its screen had dropped. */
	readonly isUnseen: boolean;
	readonly progress: Progress | null;
	readonly exitCode: number | null;
	readonly error: WireError | null;
	readonly problems: number;
	readonly warnings: number;
}

interface StartLine {
	readonly type: 'start';
	readonly title: string;
	readonly request: JobRequest;
	/** The entries of its list, where that stands apart. */
	readonly listCount?: number;
	readonly startedAt: number;
	readonly process: ProcessIdentity;
}

interface EndLine {
	readonly type: 'end';
	readonly state: JobState;
	readonly endedAt: number;
	readonly exitCode: number;
	readonly error: WireError | null;
	readonly problems: number;
	readonly warnings: number;
	readonly isUnseen?: boolean;
}

/** The line of fixed width that is written over. */
type NowLine = Progress & { readonly isPaused?: boolean };

/** What the owner does when others ask. */
export interface RunControl {
	readonly cancel: () => void;
	readonly hold: (paused: boolean) => void;
	readonly isPaused: () => boolean;
}

/** The owner's side of one run. Nothing here fails the job: what cannot be written is left out. */
export class RunLog {
	readonly id: number;
	readonly #folder: StateFolder;
	readonly #clock: Clock;
	readonly #control: RunControl;
	readonly #startMs: number;
	readonly #timer: NodeJS.Timeout;
	#log: StateFile | null;
	#now: StateFile | null;
	readonly #kept: Promise<void>;
	#latest: Progress | null = null;
	#written: Progress | null = null;
	#wasPaused = false;
	#events = 0;
	#work: Promise<void> = Promise.resolve();

	constructor(
		id: number,
		files: {
			readonly folder: StateFolder;
			readonly log: StateFile;
			readonly now: StateFile | null;
			/** Settles when older runs that are too many are gone, and the list of this one is kept. */
			readonly kept: Promise<void>;
		},
		clock: Clock,
		control: RunControl,
	) {
		this.id = id;
		this.#folder = files.folder;
		this.#log = files.log;
		this.#now = files.now;
		this.#kept = files.kept;
		this.#clock = clock;
		this.#control = control;
		this.#startMs = clock.elapsed();
		this.#timer = setInterval(() => this.tick(), TICK_MS);
		this.#timer.unref();
	}

	progress(progress: Progress): void {
		this.#latest = progress;
	}

	event(event: NotableEvent): void {
		if (++this.#events > EVENTS_MAX || (this.#log?.size ?? 0) > LOG_SIZE_MAX) return;
		const line: LogLine = {
			type: event.type,
			atMs: Math.round(this.#clock.elapsed() - this.#startMs),
			...(event.type === 'problem'
				? { message: event.error.message, facts: event.error.facts }
				: {
						message: event.message,
						facts: event.path === undefined ? {} : { path: event.path },
					}),
		};
		this.#append(line);
	}

	/** Writes the latest progress and does what others have asked for; called once a second. */
	tick(): Promise<void> {
		const isPaused = this.#control.isPaused();
		const isNew = this.#latest !== null || isPaused !== this.#wasPaused;
		const progress = this.#latest ?? this.#written;
		this.#written = progress;
		this.#latest = null;
		this.#wasPaused = isPaused;
		return this.#queue(async () => {
			if (isNew && progress !== null) {
				const item = progress.item?.slice(-PROGRESS_ITEM_MAX) ?? null;
				const line: NowLine = { ...progress, item, isPaused };
				await this.#now?.overwrite(JSON.stringify(line), PROGRESS_WIDTH);
			}
			const word = await this.#folder.read(`${this.id}.do`, 16);
			if (word === null) return;
			await this.#folder.remove(`${this.id}.do`);
			if (word === 'cancel') this.#control.cancel();
			else if (word === 'pause' || word === 'resume') this.#control.hold(word === 'pause');
		});
	}

	/** @param isUnseen nobody can see how it ended */
	async finish(outcome: JobOutcome, isUnseen = false): Promise<void> {
		clearInterval(this.#timer);
		const line: EndLine = {
			type: 'end',
			state: outcome.state,
			endedAt: this.#clock.now(),
			exitCode: outcome.exitCode,
			error: outcome.error === null ? null : toWire(outcome.error),
			problems: outcome.problems,
			warnings: outcome.warnings,
			...(isUnseen ? { isUnseen } : {}),
		};
		await this.tick();
		await this.#kept;
		this.#append(line);
		await this.#work;
		for (const file of [this.#log, this.#now]) await file?.close().catch(() => {});
		this.#log = null;
		this.#now = null;
		await this.#folder.remove(`${this.id}.do`);
	}

	#append(line: LogLine | EndLine): void {
		void this.#queue(async () => {
			await this.#log?.append(`${JSON.stringify(line)}\n`);
		});
	}

	#queue(task: () => Promise<void>): Promise<void> {
		this.#work = this.#work.then(task).catch(() => {});
		return this.#work;
	}
}

/** The journal of this user; opening it is cheap, and it may be absent altogether. */
export class Journal {
	readonly #folder: StateFolder;
	readonly #lists: KeptLists;
	readonly #clock: Clock;
	/** Set once the line to the screen has dropped: whatever ends from now on, nobody sees. */
	isUnseen = false;

	private constructor(folder: StateFolder, clock: Clock) {
		this.#folder = folder;
		this.#lists = new KeptLists(folder);
		this.#clock = clock;
	}

	/** Opens the journal below the program's state folder; null when there is no place for it. */
	static async open(stateFolder: string, clock: Clock): Promise<Journal | null> {
		const folder = await StateFolder.open(`${stateFolder}/runs`);
		return folder === null ? null : new Journal(folder, clock);
	}

	/** The journal of the user whose environment this is. */
	static openFor(
		environment: Readonly<Record<string, string | undefined>>,
		clock: Clock,
	): Promise<Journal | null> {
		return Journal.open(stateFolderPath(environment), clock);
	}

	/** Begins a record; null when it cannot be written. */
	async begin(request: JobRequest, control: RunControl): Promise<RunLog | null> {
		const [ids, owner] = await Promise.all([this.#ids(), ownIdentity()]);
		// Nobody waits for it: it takes as long as opening a file.
		const pruned = this.#prune(ids).catch(() => {});
		let id = (ids.at(-1) ?? 0) + 1;
		let log = await this.#folder.create(`${id}.jsonl`);
		// Another process may take the same number at the same moment.
		for (let attempt = 0; log === null && attempt < 20; attempt++)
			log = await this.#folder.create(`${++id}.jsonl`);
		if (log === null) return null;
		const now = await this.#folder.create(`${id}.now`);
		const short = withoutLongList(request);
		const from = process.cwd();
		const start: StartLine = {
			type: 'start',
			title: describeRequest(request, calledVerb(request, isThere)),
			request: withAbsolutePaths(short, from),
			...(short === request ? {} : { listCount: listOf(request).length }),
			startedAt: this.#clock.now(),
			process: owner,
		};
		try {
			await log.append(`${JSON.stringify(start)}\n`);
		} catch {
			await log.close().catch(() => {});
			return null;
		}
		const kept = short === request ? pruned : this.#keep(id, request, from, pruned);
		return new RunLog(id, { folder: this.#folder, log, now, kept }, this.#clock, control);
	}

	async #keep(id: number, request: JobRequest, from: string, pruned: Promise<void>): Promise<void> {
		await this.#lists.keep(id, request, from);
		await pruned;
	}

	/** All runs, newest first. */
	async runs(): Promise<readonly RunRecord[]> {
		const ids = await this.#ids();
		const records = await Promise.all(ids.reverse().map((id) => this.run(id)));
		return records.filter((record) => record !== null);
	}

	/** One run; null when there is none of this number. */
	async run(id: number): Promise<RunRecord | null> {
		const lines = await this.#lines(id);
		const start = lines.find((line): line is StartLine => line.type === 'start');
		if (start === undefined) return null;
		const end = lines.find((line): line is EndLine => line.type === 'end');
		const now = parseLine<NowLine>((await this.#folder.read(`${id}.now`, PROGRESS_WIDTH)) ?? '');
		const { isPaused = false, ...progress } = now ?? {};
		const known = now === null ? null : (progress as Progress);
		const logged = (type: string) => lines.filter((line) => line.type === type).length;
		return {
			id,
			state: end?.state ?? ((await this.#runs(id, start)) ? 'running' : 'interrupted'),
			title: start.title,
			request: start.request,
			listCount: start.listCount ?? null,
			canRunAgain: hasList(start) || (await this.#lists.has(id)),
			startedAt: start.startedAt,
			endedAt: end?.endedAt ?? null,
			pid: start.process.pid,
			process: start.process,
			isPaused: end === undefined && isPaused,
			isUnseen: end?.isUnseen ?? false,
			progress: known,
			exitCode: end?.exitCode ?? null,
			error: end?.error ?? null,
			problems: end?.problems ?? known?.problems ?? logged('problem'),
			warnings: end?.warnings ?? known?.warnings ?? logged('warning'),
		};
	}

	/** The whole request of a run, to run it again; null when there is no such run, or its list was not kept. */
	async request(id: number): Promise<JobRequest | null> {
		const [start] = await this.#lines(id);
		if (start?.type !== 'start') return null;
		return hasList(start) ? start.request : this.#lists.load(id, start.request);
	}

	/** Problems and warnings of a run, oldest first. */
	async log(id: number): Promise<readonly LogLine[]> {
		return (await this.#lines(id)).filter(
			(line): line is LogLine => line.type === 'problem' || line.type === 'warning',
		);
	}

	/** Asks the owner of a run to do something; it looks once a second. False when that cannot be written. */
	control(id: number, word: ControlWord): Promise<boolean> {
		return this.#folder.replace(`${id}.do`, word);
	}

	/**
	 * Forgets runs that have ended.
	 *
	 * @param only one run; null for all
	 * @returns how many
	 */
	async clear(only: number | null): Promise<number> {
		let count = 0;
		for (const record of await this.runs()) {
			if (record.state === 'running' || (only !== null && record.id !== only)) continue;
			await this.#forget(record.id);
			count++;
		}
		return count;
	}

	/** Numbers of all runs, oldest first. */
	async ids(): Promise<readonly number[]> {
		return this.#ids();
	}

	/** Changes with every word a run adds; for deciding whether to read it again. */
	async stamp(id: number): Promise<string> {
		const [log, now] = await Promise.all([
			this.#folder.stamp(`${id}.jsonl`),
			this.#folder.stamp(`${id}.now`),
		]);
		return `${log} ${now}`;
	}

	async #ids(): Promise<number[]> {
		const names = await this.#folder.names();
		return names
			.flatMap((name) => /^(\d{1,9})\.jsonl$/.exec(name)?.[1] ?? [])
			.map(Number)
			.sort((a, b) => a - b);
	}

	async #prune(ids: readonly number[]): Promise<void> {
		const surplus = ids.length - (RUNS_MAX - 1);
		for (const id of surplus > 0 ? ids.slice(0, surplus) : [])
			if ((await this.run(id))?.state !== 'running') await this.#forget(id);
	}

	async #forget(id: number): Promise<void> {
		await this.#lists.forget(id);
		for (const end of ['now', 'do', 'jsonl']) await this.#folder.remove(`${id}.${end}`);
	}

	async #runs(id: number, start: StartLine): Promise<boolean> {
		if (!(await isAlive(start.process))) return false;
		if (start.process.started !== null) return true;
		const writtenAt = await this.#folder.writtenAt(`${id}.now`);
		return writtenAt !== null && this.#clock.now() - writtenAt < SILENT_MAX_MS;
	}

	async #lines(id: number): Promise<readonly (StartLine | LogLine | EndLine)[]> {
		const text = await this.#folder.read(`${id}.jsonl`, 2 * LOG_SIZE_MAX);
		return (text ?? '').split('\n').flatMap((line) => {
			const value = parseLine<StartLine | LogLine | EndLine>(line);
			return value === null ? [] : [value];
		});
	}
}

/** The record has all of its request. Earlier versions left out the commands of long updates. */
function hasList({ request, listCount }: StartLine): boolean {
	return listCount === undefined && !(request.verb === 'update' && request.commands.length === 0);
}

/** A line another process may be writing at this moment, or an older version wrote: null when it is not whole. */
function parseLine<T>(text: string): T | null {
	try {
		const value: unknown = JSON.parse(text);
		return typeof value === 'object' && value !== null ? (value as T) : null;
	} catch {
		return null;
	}
}
