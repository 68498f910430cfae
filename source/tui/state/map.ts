/** The map of the file: the bytes of a part as a grid of cells on which the cursor moves. */

import type { Finding, FindingFile, JobView } from '../engine.ts';
import type { GoodStretch, MapPlace, MapState, PartMap, PlaceFacts } from '../engine-views.ts';
import { showFinding } from './damage.ts';
import { loading } from './load.ts';
import { viewHeight } from './selectors.ts';
import type { State } from './state.ts';
import { say } from './status.ts';
import { openView } from './view.ts';

/** What a cell shows, the worst first: one bad byte makes it bad; otherwise what it holds most of. */
export const MAP_STATES: readonly MapState[] = [
	'bad',
	'structure',
	'unchecked',
	'good',
	'unreferenced',
];

export interface Grid {
	readonly columns: number;
	readonly rows: number;
	/** Cells; the last row may be short. */
	readonly count: number;
}

/** The map of the newest check of this file that is over. */
function checkedMap(state: State): readonly PartMap[] | null {
	const first = state.map.layout?.[0]?.path;
	return state.jobs.jobs.findLast(({ map }) => map?.[0]?.path === first)?.map ?? null;
}

/** A check of this file that runs now. */
function runningCheck(state: State): JobView | null {
	return (
		state.jobs.jobs.findLast(
			(job) =>
				job.verb === 'verify' &&
				(job.state === 'running' || job.state === 'paused') &&
				!job.isForeign &&
				job.good.some(({ part }) => isPart(state, part)),
		) ?? null
	);
}

const isPart = (state: State, wanted: string): boolean =>
	state.map.layout?.some(({ path }) => path === wanted) ?? false;

/** What a check found of the parts, else the layout of their tables; a check that runs begins anew. */
export function fileMap(state: State): readonly PartMap[] | null {
	return runningCheck(state) ? state.map.layout : (checkedMap(state) ?? state.map.layout);
}

export function shownPart(state: State): PartMap | null {
	return fileMap(state)?.[state.map.part] ?? null;
}

/** Cells are as many as the upper part of the screen takes, but none is smaller than a byte. */
export function mapGrid(state: State): Grid {
	const size = shownPart(state)?.size ?? 0;
	const columns = Math.max(8, state.columns - 2);
	const rows = Math.max(2, Math.floor((viewHeight(state) - 1) / 2) - 1);
	return { columns, rows, count: Math.min(columns * rows, size) };
}

/** First byte of a cell. */
export const cellStart = (cell: number, count: number, size: number): number =>
	Math.floor((cell * size) / count);

export function cellUnderCursor(state: State): number {
	const size = shownPart(state)?.size ?? 0;
	const { count } = mapGrid(state);
	if (size === 0) return 0;
	let cell = Math.min(count - 1, Math.floor((state.map.offset * count) / size));
	while (cell + 1 < count && cellStart(cell + 1, count, size) <= state.map.offset) cell++;
	return cell;
}

/** The bytes under the cursor. */
export function placeUnderCursor(state: State): MapPlace | null {
	const part = shownPart(state);
	if (!part) return null;
	const { count } = mapGrid(state);
	const cell = cellUnderCursor(state);
	const offset = cellStart(cell, count, part.size);
	const end = cellStart(cell + 1, count, part.size);
	return { part: state.map.part, offset, size: end - offset };
}

interface Cells {
	readonly part: PartMap;
	readonly findings: readonly Finding[];
	readonly good: readonly GoodStretch[];
	readonly count: number;
	/** Positions in `MAP_STATES`. */
	readonly states: Uint8Array;
}

let drawn: Cells | null = null;

const NONE: readonly GoodStretch[] = [];
const GOOD = MAP_STATES.indexOf('good');
const UNCHECKED = MAP_STATES.indexOf('unchecked');

/** Adds bytes of a stretch to the cells that it touches. */
function spread(
	sums: Float64Array,
	stretch: { readonly offset: number; readonly size: number },
	kind: number,
	{ count, size }: { readonly count: number; readonly size: number },
	/** What the bytes were counted as before. */
	instead: number | null = null,
): void {
	const end = stretch.offset + stretch.size;
	let cell = Math.max(0, Math.floor((stretch.offset * count) / size) - 1);
	for (; cell < count && cellStart(cell, count, size) < end; cell++) {
		const from = Math.max(stretch.offset, cellStart(cell, count, size));
		const to = Math.min(end, cellStart(cell + 1, count, size));
		if (to <= from) continue;
		const row = cell * MAP_STATES.length;
		const moved = instead === null ? to - from : Math.min(to - from, sums[row + instead]!);
		sums[row + kind]! += moved;
		if (instead !== null) sums[row + instead]! -= moved;
	}
}

/** What each cell shows; the same array for as long as nothing changes. */
export function mapCells(state: State): Uint8Array {
	const part = shownPart(state);
	const { count } = mapGrid(state);
	const { findings } = state.damage;
	if (!part) return new Uint8Array(0);
	const running = runningCheck(state);
	const good = running?.good ?? NONE;
	if (
		drawn?.part === part &&
		drawn.findings === findings &&
		drawn.good === good &&
		drawn.count === count
	)
		return drawn.states;
	const kinds = MAP_STATES.length;
	const sums = new Float64Array(count * kinds);
	const frame = { count, size: part.size };
	for (const stretch of part.stretches)
		spread(sums, stretch, MAP_STATES.indexOf(stretch.state), frame);
	for (const stretch of good)
		if (stretch.part === part.path) spread(sums, stretch, GOOD, frame, UNCHECKED);
	// While a check runs only its findings know what is bad. One of the integrity table blames a long
	// stretch without a name; those of contents say which.
	for (const { place, digest } of running || checkedMap(state) === null ? findings : [])
		if (place?.part === part.path && digest !== null) spread(sums, place, 0, frame);
	const states = new Uint8Array(count);
	for (let cell = 0; cell < count; cell++) {
		let best = kinds - 1;
		for (let kind = kinds - 1; kind >= 0; kind--)
			if (sums[cell * kinds + kind]! > sums[cell * kinds + best]!) best = kind;
		states[cell] = sums[cell * kinds]! > 0 ? 0 : best;
	}
	drawn = { part, findings, good, count, states };
	return states;
}

