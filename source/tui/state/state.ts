/** Everything the screen shows, as immutable plain data. Reducers make the next state; nothing here knows React. */

import type {
	EntryDetails,
	Finding,
	FormValue,
	FoundWim,
	ImageFacts,
	JobRequest,
	JobView,
	Listing,
	OnDisk,
	OpenFile,
	WimFacts,
} from '../engine.ts';
import type { ColorLevel, SymbolLevel } from '../terminal/probe.ts';
import { type DifferenceState, NO_DIFFERENCE } from './difference-state.ts';
import type { PaneName } from './layout.ts';
import { LIST_START, type ListState, type ScrollMode } from './list.ts';
import { type Load, NO_LOAD } from './load.ts';
import { type FileMapState, NO_FILE_MAP } from './map-state.ts';
import { SORT_BY_NAME, type Sort } from './order.ts';
import { NO_SIZES, type SizesState } from './sizes-state.ts';
import { NOTHING_STAGED, type StagedState } from './staged-state.ts';
import type { TextField } from './text-field.ts';

/** What the deck was started with; fixed while it runs, except `slow`. */
export interface Settings {
	readonly symbols: SymbolLevel;
	readonly color: ColorLevel;
	readonly slow: boolean;
	/** Something may move by itself: clocks tick, and a spinner turns. */
	readonly animation: boolean;
	readonly readonly: boolean;
	readonly canSuspend: boolean;
	readonly scroll: ScrollMode;
	/** Times in local time or UTC. */
	readonly utc: boolean;
	/** Recent files are kept between runs. */
	readonly remember: boolean;
	/** Folder that relative paths in dialogs start from. */
	readonly workFolder: string;
	readonly pathSeparator: string;
	/** What the engine can run as a job. */
	readonly verbs: ReadonlySet<string>;
}

export type ViewName = 'start' | 'deck' | 'damage' | 'sizes' | 'difference' | 'staged' | 'map';

export interface OpenRequest {
	readonly path: string;
	readonly refs: readonly string[];
	/** After a reload the place is kept. */
	readonly keepPlace: boolean;
}

export interface WimState {
	readonly load: Load<OpenRequest>;
	readonly file: OpenFile | null;
	readonly facts: WimFacts | null;
	readonly images: readonly ImageFacts[];
	/** As the header of a file that is being opened says; 0 before and after. */
	readonly expectedImages: number;
	/** Image index to why its metadata cannot be read. */
	readonly unreadable: ReadonlyMap<number, string>;
	/** As it was seen last, after a key. */
	readonly onDisk: OnDisk;
}

export type StartSortKey = 'name' | 'size' | 'time' | 'dead' | 'images' | 'edition' | 'build';

export interface StartRequest {
	readonly folder: string;
	readonly isDeep: boolean;
	/** These files instead of a folder's. */
	readonly recent?: readonly string[];
}

export interface StartState {
	readonly folder: string | null;
	readonly isDeep: boolean;
	/** Recent files are listed instead of a folder's. */
	readonly isRecent: boolean;
	readonly load: Load<StartRequest>;
	readonly found: readonly FoundWim[];
	readonly list: ListState;
	readonly filter: string;
	/** Null: as they were found. */
	readonly sort: { readonly key: StartSortKey; readonly descending: boolean } | null;
	/** Paths of files that were opened before. */
	readonly recent: readonly string[];
}

export interface ImagesState {
	readonly list: ListState;
	readonly filter: string;
	/** Marked image indexes. */
	readonly marks: ReadonlySet<number>;
}

/** What the Files pane shall show: a folder by position, a path, or the hits of a search. */
export type FilesRequest =
	| { readonly type: 'folder'; readonly imageIndex: number; readonly position: number }
	| { readonly type: 'path'; readonly imageIndex: number; readonly path: string }
	| { readonly type: 'find'; readonly imageIndex: number; readonly pattern: string };

/** Where the cursor was in a folder. */
export interface Place {
	/** Position of the entry under the cursor, or -1. */
	readonly position: number;
	readonly list: ListState;
}

/** A folder that `-` goes back to. */
export interface Location {
	readonly imageIndex: number;
	readonly path: string;
}

