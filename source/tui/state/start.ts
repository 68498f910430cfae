/** The start screen's table: order, filter, and the cursor that stays on its file while the list grows. */

import type { FoundWim } from '../engine.ts';
import { LIST_START, moveTo } from './list.ts';
import { filterTest } from './order.ts';
import { memo, scrollOf, startHeight } from './selectors.ts';
import type { StartSortKey, StartState, State } from './state.ts';
import { say } from './status.ts';

const text = (value: string | undefined): string => (value ?? '').toLowerCase();

/** Numbers in builds compare as numbers: 9200 before 26100. */
const byBuild = (a: string, b: string): number => Number(a) - Number(b) || (a < b ? -1 : 1);

type Compare = (a: FoundWim, b: FoundWim) => number;

const compareText =
	(of: (found: FoundWim) => string): Compare =>
	(a, b) => {
		const left = of(a);
		const right = of(b);
		return left < right ? -1 : left > right ? 1 : 0;
	};

const COMPARE: Readonly<Record<StartSortKey, Compare>> = {
	name: compareText(({ path }) => path.toLowerCase()),
	size: (a, b) => a.size - b.size,
	time: (a, b) => (a.modified ?? 0) - (b.modified ?? 0),
	dead: (a, b) => (a.summary?.deadBytes ?? -1) - (b.summary?.deadBytes ?? -1),
	images: (a, b) => (a.summary?.imageCount ?? -1) - (b.summary?.imageCount ?? -1),
	edition: compareText(({ summary }) => text(summary?.edition)),
	build: (a, b) => byBuild(a.summary?.build ?? '', b.summary?.build ?? ''),
};

const rowsBy = memo(
	(found: readonly FoundWim[], filter: string, sort: StartState['sort']): readonly FoundWim[] => {
		const test = filterTest(filter);
		const kept =
			filter === ''
				? found
				: found.filter(({ path, summary }) =>
						test(
							[
								path,
								summary?.title,
								summary?.edition,
								summary?.build,
								summary?.architecture,
								summary?.languages,
							]
								.join(' ')
								.toLowerCase(),
						),
					);
		if (sort === null) return kept;
		const sign = sort.descending ? -1 : 1;
		const compare = COMPARE[sort.key];
		return kept.toSorted((a, b) => sign * compare(a, b) || COMPARE.name(a, b));
	},
);

/** Files that pass the filter, in order; unsorted as they were found. */
export function shownFound({ start }: State): readonly FoundWim[] {
	return rowsBy(start.found, start.filter, start.sort);
}

/** The same state with the cursor on the file where it was before. */
export function keepFound(before: State, next: State): State {
	const path = shownFound(before)[before.start.list.cursor]?.path;
	const rows = shownFound(next);
	const row = path === undefined ? -1 : rows.findIndex((one) => one.path === path);
	if (row < 0) return next;
	const frame = {
		count: rows.length,
		height: startHeight(next),
		scroll: scrollOf(next),
	};
	const list = moveTo(next.start.list, row, frame);
	return { ...next, start: { ...next.start, list } };
}

/** Sorts by a key; the same key again turns the order round. Amounts and times start with the largest. */
export function sortFound(state: State, key: StartSortKey): State {
	const { sort } = state.start;
	const startsDown = key !== 'name' && key !== 'edition';
	const descending = sort?.key === key ? !sort.descending : startsDown;
	return keepFound(state, { ...state, start: { ...state.start, sort: { key, descending } } });
}

/** Ends the search; what was found stays. */
export function stopLooking(state: State): State {
	const { start } = state;
	return say(
		{ ...state, start: { ...start, load: { ...start.load, request: null, status: 'ready' } } },
		`Stopped looking: ${start.found.length} found`,
	);
}

/** Shows the files that were opened last. */
export function showRecent(state: State): State {
	const { start, settings, nowMs } = state;
	if (!settings.remember)
		return say(state, 'Recent files are kept only with "remember": true in the configuration');
	if (start.recent.length === 0) return say(state, 'No file was opened yet');
	const request = {
		folder: start.folder ?? settings.workFolder,
		isDeep: false,
		recent: start.recent,
	};
	return {
		...state,
		view: 'start',
		focus: 'images',
		start: {
			...start,
			isDeep: false,
			isRecent: true,
			load: { request, status: 'loading', sinceMs: nowMs, error: null },
			found: [],
			list: LIST_START,
			sort: null,
			filter: '',
		},
	};
}
