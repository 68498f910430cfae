/** The deck without a process around it: an engine on one side, bytes of a terminal on the other. */

import type { DeckEngine, FindingFile, JobRequest } from './engine.ts';
import { replaceDialog } from './forms/questions.ts';
import type { Api, Effects } from './keys/api.ts';
import { COMMANDS } from './keys/commands.ts';
import { dispatch } from './keys/dispatch.ts';
import { createKeymap, type Keymap } from './keys/keymap.ts';
import { settleLists } from './keys/moves.ts';
import { Loaders } from './loaders.ts';
import { createTheme, type Theme } from './parts/theme.ts';
import { jsonReport } from './report.ts';
import { sentence } from './sentence.ts';
import { damageReport } from './state/damage.ts';
import { followCursor } from './state/details.ts';
import { changeForm, closeDialog, openDialog } from './state/dialogs.ts';
import { requestOf, setText, valuesOf, withErrors } from './state/form.ts';
import { jobsChanged } from './state/jobs.ts';
import { markPositions } from './state/marks.ts';
import { activeJobs, markCount } from './state/selectors.ts';
import {
	type DialogAction,
	type FormDialog,
	initialState,
	type Settings,
	type State,
} from './state/state.ts';
import { say } from './state/status.ts';
import { createStore, type Store } from './state/store.ts';
import { fieldOf } from './state/text-field.ts';
import { openWim, showStart } from './state/wim.ts';
import {
	FrameWriter,
	type FrameWriterOptions,
	type ScreenOutput,
} from './terminal/frame-writer.ts';
import { KeyDecoder } from './terminal/key-decoder.ts';
import { copySequence } from './terminal/osc52.ts';
import type { TerminalProfile } from './terminal/probe.ts';

