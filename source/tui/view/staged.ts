/** What is staged, as a diff: `+ - ~` lines with sizes, and why the last commit stopped. */

import { plural } from '../../base/print.ts';
import {
	cutStart,
	fit,
	fitRight,
	linesOf,
	NOTHING,
	type Shown,
	safe,
	shown,
	wrapped,
} from '../parts/text.ts';
import type { Theme } from '../parts/theme.ts';
import { isActive } from '../state/selectors.ts';
import { commitJob, stagedTotals, stagedUnderCursor } from '../state/staged.ts';
import type { StagedChange } from '../state/staged-state.ts';
import type { State } from '../state/state.ts';
import { sizeText } from './columns.ts';
import { listBody, messageBody, styleRow } from './pane.ts';

const SIZE_WIDTH = 16;

const slash = (isFolder: boolean): Shown => (isFolder ? shown`/` : NOTHING);

function sizesText(change: StagedChange): Shown {
	const size = change.size === null ? shown`...` : sizeText(change.size);
	if (change.type === 'add' && change.replaces && !change.isFolder)
		return shown`${sizeText(change.replaces.size)} -> ${size}`;
	return change.type === 'rename' ? NOTHING : size;
}

/** What a line says beside its path. */
function aboutText(theme: Theme, change: StagedChange): Shown {
	const files =
		change.isFolder && change.fileCount !== null && change.type !== 'rename'
			? shown`, ${safe(plural(change.fileCount, 'file'))}`
			: NOTHING;
	switch (change.type) {
		case 'add': {
			const how = change.replaces ? (change.isFolder ? 'merged from' : 'replaced by') : 'from';
			return shown`${safe(how)} ${theme.exact(change.source)}${files}`;
		}
		case 'rename':
			return shown`-> ${theme.exact(change.to)}`;
		case 'delete':
			return files === '' ? NOTHING : (files.slice(2) as Shown);
	}
}

const signOf = (change: StagedChange): Shown => {
	if (change.type === 'add') return change.replaces ? shown`~` : shown`+`;
	return change.type === 'delete' ? shown`-` : shown`~`;
};

function rowText(theme: Theme, change: StagedChange, width: number): Shown {
	const sizes = width < 60 ? NOTHING : shown`  ${fitRight(sizesText(change), SIZE_WIDTH)}`;
	const nameWidth = Math.max(16, Math.floor(width * (width < 60 ? 0.55 : 0.4)));
	const path = shown`${theme.exact(change.path)}${slash(change.isFolder)}`;
	const mark = change.error === null ? signOf(change) : shown`!`;
	return shown`${mark} ${fit(cutStart(path, nameWidth), nameWidth)}${sizes}  ${aboutText(theme, change)}`;
}

function styled(theme: Theme, change: StagedChange, text: Shown): Shown {
	if (change.error !== null) return theme.damaged(text);
	if (change.type === 'delete') return theme.unreadable(text);
	return change.type === 'add' && !change.replaces ? theme.done(text) : theme.warning(text);
}

export function stagedBody(state: State, theme: Theme, width: number, height: number): Shown {
	const { changes, list } = state.staged;
	if (changes.length === 0) return messageBody([shown`nothing is staged`], width, height);
	const error = stagedUnderCursor(state)?.error ?? null;
	const errorLines =
		error === null
			? []
			: [
					NOTHING,
					...wrapped(theme.exact(error), width - 2).map((line) => theme.damaged(shown` ${line}`)),
				];
	const listHeight = Math.max(1, height - errorLines.length);
	const rows = listBody(list, changes.length, listHeight, (i, isCursor) => {
		const change = changes[i]!;
		const text = fit(
			shown`${isCursor ? shown`>` : shown` `} ${rowText(theme, change, width - 2)}`,
			width,
		);
		return isCursor ? styleRow(theme, text, 'plain', 'focused') : styled(theme, change, text);
	});
	return linesOf([rows, ...errorLines]);
}

/** `image 3  +5.1 M -1.2 M`. */
export function stagedAbout(state: State): Shown {
	const { imageIndex } = state.staged;
	if (imageIndex === null) return NOTHING;
	const { added, removed, isComplete } = stagedTotals(state);
	const dots = isComplete ? NOTHING : shown`...`;
	const job = commitJob(state);
	const busy = job && isActive(job) ? shown`  being committed` : NOTHING;
	return shown`image ${imageIndex}  +${sizeText(added)} -${sizeText(removed)}${dots}${busy}`;
}

export function stagedRight(state: State): Shown {
	return shown`${state.staged.changes.length} staged`;
}

export function stagedNote(): Shown {
	return shown`Nothing is written until you commit; then all of it, or nothing.`;
}
