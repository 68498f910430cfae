/**
 * What the deck needs from the engine, in plain data. The real one is `engine-wim.ts`; tests script their own.
 * All text here is raw and hostile: only `safe()` brings it to the screen.
 */

import type { StagedStore } from '../jobs/staged-changes.ts';
import type { LikelyDonor } from '../operations/repair/likely-donors.ts';
import type {
	DifferenceFact,
	FactValue,
	GoodStretch,
	ImageDifference,
	MapPlace,
	PartMap,
	PlaceFacts,
	SizeListing,
} from './engine-views.ts';

/** An open file as its header, XML and blob table tell it. */
export interface WimFacts {
	readonly path: string;
	/** `LZX`, `XPRESS`, `LZMS`, `none`, with ` solid` where so. */
	readonly compression: string;
	readonly chunkSize: number;
	/** Bytes of all parts together. */
	readonly size: number;
	readonly partNumber: number;
	readonly partCount: number;
	/** From 1; 0: none. */
	readonly bootIndex: number;
	readonly guid: string;
	readonly hasIntegrity: boolean;
	readonly isPipable: boolean;
	/** Why it cannot be changed; null: it can. */
	readonly whyReadonly: string | null;
	/** Bytes that nothing refers to, or null when nobody counted. */
	readonly deadBytes: number | null;
	/** What is wrong with the file although it opened. */
	readonly warnings: readonly string[];
}

export type ImageHealth = 'sound' | 'damaged' | 'unreadable';

/** One image as the XML data tells it. */
export interface ImageFacts {
	/** From 1. */
	readonly index: number;
	readonly name: string;
	readonly description: string;
	readonly totalBytes: number;
	readonly fileCount: number;
	readonly folderCount: number;
	readonly hardLinkBytes: number;
	readonly architecture: string;
	readonly version: string;
	readonly edition: string;
	/** Elements of the XML data that can be edited; '' where absent. */
	readonly displayName: string;
	readonly displayDescription: string;
	readonly flags: string;
	/** FILETIME as milliseconds since 1970, or null. */
	readonly created: number | null;
	readonly modified: number | null;
	readonly isBootable: boolean;
	/** SHA-1 of its metadata: tells it from another image that has its number by now. */
	readonly metadata: string;
	/** Everything else worth a row of its own: label and value. */
	readonly more: readonly (readonly [label: string, value: string])[];
}

/** Number of the made-up image of contents whose names are lost; it is none of `OpenFile.images`. */
export const UNNAMED_INDEX = 0;

/** What an entry is, as bits of `Listing.kinds`. */
export const EntryKind = {
	folder: 0x01,
	/** A symbolic link, junction or other reparse point. */
	link: 0x02,
	/** Has named streams. */
	streams: 0x04,
	/** More than one name in this image. */
	hardLinked: 0x08,
	encrypted: 0x10,
	/** A blob of it is absent from the open parts. */
	missing: 0x20,
} as const;

/**
 * A folder, or the hits of a search, as columns: row `i` is entry `positions[i]` of the image.
 * A position names the entry for as long as the file is open.
 */
export interface Listing {
	readonly imageIndex: number;
	/** Position of the folder; for search hits, of the folder searched. */
	readonly folder: number;
	/** Position of the folder above; of itself for the root. */
	readonly parent: number;
	/** Backslash path of the folder, `\` for the root. */
	readonly path: string;
	readonly positions: Int32Array;
	/** Names; for search hits, whole paths. */
	readonly names: readonly string[];
	readonly sizes: Float64Array;
	/** Stored bytes of the blob, shared ones counted in full; 0 where unknown. */
	readonly packed: Float64Array;
	/** Time of the last write, milliseconds since 1970; NaN where unset. */
	readonly times: Float64Array;
	/** Windows attribute bits. */
	readonly attributes: Uint32Array;
	readonly kinds: Uint8Array;
}

export interface EntryFact {
	readonly label: string;
	readonly value: FactValue;
}

/** An entry in short. */
export interface EntryOutline {
	readonly position: number;
	readonly path: string;
	readonly isFolder: boolean;
	readonly size: number;
}

