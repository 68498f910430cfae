/** The Images pane. */

import { plural } from '../../base/print.ts';
import { type ImageFacts, UNNAMED_INDEX } from '../engine.ts';
import {
	cut,
	fit,
	fitRight,
	linesOf,
	NOTHING,
	type Shown,
	safe,
	shown,
	widthOf,
	wrapped,
} from '../parts/text.ts';
import type { Theme } from '../parts/theme.ts';
import { moveTo } from '../state/list.ts';
import { imageTitle, imageUnderCursor, layoutOf, visibleImages } from '../state/selectors.ts';
import type { State } from '../state/state.ts';
import { countText, tightSize } from './columns.ts';
import { hardLinksText } from './image-facts.ts';
import { cursorBlank, listBody, markOf, messageBody, type RowState, styleRow } from './pane.ts';

export function imageRowState(state: State, index: number): RowState {
	if (state.wim.unreadable.has(index)) return 'unreadable';
	if (state.damage.images.has(index)) return 'damaged';
	return state.images.marks.has(index) ? 'marked' : 'plain';
}

function emptyLines(state: State, theme: Theme): readonly Shown[] {
	const { load, images } = state.wim;
	if (load.status === 'loading') return [shown`reading header...`];
	// The status row says it too, but only until the next key.
	if (load.status === 'failed')
		return [
			theme.exact(load.error ?? 'cannot be opened'),
			shown`r retry  o other`,
			NOTHING,
			shown`V verify, ${state.settings.readonly ? NOTHING : shown`X salvage and F repair `}work on what does not open.`,
		];
	if (images.length > 0) return [shown`nothing matches (Esc clears)`];
	return [shown`no images: the XML lists none`];
}

/** Images of which only the number is known. */
function expectedBody(count: number, width: number, height: number): Shown {
	const digits = String(count).length;
	return linesOf(
		Array.from({ length: Math.min(count, height) }, (_, i) => {
			const number = fitRight(safe(String(i + 1)), digits);
			return fit(shown` ${number} ${fit(shown`...`, width - digits - 6)} ...`, width);
		}),
	);
}

/** `>3 Windows 11 Pro    14.4G` rows, and in wide screens what is known of the image under the cursor. */
export function imagesBody(state: State, theme: Theme, width: number, height: number): Shown {
	const images = visibleImages(state);
	if (images.length === 0 && state.wim.expectedImages > 0)
		return expectedBody(state.wim.expectedImages, width, height);
	if (images.length === 0) return messageBody(emptyLines(state, theme), width, height);
	const isFocused = state.view === 'deck' && state.focus === 'images';
	const digits = digitsOf(images);
	// The window must fit the rows of this moment, whatever the list was moved in.
	const facts = width >= 28 && height >= images.length + 8 ? factLines(state, width) : [];
	const listHeight = Math.max(1, height - facts.length);
	const list = moveTo(state.images.list, state.images.list.cursor, {
		count: images.length,
		height: listHeight,
		scroll: 'line',
	});
	const body = listBody(list, images.length, listHeight, (i, isCursor) => {
		const image = images[i]!;
		const rowState = imageRowState(state, image.index);
		const isUnnamed = image.index === UNNAMED_INDEX;
		const size = sizeText(image);
		const number = fitRight(isUnnamed ? NOTHING : safe(String(image.index)), digits);
		const name = fit(theme.name(imageTitle(image)), nameRoom(image, digits, width));
		const mark = markOf(rowState, isCursor);
		const text = shown`${mark}${number}${cursorBlank(mark, isCursor)}${name} ${size}`;
		return styleRow(theme, text, rowState, isCursor ? (isFocused ? 'focused' : 'idle') : 'none');
	});
	if (facts.length === 0) return body;
	return `${body}\n${facts.join('\n')}` as Shown;
}

const digitsOf = (images: readonly ImageFacts[]): number =>
	String(images.reduce((most, { index }) => Math.max(most, index), 0)).length;

const sizeText = ({ index, totalBytes }: ImageFacts): Shown =>
	index === UNNAMED_INDEX ? NOTHING : tightSize(totalBytes);

/** Columns for the name, behind the mark and the number. */
const nameRoom = (image: ImageFacts, digits: number, width: number): number =>
	width - digits - 3 - widthOf(sizeText(image));

/** The whole name of the image under the cursor, where its row had no room for it. */
export function imageNote(state: State, theme: Theme, width: number): Shown {
	const image = imageUnderCursor(state);
	const pane = layoutOf(state).panes.images;
	if (image === null || pane === undefined) return NOTHING;
	const name = theme.name(imageTitle(image));
	const room = nameRoom(image, digitsOf(visibleImages(state)), pane.body.width);
	return widthOf(name) > room ? cut(name, width) : NOTHING;
}

function factLines(state: State, width: number): Shown[] {
	const image = imageUnderCursor(state);
	if (!image) return [];
	const lines: Shown[] = [];
	const add = (text: Shown): void => {
		for (const line of wrapped(text, width - 4)) lines.push(fit(shown`   ${line}`, width));
	};
	if (image.architecture !== '' || image.version !== '')
		add(safe(`${image.architecture}  ${image.version}`.trim()));
	if (image.edition !== '' && image.edition !== image.name) add(safe(image.edition));
	add(shown`${countText(image.fileCount)} files ${countText(image.folderCount)} dirs`);
	// Bytes without a letter behind them would look like a count.
	const links = hardLinksText(state, image, (bytes) =>
		bytes < 1024 ? plural(bytes, 'byte') : tightSize(bytes),
	);
	if (links !== '') add(safe(`hard links ${links}`));
	const boot = state.wim.facts?.bootIndex ?? 0;
	add(boot > 0 ? shown`boot index: ${boot}` : ('boot index: none' as Shown));
	return [fit('' as Shown, width), ...lines.slice(0, 7)];
}