export interface FilesState {
	readonly load: Load<FilesRequest>;
	readonly listing: Listing | null;
	/** Only the first rows are there; the others are being read. */
	readonly isPartial: boolean;
	/** The cursor was sent to the end before all rows were there, in their order: it goes along. */
	readonly staysAtEnd: boolean;
	/** The pattern, when the listing holds hits of a search. */
	readonly find: string | null;
	/** All rows of the listing, in order. */
	readonly sorted: Int32Array;
	/** Those of them that are shown. */
	readonly order: Int32Array;
	/** A listing too long to sort at once waits for this order; a fresh object for every wish. */
	readonly reorder: {
		readonly listing: Listing;
		readonly sort: Sort;
		/** The folder was just opened, and nobody has moved in it yet. */
		readonly isFirst: boolean;
	} | null;
	readonly list: ListState;
	readonly sort: Sort;
	readonly filter: string;
	readonly showHidden: boolean;
	readonly places: ReadonlyMap<string, Place>;
	readonly history: readonly Location[];
	/** Position in the image where `v` began a range, or null. */
	readonly rangeFrom: number | null;
	/** Position or name where the cursor shall stand once the folder is loaded. */
	readonly wanted: number | string | null;
	/** A path that was typed and is not in the image, to be put right; empty: none. */
	readonly missing: string;
}

export type DetailMode = 'facts' | 'hex' | 'text' | 'streams';

export interface EntryKey {
	readonly imageIndex: number;
	readonly position: number;
}

export interface ContentState {
	readonly key: EntryKey;
	readonly bytes: Uint8Array;
	readonly totalSize: number;
}

export interface DetailsState {
	readonly isOpen: boolean;
	readonly mode: DetailMode;
	readonly top: number;
	readonly load: Load<EntryKey>;
	readonly shown: EntryKey | null;
	readonly details: EntryDetails | null;
	readonly contentLoad: Load<EntryKey>;
	readonly content: ContentState | null;
}

export interface JobsState {
	readonly jobs: readonly JobView[];
	/** Job under the cursor, by id, so that it stays put while others come and go. */
	readonly cursorId: number | null;
	readonly top: number;
}

export interface DamageState {
	readonly findings: readonly Finding[];
	/** `index:path` in lower case of every file that a finding hits. */
	readonly files: ReadonlySet<string>;
	/** Indexes of the images that findings hit. */
	readonly images: ReadonlySet<number>;
	/** `index:path` in lower case of every folder with damage below. */
	readonly folders: ReadonlySet<string>;
	readonly list: ListState;
	readonly filter: string;
	readonly sort: 'severity' | 'files' | 'where';
}

/** A one-line text mode in the status row. */
export interface LineMode {
	readonly purpose: 'filter' | 'goto' | 'find' | 'markGlob' | 'jump';
	readonly field: TextField;
	/** What the filter was, for Esc. */
	readonly before: string;
	readonly completions: readonly string[];
	/** Where the cursor was when the line was opened. */
	readonly from: ListState | null;
	/** Stands behind what is typed. */
	readonly note: string;
}

export type Tone = 'info' | 'warning' | 'error';

export interface StatusMessage {
	readonly text: string;
	/** What counts of it, shown where there is no room for all. */
	readonly short: string;
	readonly tone: Tone;
	/** What can be pressed now, shown behind the text; '' for nothing. */
	readonly keys: string;
}

/** What waited for the staged changes to be out of the way. */
export type StagedNext =
	| { readonly type: 'nothing' }
	| { readonly type: 'quit' }
	| { readonly type: 'open'; readonly path: string; readonly refs: readonly string[] };

/** What a button or an answer does, as data. */
export type DialogAction =
	| { readonly type: 'close' }
	| { readonly type: 'quit'; readonly mode: 'now' | 'whenDone' | 'cancelJobs' }
	| { readonly type: 'suspend' }
	| { readonly type: 'cancelJob' | 'runAgain' | 'cleanJob'; readonly id: number }
	/** Takes back what is staged, then goes on. */
	| { readonly type: 'discardStaged'; readonly next: StagedNext }
	| { readonly type: 'showStaged' }
	| { readonly type: 'submit'; readonly isConfirmed: boolean }
	| { readonly type: 'start'; readonly request: JobRequest };