/** Everything about one entry. */
export interface EntryDetails {
	readonly name: string;
	readonly path: string;
	readonly facts: readonly EntryFact[];
	/** Where a link leads. */
	readonly target: string | null;
	/** Other names of the same file in this image. */
	readonly otherNames: readonly string[];
	/** Images (and paths) of the file that hold the same content. */
	readonly usedBy: readonly string[];
	/** Named ones, and the unnamed one that every file has; folders have none. */
	readonly streamCount: number;
	/** Named ones. */
	readonly streams: readonly { readonly name: string; readonly size: number }[];
	/** What is wrong with it. */
	readonly problems: readonly string[];
	/** SHA-1 of the content in hexadecimal, or null where there is none. */
	readonly digest: string | null;
	/** Its first bytes can be read on the way: nothing large must be unpacked for them. */
	readonly startsQuickly: boolean;
}

export type Severity = 'error' | 'warning';

/** One fault that a check found. */
export interface Finding {
	/** Unique within a check. */
	readonly id: string;
	readonly severity: Severity;
	/** `resource @0x1a3f00`, `metadata of image 6`. */
	readonly where: string;
	readonly what: string;
	/** `656,952 bytes, LZX, 301,114 packed`; null when it is about no resource. */
	readonly about: string | null;
	/** Each file that it hits, in each image. */
	readonly files: readonly FindingFile[];
	/** A stretch that differs from the integrity table. */
	readonly isIntegrityBlock: boolean;
	/** True when an image cannot be browsed because of it. */
	readonly blocksImage: boolean;
	readonly imageIndexes: readonly number[];
	/** What is still readable, what else is known; one sentence each. */
	readonly notes: readonly string[];
	readonly digest: string | null;
	/** The bytes it is about; null when it is about no single place. */
	readonly place: { readonly part: string; readonly offset: number; readonly size: number } | null;
}

export interface FindingFile {
	/** With backslashes, from the root; a named stream follows a colon. */
	readonly path: string;
	readonly imageIndex: number;
}

/** A WIM on this machine, as the start screen lists it. */
export interface FoundWim {
	readonly path: string;
	readonly size: number;
	readonly modified: number | null;
	/** Null until its header was read. */
	readonly summary: FoundSummary | null;
	/** Why it cannot be opened. */
	readonly problem: string | null;
}

export interface FoundSummary {
	readonly compression: string;
	readonly imageCount: number;
	readonly partNumber: number;
	readonly partCount: number;
	readonly hasIntegrity: boolean;
	readonly title: string;
	readonly architecture: string;
	readonly version: string;
	readonly languages: string;
	/** Of the first image, as all of the above. */
	readonly edition: string;
	readonly build: string;
	/** Bytes that nothing refers to. */
	readonly deadBytes: number;
}

/** What became of an open file; `gone`: its name means no file any more. */
export type OnDisk = 'same' | 'changed' | 'gone';

