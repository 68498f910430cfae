/** Paths inside an image (wim.md §10.3): separators `/` and `\` are equal, the leading one is optional. */
import { InputError } from '../base/errors.ts';
import { splitPath } from './patterns.ts';
import { type DentryPosition, type ImageTree, ROOT } from './tree.ts';

/** The names from the root down to a dentry. */
export function namesTo(tree: ImageTree, dentry: DentryPosition): string[] {
	const names: string[] = [];
	for (let at = dentry; at !== ROOT; at = tree.parent(at)) names.push(tree.name(at));
	return names.reverse();
}

/** The path of a dentry, beginning with the separator; the separator alone for the root. */
export function pathOf(
	tree: ImageTree,
	dentry: DentryPosition,
	separator: '/' | '\\' = '/',
): string {
	return separator + namesTo(tree, dentry).join(separator);
}

/** What a lookup found: `ambiguous` when only names that differ in case fit, and more than one does. */
export type Found =
	| {
			readonly kind: 'found';
			readonly dentry: DentryPosition;
			readonly ignoredCase: boolean;
	  }
	| { readonly kind: 'missing'; readonly depth: number }
	| { readonly kind: 'ambiguous'; readonly depth: number };

/** When long work shall let others through, and how. */
export interface Pauses {
	readonly isUsedUp: boolean;
	pause(): Promise<void>;
}

/** Names between two looks at the clock. */
const NAMES_PER_LOOK = 256;

function addFolded(
	names: Map<string, DentryPosition[]>,
	name: string,
	dentry: DentryPosition,
): void {
	const key = name.toUpperCase();
	const same = names.get(key);
	if (same) same.push(dentry);
	else names.set(key, [dentry]);
}

/** Finds dentries by path, and remembers the names of the directories it looked into. */
export class PathFinder {
	readonly tree: ImageTree;
	private readonly exact = new Map<DentryPosition, ReadonlyMap<string, DentryPosition>>();
	private readonly folded = new Map<DentryPosition, ReadonlyMap<string, DentryPosition[]>>();

	constructor(tree: ImageTree) {
		this.tree = tree;
	}

	/** The child of exactly this name. */
	child(directory: DentryPosition, name: string): DentryPosition | null {
		let names = this.exact.get(directory);
		if (names === undefined) {
			const made = new Map<string, DentryPosition>();
			for (const child of this.tree.children(directory)) made.set(this.tree.name(child), child);
			this.exact.set(directory, made);
			names = made;
		}
		return names.get(name) ?? null;
	}

	/** The children whose names differ from this one at most in case. */
	childrenIgnoringCase(directory: DentryPosition, name: string): readonly DentryPosition[] {
		let names = this.folded.get(directory);
		if (names === undefined) {
			const made = new Map<string, DentryPosition[]>();
			for (const child of this.tree.children(directory))
				addFolded(made, this.tree.name(child), child);
			this.folded.set(directory, made);
			names = made;
		}
		return names.get(name.toUpperCase()) ?? [];
	}

	/**
	 * Makes ready what `find` will look at for a path, with a pause wherever `pauses` wants one: the names of a folder
	 * of 300,000 entries take longer than a key may wait.
	 */
	async prepare(path: string, pauses: Pauses): Promise<void> {
		let directory: DentryPosition = ROOT;
		for (const step of splitPath(path)) {
			if (!this.exact.has(directory)) await this.index(directory, pauses);
			const exact = this.child(directory, step);
			if (exact === null && !this.folded.has(directory)) await this.fold(directory, pauses);
			const next = exact ?? this.childrenIgnoringCase(directory, step)[0];
			if (next === undefined) return;
			directory = next;
		}
	}

	private async index(directory: DentryPosition, pauses: Pauses): Promise<void> {
		const made = new Map<string, DentryPosition>();
		for (const child of this.tree.children(directory)) {
			made.set(this.tree.name(child), child);
			if (made.size % NAMES_PER_LOOK === 0 && pauses.isUsedUp) await pauses.pause();
		}
		this.exact.set(directory, made);
	}

	private async fold(directory: DentryPosition, pauses: Pauses): Promise<void> {
		const made = new Map<string, DentryPosition[]>();
		let count = 0;
		for (const child of this.tree.children(directory)) {
			addFolded(made, this.tree.name(child), child);
			if (++count % NAMES_PER_LOOK === 0 && pauses.isUsedUp) await pauses.pause();
		}
		this.folded.set(directory, made);
	}

	/** Follows a path: the exact name, else the only one that differs in case. */
	find(path: string): Found {
		let dentry = ROOT;
		let ignoredCase = false;
		for (const [depth, step] of splitPath(path).entries()) {
			const exact = this.child(dentry, step);
			if (exact !== null) {
				dentry = exact;
				continue;
			}
			const [only, second] = this.childrenIgnoringCase(dentry, step);
			if (only === undefined) return { kind: 'missing', depth };
			if (second !== undefined) return { kind: 'ambiguous', depth };
			ignoredCase = true;
			dentry = only;
		}
		return { kind: 'found', dentry, ignoredCase };
	}

	/**
	 * As `find`, for a path that must be there.
	 *
	 * @param where what the image is called, for the message
	 * @throws {InputError}
	 */
	need(path: string, where: string): DentryPosition {
		const found = this.find(path);
		if (found.kind === 'found') return found.dentry;
		const steps = splitPath(path);
		const upTo = `/${steps.slice(0, found.depth + 1).join('/')}`;
		if (found.kind === 'ambiguous')
			throw new InputError(
				`Cannot choose "${path}" in ${where}: several names differ from "${steps[found.depth]}" only in case`,
				{
					path,
					hint: 'Write the name exactly.',
				},
			);
		throw new InputError(`Cannot find "${path}" in ${where}: there is no "${upTo}"`, {
			path,
			hint: 'List the image with "wimdeck dir".',
		});
	}
}