export interface Button {
	readonly label: string;
	readonly action: DialogAction;
}

export interface Option {
	readonly value: string;
	readonly label: string;
}

/** A field is shown only while another one has one of these values. */
export interface When {
	readonly field: string;
	readonly is: readonly FormValue[];
}

/** A number that has a name: a letter sets it, left and right step through all of them. */
export interface Preset {
	readonly key: string;
	readonly label: string;
	readonly value: number;
}

export type Field = {
	readonly name: string;
	readonly label: string;
	/** All must hold; absent: always shown. What is hidden keeps its value. */
	readonly when?: readonly When[];
} & (
	| { readonly kind: 'text'; readonly field: TextField }
	| { readonly kind: 'path'; readonly field: TextField; readonly onlyFolders: boolean }
	| {
			readonly kind: 'number';
			readonly field: TextField;
			readonly unit: string;
			readonly presets: readonly Preset[];
	  }
	| {
			readonly kind: 'choice' | 'radio';
			readonly options: readonly Option[];
			readonly value: string;
	  }
	| { readonly kind: 'check'; readonly text: string; readonly value: boolean }
	| { readonly kind: 'note'; readonly text: string }
);

export interface FormDialog {
	readonly kind: 'form';
	/** Verb of the request that it builds, or a command of the deck itself. */
	readonly form: string;
	/** What the form is about: its values are remembered for the same subject only. */
	readonly subject: string;
	readonly title: string;
	readonly fields: readonly Field[];
	readonly buttons: readonly Button[];
	/** Index into the shown fields that can have the focus, then the buttons. */
	readonly focus: number;
	/** Values that no field shows: the image, the paths. */
	readonly fixed: Readonly<Record<string, FormValue>>;
	readonly errors: Readonly<Record<string, string>>;
	readonly notes: readonly string[];
	readonly warnings: readonly string[];
	/** A fresh object whenever the values changed: the estimate for an older one is dropped. */
	readonly estimate: { readonly request: JobRequest } | null;
	readonly isEstimating: boolean;
	readonly completions: readonly string[];
	/** The text that Tab passes over: it stood there before, or was completed already. Null: Tab completes. */
	readonly passed: string | null;
	/** Enter in a field presses the main button: nothing is written, and the other fields seldom matter. */
	readonly isQuick: boolean;
}

export interface ConfirmDialog {
	readonly kind: 'confirm';
	readonly title: string;
	readonly lines: readonly string[];
	readonly buttons: readonly Button[];
	/** Starts on the safe button. */
	readonly focus: number;
	/** A word to type before the last button works. */
	readonly word: string | null;
	readonly typed: TextField;
	readonly allowsLetters: boolean;
}

export interface HelpDialog {
	readonly kind: 'help';
	readonly query: TextField;
	readonly list: ListState;
}

export interface PaletteDialog {
	readonly kind: 'palette';
	readonly query: TextField;
	readonly list: ListState;
}

export interface FactsDialog {
	readonly kind: 'facts';
	readonly title: string;
	readonly rows: readonly (readonly [label: string, value: string])[];
	readonly top: number;
}

export type PagerSource =
	| { readonly type: 'messages' }
	| { readonly type: 'job'; readonly id: number }
	| { readonly type: 'content'; readonly key: EntryKey; readonly name: string };

export interface PagerDialog {
	readonly kind: 'pager';
	readonly source: PagerSource;
	readonly top: number;
	/** The end stays in view as lines come. */
	readonly follows: boolean;
	readonly asHex: boolean;
	/** Of a text; absent or null: guessed. */
	readonly encoding?: string | null;
}

export type Dialog =
	| FormDialog
	| ConfirmDialog
	| HelpDialog
	| PaletteDialog
	| FactsDialog
	| PagerDialog;

/** Marked entries of each image: position to size. */
export type Marks = ReadonlyMap<number, ReadonlyMap<number, number>>;

/** What `u` brings back. */
export interface Snapshot {
	readonly what: string;
	readonly marks: Marks;
	readonly imageMarks: ReadonlySet<number>;
	readonly filter: string;
	readonly sort: Sort;
	readonly showHidden: boolean;
	readonly location: Location | null;
}

