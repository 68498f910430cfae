/** Why a command cannot be used now; null: it can. */

import { findingUnderCursor } from '../state/damage.ts';
import {
	chosenImages,
	entryUnderCursor,
	imageUnderCursor,
	jobUnderCursor,
	markCount,
	namedPath,
} from '../state/selectors.ts';
import type { State } from '../state/state.ts';

type Condition = (state: State) => string | null;

/** The first reason among several. */
export function all(...conditions: readonly Condition[]): Condition {
	return (state) => {
		for (const condition of conditions) {
			const reason = condition(state);
			if (reason !== null) return reason;
		}
		return null;
	};
}

export const needsFile: Condition = ({ wim }) => (wim.facts ? null : 'open a file first (o)');

/** What no longer opens can still be checked, and most of it got back. */
export const needsNamed: Condition = (state) =>
	namedPath(state) === null ? 'open a file first (o)' : null;

export const needsWritable: Condition = ({ wim, settings }) => {
	if (settings.readonly) return 'started with --readonly';
	if (wim.facts === null) return null;
	const { partCount, whyReadonly } = wim.facts;
	return partCount > 1 ? 'part of a set: join it first (J)' : whyReadonly;
};

export const needsImage: Condition = (state) =>
	chosenImages(state).length > 0
		? null
		: imageUnderCursor(state)
			? 'this is no image of the file'
			: 'there is no image here';

/** An image, or the made-up one of lost names. */
export const needsImageRow: Condition = (state) =>
	imageUnderCursor(state) ? null : 'there is no image here';

export const needsListing: Condition = ({ files }) =>
	files.listing ? null : 'open an image first (Enter on it)';

export const needsEntry: Condition = (state) =>
	entryUnderCursor(state) ? null : 'there is no entry here';

export const needsMarkOrEntry: Condition = (state) =>
	markCount(state) > 0 || entryUnderCursor(state) ? null : 'there is no entry here';

/** Staged additions are rows without an entry behind them. */
export const needsStored: Condition = (state) =>
	markCount(state) === 0 && (entryUnderCursor(state)?.position ?? 0) < 0
		? 'it is not in the image yet'
		: null;

export const needsDamage: Condition = ({ damage }) =>
	damage.findings.length > 0 ? null : 'no damage found yet (V verifies)';

/** A finding about the file as a whole hits none of its files. */
export const needsHitFile: Condition = (state) =>
	(findingUnderCursor(state)?.files.length ?? 0) > 0 ? null : 'this finding hits no named file';

export const needsJob: Condition = (state) => (jobUnderCursor(state) ? null : 'there is no job');

export const needsUndo: Condition = ({ undo }) => (undo.length > 0 ? null : 'nothing to undo');

/** The engine must be able to run this verb. */
export function needsVerb(verb: string): Condition {
	return ({ settings }) => (settings.verbs.has(verb) ? null : 'not part of this version');
}
