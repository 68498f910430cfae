/** Differences as a tree of folders with counts. Pure; built in steps, so that keys stay alive. */

import type { DifferenceKind, ImageDifference } from '../engine-views.ts';

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
}

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

const byName = (a: { readonly name: string }, b: { readonly name: string }): number => {
	const left = a.name.toLowerCase();
	const right = b.name.toLowerCase();
	return left < right ? -1 : left > right ? 1 : 0;
};

const byPath = (a: ImageDifference, b: ImageDifference): number => {
	const left = a.path.toLowerCase();
	const right = b.path.toLowerCase();
	return left < right ? -1 : left > right ? 1 : 0;
};

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
	for (let i = 0; i < order.length; i++) order.push(...order[i]!.folders.values());
	const done = new Map<Draft, DifferenceFolder>();
	for (let i = order.length - 1; i >= 0; i--) {
		if (i % STEP === 0) yield;
		const { folders, files, ...rest } = order[i]!;
		done.set(order[i]!, {
			...rest,
			folders: [...folders.values()].map((child) => done.get(child)!).sort(byName),
			files: files.sort(byPath),
		});
	}
	return done.get(root)!;
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
	const rows: DifferenceRow[] = [];
	const take = (difference: ImageDifference): void => {
		if (only !== null && difference.kind !== only) return;
		if (passes(difference.path.toLowerCase())) rows.push({ type: 'one', difference });
	};
	const pending = [folder];
	for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
		if (next.own && next !== folder) take(next.own);
		for (const file of next.files) take(file);
		for (let i = next.folders.length - 1; i >= 0; i--) pending.push(next.folders[i]!);
	}
	return rows;
}
