/** The whole screen as blocks of text at places: what the components draw and nothing else. */

import type { Keymap } from '../keys/keymap.ts';
import { asciiCells, linesOf, NOTHING, type Shown, safe, shown } from '../parts/text.ts';
import type { Theme } from '../parts/theme.ts';
import type { PaneName, Rectangle } from '../state/layout.ts';
import { layoutOf, topDialog } from '../state/selectors.ts';
import type { State } from '../state/state.ts';
import type { FactTable } from './box.ts';
import { damageAbout, damageBody, damageRight } from './damage.ts';
import { detailsAbout, detailsBody } from './details.ts';
import { dialogBox } from './dialogs.ts';
import { differenceAbout, differenceBody, differenceRight } from './difference.ts';
import { filesAbout, filesBody, filesRight } from './files.ts';
import { header, tooSmallRow } from './header.ts';
import { imagesBody } from './images.ts';
import { jobsAbout, jobsBody, narrowJobRow } from './jobs.ts';
import { leavingRow } from './leaving.ts';
import { mapAbout, mapBody, mapRight } from './map.ts';
import { titleRow } from './pane.ts';
import { sizesAbout, sizesBody, sizesRight } from './sizes.ts';
import { stagedAbout, stagedBody, stagedRight } from './staged.ts';
import { startAbout, startBody } from './start.ts';
import { footerRow, statusRow } from './status.ts';

/** A block of text with its place. */
export interface Block extends Rectangle {
	/** Stable from frame to frame. */
	readonly key: string;
	readonly text: Shown;
	/** A table that stands in the text as well, drawn over it by its component. */
	readonly table?: FactTable;
	/** The program waits: a spinner may turn before the text. */
	readonly isWaiting?: true;
}

const block = (key: string, at: Rectangle, text: Shown): Block => ({ key, ...at, text });

/** The last net: no view may show more than the terminal has. */
const inAscii = (blocks: readonly Block[]): readonly Block[] =>
	blocks.map((one) => ({ ...one, text: asciiCells(one.text) }));

const TITLES: Readonly<Record<PaneName, Shown>> = {
	images: '1 Images' as Shown,
	files: '2 Files' as Shown,
	details: '3 Details' as Shown,
	jobs: '4 Jobs' as Shown,
};

function paneParts(
	state: State,
	theme: Theme,
	pane: PaneName,
	body: Rectangle,
): { about: Shown; right: Shown; text: Shown } {
	const { width, height } = body;
	switch (pane) {
		case 'images': {
			const { filter, marks } = state.images;
			const by = filter === '' ? NOTHING : shown`/${safe(filter)}`;
			return {
				about: by,
				right: marks.size > 0 ? shown`*${marks.size}` : NOTHING,
				text: imagesBody(state, theme, width, height),
			};
		}
		case 'files':
			return {
				about: filesAbout(state, theme),
				right: filesRight(state),
				text: filesBody(state, theme, width, height),
			};
		case 'details':
			return {
				about: detailsAbout(state),
				right: NOTHING,
				text: detailsBody(state, theme, width, height),
			};
		case 'jobs':
			return {
				about: jobsAbout(state, height),
				right: NOTHING,
				text: jobsBody(state, theme, width, height),
			};
	}
}

/** The start screen has one table where the deck has its panes. */
function startParts(state: State, theme: Theme, { width, height }: Rectangle) {
	return { about: startAbout(state), right: NOTHING, text: startBody(state, theme, width, height) };
}