export interface State {
	readonly settings: Settings;
	readonly columns: number;
	readonly rows: number;
	/** The store's clock; moves only while something runs. */
	readonly nowMs: number;
	readonly view: ViewName;
	/** Where closing a view leads back to. */
	readonly previousView: ViewName;
	readonly focus: PaneName;
	readonly isZoomed: boolean;
	readonly wim: WimState;
	readonly start: StartState;
	readonly images: ImagesState;
	readonly files: FilesState;
	readonly marks: Marks;
	/** What lies at and below the marked entries; counts only while `of` are the marks. */
	readonly markTotals: { readonly of: Marks; readonly size: number; readonly files: number } | null;
	readonly details: DetailsState;
	readonly jobs: JobsState;
	readonly damage: DamageState;
	readonly map: FileMapState;
	readonly sizes: SizesState;
	readonly difference: DifferenceState;
	readonly staged: StagedState;
	readonly line: LineMode | null;
	/** Command id of the first key of a two-key command. */
	readonly pending: string | null;
	readonly dialogs: readonly Dialog[];
	readonly status: StatusMessage | null;
	readonly messages: readonly StatusMessage[];
	readonly undo: readonly Snapshot[];
	/** Values of a form for the rest of the run, by form and subject. */
	readonly formMemory: ReadonlyMap<string, Readonly<Record<string, FormValue>>>;
	/** Command ids by last use, for the palette. */
	readonly recentCommands: readonly string[];
	/** The screen is one line that waits for the jobs to end. */
	readonly isLeaving: boolean;
}

export const DEFAULT_SETTINGS: Settings = {
	symbols: 'unicode',
	color: '16',
	slow: false,
	animation: true,
	readonly: false,
	canSuspend: true,
	scroll: 'page',
	utc: false,
	remember: false,
	workFolder: '.',
	pathSeparator: '/',
	verbs: new Set(),
};

export const NO_WIM: WimState = {
	load: NO_LOAD,
	file: null,
	facts: null,
	images: [],
	expectedImages: 0,
	unreadable: new Map(),
	onDisk: 'same',
};

export const NO_FILES: FilesState = {
	load: NO_LOAD,
	listing: null,
	isPartial: false,
	staysAtEnd: false,
	find: null,
	sorted: new Int32Array(0),
	order: new Int32Array(0),
	reorder: null,
	list: LIST_START,
	sort: SORT_BY_NAME,
	filter: '',
	showHidden: true,
	places: new Map(),
	history: [],
	rangeFrom: null,
	wanted: null,
	missing: '',
};

export const NO_DETAILS: DetailsState = {
	isOpen: false,
	mode: 'facts',
	top: 0,
	load: NO_LOAD,
	shown: null,
	details: null,
	contentLoad: NO_LOAD,
	content: null,
};

export const NO_DAMAGE: DamageState = {
	findings: [],
	files: new Set(),
	images: new Set(),
	folders: new Set(),
	list: LIST_START,
	filter: '',
	sort: 'severity',
};

/** The state before anything was opened. */
export function initialState(
	settings: Partial<Settings>,
	columns: number,
	rows: number,
	nowMs: number,
): State {
	return {
		settings: { ...DEFAULT_SETTINGS, ...settings },
		columns,
		rows,
		nowMs,
		view: 'start',
		previousView: 'start',
		focus: 'images',
		isZoomed: false,
		wim: NO_WIM,
		start: {
			folder: null,
			isDeep: false,
			isRecent: false,
			sort: null,
			recent: [],
			load: NO_LOAD,
			found: [],
			list: LIST_START,
			filter: '',
		},
		images: { list: LIST_START, filter: '', marks: new Set() },
		files: NO_FILES,
		marks: new Map(),
		markTotals: null,
		details: NO_DETAILS,
		jobs: { jobs: [], cursorId: null, top: 0 },
		damage: NO_DAMAGE,
		map: NO_FILE_MAP,
		sizes: NO_SIZES,
		difference: NO_DIFFERENCE,
		staged: NOTHING_STAGED,
		line: null,
		pending: null,
		dialogs: [],
		status: null,
		messages: [],
		undo: [],
		formMemory: new Map(),
		recentCommands: [],
		isLeaving: false,
	};
}
