/** Staging changes of images, and following their commit. */

import { plural } from '../../base/print.ts';
import type { JobView } from '../engine.ts';
import { UNNAMED_INDEX } from '../engine.ts';
import { resort } from './files.ts';
import { baseOf, overlaid } from './files-overlay.ts';
import { LIST_START, type ListFrame, moveTo } from './list.ts';
import { isActive, memo, scrollOf, viewHeight } from './selectors.ts';
import {
	changeOfError,
	changesOf,
	conflictOf,
	imagesOf,
	isAtOrBelowAny,
	isTakenBackBy,
	type Occupant,
	parentOf,
	remembered,
	without,
} from './staged-plan.ts';
import { NOTHING_STAGED, type StagedChange, type StagedState } from './staged-state.ts';
import type { State } from './state.ts';
import { say } from './status.ts';
import { openView } from './view.ts';

/** A change before it has its number. */
type Draft<C> = C extends unknown ? Omit<C, 'id' | 'imageIndex' | 'error'> : never;
export type StagedDraft = Draft<StagedChange>;

export const hasStaged = (state: State): boolean => state.staged.changes.length > 0;

/** The job that commits what is staged, or null. */
export function commitJob({ jobs, staged }: State): JobView | null {
	return (
		jobs.jobs.find(
			({ verb, request }) => verb === 'update' && request?.values['token'] === staged.token,
		) ?? null
	);
}

export function isCommitting(state: State): boolean {
	const job = commitJob(state);
	return job !== null && isActive(job);
}

/** Why nothing can be staged for an image now; null: it can. */
export function stagingObstacle(state: State, imageIndex: number): string | null {
	if (imageIndex === UNNAMED_INDEX) return 'This is no image of the file';
	return isCommitting(state) ? 'The staged changes are being committed' : null;
}

/**
 * Stages a change; what it makes needless is taken back.
 *
 * @returns a reason instead when it cannot stand beside the others
 */
export function stage(
	state: State,
	imageIndex: number,
	draft: StagedDraft,
	occupant: Occupant | null,
): State | string {
	const { staged } = state;
	const own = changesOf(staged.changes, imageIndex);
	const obstacle = stagingObstacle(state, imageIndex) ?? conflictOf(own, draft, occupant);
	if (obstacle !== null) return obstacle;
	const left = new Set(without(own, draft));
	const kept = staged.changes.filter((other) => other.imageIndex !== imageIndex || left.has(other));
	const change = { ...draft, imageIndex, id: staged.nextId, error: null } as StagedChange;
	return restage({
		...state,
		staged: { ...staged, changes: [...kept, change], nextId: staged.nextId + 1 },
	});
}

export type DeletionDraft = Extract<StagedDraft, { type: 'delete' }>;

/** Stages many deletions at once, as `stage` would one after the other. */
export function stageDeletions(
	state: State,
	imageIndex: number,
	drafts: readonly DeletionDraft[],
): State | string {
	const obstacle =
		stagingObstacle(state, imageIndex) ??
		drafts.map((draft) => conflictOf([], draft, null)).find((reason) => reason !== null) ??
		null;
	if (obstacle !== null) return obstacle;
	const { staged } = state;
	const gone = new Set(drafts.map(({ path }) => path.toLowerCase()));
	const kept = staged.changes.filter(
		(other) => other.imageIndex !== imageIndex || !isTakenBackBy(other, gone),
	);
	const added = drafts
		.filter(({ path }) => path === '\\' || !isAtOrBelowAny(parentOf(path), gone))
		.map((draft, i) => ({ ...draft, imageIndex, id: staged.nextId + i, error: null }));
	return restage({
		...state,
		staged: {
			...staged,
			changes: [...kept, ...added],
			nextId: staged.nextId + drafts.length,
		},
	});
}

/** Takes back the change under the cursor of the view, or all those of the image whose line it is on. */
export function dropStaged(state: State): State {
	const row = stagedUnderCursor(state);
	if (row === null) return state;
	const isGone = (change: StagedChange): boolean =>
		row.type === 'image' ? change.imageIndex === row.imageIndex : change === row.change;
	return withChanges(
		state,
		state.staged.changes.filter((change) => !isGone(change)),
	);
}

/** Takes back a change by its number. */
export function dropStagedChange(state: State, id: number): State {
	return withChanges(
		state,
		state.staged.changes.filter((change) => change.id !== id),
	);
}

function withChanges(state: State, changes: readonly StagedChange[]): State {
	const { staged } = state;
	if (changes.length === 0) return discardStaged(state);
	return restage({ ...state, staged: { ...staged, changes } });
}

/** Takes everything back. */
export function discardStaged(state: State): State {
	const { nextId, token } = state.staged;
	const next = restage({ ...state, staged: { ...NOTHING_STAGED, nextId, token: token + 1 } });
	return next.view === 'staged' ? { ...next, view: next.previousView } : next;
}

/** What was counted of a change. */
export function stagedMeasured(
	state: State,
	id: number,
	facts: { readonly size: number; readonly fileCount: number },
): State {
	const { staged } = state;
	const changes = staged.changes.map((change) =>
		change.id === id ? { ...change, ...facts } : change,
	);
	return restage({ ...state, staged: { ...staged, changes } });
}

const firstUnmeasured = remembered((changes) => changes.find(({ size }) => size === null) ?? null);

/** The change whose size is still to be counted, or null. */
export function unmeasured({ staged }: State): StagedChange | null {
	return firstUnmeasured(staged.changes);
}