function paneBlocks(state: State, theme: Theme): Block[] {
	const { panes, dividers, jobRow } = layoutOf(state);
	const blocks: Block[] = [];
	for (const name of ['images', 'files', 'details', 'jobs'] as const) {
		const at = panes[name];
		if (!at) continue;
		const isStart = state.view === 'start' && name === 'images';
		const { about, right, text } = isStart
			? startParts(state, theme, at.body)
			: paneParts(state, theme, name, at.body);
		if (at.title.height > 0)
			blocks.push(
				block(
					`title:${name}`,
					at.title,
					titleRow(theme, {
						name: isStart ? shown`Images` : TITLES[name],
						about,
						right,
						isPath: name === 'files',
						isFocused: isStart ? state.focus !== 'jobs' : state.focus === name,
						width: at.title.width,
					}),
				),
			);
		blocks.push(block(`body:${name}`, at.body, text));
	}
	for (const [i, at] of dividers.entries())
		blocks.push(
			block(`divider:${i}`, at, linesOf(Array.from({ length: at.height }, () => theme.divider))),
		);
	if (jobRow) blocks.push(block('jobrow', jobRow, narrowJobRow(state, theme)));
	return blocks;
}

/** A view that fills everything between header and status. */
function viewBlocks(state: State, theme: Theme, keymap: Keymap): Block[] {
	const title: Rectangle = { x: 0, y: 1, width: state.columns, height: 1 };
	const body: Rectangle = { x: 0, y: 2, width: state.columns, height: state.rows - 4 };
	const draw = (name: Shown, about: Shown, right: Shown, text: Shown): Block[] => [
		block(
			'view:title',
			title,
			titleRow(theme, { name, about, right, isFocused: true, width: state.columns }),
		),
		block('view:body', body, text),
	];
	switch (state.view) {
		case 'damage':
			return draw(
				shown`Damage`,
				damageAbout(state),
				damageRight(state),
				damageBody(state, theme, keymap, body.width, body.height),
			);
		case 'difference':
			return draw(
				shown`Differences`,
				differenceAbout(state, theme),
				differenceRight(state),
				differenceBody(state, theme, body.width, body.height),
			);
		case 'staged':
			return draw(
				shown`Staged`,
				stagedAbout(state),
				stagedRight(state),
				stagedBody(state, theme, body.width, body.height),
			);
		case 'map':
			return draw(
				shown`Map`,
				mapAbout(state, theme),
				mapRight(state),
				mapBody(state, theme, body.width, body.height),
			);
		case 'sizes':
			return draw(
				shown`Sizes`,
				sizesAbout(state, theme, body.width - 16),
				sizesRight(state),
				sizesBody(state, theme, body.width, body.height),
			);
		default:
			return [];
	}
}

/** Everything on the screen, later blocks over earlier ones. */
export function deckBlocks(state: State, theme: Theme, keymap: Keymap): readonly Block[] {
	const blocks = allBlocks(state, theme, keymap);
	return theme.symbols === 'ascii' ? inAscii(blocks) : blocks;
}

function allBlocks(state: State, theme: Theme, keymap: Keymap): readonly Block[] {
	const { size, status, footer, header: headerAt } = layoutOf(state);
	if (size === 'tooSmall')
		return [
			block(
				'small',
				{ x: 0, y: 0, width: Math.max(1, state.columns - 1), height: 1 },
				tooSmallRow(state),
			),
		];
	if (state.isLeaving)
		return [
			{
				...block('leaving', headerAt, leavingRow(state, theme, state.columns - 1)),
				...(state.settings.animation && !state.settings.slow ? { isWaiting: true } : {}),
			},
		];
	const blocks = [
		block('header', headerAt, header(state, theme)),
		...(state.view === 'deck' || state.view === 'start'
			? paneBlocks(state, theme)
			: viewBlocks(state, theme, keymap)),
		block('status', status, statusRow(state, theme, status.width)),
		block('footer', footer, footerRow(state, keymap, footer.width)),
	];
	const dialog = topDialog(state);
	if (dialog) {
		const box = dialogBox(state, theme, keymap, dialog);
		const at = { x: box.x, y: box.y, width: box.width, height: box.lines.length };
		const drawn = block('dialog', at, linesOf(box.lines));
		blocks.push(box.table ? { ...drawn, table: box.table } : drawn);
	}
	return blocks;
}
