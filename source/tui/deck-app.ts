/** The deck without a process around it: an engine on one side, bytes of a terminal on the other. */

import { completeInside, completePath } from './effects/complete.ts';
import type { EffectHost } from './effects/effect-host.ts';
import { StagedKeeper } from './effects/keep-staged.ts';
import { openRepair } from './effects/repair.ts';
import { markFiles, writeReport } from './effects/report.ts';
import { startAnswered, submit } from './effects/submit.ts';
import type { DeckEngine, JobRequest } from './engine.ts';
import { chosenEntries } from './forms/extract.ts';
import { followQuestion } from './forms/questions.ts';
import type { Api, Effects } from './keys/api.ts';
import { quit } from './keys/commands/everywhere.ts';
import { COMMANDS } from './keys/commands.ts';
import { dispatch } from './keys/dispatch.ts';
import { awaited, isEarly } from './keys/early.ts';
import { createKeymap, type Keymap } from './keys/keymap.ts';
import { settleLists } from './keys/moves.ts';
import { TypeAhead } from './keys/type-ahead.ts';
import { Loaders } from './loaders.ts';
import { type ColorOverrides, createTheme, type Theme } from './parts/theme.ts';
import { sentence } from './sentence.ts';
import { followCursor } from './state/details.ts';
import { closeDialog } from './state/dialogs.ts';
import { followDifference } from './state/difference.ts';
import { jobsChanged } from './state/jobs.ts';
import { followMap } from './state/map.ts';
import { activeJobs, baseName, isActive } from './state/selectors.ts';
import { discardStaged, followStaged, showStaged } from './state/staged.ts';
import {
	type DialogAction,
	initialState,
	type Settings,
	type StagedNext,
	type State,
} from './state/state.ts';
import { clearStatus, mention, say } from './state/status.ts';
import { createStore, type Store } from './state/store.ts';
import { fileSeen, isSettled, openWim, showStart } from './state/wim.ts';
import {
	FrameWriter,
	type FrameWriterOptions,
	type ScreenOutput,
} from './terminal/frame-writer.ts';
import { KeyDecoder } from './terminal/key-decoder.ts';
import { COPY_SIZE_MAX, copySequence } from './terminal/osc52.ts';
import type { TerminalProfile } from './terminal/probe.ts';

/** The pace of everything that no key caused. */
const TICK_MS = 250;
const TICK_SLOW_MS = 1000;
/** The open file is looked at after a key, but not more often. */
const LOOK_MS = 1000;
/** Whoever gives the terminal away waits this long for an answer of it, so that none lands in the shell. */
export const SETTLE_MS = 300;

/** Draws the state; ends when told to. */
export type Mount = (parts: {
	readonly store: Store<State>;
	readonly theme: Theme;
	readonly keymap: Keymap;
	readonly stream: NodeJS.WriteStream;
	readonly onCrash: (error: unknown) => void;
}) => { unmount(): void };

export interface DeckAppOptions {
	readonly engine: DeckEngine;
	readonly output: ScreenOutput;
	readonly profile: TerminalProfile;
	readonly settings: Partial<Settings>;
	/** Own bindings: command id to keys. */
	readonly keys: Readonly<Record<string, readonly string[]>>;
	readonly colors?: ColorOverrides;
	/** What was wrong with the configuration; said at the start. */
	readonly problems?: readonly string[];
	/** Milliseconds of a clock that never goes back. */
	readonly clock: () => number;
	readonly mount: Mount;
	/** The deck is over; the terminal may be left. */
	readonly onExit: (code: number) => void;
	readonly onCrash: (error: unknown) => void;
	readonly onSuspend: () => void;
	readonly writer?: Partial<FrameWriterOptions>;
}