/** Keeps the staged changes in step with the job that commits them; called after every change. */
export function followStaged(state: State): State {
	const job = commitJob(state);
	if (!job || isActive(job)) return state;
	if (job.state === 'done') return committed(state, job);
	const { staged } = state;
	const reason = job.summary ?? 'the commit was canceled';
	const culprit = job.state === 'failed' ? changeOfError(staged.changes, reason) : null;
	const changes = staged.changes.map((change) => ({
		...change,
		error: change === culprit ? reason : null,
	}));
	return { ...state, staged: { ...staged, changes, token: staged.token + 1 } };
}

/** Nothing is staged any more; what the commit left out is told. */
function committed(state: State, { label, problemCount, request }: JobView): State {
	const { changes } = state.staged;
	const images = imagesOf(changes).length;
	const where = images > 1 ? ` of ${images} images` : '';
	const text = `Committed ${plural(changes.length, 'change')}${where}`;
	const next = discardStaged(state);
	if (problemCount > 0)
		return say(
			next,
			`${text} but for ${plural(problemCount, 'problem')}, see job ${label}`,
			'warning',
		);
	// A file that was written anew has no edit to take back.
	const isInPlace = request?.values['rebuild'] !== true && state.wim.facts?.isPipable !== true;
	return say(next, isInPlace ? `${text}; Z in Images takes them back` : text);
}

/** A line of the view: a change, or what is above those of an image where there are several. */
export type StagedRow =
	| { readonly type: 'image'; readonly imageIndex: number }
	| { readonly type: 'change'; readonly change: StagedChange };

const rowsBy = memo((changes: StagedState['changes']): readonly StagedRow[] => {
	const images = imagesOf(changes);
	return images.flatMap((imageIndex) => [
		...(images.length > 1 ? [{ type: 'image', imageIndex } as const] : []),
		...changesOf(changes, imageIndex).map((change) => ({ type: 'change', change }) as const),
	]);
});

export const stagedRows = ({ staged }: State): readonly StagedRow[] => rowsBy(staged.changes);

export function stagedFrame(state: State): ListFrame {
	return {
		count: stagedRows(state).length,
		height: viewHeight(state),
		scroll: scrollOf(state),
	};
}

export function stagedUnderCursor(state: State): StagedRow | null {
	return stagedRows(state)[state.staged.list.cursor] ?? null;
}

/** The change under the cursor of the view; null on the line of an image. */
export function changeUnderCursor(state: State): StagedChange | null {
	const row = stagedUnderCursor(state);
	return row?.type === 'change' ? row.change : null;
}

/** Opens the view, with the cursor on a change that failed. */
export function showStaged(state: State): State {
	if (!hasStaged(state)) return say(state, 'Nothing is staged: a adds, D deletes, r renames');
	const failed = stagedRows(state).findIndex(
		(row) => row.type === 'change' && row.change.error !== null,
	);
	const opened = openView(state, 'staged');
	const list = moveTo(LIST_START, Math.max(0, failed), stagedFrame(opened));
	return { ...opened, staged: { ...opened.staged, list } };
}

export type StagedSign = '+' | '-' | '~';

interface Signs {
	readonly own: ReadonlyMap<string, StagedSign>;
	readonly above: ReadonlySet<string>;
	/** In lower case. */
	readonly deleted: ReadonlySet<string>;
	readonly names: ReadonlyMap<string, string>;
}

const signsBy = memo((all: StagedState['changes'], imageIndex: number): Signs => {
	const changes = changesOf(all, imageIndex);
	const own = new Map<string, StagedSign>();
	const above = new Set<string>();
	const deleted = new Set<string>();
	const names = new Map<string, string>();
	for (const change of changes) {
		const key = change.path.toLowerCase();
		if (change.type === 'rename') {
			own.set(key, '~');
			names.set(key, change.to);
		} else if (change.type === 'add') own.set(key, change.replaces ? '~' : '+');
		else {
			if (!own.has(key)) own.set(key, '-');
			deleted.add(key);
		}
		for (let at = parentOf(key); !above.has(at); at = parentOf(at)) above.add(at);
	}
	return { own, above, deleted, names };
});

/** How an entry of the Files pane is marked: by its own change, or by one of a folder above or something below it. */
export function stagedSign(
	{ staged }: State,
	imageIndex: number,
	path: string,
	isFolder: boolean,
): StagedSign | null {
	if (staged.changes.length === 0) return null;
	const { own, above, deleted } = signsBy(staged.changes, imageIndex);
	const key = path.toLowerCase();
	const sign = own.get(key);
	if (sign) return sign;
	if (isAtOrBelowAny(path, deleted)) return '-';
	return isFolder && above.has(key) ? '~' : null;
}

/** The new path of an entry that is renamed, or null. */
export function renamedTo({ staged }: State, imageIndex: number, path: string): string | null {
	if (staged.changes.length === 0) return null;
	return signsBy(staged.changes, imageIndex).names.get(path.toLowerCase()) ?? null;
}

/** Shows what is staged now in the listing that is open; the cursor stays on its entry. */
function restage(state: State): State {
	const { files } = state;
	const { listing, find } = files;
	if (!listing || find !== null) return state;
	const base = baseOf(listing);
	const next = overlaid(state, base);
	if (next === base && base === listing) return state;
	const count = next.positions.length;
	const within = (rows: Int32Array): Int32Array => rows.filter((row) => row < count);
	const { sorted, order } = files;
	return resort({
		...state,
		files: { ...files, listing: next, sorted: within(sorted), order: within(order) },
	});
}
