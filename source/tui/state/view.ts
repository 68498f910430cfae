/** Views that fill the screen: opening one and going back. */

import type { State, ViewName } from './state.ts';

/** Opens a view; going back leads to the deck or the start screen, never to another view. */
export function openView(state: State, view: Exclude<ViewName, 'start' | 'deck'>): State {
	const isBase = state.view === 'start' || state.view === 'deck';
	return { ...state, view, previousView: isBase ? state.view : state.previousView };
}

export function closeView(state: State): State {
	return { ...state, view: state.previousView };
}
