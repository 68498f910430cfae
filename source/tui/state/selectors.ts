/** Questions to the state that reducers, commands and views share. */

import {
	EntryKind,
	type ImageFacts,
	type JobState,
	type JobView,
	type Listing,
	UNNAMED_INDEX,
} from '../engine.ts';
import { type Layout, layout, type PaneName } from './layout.ts';
import type { ScrollMode } from './list.ts';
import { filterTest } from './order.ts';
import type { Dialog, EntryKey, State, ViewName } from './state.ts';

export type FocusName = PaneName | Exclude<ViewName, 'deck'>;

/** What has the keys when no dialog and no text mode is open. */
export function focusOf(state: State): FocusName {
	if (state.view === 'start') return state.focus === 'jobs' ? 'jobs' : 'start';
	return state.view === 'deck' ? state.focus : state.view;
}

export function layoutOf(state: State): Layout {
	return layout({
		columns: state.columns,
		rows: state.rows,
		focus: state.view === 'start' && state.focus !== 'jobs' ? 'images' : state.focus,
		isZoomed: state.isZoomed,
		detailsOpen: state.details.isOpen,
		jobCount: state.jobs.jobs.length,
		isStart: state.view === 'start',
	});
}

/** Rows of the start screen's table, without its title and its heading. */
export const startHeight = (state: State): number =>
	Math.max(1, (layoutOf(state).panes.images?.body.height ?? state.rows - 4) - 1);

/** Rows of a view that fills the screen: all but header, title, status and footer. */
export const viewHeight = (state: State): number => Math.max(1, state.rows - 4);

/** Remembers the last answer for the last arguments. */
export function memo<A extends readonly unknown[], R>(
	compute: (...args: A) => R,
): (...args: A) => R {
	let last: { args: A; result: R } | null = null;
	return (...args) => {
		if (!last?.args.every((arg, i) => arg === args[i])) last = { args, result: compute(...args) };
		return last.result;
	};
}

/** What a list calls an image: by its name, else by what else tells it from others. */
export const imageTitle = ({ name, displayName, description }: ImageFacts): string =>
	name || displayName || description || '(no name)';

/** The row below the images for what no readable image names. */
const UNNAMED: ImageFacts = {
	index: UNNAMED_INDEX,
	name: '(unnamed)',
	description: 'contents whose names are lost, by SHA-1',
	totalBytes: 0,
	fileCount: 0,
	folderCount: 0,
	hardLinkBytes: 0,
	architecture: '',
	version: '',
	edition: '',
	displayName: '',
	displayDescription: '',
	flags: '',
	created: null,
	modified: null,
	isBootable: false,
	metadata: '',
	more: [],
};

const imagesBy = memo((images: readonly ImageFacts[], filter: string, hasLost: boolean) => {
	const rows = hasLost ? [...images, UNNAMED] : images;
	if (filter === '') return rows;
	const test = filterTest(filter);
	return rows.filter((image) =>
		test(`${image.name} ${image.description} ${image.edition}`.toLowerCase()),
	);
});

/** Images that pass the filter of their pane; last the made-up one, while the metadata of an image is lost. */
export function visibleImages({ wim, images }: State): readonly ImageFacts[] {
	return imagesBy(wim.images, images.filter, wim.unreadable.size > 0);
}

export function imageUnderCursor(state: State): ImageFacts | null {
	return visibleImages(state)[state.images.list.cursor] ?? null;
}

/** The marked images, else the one under the cursor. */
export function chosenImages(state: State): readonly ImageFacts[] {
	const { marks } = state.images;
	if (marks.size > 0) return state.wim.images.filter(({ index }) => marks.has(index));
	const image = imageUnderCursor(state);
	return image && image.index !== UNNAMED_INDEX ? [image] : [];
}

/** An entry of the Files pane. */
export interface Entry extends EntryKey {
	readonly row: number;
	readonly name: string;
	readonly size: number;
	readonly isFolder: boolean;
	readonly isLink: boolean;
}

