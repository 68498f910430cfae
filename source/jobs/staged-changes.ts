/**
 * Changes of images that wait in a deck to be committed. They are kept in the state folder while they wait,
 * so that a deck that is killed, or whose line drops, loses none of them: the next one takes them up.
 */

import { createHash } from 'node:crypto';
import path from 'node:path';
import { isAlive, ownIdentity, type ProcessIdentity } from '../host/process-identity.ts';
import { StateFolder, stateFolderPath } from '../host/state-folder.ts';

/** Of a file in bytes: a deletion of each of 300,000 files, with long paths. */
const SIZE_MAX = 64 * 1024 * 1024;

/** Paths are backslash paths of the image; `source` is one of this machine. */
export type KeptChange =
	| { readonly type: 'add'; readonly path: string; readonly source: string }
	| { readonly type: 'delete'; readonly path: string }
	| { readonly type: 'rename'; readonly path: string; readonly to: string };

/** The changes of an image, in the order in which they were staged. */
export interface KeptImage {
	readonly index: number;
	/** Another image under the number has nothing to do with the changes. */
	readonly name: string;
	readonly changes: readonly KeptChange[];
}

export interface KeptChanges {
	/** Of the WIM: another file under its name has nothing to do with the changes. */
	readonly guid: string;
	readonly images: readonly KeptImage[];
}

export interface StagedStore {
	/** What a process that is gone left for a file; null: nothing, or a living one holds it. */
	load(wim: string): Promise<KeptChanges | null>;
	/** Keeps the changes, null: no longer. Where nothing can be written, nothing happens. */
	save(wim: string, kept: KeptChanges | null): Promise<void>;
}

interface Written extends KeptChanges {
	readonly wim: string;
	readonly owner: ProcessIdentity;
}

const isText = (value: unknown): value is string => typeof value === 'string';

function isChange(value: unknown): value is KeptChange {
	const { type, path: at, source, to } = (value ?? {}) as Record<string, unknown>;
	if (!isText(at)) return false;
	return (
		type === 'delete' || (type === 'add' && isText(source)) || (type === 'rename' && isText(to))
	);
}

function isImage(value: unknown): value is KeptImage {
	const { index, name, changes } = (value ?? {}) as Record<string, unknown>;
	const isNamed = Number.isSafeInteger(index) && isText(name);
	return isNamed && Array.isArray(changes) && changes.every(isChange);
}

/** The record of a file; null when it is none of ours, whatever it holds. */
function parseWritten(text: string): Written | null {
	try {
		const value = JSON.parse(text) as Partial<Written> | null;
		if (value === null || typeof value !== 'object') return null;
		const { wim, guid, images, owner } = value;
		if (!isText(wim) || !isText(guid) || !Number.isSafeInteger(owner?.pid)) return null;
		if (!Array.isArray(images) || !images.every(isImage)) return null;
		return value as Written;
	} catch {
		return null; // cut short by a full disk
	}
}

const nameOf = (wim: string): string =>
	`staged-${createHash('sha1').update(wim).digest('hex').slice(0, 16)}.json`;

/** @param folder the state folder; opened with the first use, so that nothing is made before that */
export function stagedStore(folder: string = stateFolderPath()): StagedStore {
	/** The record of a file that nobody alive holds, or null. */
	const read = async (state: StateFolder, wim: string): Promise<Written | 'held' | null> => {
		const text = await state.read(nameOf(wim), SIZE_MAX);
		const written = text === null ? null : parseWritten(text);
		if (written === null || written.wim !== wim) return null;
		const own = await ownIdentity();
		const isOwn = written.owner.pid === own.pid && written.owner.started === own.started;
		return !isOwn && (await isAlive(written.owner)) ? 'held' : written;
	};
	return {
		async load(file) {
			const wim = path.resolve(file);
			const state = await StateFolder.open(folder);
			const written = state && (await read(state, wim));
			return written === 'held' ? null : written;
		},
		async save(file, kept) {
			const wim = path.resolve(file);
			const state = await StateFolder.open(folder);
			if (state === null || (await read(state, wim)) === 'held') return;
			if (kept === null) await state.remove(nameOf(wim));
			else {
				const written: Written = { ...kept, wim, owner: await ownIdentity() };
				await state.replace(nameOf(wim), `${JSON.stringify(written)}\n`);
			}
		},
	};
}
