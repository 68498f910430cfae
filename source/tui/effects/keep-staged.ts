/**
 * Keeps what is staged in the state folder while it is staged, and takes up what a deck that was killed, or
 * whose line dropped, left for the file that is opened.
 */

import { plural } from '../../base/print.ts';
import type { KeptChange, KeptChanges, KeptImage } from '../../jobs/staged-changes.ts';
import type { DeckEngine, OpenFile } from '../engine.ts';
import { type DeletionDraft, type StagedDraft, stage, stageDeletions } from '../state/staged.ts';
import { changesOf, imagesOf, type Occupant } from '../state/staged-plan.ts';
import type { StagedChange, StagedState } from '../state/staged-state.ts';
import type { State } from '../state/state.ts';
import { say } from '../state/status.ts';

const keptChange = (change: StagedChange): KeptChange => {
	const { type, path } = change;
	if (type === 'add') return { type, path, source: change.source };
	return type === 'rename' ? { type, path, to: change.to } : { type, path };
};

function keptOf({ staged, wim }: State): KeptChanges | null {
	const { changes } = staged;
	if (changes.length === 0) return null;
	const images = imagesOf(changes).map((index) => ({
		index,
		name: wim.images.find((image) => image.index === index)?.name ?? '',
		changes: changesOf(changes, index).map(keptChange),
	}));
	return { guid: wim.facts?.guid ?? '', images };
}

interface Found {
	readonly imageIndex: number;
	readonly draft: StagedDraft;
	readonly occupant: Occupant | null;
}

/** A kept change with what the image and this machine say of it now; null: it has no object any more. */
async function found(
	engine: DeckEngine,
	file: OpenFile,
	imageIndex: number,
	change: KeptChange,
): Promise<Found | null> {
	const { type, path } = change;
	const entry = await file.entryAt(imageIndex, path);
	if (type === 'add') {
		const { source } = change;
		const facts = await engine.look(source);
		if (!facts.exists) return null;
		const { isFolder, size } = facts;
		const counted = isFolder ? { size: null, fileCount: null } : { size, fileCount: 1 };
		const draft = { type, source, path, isFolder, replaces: entry, ...counted };
		return { imageIndex, draft, occupant: entry };
	}
	if (entry === null) return null;
	const { isFolder, position } = entry;
	const size = isFolder ? null : entry.size;
	if (type === 'delete')
		return {
			imageIndex,
			draft: { type, path, position, isFolder, size, fileCount: isFolder ? null : 1 },
			occupant: null,
		};
	const { to } = change;
	const draft = { type, path, to, position, isFolder, size, fileCount: 1 } as const;
	return { imageIndex, draft, occupant: await file.entryAt(imageIndex, to) };
}

/** Those of an image; null: it cannot be read, so that nothing can be staged for it. */
async function allFound(
	engine: DeckEngine,
	file: OpenFile,
	{ index, changes }: KeptImage,
	isCurrent: () => boolean,
): Promise<readonly (Found | null)[] | null> {
	const all: (Found | null)[] = [];
	try {
		// One after the other: each looks names up in an index that the first one makes.
		for (const change of changes) {
			all.push(await found(engine, file, index, change));
			if (!isCurrent()) break;
		}
		return all;
	} catch {
		return null;
	}
}

type FoundDeletion = Found & { readonly draft: DeletionDraft };

const isDeletion = (one: Found | null): one is FoundDeletion => one?.draft.type === 'delete';

/** Deletions of an image that follow each other, which may be 100,000, in one group; all others alone. */
function groupsOf(all: readonly (Found | null)[]): readonly (readonly (Found | null)[])[] {
	const groups: (Found | null)[][] = [];
	for (const one of all) {
		const last = groups.at(-1);
		const before = last?.[0] ?? null;
		const isAlike = isDeletion(one) && isDeletion(before) && one.imageIndex === before.imageIndex;
		if (isAlike) last?.push(one);
		else groups.push([one]);
	}
	return groups;
}

