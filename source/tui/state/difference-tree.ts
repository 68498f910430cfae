/** Differences as a tree of folders with counts. Pure; built in steps, so that keys stay alive. */

import type { DifferenceKind, ImageDifference } from '../engine-views.ts';
import { countFrom } from './count-from.ts';
import { byText, sortSteps } from './order.ts';

export const DIFFERENCE_KINDS: readonly DifferenceKind[] = ['added', 'removed', 'changed', 'moved'];

export type DifferenceCounts = Readonly<Record<DifferenceKind, number>>;

export interface DifferenceFolder {
	/** Backslash path, `\` for the root. */
	readonly path: string;
	readonly name: string;
	/** What happened to the folder itself, or null. */
	readonly own: ImageDifference | null;
	/** At and below it. */
	readonly counts: DifferenceCounts;
	/** Bytes that came less those that went, at and below it. */
	readonly growth: number;
	/** By name. */
	readonly folders: readonly DifferenceFolder[];
	/** Of files, by path. */
	readonly files: readonly ImageDifference[];
	/** Everything of the tree in the order of the flat view; what lies at and below this folder is one stretch of it. */
	readonly flat: FlatDifferences;
	/** Of that stretch, without the folder itself. */
	readonly from: number;
	readonly to: number;
}

/** Side by side: a difference and its path in lower case, so that a filter looks at 300,000 while one types. */
interface FlatDifferences {
	readonly differences: ImageDifference[];
	readonly lowerPaths: string[];
}

type Writable<T> = { -readonly [K in keyof T]: T[K] };

interface Draft {
	readonly path: string;
	readonly name: string;
	own: ImageDifference | null;
	readonly counts: Record<DifferenceKind, number>;
	growth: number;
	readonly folders: Map<string, Draft>;
	files: ImageDifference[];
}

/** Differences taken between two steps. */
const STEP = 1000;

const draft = (path: string, name: string): Draft => ({
	path,
	name,
	own: null,
	counts: { added: 0, removed: 0, changed: 0, moved: 0 },
	growth: 0,
	folders: new Map(),
	files: [],
});

export const nameOf = (path: string): string => path.slice(path.lastIndexOf('\\') + 1);

/** The draft of a folder and of those above it, from the root down. */
function trailTo(root: Draft, path: string): Draft[] {
	const trail = [root];
	let at = root;
	let walked = '';
	for (const name of path.split('\\')) {
		if (name === '') continue;
		walked += `\\${name}`;
		let next = at.folders.get(name);
		if (!next) {
			next = draft(walked, name);
			at.folders.set(name, next);
		}
		trail.push(next);
		at = next;
	}
	return trail;
}

/** Sorted by a text without case, in steps: a folder may have 300,000 entries. */
function* sortedBy<T>(
	items: readonly T[],
	textOf: (item: T) => string,
): Generator<void, readonly T[], undefined> {
	if (items.length < 2) return items;
	const texts: string[] = [];
	for (const item of items) {
		texts.push(textOf(item).toLowerCase());
		if (texts.length % STEP === 0) yield;
	}
	const rows = countFrom(0, items.length);
	const sorted = yield* sortSteps(rows, byText(texts));
	return Array.from(sorted, (row) => items[row]!);
}

/** Puts every difference into its folder, and counts it in all folders above. */
export function* differenceSteps(
	differences: readonly ImageDifference[],
): Generator<void, DifferenceFolder, undefined> {
	const root = draft('\\', '');
	for (const [i, difference] of differences.entries()) {
		if (i % STEP === STEP - 1) yield;
		const { path, isFolder, kind, sizeAfter, sizeBefore } = difference;
		const folder = isFolder ? path : path.slice(0, path.lastIndexOf('\\'));
		const trail = trailTo(root, folder);
		const holder = trail.at(-1)!;
		if (isFolder) holder.own = difference;
		else holder.files.push(difference);
		for (const above of trail) {
			above.counts[kind]++;
			above.growth += sizeAfter - sizeBefore;
		}
	}
	// Children are finished before their folders, without recursion: paths may be deep.
	const order = [root];
	for (let i = 0; i < order.length; i++) {
		if (i % STEP === STEP - 1) yield;
		// One by one: as arguments of one call a large folder would overflow the stack.
		for (const child of order[i]!.folders.values()) order.push(child);
	}
	const done = new Map<Draft, DifferenceFolder>();
	const flat: FlatDifferences = { differences: [], lowerPaths: [] };
	for (let i = order.length - 1; i >= 0; i--) {
		if (i % STEP === 0) yield;
		const { folders, files, ...rest } = order[i]!;
		done.set(order[i]!, {
			...rest,
			folders: yield* sortedBy(
				Array.from(folders.values(), (child) => done.get(child)!),
				({ name }) => name,
			),
			files: yield* sortedBy(files, ({ path }) => path),
			flat,
			from: 0,
			to: 0,
		});
	}
	yield* flatten(done.get(root)!);
	return done.get(root)!;
}

/** Lays everything out in the order of the flat view: a folder itself, its files, what is in its folders. */
function* flatten(root: DifferenceFolder): Generator<void, void, undefined> {
	const { differences, lowerPaths } = root.flat;
	const take = (difference: ImageDifference): void => {
		differences.push(difference);
		lowerPaths.push(difference.path.toLowerCase());
	};
	const pending: { folder: Writable<DifferenceFolder>; isDone: boolean }[] = [
		{ folder: root, isDone: false },
	];
	let steps = 0;
	for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
		const { folder, isDone } = next;
		if (++steps % STEP === 0) yield;
		if (isDone) {
			folder.to = differences.length;
			continue;
		}
		if (folder.own) take(folder.own);
		folder.from = differences.length;
		for (const file of folder.files) {
			if (++steps % STEP === 0) yield;
			take(file);
		}
		pending.push({ folder, isDone: true });
		for (let i = folder.folders.length - 1; i >= 0; i--)
			pending.push({ folder: folder.folders[i]!, isDone: false });
	}
}

/** The folder at a path, or null. */
export function folderAt(root: DifferenceFolder, path: string): DifferenceFolder | null {
	let at: DifferenceFolder | undefined = root;
	for (const name of path.split('\\')) {
		if (name === '') continue;
		at = at.folders.find((child) => child.name === name);
		if (!at) return null;
	}
	return at;
}

/** A line of the view: a folder to go into, or one difference. */
export type DifferenceRow =
	| { readonly type: 'folder'; readonly folder: DifferenceFolder }
	| { readonly type: 'one'; readonly difference: ImageDifference };

/** What one folder shows: its folders, then its files; only those with a difference of the kind. */
export function rowsOf(
	folder: DifferenceFolder,
	only: DifferenceKind | null,
): readonly DifferenceRow[] {
	const folders = folder.folders.filter(({ counts }) => only === null || counts[only] > 0);
	const files = folder.files.filter(({ kind }) => only === null || kind === only);
	return [
		...folders.map((child) => ({ type: 'folder', folder: child }) as const),
		...files.map((difference) => ({ type: 'one', difference }) as const),
	];
}

/** Everything below a folder that passes, by path, folders that differ themselves included. */
export function flatRows(
	folder: DifferenceFolder,
	only: DifferenceKind | null,
	passes: (lowerPath: string) => boolean,
): readonly DifferenceRow[] {
	const { differences, lowerPaths } = folder.flat;
	const rows: DifferenceRow[] = [];
	for (let at = folder.from; at < folder.to; at++) {
		const difference = differences[at]!;
		if ((only === null || difference.kind === only) && passes(lowerPaths[at]!))
			rows.push({ type: 'one', difference });
	}
	return rows;
}
