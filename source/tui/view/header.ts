/** The first row: what is open, how it is, what runs. */

import { formatSize, plural } from '../../base/print.ts';
import { cutStart, fit, NOTHING, type Shown, safe, shown, spread, widthOf } from '../parts/text.ts';
import type { Theme } from '../parts/theme.ts';
import { damageCounts } from '../state/damage.ts';
import { isAboutOpenFile } from '../state/jobs.ts';
import { currentImage, isActive, layoutOf } from '../state/selectors.ts';
import type { State } from '../state/state.ts';
import { wimName } from '../state/wim.ts';
import { countText, tightSize } from './columns.ts';

const PROGRAM = 'wimdeck' as Shown;

/** Whether a check of the open file that is over has compared it with its integrity table. */
const wasCompared = (state: State): boolean =>
	state.jobs.jobs.some(
		(job) =>
			job.verb === 'verify' &&
			job.state === 'done' &&
			job.request !== null &&
			job.request.values['integrity'] !== false &&
			isAboutOpenFile(state, job),
	);

/** What is known of the integrity table: whether there is one, and what a check said of it. */
function integrityText(state: State): Shown {
	if (!state.wim.facts?.hasIntegrity) return shown`no integrity table`;
	const bad = state.damage.findings.filter(({ isIntegrityBlock }) => isIntegrityBlock).length;
	if (bad > 0) return shown`integrity: ${safe(plural(bad, 'bad block'))}`;
	return wasCompared(state) ? shown`integrity: ok` : shown`integrity: not checked`;
}

const DISK_WORDS = {
	same: NOTHING,
	changed: ' CHANGED' as Shown,
	gone: ' GONE' as Shown,
} as const;

/** What the file is, in one segment, or in several where there is room. */
function fileSegments(state: State, isWide: boolean): Shown[] {
	const { facts, images } = state.wim;
	if (!facts || state.view === 'start') return [];
	const kind = shown`${safe(facts.partCount > 1 ? 'SWM' : 'WIM')} ${safe(facts.compression)}`;
	const isWritable = facts.whyReadonly === null && !state.settings.readonly;
	const locked = shown`${isWritable ? NOTHING : (' RO' as Shown)}${DISK_WORDS[state.wim.onDisk]}`;
	if (!isWide)
		return [shown`${kind} ${countText(images.length)} img ${tightSize(facts.size)}${locked}`];
	const count = safe(plural(images.length, 'image'));
	return [kind, count, shown`${safe(formatSize(facts.size))}B${locked}`, integrityText(state)];
}

/** `jobs 2`, or in wide screens `jobs 2 run 1 queued`. */
function jobsSegment(state: State, isWide: boolean): Shown | null {
	const active = state.jobs.jobs.filter(isActive);
	if (active.length === 0) return null;
	const queued = active.filter((job) => job.state === 'queued').length;
	if (!isWide) return shown`jobs ${active.length}`;
	const waiting = queued > 0 ? shown` ${queued} queued` : NOTHING;
	return shown`jobs ${active.length - queued} run${waiting}`;
}

/** Facts in order of importance; the last are left out first. */
function segments(state: State): Shown[] {
	const isWide = layoutOf(state).size === 'wide';
	const out: Shown[] = fileSegments(state, isWide);
	const { errors, warnings } = damageCounts(state);
	if (errors > 0) out.push(shown`! ${countText(errors)} damaged`);
	else if (warnings > 0) out.push(shown`! ${safe(plural(warnings, 'warning'))}`);
	const jobs = jobsSegment(state, isWide);
	if (jobs !== null) out.push(jobs);
	return out;
}

function place(state: State, theme: Theme): Shown {
	if (state.view === 'start') return theme.exact(state.start.folder ?? '');
	const path = state.wim.load.request?.path ?? '';
	return theme.exact(path);
}

const VIEW_TITLES: Readonly<Record<State['view'], Shown>> = {
	start: NOTHING,
	deck: NOTHING,
	damage: 'DAMAGE' as Shown,
	map: 'MAP' as Shown,
	sizes: 'SIZES' as Shown,
	difference: 'DIFFERENCES' as Shown,
	staged: 'STAGED' as Shown,
};

/** The header of screens of 60 columns or more. */
export function headerRow(state: State, theme: Theme): Shown {
	const { columns } = state;
	let facts = NOTHING;
	for (const segment of segments(state)) {
		const longer = shown`${facts}   ${segment}`;
		if (widthOf(longer) > columns - 30) break;
		facts = longer;
	}
	const title = VIEW_TITLES[state.view];
	const right = title === '' ? facts : shown`   ${title}${facts}`;
	const room = columns - widthOf(right) - 1 - widthOf(PROGRAM) - 2;
	return spread(shown` ${PROGRAM}  ${cutStart(place(state, theme), room)}`, right, columns);
}

/** The header of narrow screens: file, place, jobs and damage in 40 columns. */
export function narrowHeader(state: State, theme: Theme): Shown {
	const image = currentImage(state);
	const { errors } = damageCounts(state);
	const running = state.jobs.jobs.filter(isActive).length;
	const jobs = running > 0 ? shown` j${running}` : NOTHING;
	const damage = errors > 0 ? shown` !${errors}` : NOTHING;
	const right = shown`${jobs}${damage}${DISK_WORDS[state.wim.onDisk]}`;
	const name = state.view === 'start' ? shown`wimdeck` : theme.exact(wimName(state));
	const path = state.files.listing?.path ?? '';
	const where =
		state.view === 'deck' && state.focus === 'files' && image
			? shown`  ${image.index}: ${theme.exact(path)}`
			: state.view === 'deck'
				? shown`  ${state.focus as Shown}`
				: NOTHING;
	const room = state.columns - widthOf(right) - 1;
	const text =
		widthOf(name) + widthOf(where) <= room
			? shown`${name}${where}`
			: cutStart(shown`${name}${where}`, room);
	return spread(shown` ${text}`, right, state.columns);
}

/** What is left of the screen below 40 columns or 10 rows. */
export function tooSmallRow(state: State): Shown {
	const running = state.jobs.jobs.filter(isActive);
	const first = running[0];
	const share =
		first?.totalBytes && first.totalBytes > 0
			? shown` ${Math.floor((100 * first.doneBytes) / first.totalBytes)}%`
			: NOTHING;
	const jobs = running.length > 0 ? shown` j:${running.length}${share}` : NOTHING;
	const room = Math.max(1, state.columns - 1);
	const size = shown`${state.columns}x${state.rows}: needs 40x10.`;
	// What still fits whole: the jobs are worth more than the name.
	const choices = [shown`wimdeck ${size}${jobs}`, shown`${size}${jobs}`, shown`needs 40x10${jobs}`];
	return fit(choices.find((text) => widthOf(text) <= room) ?? shown`needs 40x10`, room);
}

export function header(state: State, theme: Theme): Shown {
	return layoutOf(state).size === 'narrow' ? narrowHeader(state, theme) : headerRow(state, theme);
}
