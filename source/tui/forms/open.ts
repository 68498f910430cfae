import type { FormDialog, State } from '../state/state.ts';
import { buildForm, CANCEL, pathField, START } from './build.ts';

/** Asks for a file, or a folder to look in. */
export function openForm(state: State): FormDialog {
	const { workFolder, pathSeparator } = state.settings;
	const folder = workFolder.endsWith(pathSeparator) ? workFolder : workFolder + pathSeparator;
	return buildForm(state, {
		form: 'open',
		subject: '',
		title: 'Open a WIM, ESD or first part',
		fields: [pathField('path', 'File or folder', folder), pathField('refs', 'Other parts')],
		buttons: [{ ...START, label: 'Open' }, CANCEL],
		isQuick: true,
		estimates: false,
	});
}
