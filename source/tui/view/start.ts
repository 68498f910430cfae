/** The start screen: a table of the images below a folder, and how to open others. */

import type { FoundWim } from '../engine.ts';
import { cutStart, fit, fitRight, NOTHING, type Shown, safe, shown } from '../parts/text.ts';
import type { Theme } from '../parts/theme.ts';
import { filterTest } from '../state/order.ts';
import type { State } from '../state/state.ts';
import { tightSize, timeText } from './columns.ts';
import { listBody, messageBody, styleRow } from './pane.ts';

/** Files that pass the filter. */
export function shownFound(state: State): readonly FoundWim[] {
	const { found, filter } = state.start;
	if (filter === '') return found;
	const test = filterTest(filter);
	return found.filter(({ path, summary }) => test(`${path} ${summary?.title ?? ''}`.toLowerCase()));
}

/** The path below the folder of the screen. */
function relative(state: State, path: string): string {
	const folder = state.start.folder ?? '';
	const rest = path.startsWith(folder) ? path.slice(folder.length) : path;
	return rest.replace(/^[\\/]+/, '') || path;
}

function factsOf(found: FoundWim): Shown {
	if (found.problem !== null) return shown`! ${safe(found.problem)}`;
	const { summary } = found;
	if (!summary) return shown`...`;
	const part =
		summary.partCount > 1 ? shown` part ${summary.partNumber}/${summary.partCount}` : NOTHING;
	const images = summary.imageCount === 1 ? shown`1 image ` : shown`${summary.imageCount} images`;
	const extra = [summary.title, summary.architecture, summary.version, summary.languages]
		.filter((text) => text !== '')
		.join('  ');
	const kind = fit(safe(summary.compression), 10);
	return shown`${kind} ${images}${part}  ${safe(extra)}`;
}

export function startBody(state: State, theme: Theme, width: number, height: number): Shown {
	const { load, folder, list, filter, found } = state.start;
	const shownRows = shownFound(state);
	if (shownRows.length === 0) {
		const lines: Shown[] = [];
		if (load.status === 'failed') lines.push(safe(load.error ?? 'cannot be read'));
		else if (load.status === 'loading') lines.push(shown`looking for images...`);
		else if (found.length > 0)
			lines.push(shown`nothing matches "${theme.exact(filter)}" (Esc clears)`);
		else if (folder !== null) lines.push(shown`no .wim, .swm, .esd or .pwm file here`);
		lines.push(NOTHING, shown`o open a file   d look in subfolders   ? help`);
		return messageBody(lines, width, height);
	}
	const nameWidth = Math.max(12, Math.min(44, Math.floor(width * 0.36)));
	return listBody(list, shownRows.length, height, (i, isCursor) => {
		const one = shownRows[i]!;
		const mark = one.problem !== null ? '!' : isCursor ? '>' : ' ';
		const name = fit(cutStart(theme.name(relative(state, one.path)), nameWidth), nameWidth);
		const day =
			width >= 100 ? shown`${timeText(one.modified, 'day', state.settings.utc)}  ` : NOTHING;
		const text = fit(
			shown`${mark as Shown} ${name} ${fitRight(tightSize(one.size), 6)}  ${day}${factsOf(one)}`,
			width,
		);
		return styleRow(
			theme,
			text,
			one.problem !== null ? 'damaged' : 'plain',
			isCursor ? 'focused' : 'none',
		);
	});
}

export function startAbout(state: State): Shown {
	const { load, isDeep, filter, found } = state.start;
	const deep = isDeep ? shown`with subfolders` : NOTHING;
	const busy = load.status === 'loading' && found.length > 0 ? shown`, looking...` : NOTHING;
	const by = filter === '' ? NOTHING : shown`  filter: ${safe(filter)}`;
	return shown`${deep}${busy}${by}`;
}
