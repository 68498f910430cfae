/** The start screen: a table of the images below a folder or of recent files, and how to open others. */

import type { FoundWim } from '../engine.ts';
import {
	cutStart,
	fit,
	fitRight,
	linesOf,
	NOTHING,
	type Shown,
	safe,
	shown,
} from '../parts/text.ts';
import type { Theme } from '../parts/theme.ts';
import { shownFound } from '../state/start.ts';
import type { StartSortKey, State } from '../state/state.ts';
import { tightSize, timeText } from './columns.ts';
import { cursorBlank, listBody, markOf, messageBody, styleRow } from './pane.ts';

/** The path below the folder of the screen; whole for recent files. */
function relative({ start }: State, path: string): string {
	if (start.isRecent) return path;
	const folder = start.folder ?? '';
	const rest = path.startsWith(folder) ? path.slice(folder.length) : path;
	return rest.replace(/^[\\/]+/, '') || path;
}

interface Column {
	readonly title: string;
	readonly key: StartSortKey | null;
	readonly width: number;
	readonly isRight?: boolean;
	/** Screens narrower than this leave it out. */
	readonly from: number;
	readonly cell: (found: FoundWim, state: State) => Shown;
}

const known = (value: string | undefined): Shown =>
	value === undefined ? shown`...` : value === '' ? shown`-` : safe(value);

const COLUMNS: readonly Column[] = [
	{
		title: 'SIZE',
		key: 'size',
		width: 6,
		isRight: true,
		from: 0,
		cell: ({ size, summary, problem }) =>
			summary || problem !== null ? tightSize(size) : shown`...`,
	},
	{
		title: 'DEAD',
		key: 'dead',
		width: 5,
		isRight: true,
		from: 70,
		cell: ({ summary }) =>
			!summary ? NOTHING : summary.deadBytes > 0 ? tightSize(summary.deadBytes) : shown`-`,
	},
	{
		title: 'CHK',
		key: null,
		width: 3,
		from: 90,
		cell: ({ summary }) => (!summary ? NOTHING : summary.hasIntegrity ? shown`yes` : shown`-`),
	},
	{ title: 'KIND', key: null, width: 7, from: 50, cell: ({ summary }) => kindText(summary) },
	{
		title: 'IMG',
		key: 'images',
		width: 4,
		isRight: true,
		from: 60,
		cell: ({ summary }) => (summary ? shown`${summary.imageCount}` : NOTHING),
	},
	{
		title: 'ARCH',
		key: null,
		width: 5,
		from: 76,
		cell: ({ summary }) => known(summary?.architecture),
	},
	{
		title: 'BUILD',
		key: 'build',
		width: 6,
		from: 76,
		cell: ({ summary }) => known(summary?.build),
	},
	{
		title: 'EDITION',
		key: 'edition',
		width: 12,
		from: 78,
		cell: ({ summary }) => known(summary?.edition),
	},
	{
		title: 'LANGUAGE',
		key: null,
		// Two of them; which is the default, the status row tells.
		width: 12,
		from: 112,
		cell: ({ summary }) => known(summary?.languages.replaceAll(' (default)', '')),
	},
	{
		title: 'WRITTEN',
		key: 'time',
		width: 10,
		from: 118,
		cell: ({ modified }, { settings }) => timeText(modified, 'day', settings.utc),
	},
];

function kindText(summary: FoundWim['summary']): Shown {
	if (!summary) return shown`...`;
	if (summary.partCount > 1) return shown`${summary.partNumber}/${summary.partCount}`;
	return safe(summary.compression.replace(' solid', '+'));
}

const cellsOf = (columns: readonly Column[], cell: (column: Column) => Shown): Shown => {
	let row = NOTHING;
	for (const column of columns) {
		const text = (column.isRight ? fitRight : fit)(cell(column), column.width);
		row = shown`${row} ${text}`;
	}
	return row;
};

function heading(state: State, columns: readonly Column[], nameWidth: number): Shown {
	const { sort } = state.start;
	const sign = sort?.descending ? shown`v` : shown`^`;
	const title = (text: string, key: StartSortKey | null): Shown =>
		key !== null && sort?.key === key ? shown`${safe(text)}${sign}` : safe(text);
	const names = fit(title('NAME', 'name'), nameWidth);
	return shown`  ${names}${cellsOf(columns, ({ title: text, key }) => title(text, key))}`;
}

function emptyLines(state: State, theme: Theme): Shown[] {
	const { load, folder, filter, found, recent } = state.start;
	const lines: Shown[] = [];
	if (load.status === 'failed') lines.push(safe(load.error ?? 'cannot be read'));
	else if (load.status === 'loading') lines.push(shown`looking for images...`);
	else if (found.length > 0)
		lines.push(shown`nothing matches "${theme.exact(filter)}" (Esc clears)`);
	else if (folder !== null) lines.push(shown`no .wim, .swm, .esd or .pwm file here`);
	const more = recent.length > 0 ? shown`   f recent files` : NOTHING;
	lines.push(NOTHING, shown`o open a file   d look in subfolders${more}   ? help`);
	return lines;
}

export function startBody(state: State, theme: Theme, width: number, height: number): Shown {
	const { list } = state.start;
	const rows = shownFound(state);
	if (rows.length === 0) return messageBody(emptyLines(state, theme), width, height);
	const columns = COLUMNS.filter(({ from }) => width >= from);
	const rest = columns.reduce((sum, column) => sum + column.width + 1, 0);
	const nameWidth = Math.max(12, width - 2 - rest);
	const body = listBody(list, rows.length, height - 1, (i, isCursor) => {
		const one = rows[i]!;
		const mark = markOf(one.problem !== null ? 'damaged' : 'plain', isCursor);
		const name = fit(cutStart(theme.name(relative(state, one.path)), nameWidth), nameWidth);
		const facts =
			one.problem === null
				? cellsOf(columns, ({ cell }) => cell(one, state))
				: shown` ${fitRight(tightSize(one.size), 6)}  ${safe(one.problem)}`;
		const line = fit(shown`${mark}${cursorBlank(mark, isCursor)}${name}${facts}`, width);
		const rowState = one.problem !== null ? 'damaged' : 'plain';
		return styleRow(theme, line, rowState, isCursor ? 'focused' : 'none');
	});
	return linesOf([fit(heading(state, columns, nameWidth), width), body]);
}

export function startAbout(state: State): Shown {
	const { load, isDeep, isRecent, filter, found } = state.start;
	const what = isRecent ? shown`recent files` : isDeep ? shown`with subfolders` : NOTHING;
	const busy = load.status === 'loading' && found.length > 0 ? shown`, looking...` : NOTHING;
	const by = filter === '' ? NOTHING : shown`  filter: ${safe(filter)}`;
	return shown`${what}${busy}${by}`;
}

/** How many, and what the one under the cursor holds. */
export function startNote(state: State, theme: Theme): Shown {
	const rows = shownFound(state);
	const one = rows[state.start.list.cursor];
	const count = shown`${rows.length} of ${state.start.found.length}`;
	if (one?.problem) return shown`${count}   ${safe(one.problem)}`;
	if (!one?.summary) return rows.length === 0 ? NOTHING : count;
	const { title, compression, languages, version, hasIntegrity } = one.summary;
	const check = hasIntegrity ? 'integrity' : 'no integrity';
	const facts = [title, version, compression, check, languages]
		.filter((part) => part !== '')
		.join('  ');
	return shown`${count}   ${theme.exact(facts)}`;
}