export function entryAt(listing: Listing, row: number): Entry {
	const kinds = listing.kinds[row] ?? 0;
	return {
		row,
		imageIndex: listing.imageIndex,
		position: listing.positions[row] ?? -1,
		name: listing.names[row] ?? '',
		size: listing.sizes[row] ?? 0,
		isFolder: (kinds & EntryKind.folder) !== 0,
		isLink: (kinds & EntryKind.link) !== 0,
	};
}

export function entryUnderCursor(state: State): Entry | null {
	const { listing, order, list } = state.files;
	const row = order[list.cursor];
	return listing && row !== undefined ? entryAt(listing, row) : null;
}

/** The path of an entry of the shown listing. */
export function entryPath(state: State, entry: Entry): string {
	const { listing, find } = state.files;
	if (find !== null || !listing) return entry.name;
	return listing.path === '\\' ? `\\${entry.name}` : `${listing.path}\\${entry.name}`;
}

export function markCount(state: State): number {
	let count = 0;
	for (const marks of state.marks.values()) count += marks.size;
	return count;
}

export function markedBytes(state: State): number {
	let bytes = 0;
	for (const marks of state.marks.values()) for (const size of marks.values()) bytes += size;
	return bytes;
}

const JOB_ORDER: Readonly<Record<JobState, number>> = {
	running: 0,
	paused: 1,
	interrupted: 2,
	failed: 3,
	queued: 4,
	done: 5,
	canceled: 5,
};

/** What is over goes by its end, the newest first; what is not keeps its order. */
const byEnd = (a: JobView, b: JobView): number =>
	a.endedMs === null || b.endedMs === null ? 0 : b.endedMs - a.endedMs;

const jobsBy = memo((jobs: readonly JobView[]) =>
	jobs.toSorted((a, b) => JOB_ORDER[a.state] - JOB_ORDER[b.state] || byEnd(a, b) || a.id - b.id),
);

/** Jobs as the pane lists them: running first, then failed, then waiting, then what ended, the newest first. */
export function orderedJobs(state: State): readonly JobView[] {
	return jobsBy(state.jobs.jobs);
}

export function jobUnderCursor(state: State): JobView | null {
	const jobs = orderedJobs(state);
	return jobs.find(({ id }) => id === state.jobs.cursorId) ?? jobs[0] ?? null;
}

export const isActive = (job: JobView): boolean =>
	job.state === 'running' || job.state === 'paused' || job.state === 'queued';

/** Jobs of this deck that are not over. */
export function activeJobs(state: State): readonly JobView[] {
	return state.jobs.jobs.filter((job) => isActive(job) && !job.isForeign);
}

/** Every other verb has a target, or a host that it changes. */
export const writesSomething = ({ verb }: JobView): boolean => verb !== 'verify' && verb !== 'diff';

export function topDialog(state: State): Dialog | null {
	return state.dialogs.at(-1) ?? null;
}

/** The file that checks and rescues are about: the open one, else the one that could not be opened. */
export function namedPath({ wim }: State): string | null {
	if (wim.facts) return wim.facts.path;
	return wim.load.status === 'failed' ? (wim.load.request?.path ?? null) : null;
}

/** The image that the Files pane shows, else the one under the cursor. */
export function currentImage(state: State): ImageFacts | null {
	const index = state.files.listing?.imageIndex;
	const shown = state.wim.images.find((image) => image.index === index);
	const under = imageUnderCursor(state);
	return shown ?? (under?.index === UNNAMED_INDEX ? null : under);
}

/** True when the row of the shown listing carries `!`: a finding hits it, or something below it. */
export function isDamagedRow(state: State, row: number): boolean {
	const { listing } = state.files;
	if (!listing || state.damage.findings.length === 0) return false;
	const entry = entryAt(listing, row);
	const key = `${entry.imageIndex}:${entryPath(state, entry).toLowerCase()}`;
	return state.damage.files.has(key) || (entry.isFolder && state.damage.folders.has(key));
}

/** A path without the folders before its last name; both kinds of separator count. */
export function baseName(path: string): string {
	return path.split(/[\\/]/).filter(Boolean).at(-1) ?? path;
}

/** How lists scroll: on slow lines always by half a page, which costs the fewest bytes. */
export const scrollOf = ({ settings }: State): ScrollMode =>
	settings.slow ? 'page' : settings.scroll;
