/** Opening a file, and what the start screen lists. */

import { type FoundWim, type OnDisk, type OpenFile, UNNAMED_INDEX } from '../engine.ts';
import { applyFindings, showUnreadable } from './damage.ts';
import { NO_DIFFERENCE } from './difference-state.ts';
import { browse } from './files.ts';
import { LIST_START } from './list.ts';
import { NO_FILE_MAP } from './map-state.ts';
import { baseName, focusOf, imageUnderCursor, isActive, visibleImages } from './selectors.ts';
import { NO_SIZES } from './sizes-state.ts';
import { NOTHING_STAGED } from './staged-state.ts';
import { keepFound } from './start.ts';
import { NO_DAMAGE, NO_DETAILS, NO_FILES, type OpenRequest, type State } from './state.ts';
import { say } from './status.ts';

/** Asks for a file to be opened; what is open stays until the new one is there. */
export function openWim(state: State, path: string, refs: readonly string[] = []): State {
	const request: OpenRequest = { path, refs, keepPlace: false };
	return {
		...state,
		wim: { ...state.wim, load: { request, status: 'loading', sinceMs: state.nowMs, error: null } },
		status: null,
	};
}

/** Reads the open file again. */
export function reloadWim(state: State): State {
	const old = state.wim.load.request;
	if (!old) return state;
	const request: OpenRequest = { ...old, keepPlace: true };
	return {
		...state,
		wim: { ...state.wim, load: { request, status: 'loading', sinceMs: state.nowMs, error: null } },
	};
}

/** Asks once more for the file that could not be opened. */
export function retryOpen(state: State): State {
	const { request } = state.wim.load;
	if (!request) return state;
	return request.keepPlace ? reloadWim(state) : openWim(state, request.path, request.refs);
}

/** The header of the file is read: its images are listed by number until they are known. */
export function headerRead(state: State, request: OpenRequest, imageCount: number): State {
	if (state.wim.load.request !== request || state.wim.load.status !== 'loading') return state;
	return { ...state, wim: { ...state.wim, expectedImages: imageCount } };
}

export function wimOpened(state: State, request: OpenRequest, file: OpenFile): State {
	if (state.wim.load.request !== request) return state;
	const opened: State = {
		...state,
		...(request.keepPlace ? {} : { view: 'deck', previousView: 'deck' }),
		wim: {
			load: { request, status: 'ready', sinceMs: state.nowMs, error: null },
			file,
			facts: file.facts,
			images: file.images,
			expectedImages: 0,
			unreadable: new Map(),
			onDisk: 'same',
		},
		details: { ...NO_DETAILS, isOpen: state.details.isOpen, mode: state.details.mode },
		map: NO_FILE_MAP,
		sizes: { ...NO_SIZES, sort: state.sizes.sort },
		difference: NO_DIFFERENCE,
	};
	const warning = file.facts.warnings[0];
	const told = warning === undefined ? opened : say(opened, warning, 'warning');
	if (request.keepPlace) return samePlace(told, state);
	const fresh = fromTheTop(told);
	// With one image there is nothing to choose.
	return file.images.length === 1 ? browseImage(fresh) : fresh;
}

function fromTheTop(state: State): State {
	const bootable = state.wim.images.findIndex(({ isBootable }) => isBootable);
	const cursor = Math.max(0, bootable);
	const { files } = state;
	return {
		...state,
		focus: 'images',
		images: { list: { cursor, top: 0 }, filter: '', marks: new Set() },
		files: { ...NO_FILES, sort: files.sort, showHidden: files.showHidden },
		marks: new Map(),
		undo: [],
		damage: NO_DAMAGE,
		staged: { ...NOTHING_STAGED, token: state.staged.token + 1 },
	};
}

/** Index that an image has now, by its name; null when it is gone. */
function indexNow(now: State, before: State, index: number): number | null {
	const name = before.wim.images.find((image) => image.index === index)?.name;
	const same = now.wim.images.filter((image) => image.name === name);
	// Names are unique in sound files only.
	const found = same.find((image) => image.index === index) ?? same[0];
	return found?.index ?? null;
}

/** The same images under the cursor and marked, whatever their numbers are now. */
function sameImages(state: State, before: State): State {
	const { images } = state;
	const marks = [...images.marks].flatMap((index) => indexNow(state, before, index) ?? []);
	const kept = { ...state, images: { ...images, marks: new Set(marks) } };
	const old = imageUnderCursor(before)?.index;
	const now = old === undefined ? null : indexNow(state, before, old);
	const row = visibleImages(kept).findIndex(({ index }) => index === now);
	if (row < 0) return kept;
	return { ...kept, images: { ...kept.images, list: { ...images.list, cursor: row } } };
}

/** After a reload: same image by name, same folder by path; marks of entries go, their positions may be others now. */
function samePlace(state: State, before: State): State {
	const { listing, find } = state.files;
	const kept = applyFindings(
		{
			...sameImages(state, before),
			marks: new Map(),
			undo: [],
			files: { ...state.files, places: new Map() },
		},
		state.damage.findings,
	);
	if (!listing) return kept;
	const imageIndex = indexNow(state, before, listing.imageIndex);
	if (imageIndex === null) return withoutListing(kept);
	if (find !== null) return browse(kept, { type: 'find', imageIndex, pattern: find });
	const row = state.files.order[state.files.list.cursor];
	const name = row === undefined ? null : (listing.names[row] ?? null);
	return browse(
		kept,
		{ type: 'path', imageIndex, path: listing.path },
		{ wanted: name, isStep: false },
	);
}