export interface OpenFile {
	readonly facts: WimFacts;
	readonly images: readonly ImageFacts[];
	/** The rows of a folder. The root is position 0. Where it takes long, its first rows come before. */
	listFolder(
		imageIndex: number,
		position: number,
		signal: AbortSignal,
		onPart?: (part: Listing) => void,
	): Promise<Listing>;
	/** Positions from the root to `path`, or null when there is no such entry. */
	locate(imageIndex: number, path: string, signal: AbortSignal): Promise<readonly number[] | null>;
	/** Hard links of an image: names beyond the first of each file. Null while its metadata is not loaded. */
	hardLinkCount(imageIndex: number): number | null;
	/** Whether the answers that cannot wait are there: only a few images are kept. */
	isLoaded(imageIndex: number): boolean;
	load(imageIndex: number): Promise<void>;
	/** Backslash path of an entry of an image that is loaded. */
	pathOf(imageIndex: number, position: number): string;
	/** What an entry of an image that is loaded is. */
	describe(imageIndex: number, position: number): EntryOutline;
	/** The entry at a path, or null. */
	entryAt(imageIndex: number, path: string): Promise<EntryOutline | null>;
	details(imageIndex: number, position: number, signal: AbortSignal): Promise<EntryDetails>;
	/** Content from `offset`, at most `size` bytes; for the preview. */
	readContent(
		imageIndex: number,
		position: number,
		offset: number,
		size: number,
		signal: AbortSignal,
	): Promise<{ readonly bytes: Uint8Array; readonly totalSize: number }>;
	/** Every entry whose name (or path, where the pattern has a separator) matches. */
	find(
		imageIndex: number,
		pattern: string,
		signal: AbortSignal,
		onPart?: (part: Listing) => void,
	): Promise<Listing>;
	/** The parts as their tables tell them. */
	maps(signal: AbortSignal): Promise<readonly PartMap[]>;
	/** What lies in a place; the files of a few images are looked at. */
	placeFacts(place: MapPlace, signal: AbortSignal): Promise<PlaceFacts>;
	/** The rows of a folder by size. */
	sizes(imageIndex: number, position: number, signal: AbortSignal): Promise<SizeListing>;
	/** Everything that differs, in no particular order. */
	difference(
		beforeIndex: number,
		afterIndex: number,
		signal: AbortSignal,
	): Promise<readonly ImageDifference[]>;
	/** What is known of one of the differences on both sides. */
	differenceFacts(
		beforeIndex: number,
		afterIndex: number,
		difference: ImageDifference,
	): Promise<readonly DifferenceFact[]>;
	/** Bytes and files at and below entries, each once. */
	total(
		imageIndex: number,
		positions: readonly number[],
		signal: AbortSignal,
	): Promise<{ readonly size: number; readonly files: number }>;
	/** Whether another program changed it, or took it away, since it was opened. */
	onDisk(): Promise<OnDisk>;
	close(): Promise<void>;
}

export type JobState =
	| 'queued'
	| 'running'
	| 'paused'
	| 'done'
	| 'failed'
	| 'canceled'
	/** Its process was killed. */
	| 'interrupted';

/** A job as the screen shows it. */
export interface JobView {
	/** Unique in this run of the deck; below 0 for jobs of other processes. */
	readonly id: number;
	/** What people call it: `3`; `#12` as `wimdeck jobs` counts, when it is another process's. */
	readonly label: string;
	readonly verb: string;
	/** `install.wim -> 3800 MB parts`. */
	readonly title: string;
	readonly state: JobState;
	/** What it is doing. */
	readonly phase: string;
	readonly doneBytes: number;
	readonly totalBytes: number | null;
	/** Bytes a second over the last seconds, or null while unknown. */
	readonly rate: number | null;
	readonly etaMs: number | null;
	/** On the store's clock. */
	readonly startedMs: number;
	readonly lastEventMs: number;
	readonly endedMs: number | null;
	readonly problemCount: number;
	readonly warningCount: number;
	/** Why it failed; or what it did, once done. */
	readonly summary: string | null;
	/** What it waits for, while queued. */
	readonly waitsFor: number | null;
	/** The newest lines last; bounded. */
	readonly log: readonly string[];
	/** Grows with every line, also with those that left `log`. */
	readonly logCount: number;
	readonly findings: readonly Finding[];
	/** What a running check has found good so far, of each part. */
	readonly good: readonly GoodStretch[];
	/** What a check that is over found of each part; null for other jobs. */
	readonly map: readonly PartMap[] | null;
	readonly canPause: boolean;
	/** Absolute paths of what it changes. */
	readonly writes: readonly string[];
	/** The form and its values, so that a retry can open it again; null: started without a form. */
	readonly request: JobRequest | null;
	/** Why it cannot be run again as it was; null where it can. */
	readonly whyOnce: string | null;
	/** Started elsewhere (a command, another deck); shown, and canceled through the journal. */
	readonly isForeign: boolean;
	/** Files that an interrupted job left behind, one line each. */
	readonly leftovers: readonly string[];
}

/** What to do, in plain data: the verb's name and the values of its form. */
export interface JobRequest {
	readonly verb: string;
	readonly values: Readonly<Record<string, FormValue>>;
}

export type FormValue = string | number | boolean | readonly string[] | readonly number[] | null;

/** Values of this beginning are on when the path behind it is to give lost data. */
export const DONOR = 'donor:';

/** What a job would read, write and need, worked out before it starts. */
export interface JobEstimate {
	/** One line each, for the dialog; warnings do not block. */
	readonly notes: readonly string[];
	readonly warnings: readonly string[];
}

