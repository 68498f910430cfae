import { formatSize } from '../../base/print.ts';
import type { FormDialog, State } from '../state/state.ts';
import { wimName } from '../state/wim.ts';
import { buildForm, note, numberField, pathField } from './build.ts';
import { integrityField, inWorkFolder, stemOf, verifyAfterField, withEnding } from './presets.ts';

/** Parts that fit: files below 4 GiB on FAT32, one on a single layer DVD, one on a CD. */
const PART_SIZES = [
	{ key: 'F', label: 'FAT32', value: 3800 },
	{ key: 'D', label: 'DVD', value: 4400 },
	{ key: 'C', label: 'CD', value: 690 },
] as const;

export function splitForm(state: State): FormDialog {
	const { facts } = state.wim;
	return buildForm(state, {
		form: 'split',
		subject: facts?.path ?? '',
		title: 'Split into SWM parts',
		fields: [
			note('Source', `${wimName(state)} (${formatSize(facts?.size ?? 0)})`),
			pathField('target', 'First part', inWorkFolder(state, `${stemOf(wimName(state))}.swm`)),
			numberField('partSize', 'Part size', 3800, { unit: 'MB', presets: PART_SIZES }),
			integrityField(facts?.hasIntegrity ?? false),
			verifyAfterField,
		],
		fixed: { wim: facts?.path ?? '' },
	});
}

/** The first part under the cursor or the open one; the rest of the set is found beside it. */
function firstPart(state: State): string {
	const { facts } = state.wim;
	if (state.view !== 'start' && facts && facts.partCount > 1) return facts.path;
	const found = state.start.found[state.start.list.cursor];
	return state.view === 'start' && found ? found.path : inWorkFolder(state, '');
}

const joinedName = (state: State, first: string): string =>
	/[\\/]$/.test(first) ? inWorkFolder(state, 'joined.wim') : withEnding(first, '-joined.wim');

export function joinForm(state: State): FormDialog {
	const first = firstPart(state);
	return buildForm(state, {
		form: 'join',
		subject: first,
		title: 'Join SWM parts into one file',
		fields: [
			pathField('first', 'First part', first),
			pathField('target', 'To', joinedName(state, first)),
			integrityField(state.wim.facts?.hasIntegrity ?? false),
			verifyAfterField,
		],
		fixed: { parts: state.wim.load.request?.refs ?? [] },
	});
}