/** Nothing is open in Files: what was is no longer there. */
function withoutListing(state: State): State {
	const { sort, showHidden } = state.files;
	const focus = state.focus === 'jobs' ? state.focus : 'images';
	return { ...state, focus, files: { ...NO_FILES, sort, showHidden } };
}

/** Whether what is read of the open file is to be what it holds now: no job of ours writes it, or just did. */
export const isSettled = ({ wim, jobs }: State): boolean =>
	wim.load.status === 'ready' &&
	!jobs.jobs.some((job) => isActive(job) && job.writes.includes(wim.facts?.path ?? ''));

/** The open file was looked at. What was read of it stays, and nothing moves: it is only said. */
export function fileSeen(state: State, file: OpenFile, onDisk: OnDisk): State {
	if (state.wim.file !== file || state.wim.onDisk === onDisk || !isSettled(state)) return state;
	const seen: State = { ...state, wim: { ...state.wim, onDisk } };
	const name = wimName(state);
	if (onDisk === 'changed')
		return say(seen, `${name} was changed by another program: R reads it again`, 'warning', {
			short: 'Changed by another program: R',
		});
	if (onDisk === 'gone')
		return say(seen, `${name} is gone: what was read can be looked at, no more`, 'warning');
	return seen;
}

/** `r` is another command outside the lists of images and files; a file that was open can be read again anywhere. */
function retryKey(state: State, request: OpenRequest): string {
	if (request.keepPlace) return '   R again';
	const focus = focusOf(state);
	return focus === 'images' || focus === 'start' ? '   r retry' : ' ';
}

export function wimFailed(state: State, request: OpenRequest, reason: string): State {
	if (state.wim.load.request !== request) return state;
	const failed: State = {
		...state,
		wim: {
			...state.wim,
			expectedImages: 0,
			load: { request, status: 'failed', sinceMs: state.nowMs, error: reason },
		},
	};
	return say(failed, reason, 'error', { keys: `${retryKey(failed, request)}  o other` });
}

/** Opens the image under the cursor in Files; going on where the cursor was when it is open already. */
export function browseImage(state: State): State {
	const image = visibleImages(state)[state.images.list.cursor];
	if (!image) return state;
	if (state.wim.unreadable.has(image.index)) return showUnreadable(state, image.index);
	if (state.files.listing?.imageIndex === image.index) return { ...state, focus: 'files' };
	return browse(
		{ ...state, focus: 'files', files: { ...state.files, history: [] } },
		{ type: 'folder', imageIndex: image.index, position: 0 },
		{ isStep: false },
	);
}

/** The same path in the image before or after. */
export function stepImage(state: State, step: 1 | -1): State {
	const { listing } = state.files;
	if (!listing) return state;
	if (listing.imageIndex === UNNAMED_INDEX) return say(state, 'This is no image of the file');
	const at = state.wim.images.findIndex(({ index }) => index === listing.imageIndex);
	const next = state.wim.images[at + step];
	if (!next) return say(state, step === 1 ? 'This is the last image' : 'This is the first image');
	const row = state.files.order[state.files.list.cursor];
	const name = row === undefined ? null : (listing.names[row] ?? null);
	return browse(
		state,
		{ type: 'path', imageIndex: next.index, path: listing.path },
		{ wanted: name },
	);
}

/** Shows the start screen for a folder. */
export function showStart(state: State, folder: string, isDeep: boolean): State {
	return {
		...state,
		view: 'start',
		focus: 'images',
		start: {
			...state.start,
			folder,
			isDeep,
			isRecent: false,
			load: {
				request: { folder, isDeep },
				status: 'loading',
				sinceMs: state.nowMs,
				error: null,
			},
			found: [],
			list: LIST_START,
		},
	};
}

/** Lists the folder of the start screen anew; what is listed stays until then. */
export function lookAgain(state: State): State {
	const { start } = state;
	if (start.folder === null) return state;
	const request = { ...start.load.request, folder: start.folder, isDeep: start.isDeep };
	const load = { request, status: 'loading', sinceMs: state.nowMs, error: null } as const;
	return { ...state, start: { ...start, load } };
}

/** Takes the list as it grows; rows never move under the cursor, since new ones come last. */
export function wimsFound(
	state: State,
	request: State['start']['load']['request'],
	found: readonly FoundWim[],
	isComplete: boolean,
): State {
	if (state.start.load.request !== request) return state;
	const next: State = {
		...state,
		start: {
			...state.start,
			found,
			load: {
				...state.start.load,
				status: isComplete ? 'ready' : 'loading',
			},
		},
	};
	return keepFound(state, next);
}

export function findWimsFailed(
	state: State,
	request: State['start']['load']['request'],
	reason: string,
): State {
	if (state.start.load.request !== request) return state;
	return {
		...state,
		start: { ...state.start, load: { ...state.start.load, status: 'failed', error: reason } },
	};
}

/** Title for messages: the file's name without its folders. */
export function wimName(state: State): string {
	return baseName(state.wim.facts?.path ?? state.wim.load.request?.path ?? '');
}