/** The pace of everything that no key caused. */
const TICK_MS = 250;
const TICK_SLOW_MS = 1000;
/** Names offered when a path has several completions. */
const COMPLETIONS_MAX = 20;

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
	readonly #loaders: Loaders;
	readonly #api: Api;
	readonly #unsubscribe: () => void;
	#mounted: { unmount(): void } | null = null;
	#ticker: NodeJS.Timeout | undefined;
	#isOver = false;

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
			else dispatch(this.#api, key);
		}, profile.escMs);
		this.#loaders = new Loaders({
			engine,
			state: () => this.store.get(),
			arrived: (change) => this.#change(change),
		});
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
		const isFolder = path === null || (await engine.isFolder(path));
		for (const problem of this.keymap.problems)
			this.#change((state) => say(state, problem, 'warning'));
		this.#change((state) => {
			const { settings } = state;
			const next = jobsChanged(state, engine.jobs.list());
			if (path === null || isFolder)
				return showStart(next, path ?? settings.workFolder, path !== null);
			return openWim({ ...next, view: 'deck' }, path, refs);
		});
		const { symbols, color } = this.store.get().settings;
		this.writer.hurry();
		this.#mounted = mount({
			store: this.store,
			theme: createTheme(symbols, color),
			keymap: this.keymap,
			stream: this.writer.stream,
			onCrash,
		});
	}

	/** Bytes from the keyboard. */
	input(text: string): void {
		if (!this.#isOver) this.#decoder.push(text);
	}

	/** The terminal has another size now. */
	resized(): void {
		const { output } = this.#options;
		this.writer.hurry();
		this.#change((state) => ({ ...state, columns: output.columns || 80, rows: output.rows || 24 }));
		// Ink draws in a microtask; the screen is cleared and painted once, with the new frame.
		setImmediate(() => this.writer.repaint());
	}

	/** The terminal is ours again. */
	resumed(): void {
		const { output } = this.#options;
		this.#change((state) => ({ ...state, columns: output.columns || 80, rows: output.rows || 24 }));
		setImmediate(() => this.writer.resume());
	}

	/** Stops drawing and reading keys for good; jobs go on. */
	stopDrawing(): void {
		this.#isOver = true;
		this.writer.stop();
		this.#decoder.close();
		this.#mounted?.unmount();
		this.#mounted = null;
	}

	/** Stops everything; the engine must be closed by its owner. */
	close(): void {
		this.stopDrawing();
		this.#unsubscribe();
		this.#loaders.close();
		clearInterval(this.#ticker);
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
		const isBusy = needsTicks(this.store.get());
		if (isBusy && this.#ticker === undefined) {
			this.#ticker = setInterval(() => this.#tick(), TICK_MS);
			this.#ticker.unref();
		} else if (!isBusy && this.#ticker !== undefined) {
			clearInterval(this.#ticker);
			this.#ticker = undefined;
		}
	}

	#tick(): void {
		const nowMs = this.#options.clock();
		this.store.event((state) => ({ ...state, nowMs }));
		if (!needsTicks(this.store.get())) this.#after();
	}

	#effects(): Effects {
		const { engine, onExit, onSuspend } = this.#options;
		const { jobs } = engine;
		return {
			copy: (text) => this.#copy(text),
			repaint: () => this.writer.repaint(),
			suspend: () => {
				this.writer.stop();
				onSuspend();
			},
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
			submit: (form, isConfirmed) => void this.#submit(form, isConfirmed),
			completePath: (form) => void this.#completePath(form),
			completeInside: (text) => void this.#completeInside(text),
			markFiles: (files) => void this.#markFiles(files),
			writeReport: (path, text) => void this.#writeReport(path, text),
		};
	}

	async #leave(cancels: boolean): Promise<void> {
		this.#change((state) => ({ ...state, isLeaving: true, dialogs: [] }));
		if (cancels) await this.cancelJobs();
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
			case 'start':
				this.#change((state) => ({ ...state, dialogs: [] }));
				this.#startJob(action.request);
				break;
			case 'submit':
				break; // forms submit through their own effect
		}
	}

	#startJob(request: JobRequest): void {
		try {
			const id = this.#options.engine.jobs.start(request);
			this.#change((state) =>
				say(
					jobsChanged(state, this.#options.engine.jobs.list()),
					`Job ${id} started: ${request.verb}`,
				),
			);
		} catch (error) {
			this.#change((state) => say(state, sentence(error), 'error'));
		}
	}

	#copy(text: string): void {
		const sequence = copySequence(text, this.#options.profile.copy);
		if (sequence !== null) this.writer.send(sequence);
		const verb = sequence === null ? 'This terminal cannot copy:' : 'Copied';
		this.#change((state) => say(state, `${verb} ${text}`));
	}

	async #submit(form: FormDialog, isConfirmed: boolean): Promise<void> {
		if (form.form === 'open') return this.#openPath(form);
		if (form.form === 'report') return this.#report(form);
		const request = requestOf(form);
		try {
			const { errors, replaces } = await this.#options.engine.jobs.check(request);
			if (Object.keys(errors).length > 0)
				this.#change((state) => changeForm(state, (current) => withErrors(current, errors)));
			else if (replaces && !isConfirmed)
				this.#change((state) =>
					openDialog(state, replaceDialog(replaces.path, replaces.facts, request)),
				);
			else {
				this.#change(closeDialog);
				this.#startJob(request);
			}
		} catch (error) {
			this.#change((state) =>
				changeForm(state, (current) => withErrors(current, { '': sentence(error) })),
			);
		}
	}

	async #openPath(form: FormDialog): Promise<void> {
		const values = valuesOf(form);
		const path = String(values.path ?? '');
		const refs = String(values.refs ?? '');
		const facts = await this.#options.engine.look(path);
		if (!facts.exists)
			this.#change((state) =>
				changeForm(state, (current) => withErrors(current, { path: 'there is no such file' })),
			);
		else
			this.#change((state) => {
				const closed = closeDialog(state);
				if (facts.isFolder) return showStart(closed, path, false);
				return openWim(closed, path, refs.trim() === '' ? [] : [refs.trim()]);
			});
	}

	async #report(form: FormDialog): Promise<void> {
		const values = valuesOf(form);
		const { damage, wim } = this.store.get();
		const source = wim.facts?.path ?? '';
		const text =
			values.format === 'json'
				? jsonReport(source, damage.findings)
				: damageReport(source, damage.findings);
		await this.#writeReport(String(values.path ?? ''), text);
	}

	async #writeReport(path: string, text: string): Promise<void> {
		try {
			await this.#options.engine.writeReport(path, text);
			this.#change((state) => say(closeDialog(state), `Wrote ${path}`));
		} catch (error) {
			this.#change((state) =>
				changeForm(say(state, sentence(error), 'error'), (form) =>
					withErrors(form, { path: sentence(error) }),
				),
			);
		}
	}

	async #markFiles(files: readonly FindingFile[]): Promise<void> {
		const { wim } = this.store.get();
		const signal = new AbortController().signal;
		const found = new Map<number, number[]>();
		for (const { imageIndex, path } of files) {
			const trail = await wim.file?.locate(imageIndex, path, signal).catch(() => null);
			const position = trail?.at(-1);
			if (position !== undefined)
				found.set(imageIndex, [...(found.get(imageIndex) ?? []), position]);
		}
		this.#change((state) => {
			if (state.wim.file !== wim.file) return state;
			const marked = markPositions(state, found);
			return say(marked, `${markCount(marked)} marked`);
		});
	}

	async #completePath(form: FormDialog): Promise<void> {
		const values = valuesOf(form);
		const { pathSeparator } = this.store.get().settings;
		const name = form.fields.filter(({ kind }) => kind !== 'note')[form.focus]?.name ?? '';
		const text = String(values[name] ?? '');
		const entries = await this.#options.engine.complete(text).catch(() => []);
		const names = entries.map((entry) => entry.name + (entry.isFolder ? pathSeparator : ''));
		const folder = text.slice(0, lastSeparator(text) + 1);
		const common = commonStart(names);
		this.#change((state) =>
			changeForm(state, (current) => {
				const next =
					names.length > 0 && folder + common !== text
						? setText(current, name, folder + common)
						: current;
				const completions = names.length === 1 ? [] : names.slice(0, COMPLETIONS_MAX);
				// Nothing to add: the next Tab moves on.
				return { ...next, completions: names.length === 0 ? ['(nothing)'] : completions };
			}),
		);
	}

	async #completeInside(text: string): Promise<void> {
		const { files, wim } = this.store.get();
		const imageIndex = files.listing?.imageIndex;
		if (!wim.file || imageIndex === undefined) return;
		const at = Math.max(text.lastIndexOf('\\'), text.lastIndexOf('/'));
		const folder =
			at < 0 ? (files.listing?.path ?? '\\') : text.slice(0, at + 1).replaceAll('/', '\\');
		const begin = text.slice(at + 1).toLowerCase();
		const signal = new AbortController().signal;
		const names: string[] = [];
		try {
			const whole = folder.startsWith('\\') ? folder : `${files.listing?.path ?? ''}\\${folder}`;
			const position = (await wim.file.locate(imageIndex, whole, signal))?.at(-1);
			if (position === undefined) return;
			const listing = await wim.file.listFolder(imageIndex, position, signal);
			for (const [row, name] of listing.names.entries())
				if (name.toLowerCase().startsWith(begin))
					names.push(name + ((listing.kinds[row] ?? 0) & 1 ? '\\' : ''));
		} catch {
			return; // nothing to complete is not an error
		}
		if (names.length === 0) return;
		const completed = text.slice(0, at + 1) + commonStart(names);
		this.#change((state) =>
			state.line
				? {
						...state,
						line: {
							...state.line,
							field: completed.length >= text.length ? fieldOf(completed) : state.line.field,
							completions: names.slice(0, COMPLETIONS_MAX),
						},
					}
				: state,
		);
	}
}

const lastSeparator = (text: string): number =>
	Math.max(text.lastIndexOf('/'), text.lastIndexOf('\\'));

/** The longest beginning that all names share, without regard to case beyond the first name's own. */
export function commonStart(names: readonly string[]): string {
	const [first = '', ...rest] = names;
	let length = first.length;
	for (const name of rest) {
		let i = 0;
		while (i < length && i < name.length && name[i]!.toLowerCase() === first[i]!.toLowerCase()) i++;
		length = i;
	}
	return first.slice(0, length);
}

/** What follows from any change: cursors in view, details of what is under them. The clock alone is no change. */
const settled = (next: State, before: State, nowMs: number): State =>
	next === before ? next : followCursor(settleLists({ ...next, nowMs }));

const needsTicks = (state: State): boolean =>
	activeJobs(state).length > 0 ||
	[state.wim.load, state.files.load, state.start.load, state.details.load].some(
		({ status }) => status === 'loading',
	);

const slowed = (state: State): State =>
	state.settings.slow
		? state
		: say(
				{ ...state, settings: { ...state.settings, slow: true } },
				'The line is slow: fewer updates from now on (:slow switches)',
			);
