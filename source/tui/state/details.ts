/** The Details pane: what it shall show, and what it shows. */

import type { EntryDetails } from '../engine.ts';
import { entryUnderCursor, layoutOf } from './selectors.ts';
import type { DetailMode, EntryKey, State } from './state.ts';

/** Bytes of a file that preview and Details read. */
export const CONTENT_SIZE = 64 * 1024;

const isSame = (a: EntryKey | null, b: EntryKey | null): boolean =>
	a === b ||
	(a !== null && b !== null && a.imageIndex === b.imageIndex && a.position === b.position);

/** The entry whose details belong on the screen now, or null. */
export function wantedDetails(state: State): EntryKey | null {
	if (state.view !== 'deck' || !layoutOf(state).panes.details) return null;
	if (state.focus === 'images') return null;
	const entry = entryUnderCursor(state);
	if (!entry || entry.position < 0) return null;
	return { imageIndex: entry.imageIndex, position: entry.position };
}

/** Wide screens have room for the first bytes below the facts. */
export const showsStart = (state: State): boolean =>
	state.details.mode === 'facts' && layoutOf(state).size === 'wide';

function needsContentOf(state: State, wanted: EntryKey): boolean {
	const { mode, shown, details } = state.details;
	if (mode === 'hex' || mode === 'text') return true;
	// Only the facts say whether that is quick.
	return showsStart(state) && isSame(shown, wanted) && (details?.startsQuickly ?? false);
}

/** Keeps the wishes of the pane in step with the cursor; called after every change. */
export function followCursor(state: State): State {
	const wanted = wantedDetails(state);
	const { details } = state;
	let next = details;
	if (wanted && !isSame(wanted, details.load.request)) {
		next = {
			...next,
			top: 0,
			load: { request: wanted, status: 'loading', sinceMs: state.nowMs, error: null },
		};
	}
	const needsContent = wanted && needsContentOf(state, wanted);
	if (needsContent && !isSame(wanted, details.contentLoad.request)) {
		next = {
			...next,
			contentLoad: { request: wanted, status: 'loading', sinceMs: state.nowMs, error: null },
		};
	}
	return next === details ? state : { ...state, details: next };
}

export function detailsLoaded(state: State, request: EntryKey, loaded: EntryDetails): State {
	const { details } = state;
	if (details.load.request !== request) return state;
	return {
		...state,
		details: {
			...details,
			load: { ...details.load, status: 'ready' },
			shown: request,
			details: loaded,
		},
	};
}

export function detailsFailed(state: State, request: EntryKey, reason: string): State {
	const { details } = state;
	if (details.load.request !== request) return state;
	return {
		...state,
		details: {
			...details,
			load: { ...details.load, status: 'failed', error: reason },
			shown: request,
			details: null,
		},
	};
}

export function contentLoaded(
	state: State,
	request: EntryKey,
	bytes: Uint8Array,
	totalSize: number,
): State {
	if (state.details.contentLoad.request !== request) return state;
	return {
		...state,
		details: {
			...state.details,
			contentLoad: { ...state.details.contentLoad, status: 'ready' },
			content: { key: request, bytes, totalSize },
		},
	};
}

export function contentFailed(state: State, request: EntryKey, reason: string): State {
	if (state.details.contentLoad.request !== request) return state;
	return {
		...state,
		details: {
			...state.details,
			contentLoad: { ...state.details.contentLoad, status: 'failed', error: reason },
			content: null,
		},
	};
}

const MODES: readonly DetailMode[] = ['facts', 'hex', 'text', 'streams'];

export function nextDetailMode(state: State): State {
	const at = MODES.indexOf(state.details.mode);
	const mode = MODES[(at + 1) % MODES.length]!;
	return { ...state, details: { ...state.details, mode, top: 0 } };
}

/** Asks for the content of an entry, for the preview. */
export function wantContent(state: State, key: EntryKey): State {
	if (isSame(key, state.details.content?.key ?? null)) return state;
	return {
		...state,
		details: {
			...state.details,
			contentLoad: { request: key, status: 'loading', sinceMs: state.nowMs, error: null },
		},
	};
}

/** The content of the entry whose facts are shown; null while it is not there. */
export function contentOfShown({ details: { content, shown } }: State): Uint8Array | null {
	return content !== null && isSame(content.key, shown) ? content.bytes : null;
}
