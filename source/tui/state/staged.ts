/** Staging changes of an image, and following their commit. */

import { plural } from '../../base/print.ts';
import type { JobView } from '../engine.ts';
import { UNNAMED_INDEX } from '../engine.ts';
import { resort } from './files.ts';
import { baseOf, overlaid } from './files-overlay.ts';
import { LIST_START, type ListFrame, moveTo } from './list.ts';
import { isActive, memo, scrollOf, viewHeight } from './selectors.ts';
import {
	changeOfError,
	conflictOf,
	isAtOrBelow,
	type Occupant,
	parentOf,
	without,
} from './staged-plan.ts';
import { NOTHING_STAGED, type StagedChange, type StagedState } from './staged-state.ts';
import type { State } from './state.ts';
import { say } from './status.ts';
import { openView } from './view.ts';

/** A change before it has its number. */
type Draft<C> = C extends unknown ? Omit<C, 'id' | 'error'> : never;
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

/** Why nothing can be staged for an image now; null: it can. */
export function stagingObstacle(state: State, imageIndex: number): string | null {
	if (imageIndex === UNNAMED_INDEX) return 'This is no image of the file';
	const { staged } = state;
	const job = commitJob(state);
	if (job && isActive(job)) return 'The staged changes are being committed';
	if (staged.imageIndex !== null && staged.imageIndex !== imageIndex)
		return `commit those of image ${staged.imageIndex} first (C)`;
	return null;
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
	const obstacle =
		stagingObstacle(state, imageIndex) ?? conflictOf(staged.changes, draft, occupant);
	if (obstacle !== null) return obstacle;
	const left = without(staged.changes, draft);
	const change = { ...draft, id: staged.nextId, error: null } as StagedChange;
	return restage({
		...state,
		staged: { ...staged, imageIndex, changes: [...left, change], nextId: staged.nextId + 1 },
	});
}

/** Takes back the change under the cursor of the view. */
export function dropStaged(state: State): State {
	const { staged } = state;
	const obstacle = staged.imageIndex === null ? null : stagingObstacle(state, staged.imageIndex);
	if (obstacle !== null) return say(state, obstacle, 'warning');
	const at = staged.list.cursor;
	return withChanges(
		state,
		staged.changes.filter((_, i) => i !== at),
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

/** The change whose size is still to be counted, or null. */
export function unmeasured({ staged }: State): StagedChange | null {
	return staged.changes.find(({ size }) => size === null) ?? null;
}

/** Keeps the staged changes in step with the job that commits them; called after every change. */
export function followStaged(state: State): State {
	const job = commitJob(state);
	if (!job || isActive(job)) return state;
	if (job.state === 'done') {
		const count = state.staged.changes.length;
		const done = discardStaged(state);
		return say(done, `Committed ${plural(count, 'change')}; Z in Images takes them back`);
	}
	const { staged } = state;
	const reason = job.summary ?? 'the commit was canceled';
	const culprit = job.state === 'failed' ? changeOfError(staged.changes, reason) : null;
	const changes = staged.changes.map((change) => ({
		...change,
		error: change === culprit ? reason : null,
	}));
	return { ...state, staged: { ...staged, changes, token: staged.token + 1 } };
}

export function stagedFrame(state: State): ListFrame {
	return {
		count: state.staged.changes.length,
		height: viewHeight(state),
		scroll: scrollOf(state),
	};
}

export function stagedUnderCursor({ staged }: State): StagedChange | null {
	return staged.changes[staged.list.cursor] ?? null;
}

/** Opens the view, with the cursor on a change that failed. */
export function showStaged(state: State): State {
	if (!hasStaged(state)) return say(state, 'Nothing is staged: a adds, D deletes, r renames');
	const failed = state.staged.changes.findIndex(({ error }) => error !== null);
	const opened = openView(state, 'staged');
	const list = moveTo(LIST_START, Math.max(0, failed), stagedFrame(opened));
	return { ...opened, staged: { ...opened.staged, list } };
}

export type StagedSign = '+' | '-' | '~';

interface Signs {
	readonly own: ReadonlyMap<string, StagedSign>;
	readonly above: ReadonlySet<string>;
	readonly deleted: readonly string[];
	readonly names: ReadonlyMap<string, string>;
}

const signsBy = memo((changes: StagedState['changes']): Signs => {
	const own = new Map<string, StagedSign>();
	const above = new Set<string>();
	const deleted: string[] = [];
	const names = new Map<string, string>();
	for (const change of changes) {
		const key = change.path.toLowerCase();
		if (change.type === 'rename') {
			own.set(key, '~');
			names.set(key, change.to);
		} else if (change.type === 'add') own.set(key, change.replaces ? '~' : '+');
		else {
			if (!own.has(key)) own.set(key, '-');
			deleted.push(change.path);
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
	if (staged.imageIndex !== imageIndex || staged.changes.length === 0) return null;
	const { own, above, deleted } = signsBy(staged.changes);
	const key = path.toLowerCase();
	const sign = own.get(key);
	if (sign) return sign;
	if (deleted.some((folder) => isAtOrBelow(path, folder))) return '-';
	return isFolder && above.has(key) ? '~' : null;
}

/** The new path of an entry that is renamed, or null. */
export function renamedTo({ staged }: State, imageIndex: number, path: string): string | null {
	if (staged.imageIndex !== imageIndex || staged.changes.length === 0) return null;
	return signsBy(staged.changes).names.get(path.toLowerCase()) ?? null;
}

/** Bytes that come and that go. */
export function stagedTotals({ staged }: State): {
	readonly added: number;
	readonly removed: number;
	readonly isComplete: boolean;
} {
	let added = 0;
	let removed = 0;
	for (const change of staged.changes) {
		if (change.type === 'add') {
			added += change.size ?? 0;
			if (change.replaces && !change.isFolder) removed += change.replaces.size;
		}
		if (change.type === 'delete') removed += change.size ?? 0;
	}
	return { added, removed, isComplete: staged.changes.every(({ size }) => size !== null) };
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
