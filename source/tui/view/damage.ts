/** The triage view: findings above, the evidence of the one under the cursor below. */

import type { Finding, FindingFile } from '../engine.ts';
import { type Keymap, keyLabel } from '../keys/keymap.ts';
import {
	blank,
	cut,
	cutStart,
	fit,
	fitRight,
	joined,
	linesOf,
	NOTHING,
	type Shown,
	safe,
	shown,
	widthOf,
	wrapped,
} from '../parts/text.ts';
import type { Theme } from '../parts/theme.ts';
import { findingUnderCursor, shownFindings } from '../state/damage.ts';
import type { State } from '../state/state.ts';
import { countText } from './columns.ts';
import { listBody, messageBody, styleRow } from './pane.ts';

/** Rows for the list of findings in `height` rows. */
export function damageListHeight(count: number, height: number): number {
	return Math.max(1, Math.min(Math.max(count, 1), Math.floor(height / 2) - 1));
}

/** `1-6`, `1,3`: image indexes, short. */
export function indexRanges(indexes: readonly number[]): Shown {
	const sorted = [...new Set(indexes)].sort((a, b) => a - b);
	const parts: string[] = [];
	for (let i = 0; i < sorted.length; i++) {
		const from = sorted[i]!;
		while (sorted[i + 1] === sorted[i]! + 1) i++;
		parts.push(from === sorted[i] ? String(from) : `${from}-${sorted[i]}`);
	}
	return safe(parts.join(','));
}

interface Widths {
	readonly where: number;
	readonly what: number;
	readonly hasImages: boolean;
}

const IMAGES_WIDTH = 8;

/** Narrow screens leave out where and the images; both stand below the list anyway. */
function widthsFor(width: number): Widths {
	const hasImages = width >= 60;
	const where = hasImages ? Math.max(16, Math.min(30, Math.floor(width * 0.28))) + 1 : 0;
	const rest = 7 + where + 8 + (hasImages ? 2 + IMAGES_WIDTH : 0);
	return { where, what: width - rest, hasImages };
}

interface Cells {
	readonly severity: Shown;
	readonly where: Shown;
	readonly what: Shown;
	readonly files: Shown;
	readonly images: Shown;
}

function cellsRow(cells: Cells, width: number): Shown {
	const { where, what, hasImages } = widthsFor(width);
	const place = hasImages ? shown`${fit(cells.where, where - 1)} ` : NOTHING;
	const images = hasImages ? shown`  ${cut(cells.images, IMAGES_WIDTH)}` : NOTHING;
	return shown`${cells.severity}  ${place}${fit(cells.what, what)} ${fitRight(cells.files, 7)}${images}`;
}

function findingRow(theme: Theme, finding: Finding, width: number): Shown {
	return cellsRow(
		{
			severity: finding.severity === 'error' ? shown`ERR` : shown`WRN`,
			where: theme.exact(finding.where),
			what: theme.exact(finding.what),
			files: finding.files.length === 0 ? shown`-` : countText(finding.files.length),
			images: finding.imageIndexes.length === 0 ? shown`-` : indexRanges(finding.imageIndexes),
		},
		width,
	);
}

const headRow = (width: number): Shown =>
	shown`  ${cellsRow(
		{
			severity: shown`SEV`,
			where: shown`WHERE`,
			what: shown`WHAT`,
			files: shown`FILES`,
			images: shown`IMAGES`,
		},
		width,
	)}`;

/** By the list it was made of: a finding may hit a hundred thousand files. */
const paths = new WeakMap<readonly FindingFile[], ReadonlyMap<string, readonly number[]>>();

/** The files of a finding: most stand under the same path in several images. */
function imagesByPath(files: readonly FindingFile[]): ReadonlyMap<string, readonly number[]> {
	const known = paths.get(files);
	if (known) return known;
	const images = new Map<string, number[]>();
	for (const { path, imageIndex } of files) {
		const list = images.get(path);
		if (list) list.push(imageIndex);
		else images.set(path, [imageIndex]);
	}
	paths.set(files, images);
	return images;
}

