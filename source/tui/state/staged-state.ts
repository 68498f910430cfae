/** Changes of images that wait to be committed together. Nothing of them is in the file yet. */

import { LIST_START, type ListState } from './list.ts';

interface Staged {
	/** Unique among the staged ones. */
	readonly id: number;
	/** The image that it changes. */
	readonly imageIndex: number;
	readonly isFolder: boolean;
	/** Bytes at and below it; null while they are counted. */
	readonly size: number | null;
	/** Names of files at and below it. */
	readonly fileCount: number | null;
	/** Why the last commit stopped at it. */
	readonly error: string | null;
}

/** Paths are backslash paths of the image as it is in the file. */
export type StagedChange = Staged &
	(
		| {
				readonly type: 'add';
				/** On this machine. */
				readonly source: string;
				readonly path: string;
				/** What stands there now: a file is replaced, a folder merged. */
				readonly replaces: { readonly isFolder: boolean; readonly size: number } | null;
		  }
		| { readonly type: 'delete'; readonly path: string; readonly position: number }
		| {
				readonly type: 'rename';
				readonly path: string;
				readonly to: string;
				readonly position: number;
		  }
	);

export interface StagedState {
	/** In the order in which they were staged. */
	readonly changes: readonly StagedChange[];
	readonly nextId: number;
	/** Names the commit of these changes among the jobs; a new one for every try. */
	readonly token: number;
	readonly list: ListState;
}

export const NOTHING_STAGED: StagedState = {
	changes: [],
	nextId: 1,
	token: 1,
	list: LIST_START,
};