/** Findings that hit the bytes under the cursor. */
export function findingsAtCursor(state: State): readonly Finding[] {
	const place = placeUnderCursor(state);
	const path = shownPart(state)?.path;
	if (!place) return [];
	return state.damage.findings.filter(
		({ place: hit }) =>
			hit?.part === path &&
			hit !== null &&
			hit.offset < place.offset + place.size &&
			place.offset < hit.offset + hit.size,
	);
}

/** Wishes for what the view needs; called after everything that moves the cursor. */
function wished(state: State): State {
	const place = placeUnderCursor(state);
	const known = state.map.placeLoad.request;
	if (
		!place ||
		(known?.offset === place.offset && known.size === place.size && known.part === place.part)
	)
		return state;
	const { map } = state;
	return { ...state, map: { ...map, placeLoad: loading(place, state.nowMs), place: null } };
}

/** Other bytes may be under the cursor after any change: a screen of another size has other cells. */
export const followMap = (state: State): State => (state.view === 'map' ? wished(state) : state);

/** Opens the map, where a finding says or where it was. */
export function openMap(state: State, finding: Finding | null): State {
	const opened = openView(state, 'map');
	const { map } = opened;
	const load = map.layout ? map.load : loading({}, state.nowMs);
	const at = finding?.place ?? null;
	const parts = fileMap(state);
	const part = at === null ? -1 : (parts ?? []).findIndex(({ path }) => path === at.part);
	// Without the layout the parts are not known yet; one-part files are the rule.
	const target = at === null ? {} : { offset: at.offset, part: Math.max(0, part) };
	return wished({ ...opened, map: { ...map, load, ...target } });
}

export function mapLoaded(state: State, wish: object, layout: readonly PartMap[]): State {
	if (state.map.load.request !== wish) return state;
	const load = { ...state.map.load, status: 'ready' as const };
	return wished({ ...state, map: { ...state.map, load, layout } });
}

export function mapFailed(state: State, wish: object, error: string): State {
	if (state.map.load.request !== wish) return state;
	const load = { ...state.map.load, status: 'failed' as const, error };
	return { ...state, map: { ...state.map, load } };
}

export function placeLoaded(state: State, wish: MapPlace, place: PlaceFacts): State {
	if (state.map.placeLoad.request !== wish) return state;
	const placeLoad = { ...state.map.placeLoad, status: 'ready' as const };
	return { ...state, map: { ...state.map, placeLoad, place } };
}

export function placeFailed(state: State, wish: MapPlace, error: string): State {
	if (state.map.placeLoad.request !== wish) return state;
	const placeLoad = { ...state.map.placeLoad, status: 'failed' as const, error };
	return { ...state, map: { ...state.map, placeLoad } };
}

/** Moves the cursor by cells. */
export function moveCells(state: State, by: number): State {
	const part = shownPart(state);
	if (!part) return state;
	const { count } = mapGrid(state);
	const cell = Math.max(0, Math.min(count - 1, cellUnderCursor(state) + by));
	return toCell(state, cell);
}

function toCell(state: State, cell: number): State {
	const size = shownPart(state)?.size ?? 0;
	const offset = cellStart(cell, mapGrid(state).count, size);
	if (offset === state.map.offset) return state;
	return wished({ ...state, map: { ...state.map, offset } });
}

/** The next or previous bad cell. */
export function nextBadCell(state: State, step: 1 | -1): State {
	const cells = mapCells(state);
	for (let cell = cellUnderCursor(state) + step; cell >= 0 && cell < cells.length; cell += step)
		if (cells[cell] === 0) return toCell(state, cell);
	return say(state, `No damage ${step === 1 ? 'behind' : 'before'} this`);
}

/** Another part of the set, from its beginning. */
export function otherPart(state: State, step: 1 | -1): State {
	const count = fileMap(state)?.length ?? 1;
	const part = state.map.part + step;
	if (part < 0 || part >= count)
		return say(state, `This is part ${state.map.part + 1} of ${count}`);
	return wished({ ...state, map: { ...state.map, part, offset: 0 } });
}

/** The damage view at the finding under the cursor. */
export function toFinding(state: State): State {
	const [finding] = findingsAtCursor(state);
	if (!finding) return say(state, 'Nothing was found here');
	return showFinding(state, finding);
}

const fileKey = ({ imageIndex, path }: FindingFile): string => `${imageIndex}:${path}`;

/** The files of the place under the cursor: those that a finding there hits come first. */
export function filesAtCursor(
	state: State,
): readonly (FindingFile & { readonly isHit: boolean })[] {
	const files = state.map.place?.files ?? [];
	const hits = new Set(findingsAtCursor(state).flatMap((finding) => finding.files.map(fileKey)));
	const marked = files.map((file) => ({ ...file, isHit: hits.has(fileKey(file)) }));
	return [...marked.filter(({ isHit }) => isHit), ...marked.filter(({ isHit }) => !isHit)];
}

/** A file that lies under the cursor, a damaged one if there is any; null when none is known. */
export function fileAtCursor(state: State): FindingFile | null {
	const [hit] = findingsAtCursor(state).flatMap(({ files }) => files);
	return hit ?? state.map.place?.files[0] ?? null;
}
