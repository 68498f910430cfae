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
import { changeUnderCursor, isCommitting, type StagedRow, stagedRows } from '../state/staged.ts';
import { changesOf, imagesOf, totalsOf } from '../state/staged-plan.ts';
import type { StagedChange } from '../state/staged-state.ts';
import type { State } from '../state/state.ts';
import { countText, sizeText } from './columns.ts';
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

/** `Image 3 Pro  2 changes  +5.1 M -1.2 M`, above those of the image. */
function imageText({ staged, wim }: State, theme: Theme, imageIndex: number): Shown {
	const changes = changesOf(staged.changes, imageIndex);
	const name = wim.images.find(({ index }) => index === imageIndex)?.name ?? '';
	const count = safe(plural(changes.length, 'change'));
	return shown`Image ${imageIndex} ${theme.exact(name)}  ${count}  ${totalsText(changes)}`;
}

/** `+5.1 M -1.2 M`, with dots while something is still counted. */
function totalsText(changes: readonly StagedChange[]): Shown {
	const { added, removed, isComplete } = totalsOf(changes);
	return shown`+${sizeText(added)} -${sizeText(removed)}${isComplete ? NOTHING : shown`...`}`;
}

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

/** A line of the view with its colour. */
function lineOf(
	state: State,
	theme: Theme,
	row: StagedRow,
	isCursor: boolean,
	width: number,
): Shown {
	const text =
		row.type === 'image'
			? imageText(state, theme, row.imageIndex)
			: rowText(theme, row.change, width - 2);
	const line = fit(shown`${isCursor ? shown`>` : shown` `} ${text}`, width);
	if (isCursor) return styleRow(theme, line, 'plain', 'focused');
	return row.type === 'image' ? line : styled(theme, row.change, line);
}

export function stagedBody(state: State, theme: Theme, width: number, height: number): Shown {
	const { changes, list } = state.staged;
	if (changes.length === 0) return messageBody([shown`nothing is staged`], width, height);
	const error = changeUnderCursor(state)?.error ?? null;
	const errorLines =
		error === null
			? []
			: [
					NOTHING,
					...wrapped(theme.exact(error), width - 2).map((line) => theme.damaged(shown` ${line}`)),
				];
	const listHeight = Math.max(1, height - errorLines.length);
	const rows = stagedRows(state);
	const lines = listBody(list, rows.length, listHeight, (i, isCursor) =>
		lineOf(state, theme, rows[i]!, isCursor, width),
	);
	return linesOf([lines, ...errorLines]);
}

/** `image 3  +5.1 M -1.2 M`. */
export function stagedAbout(state: State): Shown {
	const { changes } = state.staged;
	const images = imagesOf(changes);
	if (images.length === 0) return NOTHING;
	const busy = isCommitting(state) ? shown`  being committed` : NOTHING;
	const where = images.length > 1 ? `${images.length} images` : `image ${images[0]}`;
	return shown`${safe(where)}  ${totalsText(changes)}${busy}`;
}

export function stagedRight(state: State): Shown {
	return shown`${countText(state.staged.changes.length)} staged`;
}

export function stagedNote(): Shown {
	return shown`Nothing is written until you commit; then all of it, or nothing.`;
}
