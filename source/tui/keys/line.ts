/** The text modes of the status row: filter, go to, find, mark by pattern, jump to a name. */

import { filterDifference } from '../state/difference.ts';
import { browse, setFilter } from '../state/files.ts';
import { LIST_START } from '../state/list.ts';
import { markMatching, remember } from '../state/marks.ts';
import { currentImage, focusOf } from '../state/selectors.ts';
import { filterSizes } from '../state/sizes.ts';
import type { LineMode, State } from '../state/state.ts';
import { say } from '../state/status.ts';
import { fieldOf } from '../state/text-field.ts';
import { jumpBack, jumpTo, listOf } from './jump.ts';

/** The filter of the list that has the focus. */
export function filterOf(state: State): string {
	switch (focusOf(state)) {
		case 'images':
			return state.images.filter;
		case 'files':
			return state.files.filter;
		case 'start':
			return state.start.filter;
		case 'damage':
			return state.damage.filter;
		case 'difference':
			return state.difference.filter;
		case 'sizes':
			return state.sizes.filter;
		default:
			return '';
	}
}

export function withFilter(state: State, filter: string): State {
	switch (focusOf(state)) {
		case 'images':
			return { ...state, images: { ...state.images, filter, list: LIST_START } };
		case 'files':
			return setFilter(state, filter);
		case 'start':
			return { ...state, start: { ...state.start, filter, list: LIST_START } };
		case 'damage':
			return { ...state, damage: { ...state.damage, filter, list: LIST_START } };
		case 'difference':
			return filterDifference(state, filter);
		case 'sizes':
			return filterSizes(state, filter);
		default:
			return state;
	}
}

export function openLine(state: State, purpose: LineMode['purpose'], text: string): State {
	return {
		...state,
		line: {
			purpose,
			field: fieldOf(text),
			before: filterOf(state),
			completions: [],
			from: listOf(state),
			note: '',
		},
	};
}

/** The filter narrows, and the cursor jumps, as one types, except on slow lines. */
export function onTyped(state: State): State {
	const { line } = state;
	if (line === null || state.settings.slow) return state;
	if (line.purpose === 'jump') return jumpTo(state, line.field.text);
	return line.purpose === 'filter' ? withFilter(state, line.field.text) : state;
}

/** Esc and ^C: the line closes and leaves nothing behind. */
export function cancelLine(state: State): State {
	const { line } = state;
	if (!line) return state;
	const closed = { ...state, line: null };
	if (line.purpose === 'jump') return jumpBack(closed, line.from);
	return line.purpose === 'filter' ? withFilter(closed, '') : closed;
}

/** Enter. */
export function acceptLine(state: State): State {
	const { line } = state;
	if (!line) return state;
	const text = line.field.text;
	const closed: State = { ...state, line: null };
	switch (line.purpose) {
		case 'filter':
			return withFilter(line.before === text ? closed : rememberFilter(closed, line.before), text);
		case 'jump':
			return acceptJump(state, text);
		case 'markGlob':
			return text === '' ? closed : markMatching(closed, text);
		case 'find':
			return text.trim() === '' ? closed : find(closed, text.trim());
		case 'goto':
			return text.trim() === '' ? closed : goTo(closed, text.trim());
	}
}

/** The cursor stays where it jumped; on a slow line it does so only now. */
function acceptJump(state: State, text: string): State {
	const next = state.settings.slow ? jumpTo(state, text) : state;
	const closed: State = { ...next, line: null };
	return next.line?.note ? say(closed, `No name here begins with "${text}"`) : closed;
}

/** `u` brings back the filter from before the line was opened. */
function rememberFilter(state: State, before: string): State {
	const remembered = remember(state, 'filter');
	const last = remembered.undo.at(-1);
	if (!last || focusOf(state) !== 'files') return state;
	return { ...remembered, undo: [...remembered.undo.slice(0, -1), { ...last, filter: before }] };
}

function find(state: State, pattern: string): State {
	const imageIndex = state.files.listing?.imageIndex ?? currentImage(state)?.index;
	if (imageIndex === undefined) return say(state, 'There is no image to search in');
	return browse(
		{ ...remember(state, 'place'), focus: 'files', view: 'deck' },
		{ type: 'find', imageIndex, pattern },
	);
}

/** A path with slashes of either kind, as a backslash path from the root. */
export function insidePath(state: State, text: string): string {
	const slashed = text.replaceAll('/', '\\');
	const here = state.files.listing?.path ?? '\\';
	const whole = slashed.startsWith('\\') ? slashed : `${here === '\\' ? '' : here}\\${slashed}`;
	const parts: string[] = [];
	for (const part of whole.split('\\')) {
		if (part === '..') parts.pop();
		else if (part !== '' && part !== '.') parts.push(part);
	}
	return `\\${parts.join('\\')}`;
}

function goTo(state: State, text: string): State {
	const imageIndex = state.files.listing?.imageIndex ?? currentImage(state)?.index;
	if (imageIndex === undefined) return say(state, 'There is no image to go to');
	return browse(
		{ ...remember(state, 'place'), focus: 'files', view: 'deck' },
		{ type: 'path', imageIndex, path: insidePath(state, text) },
	);
}
