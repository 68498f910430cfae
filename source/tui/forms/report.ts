import type { FormDialog, State } from '../state/state.ts';
import { wimName } from '../state/wim.ts';
import { buildForm, CANCEL, pathField, radio, START } from './build.ts';

/** Where to write the damage report, and how. */
export function reportForm(state: State): FormDialog {
	const { workFolder, pathSeparator } = state.settings;
	const stem = wimName(state).replace(/\.[^.]*$/, '');
	return buildForm(state, {
		form: 'report',
		subject: wimName(state),
		title: 'Write a damage report',
		fields: [
			pathField('path', 'File', `${workFolder}${pathSeparator}${stem}-damage.txt`),
			radio(
				'format',
				'Format',
				[
					{ value: 'text', label: 'text' },
					{ value: 'json', label: 'JSON' },
				],
				'text',
			),
		],
		buttons: [{ ...START, label: 'Write' }, CANCEL],
		estimates: false,
	});
}
