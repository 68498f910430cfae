/** Size by folder: sizes, stored sizes, shares and files of everything in a folder. */

import { EntryKind } from '../engine.ts';
import { gauge } from '../parts/gauge.ts';
import {
	cutStart,
	fit,
	fitRight,
	linesOf,
	NOTHING,
	type Shown,
	safe,
	shown,
	spread,
} from '../parts/text.ts';
import type { Theme } from '../parts/theme.ts';
import { isLate } from '../state/load.ts';
import { sizeRowUnderCursor } from '../state/sizes.ts';
import type { SizeSortKey } from '../state/sizes-state.ts';
import type { State } from '../state/state.ts';
import { countText, sizeText } from './columns.ts';
import { listBody, messageBody, styleRow } from './pane.ts';

const SIZE_WIDTH = 6;
const SHARE_WIDTH = 5;
const FILES_WIDTH = 9;
const BAR_WIDTH = 12;
const BAR_WIDTH_WIDE = 22;

interface Columns {
	readonly bar: number;
	readonly hasPacked: boolean;
	readonly hasFiles: boolean;
}

/** Names get what is left; narrow screens keep size, bar and name. */
function columnsFor(width: number): Columns {
	return {
		bar: width >= 100 ? BAR_WIDTH_WIDE : width >= 60 ? BAR_WIDTH : 8,
		hasPacked: width >= 60,
		hasFiles: width >= 70,
	};
}

/** A share in percent: `41%`, `<1%`. */
function shareText(part: number, whole: number): Shown {
	if (whole <= 0 || part < 0) return shown`-`;
	const percent = (100 * part) / whole;
	if (part > 0 && percent < 0.95) return shown`<1%`;
	// 100 is said only of all of it.
	return shown`${part < whole ? Math.min(99, Math.round(percent)) : Math.round(percent)}%`;
}

function cells(
	columns: Columns,
	cell: { size: Shown; packed: Shown; ratio: Shown; share: Shown; bar: Shown; files: Shown },
): Shown {
	const packed = columns.hasPacked
		? shown` ${fitRight(cell.packed, SIZE_WIDTH)} ${fitRight(cell.ratio, SHARE_WIDTH - 1)}`
		: NOTHING;
	const files = columns.hasFiles ? shown` ${fitRight(cell.files, FILES_WIDTH)}` : NOTHING;
	return shown`${fitRight(cell.size, SIZE_WIDTH)}${packed} ${fitRight(cell.share, SHARE_WIDTH - 1)} ${cell.bar}${files}`;
}

function headings(state: State, width: number): Shown {
	const { sort } = state.sizes;
	const columns = columnsFor(width);
	const sign = sort.descending ? shown`v` : shown`^`;
	const title = (text: string, key: SizeSortKey): Shown =>
		sort.key === key ? shown`${safe(text)}${sign}` : safe(text);
	const row = cells(columns, {
		size: title('SIZE', 'size'),
		packed: title('STORED', 'packed').slice(-SIZE_WIDTH - 1) as Shown,
		ratio: NOTHING,
		share: shown`OF`,
		bar: fit(shown`FOLDER`, columns.bar),
		files: title('FILES', 'files'),
	});
	return fit(shown`  ${row} ${title('NAME', 'name')}`, width);
}

function emptyLines(state: State, theme: Theme): Shown[] {
	const { load, listing, filter } = state.sizes;
	if (load.status === 'failed') return [safe(load.error ?? 'cannot be read')];
	if (load.status === 'loading') return isLate(load, state) ? [shown`measuring...`] : [];
	if (filter !== '') return [shown`nothing matches "${theme.exact(filter)}" (Esc clears)`];
	return listing ? [shown`empty folder`] : [];
}

export function sizesBody(state: State, theme: Theme, width: number, height: number): Shown {
	const { listing, order, list, load } = state.sizes;
	if (!listing || order.length === 0 || load.status === 'failed')
		return messageBody(emptyLines(state, theme), width, height);
	const columns = columnsFor(width);
	const whole = listing.total.size;
	const rows = listBody(list, order.length, height - 1, (i, isCursor) => {
		const row = order[i]!;
		const size = listing.sizes[row]!;
		const packed = listing.packed[row]!;
		const kind = listing.kinds[row]!;
		const isFolder = (kind & EntryKind.folder) !== 0;
		const sign = isCursor ? shown`>` : (kind & EntryKind.link) !== 0 ? shown`@` : shown` `;
		const text = cells(columns, {
			size: sizeText(size),
			packed: sizeText(packed),
			ratio: shareText(packed, size),
			share: shareText(size, whole),
			bar: gauge(whole > 0 ? size / whole : 0, columns.bar),
			files: isFolder ? countText(listing.files[row]!) : NOTHING,
		});
		const slash = isFolder ? shown`/` : NOTHING;
		const line = fit(shown`${sign} ${text} ${theme.name(listing.names[row]!)}${slash}`, width);
		return isCursor ? styleRow(theme, line, 'plain', 'focused') : line;
	});
	return linesOf([headings(state, width), rows]);
}

/** `3: \Windows\  14.2 G, 6.1 G stored, 112,417 files`. */
export function sizesAbout(state: State, theme: Theme, width: number): Shown {
	const { listing, load } = state.sizes;
	const late = isLate(load, state);
	const dots = late ? shown` ...` : NOTHING;
	if (!listing) return dots;
	const { size, packed, files } = listing.total;
	const slash = listing.path.endsWith('\\') ? NOTHING : shown`\\`;
	const place = shown`${listing.imageIndex}: ${theme.exact(listing.path)}${slash}${dots}`;
	const short = shown`  ${sizeText(size)}`;
	const long = shown`${short}, ${sizeText(packed)} stored, ${countText(files)} files`;
	const facts = width >= 56 ? long : short;
	const room = width - facts.length;
	return place.length <= room ? shown`${place}${facts}` : shown`${cutStart(place, room)}${facts}`;
}

export function sizesRight(state: State): Shown {
	const { listing, order, reorder } = state.sizes;
	if (!listing) return NOTHING;
	const all = listing.positions.length;
	const busy = reorder ? shown`~ ` : NOTHING;
	return order.length === all
		? shown`${busy}${countText(all)}`
		: shown`${busy}/${countText(order.length)} of ${countText(all)}`;
}

/** What the status row says: exact bytes of the entry under the cursor, and what counting means here. */
export function sizesNote(state: State, theme: Theme, width: number): Shown {
	const { listing } = state.sizes;
	const row = sizeRowUnderCursor(state);
	if (!listing || row === null) return NOTHING;
	const name = theme.exact(listing.names[row]!);
	const size = countText(listing.sizes[row]!);
	const packed = countText(listing.packed[row]!);
	const text = shown`${name}  ${size} bytes, ${packed} stored`;
	const rule = shown`links and equal contents count once`;
	return text.length + rule.length + 4 <= width ? spread(text, shown`(${rule})`, width - 1) : text;
}