function detailLines(
	theme: Theme,
	finding: Finding,
	number: number,
	next: readonly Shown[],
	width: number,
	height: number,
): Shown[] {
	const lines: Shown[] = [NOTHING];
	const add = (text: Shown, indent: number): void => {
		for (const line of wrapped(text, width - indent - 1))
			lines.push(shown`${blank(indent)}${line}`);
	};
	const what = theme.exact(finding.what);
	const about = finding.about === null ? null : theme.exact(finding.about);
	// What the list has no room for comes first here.
	const isCut = about === null || widthOf(what) > widthsFor(width).what;
	add(shown`Finding ${number}: ${theme.exact(finding.where)}, ${isCut ? what : about}`, 1);
	if (isCut && about !== null) add(about, 3);
	const room = Math.max(1, height - lines.length - finding.notes.length * 2 - next.length - 3);
	const byPath = imagesByPath(finding.files);
	const most = byPath.size > room ? Math.max(1, room - 1) : room;
	let told = 0;
	for (const [path, images] of [...byPath].slice(0, most)) {
		const which = shown`${images.length === 1 ? shown`image` : shown`images`} ${indexRanges(images)}`;
		const name = fit(cutStart(theme.exact(path), width - 18), width - 18);
		lines.push(shown`   ${name}  ${cut(which, 12)}`);
		told += images.length;
	}
	if (finding.files.length > told)
		lines.push(
			shown`   and ${countText(finding.files.length - told)} more (m marks them all, w writes the list)`,
		);
	lines.push(NOTHING);
	for (const note of finding.notes) add(theme.exact(note), 3);
	if (finding.digest !== null) add(shown`SHA-1 ${safe(finding.digest)}`, 3);
	if (next.length > 0) lines.push(NOTHING);
	for (const row of next) add(row, 3);
	return lines;
}

/** What can be done about damage, as the commands that do it, with words that fit 80 columns in one row. */
const NEXT_STEPS: readonly (readonly (readonly [command: string, words: Shown])[])[] = [
	[
		['finding.salvage', 'extract what is readable' as Shown],
		['job.salvage', 'salvage the file' as Shown],
		['job.repair', 'repair it' as Shown],
	],
	[
		['finding.showFile', 'show in Files' as Shown],
		['finding.markFiles', 'mark its files' as Shown],
		['damage.report', 'write report' as Shown],
		['copy.path', 'copy SHA-1' as Shown],
	],
];

/** `e extract what is readable   X salvage the file`: rows of what can be used now. */
function nextSteps(state: State, keymap: Keymap): readonly Shown[] {
	const hasDigest = (findingUnderCursor(state)?.digest ?? null) !== null;
	return NEXT_STEPS.flatMap((row) => {
		const steps = row.flatMap(([id, words]) => {
			const command = keymap.commands.find((one) => one.id === id);
			const key = command?.keys[0];
			if (!command || key === undefined || (command.disabled?.(state) ?? null) !== null) return [];
			if (id === 'copy.path' && !hasDigest) return [];
			return [shown`${safe(keyLabel(key))} ${words}`];
		});
		return steps.length === 0 ? [] : [joined(steps, '   ' as Shown)];
	});
}

export function damageBody(
	state: State,
	theme: Theme,
	keymap: Keymap,
	width: number,
	height: number,
): Shown {
	const findings = shownFindings(state);
	if (findings.length === 0) {
		const checked = state.jobs.jobs.some(({ verb }) => verb === 'verify');
		return messageBody(
			[
				state.damage.findings.length > 0
					? shown`nothing matches (Esc clears)`
					: checked
						? shown`no damage found`
						: shown`not checked yet: V verifies the file`,
			],
			width,
			height,
		);
	}
	const listHeight = damageListHeight(findings.length, height);
	const rows = listBody(state.damage.list, findings.length, listHeight, (i, isCursor) => {
		const finding = findings[i]!;
		const mark = isCursor ? shown`> ` : shown`  `;
		const text = shown`${mark}${findingRow(theme, finding, width)}`;
		if (isCursor) return styleRow(theme, fit(text, width), 'plain', 'focused');
		return finding.severity === 'error' ? theme.damaged(text) : theme.warning(text);
	});
	const under = findingUnderCursor(state) ?? findings[0]!;
	// The number it was found under, by which others name it, whatever the order is.
	const number = /^\d+$/.test(under.id) ? Number(under.id) : findings.indexOf(under) + 1;
	const room = height - listHeight - 1;
	const below = detailLines(theme, under, number, nextSteps(state, keymap), width, room);
	return linesOf([headRow(width), rows, ...below.slice(0, room)]);
}

export function damageAbout(state: State): Shown {
	const { sort, filter } = state.damage;
	return shown`${sort as Shown}^   filter: ${filter === '' ? shown`none` : safe(filter)}`;
}

export function damageRight(state: State): Shown {
	return shown`${countText(shownFindings(state).length)} of ${countText(state.damage.findings.length)} shown`;
}