export class DeckApp {
	readonly store: Store<State>;
	readonly writer: FrameWriter;
	readonly keymap: Keymap;
	readonly #options: DeckAppOptions;
	readonly #decoder: KeyDecoder;
	readonly #typed: TypeAhead = new TypeAhead({
		deliver: (key) => dispatch(this.#api, key),
		isEarly: (key) => isEarly(this.store.get(), this.keymap, key),
		onWaiting: (count) =>
			this.#change((state) => (count === 0 ? clearStatus(state) : sayWaiting(state, count))),
	});
	readonly #loaders: Loaders;
	readonly #keeper: StagedKeeper;
	readonly #api: Api;
	readonly #unsubscribe: () => void;
	#mounted: { unmount(): void } | null = null;
	#ticker: NodeJS.Timeout | undefined;
	#isOver = false;
	#lookedMs = Number.NEGATIVE_INFINITY;
	#isLooking = false;
	/** The terminal is being left: only its answer is still heard. */
	#dropsKeys = false;

	constructor(options: DeckAppOptions) {
		this.#options = options;
		const { output, settings, engine, profile } = options;
		this.store = createStore(
			initialState(
				{
					symbols: profile.symbols,
					color: profile.color,
					canSuspend: profile.canSuspend,
					verbs: engine.jobs.verbs,
					...settings,
				},
				output.columns || 80,
				output.rows || 24,
				options.clock(),
			),
			() => (this.store.get().settings.slow ? TICK_SLOW_MS : TICK_MS),
		);
		this.writer = new FrameWriter(output, {
			onSlow: () => this.#event((state) => slowed(state)),
			...options.writer,
		});
		this.keymap = createKeymap(COMMANDS, {
			keys: options.keys,
			isReadonly: this.store.get().settings.readonly,
			canSuspend: profile.canSuspend,
		});
		this.#decoder = new KeyDecoder((key) => {
			if ('ack' in key) this.writer.ack();
			else if (!this.#dropsKeys) {
				this.#typed.push(key);
				void this.#lookAtFile();
			}
		}, profile.escMs);
		const host = {
			engine,
			state: () => this.store.get(),
			arrived: (change: (state: State) => State) => this.#change(change),
		};
		this.#loaders = new Loaders(host);
		this.#keeper = new StagedKeeper(host);
		this.#api = {
			state: () => this.store.get(),
			change: (change) => this.#change(change),
			effects: this.#effects(),
			keymap: this.keymap,
		};
		this.#unsubscribe = engine.jobs.subscribe(() =>
			this.#event((state) => jobsChanged(state, engine.jobs.list())),
		);
	}

	/** Draws the first frame. `path` is a file or a folder; null: the work folder. */
	async start(path: string | null, refs: readonly string[] = []): Promise<void> {
		const { engine, mount, onCrash } = this.#options;
		const folder = path === null ? null : await engine.folderAt(path);
		const recent = this.store.get().settings.remember ? await engine.recentFiles() : [];
		this.#change((state) => ({ ...state, start: { ...state.start, recent } }));
		this.#change((state) => {
			const { settings } = state;
			const next = jobsChanged(state, engine.jobs.list());
			if (path === null || folder !== null)
				return showStart(next, folder ?? settings.workFolder, path !== null);
			return openWim({ ...next, view: 'deck' }, path, refs);
		});
		for (const problem of [...(this.#options.problems ?? []), ...this.keymap.problems])
			this.#change((state) => say(state, problem, 'warning'));
		const { symbols, color } = this.store.get().settings;
		this.writer.hurry();
		this.#mounted = mount({
			store: this.store,
			theme: createTheme(symbols, color, this.#options.colors),
			keymap: this.keymap,
			stream: this.writer.stream,
			onCrash,
		});
	}

	/** Bytes from the keyboard. */
	input(text: string): void {
		this.#decoder.push(text);
	}

	/** The terminal has another size now. */
	resized(): void {
		const { output } = this.#options;
		this.writer.hurry();
		this.#change((state) => ({ ...state, columns: output.columns || 80, rows: output.rows || 24 }));
		// Ink draws in a microtask; the screen is cleared and painted once, with the new frame.
		setImmediate(() => this.writer.repaint());
	}

	/** The terminal is ours again; nobody had stopped us where there is no shell to give it to. */
	resumed(wasStopped = true): void {
		const { output } = this.#options;
		this.#dropsKeys = false;
		this.#change((state) => {
			const sized = { ...state, columns: output.columns || 80, rows: output.rows || 24 };
			return wasStopped
				? sized
				: say(sized, 'Cannot suspend: no shell started wimdeck that could continue it', 'warning');
		});
		setImmediate(() => this.writer.resume());
	}

	/**
	 * Stops drawing and reading keys for good; jobs go on. Ends once the terminal owes no answer, or after
	 * `limitMs`, so that none lands in the shell.
	 */
	async settled(limitMs: number): Promise<void> {
		this.#stopDrawing();
		await this.writer.settled(limitMs);
	}

	#stopDrawing(): void {
		this.#isOver = true;
		this.#dropsKeys = true;
		this.writer.stop();
		this.#mounted?.unmount();
		this.#mounted = null;
	}

	/** Stops everything; the engine must be closed by its owner. */
	close(): void {
		this.#stopDrawing();
		this.#decoder.close();
		this.#unsubscribe();
		this.#loaders.close();
		clearInterval(this.#ticker);
	}

	/** Ends when what is staged is kept for the next deck. */
	saved(): Promise<void> {
		return this.#keeper.saved();
	}

	/** Cancels every job of this deck and waits until they have ended. */
	async cancelJobs(): Promise<void> {
		const { jobs } = this.#options.engine;
		for (const job of activeJobs(this.store.get())) jobs.cancel(job.id);
		await jobs.idle();
	}

	/** A change to show at once: a key, or something it asked for. */
	#change(change: (state: State) => State): void {
		if (this.#isOver) return;
		this.writer.hurry();
		const nowMs = this.#options.clock();
		this.store.input((state) => settled(change(state), state, nowMs));
		this.#after();
	}

	/** A change to show with the next tick. */
	#event(change: (state: State) => State): void {
		const nowMs = this.#options.clock();
		this.store.event((state) => settled(change(state), state, nowMs));
		this.#after();
	}

	#after(): void {
		this.#loaders.react();
		this.#keeper.react();
		const state = this.store.get();
		const isBusy = state.settings.animation && needsTicks(state);
		if (isBusy && this.#ticker === undefined) {
			this.#ticker = setInterval(() => this.#tick(), TICK_MS);
			this.#ticker.unref();
		} else if (!isBusy && this.#ticker !== undefined) {
			clearInterval(this.#ticker);
			this.#ticker = undefined;
		}
		if (!this.#typed.isWaiting || awaited(state) !== null) return;
		// What was typed for a file that cannot be opened is for no other.
		if (state.wim.load.status === 'failed') this.#typed.forget();
		else this.#typed.settle();
	}

	#tick(): void {
		const nowMs = this.#options.clock();
		this.store.event((state) => ({ ...state, nowMs }));
		if (!needsTicks(this.store.get())) this.#after();
	}

	get #host(): EffectHost {
		return {
			engine: this.#options.engine,
			state: () => this.store.get(),
			change: (change) => this.#change(change),
			startJob: (request) => this.#startJob(request),
		};
	}

	#effects(): Effects {
		const { engine, onExit, onSuspend } = this.#options;
		const { jobs } = engine;
		const host = this.#host;
		return {
			copy: (text, what) => this.#copy(text, what ?? text),
			repaint: () => this.writer.repaint(),
			suspend: () => void this.#suspend(onSuspend),
			quit: (mode) => {
				if (mode === 'now') onExit(0);
				else void this.#leave(mode === 'cancelJobs');
			},
			act: (action) => this.#act(action),
			startJob: (request) => this.#startJob(request),
			cancelJob: (id) => jobs.cancel(id),
			pauseJob: (id) => jobs.pause(id),
			resumeJob: (id) => jobs.resume(id),
			dismissJobs: (ids) => {
				for (const id of ids) jobs.dismiss(id);
				this.#change((state) => jobsChanged(state, jobs.list()));
			},
			showHistory: () => {
				jobs.showHistory(!jobs.isHistoryShown);
				const word = jobs.isHistoryShown ? 'shown' : 'hidden';
				this.#change((state) =>
					say(jobsChanged(state, jobs.list()), `Jobs of the past are ${word}`),
				);
			},
			submit: (form, isConfirmed) =>
				void this.#typed.during(() => submit(host, form, isConfirmed), true),
			completePath: (form) => void this.#typed.during((signal) => completePath(host, form, signal)),
			completeInside: (text) =>
				void this.#typed.during((signal) => completeInside(host, text, signal)),
			markFiles: (files) => void markFiles(host, files),
			withChosen: (run) => this.#withChosen(run),
			openRepair: () => void openRepair(host),
			writeReport: (path, text) => void writeReport(host, path, text),
		};
	}

	#withChosen(run: () => void): void {
		const { file } = this.store.get().wim;
		const imageIndex = chosenEntries(this.store.get())?.imageIndex;
		if (file === null || imageIndex === undefined || file.isLoaded(imageIndex)) {
			run();
			return;
		}
		void this.#typed.during(async (signal) => {
			const reason = await file.load(imageIndex).then(() => null, sentence);
			if (signal.aborted || this.store.get().wim.file !== file) return;
			if (reason !== null) this.#change((state) => say(state, reason, 'error'));
			else if (file.isLoaded(imageIndex)) run();
		});
	}

	/** The shell gets the terminal once no answer is open that it would take for keys. */
	async #suspend(onSuspend: () => void): Promise<void> {
		this.#dropsKeys = true;
		this.writer.stop();
		await this.writer.settled(SETTLE_MS);
		if (!this.#isOver) onSuspend();
	}

	/** Whoever presses keys is told that another program changed the file; an idle deck looks at nothing. */
	async #lookAtFile(): Promise<void> {
		const { file } = this.store.get().wim;
		const nowMs = this.#options.clock();
		const isTime = nowMs - this.#lookedMs >= LOOK_MS && !this.#isLooking;
		if (file === null || !isTime || !isSettled(this.store.get())) return;
		this.#lookedMs = nowMs;
		this.#isLooking = true;
		const onDisk = await file.onDisk();
		this.#isLooking = false;
		const change = (state: State): State => fileSeen(state, file, onDisk);
		if (change(this.store.get()) !== this.store.get()) this.#change(change);
	}

	async #leave(cancels: boolean): Promise<void> {
		this.#change((state) => ({ ...state, isLeaving: true, dialogs: [] }));
		if (cancels) await this.cancelJobs();
		// A job that is held would never finish, and nobody could let it go any more.
		else
			for (const { id, state } of activeJobs(this.store.get()))
				if (state === 'paused') this.#options.engine.jobs.resume(id);
		await this.#options.engine.jobs.idle();
		this.#options.onExit(0);
	}

	#act(action: DialogAction): void {
		switch (action.type) {
			case 'close':
				this.#change(closeDialog);
				break;
			case 'quit':
				this.#api.effects.quit(action.mode);
				break;
			case 'suspend':
				this.#change(closeDialog);
				this.#api.effects.suspend();
				break;
			case 'cancelJob':
				this.#change(closeDialog);
				this.#options.engine.jobs.cancel(action.id);
				break;
			case 'runAgain':
				this.#change(closeDialog);
				void this.#runAgain(action.id);
				break;
			case 'cleanJob':
				this.#change(closeDialog);
				void this.#clean(action.id);
				break;
			case 'start':
				void startAnswered(this.#host, action.request);
				break;
			case 'showStaged':
				this.#change((state) => showStaged({ ...state, dialogs: [] }));
				break;
			case 'discardStaged':
				this.#change((state) => discardStaged({ ...state, dialogs: [] }));
				this.#goOn(action.next);
				break;
			case 'submit':
				break; // forms submit through their own effect
		}
	}

	#goOn(next: StagedNext): void {
		if (next.type === 'quit') quit(this.#api);
		else if (next.type === 'open') this.#change((state) => openWim(state, next.path, next.refs));
	}

	async #clean(id: number): Promise<void> {
		try {
			const said = await this.#options.engine.jobs.clean(id);
			this.#change((state) => say(jobsChanged(state, this.#options.engine.jobs.list()), said));
		} catch (error) {
			this.#change((state) => say(state, sentence(error), 'error'));
		}
	}

	#startJob(request: JobRequest): void {
		try {
			this.#sayStarted(this.#options.engine.jobs.start(request));
		} catch (error) {
			this.#change((state) => say(state, sentence(error), 'error'));
		}
	}

	async #runAgain(id: number): Promise<void> {
		try {
			this.#sayStarted(await this.#options.engine.jobs.again(id));
		} catch (error) {
			this.#change((state) => say(state, sentence(error), 'error'));
		}
	}

	#sayStarted(id: number): void {
		const jobs = this.#options.engine.jobs.list();
		const verb = jobs.find((job) => job.id === id)?.verb ?? '';
		this.#change((state) => say(jobsChanged(state, jobs), `Job ${id} started: ${verb}`));
	}

	#copy(text: string, what: string): void {
		const sequence = copySequence(text, this.#options.profile.copy);
		if (sequence !== null) this.writer.send(sequence);
		const isLong = new TextEncoder().encode(text).length > COPY_SIZE_MAX;
		const whyNot = isLong
			? 'Too much for the clipboard of a terminal (w writes a list):'
			: 'This terminal cannot copy:';
		this.#change((state) => say(state, `${sequence === null ? whyNot : 'Copied'} ${what}`));
	}
}

/** What follows from any change: cursors in view, details of what is under them. The clock alone is no change. */
const settled = (next: State, before: State, nowMs: number): State =>
	next === before
		? next
		: followMap(
				followCursor(
					followDifference(settleLists(followQuestion(followStaged({ ...next, nowMs })))),
				),
			);

const needsTicks = ({ jobs, wim, files, start, details, sizes, difference, map }: State): boolean =>
	jobs.jobs.some(isActive) ||
	[wim, files, start, details, sizes, difference, map].some(
		({ load }) => load.status === 'loading',
	) ||
	details.contentLoad.status === 'loading';

const awaitedName = (state: State): string =>
	awaited(state) === 'listing' ? 'The folder' : baseName(state.wim.load.request?.path ?? '');

const sayWaiting = (state: State, count: number): State =>
	say(
		state,
		`${awaitedName(state)} is being read; ${count === 1 ? '1 key waits' : `${count} keys wait`}   Esc forget`,
	);

const slowed = (state: State): State =>
	state.settings.slow
		? state
		: mention(
				{ ...state, settings: { ...state.settings, slow: true } },
				'The line is slow: fewer updates from now on (:slow switches)',
			);
