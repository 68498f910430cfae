/** The last two rows: what was just said, and which keys work here. */

import { formatDuration, formatSize, plural } from '../../base/print.ts';
import { commandFor, contextsOf, type Keymap, keyLabel } from '../keys/keymap.ts';
import { sortChoices } from '../keys/sort-keys.ts';
import { cut, fit, joined, NOTHING, type Shown, safe, shown, widthOf } from '../parts/text.ts';
import type { Theme } from '../parts/theme.ts';
import { damageCounts } from '../state/damage.ts';
import { isAboutOpenFile } from '../state/jobs.ts';
import { isLate } from '../state/load.ts';
import { activeJobs, focusOf, markCount, markedBytes } from '../state/selectors.ts';
import type { LineMode, State } from '../state/state.ts';
import { fieldText } from './box.ts';
import { countText } from './columns.ts';
import { entryNote } from './details.ts';
import { differenceNote } from './difference.ts';
import { imageNote } from './images.ts';
import { sizesNote } from './sizes.ts';
import { stagedNote } from './staged.ts';
import { startNote } from './start.ts';

const LINE_NAMES: Readonly<Record<LineMode['purpose'], string>> = {
	filter: 'FILTER',
	goto: 'GO TO',
	find: 'FIND',
	markGlob: 'MARK',
	jump: 'JUMP',
};

function marksText(state: State): Shown {
	const images = state.images.marks.size;
	const count = markCount(state);
	if (focusOf(state) === 'images' && images > 0) return shown`${countText(images)} marked`;
	if (count === 0) return NOTHING;
	const { markTotals } = state;
	if (markTotals?.of === state.marks && markTotals.files > count)
		return shown`${countText(count)} marked: ${countText(markTotals.files)} files, ${safe(formatSize(markTotals.size))}`;
	const bytes = markedBytes(state);
	return bytes > 0
		? shown`${countText(count)} marked, ${safe(formatSize(bytes))}`
		: shown`${countText(count)} marked`;
}

/** `Integrity check finished in 0:41: 2 errors, 0 warnings. Nothing was changed.` */
function damageText(state: State, width: number): Shown {
	const { errors, warnings } = damageCounts(state);
	const check = state.jobs.jobs.findLast(
		(job) => job.verb === 'verify' && !job.isForeign && isAboutOpenFile(state, job),
	);
	const counts = safe(`${plural(errors, 'error')}, ${plural(warnings, 'warning')}`);
	if (check?.state === 'done' && check.endedMs !== null) {
		const took = formatDuration(check.endedMs - check.startedMs);
		const text = shown`Integrity check finished in ${safe(took)}: ${counts}. Nothing was changed.`;
		return widthOf(text) <= width ? text : shown`${counts}, checked in ${safe(took)}.`;
	}
	const isRunning = activeJobs(state).some(({ verb }) => verb === 'verify');
	return shown`${counts}${isRunning ? shown` so far` : NOTHING}. Nothing was changed.`;
}

function restingText(state: State, theme: Theme, width: number): Shown {
	const { load } = state.wim;
	if (isLate(load, state)) return shown`reading ${theme.exact(load.request?.path ?? '')}...`;
	switch (focusOf(state)) {
		case 'images':
			return imageNote(state, theme, width);
		case 'files':
			return entryNote(state, theme, width);
		case 'start':
			return startNote(state, theme);
		case 'staged':
			return stagedNote();
		case 'difference':
			return differenceNote(state);
		case 'sizes':
			return sizesNote(state, theme, width);
		case 'map':
		case 'damage':
			return damageText(state, width);
		default:
			return NOTHING;
	}
}

/** One row of exactly `width` columns. */
export function statusRow(state: State, theme: Theme, width: number): Shown {
	const { line, status } = state;
	if (line) {
		const name = shown` ${safe(LINE_NAMES[line.purpose])} `;
		const more =
			line.completions.length > 1
				? shown`  ${cut(theme.exact(line.completions.slice(0, 5).join('  ')), Math.floor(width / 2))}`
				: line.note === ''
					? NOTHING
					: shown`  ${safe(line.note)}`;
		const room = width - widthOf(name) - widthOf(more) - 1;
		return shown`${name}${fieldText(theme, line.field, room, true)}${more} `;
	}
	if (status) {
		const keys = safe(status.keys);
		const room = width - widthOf(keys) - 1;
		const whole = theme.exact(status.text);
		const sentence = shown` ${cut(widthOf(whole) > room ? theme.exact(status.short) : whole, room)}`;
		const text = fit(shown`${sentence}${keys}`, width);
		if (status.tone === 'error') return theme.damaged(text);
		return status.tone === 'warning' ? theme.warning(text) : text;
	}
	const marks = marksText(state);
	const gap = marks === '' ? NOTHING : shown`   `;
	return fit(
		shown` ${marks}${gap}${restingText(state, theme, width - widthOf(marks) - widthOf(gap) - 1)}`,
		width,
	);
}

const LINE_HINTS: Readonly<Record<LineMode['purpose'], readonly (readonly [string, string])[]>> = {
	filter: [
		['Enter', 'keep'],
		['Esc', 'clear'],
	],
	goto: [
		['Enter', 'go'],
		['Esc', 'close'],
		['Tab', 'complete'],
	],
	find: [
		['Enter', 'find'],
		['Esc', 'close'],
	],
	markGlob: [
		['Enter', 'mark'],
		['Esc', 'close'],
	],
	jump: [
		['Enter', 'stay'],
		['Esc', 'back'],
		['Tab', 'next'],
	],
};

const hint = ([key, word]: readonly [string, string]): Shown => safe(`${key} ${word}`);

/** `key word` of the commands of this moment, in order, as many as fit whole; help is always the last. */
export function footerRow(state: State, keymap: Keymap, width: number): Shown {
	if (state.pending === 'list.sort') {
		const keys = sortChoices(state).map(({ key, word }) => hint([key, word]));
		return fit(shown` SORT  ${joined(keys, '  ' as Shown)}  (again reverses)`, width);
	}
	if (state.line)
		return fit(shown` ${joined(LINE_HINTS[state.line.purpose].map(hint), '  ' as Shown)}`, width);
	const contexts = new Set(contextsOf(state));
	const hints = keymap.commands
		.filter(
			({ when, footer, hint: word }) =>
				footer !== undefined && word !== undefined && when.some((context) => contexts.has(context)),
		)
		.filter((command) => (command.disabled?.(state) ?? null) === null)
		// An inner binding hides an outer one.
		.filter(
			(command) =>
				command.keys[0] !== undefined && commandFor(keymap, state, command.keys[0]) === command,
		)
		.sort((a, b) => (a.footer ?? 0) - (b.footer ?? 0))
		.map((command) => ({
			id: command.id,
			text: hint([keyLabel(command.keys[0] ?? ''), command.hint ?? '']),
		}));
	const help = hints.find(({ id }) => id === 'app.help')?.text ?? NOTHING;
	let text = NOTHING;
	for (const one of hints) {
		if (one.id === 'app.help') continue;
		const longer = shown`${text} ${one.text} `;
		if (widthOf(longer) + widthOf(help) + 1 > width) continue;
		text = longer;
	}
	return fit(help === '' ? text : shown`${text} ${help}`, width);
}
