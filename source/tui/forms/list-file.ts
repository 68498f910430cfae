import { plural } from '../../base/print.ts';
import { listRows, markedRowCount } from '../list-file.ts';
import { baseName, focusOf } from '../state/selectors.ts';
import type { FormDialog, State } from '../state/state.ts';
import { wimName } from '../state/wim.ts';
import { buildForm, CANCEL, note, pathField, radio, START } from './build.ts';
import { inWorkFolder, stemOf } from './presets.ts';

const NAMES: Readonly<Record<string, string>> = {
	files: 'files',
	sizes: 'sizes',
	difference: 'differences',
	start: 'images',
};

/** Where to write the list that is shown, and how. */
export function listFileForm(state: State): FormDialog {
	const name = NAMES[focusOf(state)] ?? 'list';
	const isStart = focusOf(state) === 'start';
	const subject = isStart ? baseName(state.start.folder ?? '') : wimName(state);
	const marked = markedRowCount(state);
	const all = plural(listRows(state, false)?.count ?? 0, 'row');
	return buildForm(state, {
		form: 'listFile',
		subject: `${subject} ${name}`,
		title: 'Write this list to a file',
		fields: [
			marked > 0
				? radio(
						'what',
						'What',
						[
							{ value: 'all', label: `all ${all}` },
							{ value: 'marked', label: `the ${marked} marked` },
						],
						'marked',
					)
				: note('Rows', `${all}, as shown`),
			pathField('path', 'File', inWorkFolder(state, `${stemOf(subject)}-${name}.csv`)),
			radio(
				'format',
				'Format',
				[
					{ value: 'csv', label: 'CSV' },
					{ value: 'json', label: 'JSON lines' },
					{ value: 'paths', label: 'paths' },
				],
				'csv',
			),
		],
		buttons: [{ ...START, label: 'Write' }, CANCEL],
		estimates: false,
	});
}