/** What must be right before a job may start; quick, unlike the estimate. */
export interface JobCheck {
	/** Field name to error; `` for the whole form. */
	readonly errors: Readonly<Record<string, string>>;
	/** A file that the job would replace, or a folder that it would write into, which must be confirmed. */
	readonly replaces: { readonly path: string; readonly facts: HostPath } | null;
}

export interface DeckJobs {
	list(): readonly JobView[];
	/** Called when any job changed, at most ten times a second. */
	subscribe(listener: () => void): () => void;
	start(request: JobRequest): number;
	cancel(id: number): void;
	pause(id: number): void;
	resume(id: number): void;
	dismiss(id: number): void;
	/** Runs a job that is over once more as it was; gives the new one's id. */
	again(id: number): Promise<number>;
	/** Clears away what an interrupted job left; says what was done. */
	clean(id: number): Promise<string>;
	/** Whether jobs of the past are listed too, not only those that run, were killed, or ended unseen. */
	showHistory(isShown: boolean): void;
	readonly isHistoryShown: boolean;
	/** The line has dropped: what ends from now on nobody sees. */
	detach(): void;
	check(request: JobRequest): Promise<JobCheck>;
	estimate(request: JobRequest, signal: AbortSignal): Promise<JobEstimate>;
	/** Ends when no job runs or waits. */
	idle(): Promise<void>;
	/** The verbs it can run; commands of others stay unavailable. */
	readonly verbs: ReadonlySet<string>;
}

export interface HostEntry {
	readonly name: string;
	readonly isFolder: boolean;
}

/** Facts about a path of this machine, for the dialogs. */
export interface HostPath {
	/** Absolute. */
	readonly path: string;
	readonly exists: boolean;
	readonly isFolder: boolean;
	readonly isEmptyFolder: boolean;
	readonly size: number;
	readonly modified: number | null;
	/** Images in it, when it is a WIM. */
	readonly imageCount: number | null;
}

/** What the repair dialog offers. */
export interface RepairFacts {
	/** A free name for the repaired file. */
	readonly target: string;
	/** The WIMs beside the damaged file, the likeliest first. */
	readonly donors: readonly LikelyDonor[];
}

export interface DeckEngine {
	/**
	 * Opens a file.
	 *
	 * @param onHeader told how many images it has as soon as its header was read
	 * @throws {WimError} when the file cannot be opened
	 */
	open(
		path: string,
		options: { readonly refs: readonly string[] },
		onHeader?: (imageCount: number) => void,
	): Promise<OpenFile>;
	/** The WIMs in a folder, and below it when `isDeep`; calls `onBatch` with the whole list as it grows. */
	findWims(
		folder: string,
		isDeep: boolean,
		onBatch: (found: readonly FoundWim[]) => void,
		signal: AbortSignal,
	): Promise<void>;
	/** What can be known before a file is repaired. */
	repairFacts(damaged: string): Promise<RepairFacts>;
	/** As `findWims`, for files that are known by their paths. */
	lookAt(
		paths: readonly string[],
		onBatch: (found: readonly FoundWim[]) => void,
		signal: AbortSignal,
	): Promise<void>;
	/** Files that were opened last, newest first. */
	recentFiles(): Promise<readonly string[]>;
	/** Keeps a file among the recent ones. */
	remember(path: string): Promise<void>;
	/** Names in a folder of this machine that begin with `prefix`, folders first. */
	complete(path: string): Promise<readonly HostEntry[]>;
	look(path: string): Promise<HostPath>;
	/** The whole path of a folder of this machine; null when the path is none of one. */
	folderAt(path: string): Promise<string | null>;
	/** Bytes and files at and below a path of this machine. */
	measure(
		path: string,
		signal: AbortSignal,
	): Promise<{ readonly size: number; readonly fileCount: number }>;
	/** Staged changes between two runs of the deck. */
	readonly staged: StagedStore;
	/** Writes a small text file (reports, lists), refusing to replace one. */
	writeReport(path: string, text: string): Promise<void>;
	readonly jobs: DeckJobs;
	close(): Promise<void>;
}