function stagedAgain(state: State, one: Found, group: readonly (Found | null)[]): State | string {
	const deletions = group.filter(isDeletion).map(({ draft }) => draft);
	return deletions.length > 0
		? stageDeletions(state, one.imageIndex, deletions)
		: stage(state, one.imageIndex, one.draft, one.occupant);
}

/** Stages again what was kept; what cannot be is told. */
function takenUp(state: State, all: readonly (Found | null)[]): State {
	let next = state;
	let left = 0;
	for (const group of groupsOf(all)) {
		const [one] = group;
		const staged = one ? stagedAgain(next, one, group) : null;
		if (staged === null || typeof staged === 'string') left += group.length;
		else next = staged;
	}
	const count = plural(next.staged.changes.length, 'staged change');
	const lost = left > 0 ? `; ${left} no longer apply` : '';
	return say(next, `${count} of an earlier deck taken up${lost} (C shows)`, 'warning');
}

export interface KeeperHost {
	readonly engine: DeckEngine;
	state(): State;
	arrived(change: (state: State) => State): void;
}

export class StagedKeeper {
	readonly #host: KeeperHost;
	/** The file whose changes are kept; null until what was left for it is taken up. */
	#path: string | null = null;
	#wished: string | null = null;
	#kept: StagedState['changes'] = [];
	/** By file the latest state that is to be kept; older ones are not written. */
	readonly #unwritten = new Map<string, State>();
	#writing: Promise<void> | null = null;

	constructor(host: KeeperHost) {
		this.#host = host;
	}

	/** Looks at the state after every change. */
	react(): void {
		const { wim, staged, settings } = this.#host.state();
		const path = wim.facts?.path ?? null;
		if (settings.readonly || path === null) return;
		if (path !== this.#wished) {
			this.#wished = path;
			this.#path = null;
			void this.#takeUp(path);
		} else if (path === this.#path && staged.changes !== this.#kept) {
			const isAsKept = names(staged.changes) === names(this.#kept);
			this.#kept = staged.changes;
			if (isAsKept) return;
			this.#unwritten.set(path, this.#host.state());
			this.#writing ??= this.#write();
		}
	}

	/** Ends when all is written. */
	async saved(): Promise<void> {
		await this.#writing;
	}

	async #write(): Promise<void> {
		for (const [path, state] of this.#unwritten) {
			this.#unwritten.delete(path);
			await this.#host.engine.staged.save(path, keptOf(state));
		}
		this.#writing = null;
	}

	async #takeUp(path: string): Promise<void> {
		const { engine, state, arrived } = this.#host;
		const kept = await engine.staged.load(path);
		const { file, images, facts } = state().wim;
		const isCurrent = (): boolean => state().wim.facts?.path === path;
		if (!isCurrent()) return;
		this.#kept = [];
		const isFile = kept?.guid === facts?.guid;
		const isImage = (one: KeptImage): boolean =>
			images.some(({ index, name }) => index === one.index && name === one.name);
		if (kept && !(isFile && kept.images.some(isImage))) {
			await engine.staged.save(path, null);
			arrived((current) =>
				say(current, 'What an earlier deck staged was for another state of this file', 'warning'),
			);
		} else if (kept && file) {
			const all: (Found | null)[] = [];
			for (const image of kept.images) {
				const own = isImage(image) ? await allFound(engine, file, image, isCurrent) : null;
				if (!isCurrent()) return;
				for (const one of own ?? image.changes.map(() => null)) all.push(one);
			}
			arrived((current) => takenUp(current, all));
			this.#kept = state().staged.changes;
		}
		this.#path = path;
		this.react();
	}
}

/** What of the changes is kept, to compare: counting their sizes changes none of it. */
const names = (changes: StagedState['changes']): string => changes.map(({ id }) => id).join(' ');
