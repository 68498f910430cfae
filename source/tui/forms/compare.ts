import { chosenImages, currentImage } from '../state/selectors.ts';
import type { FormDialog, State } from '../state/state.ts';
import { buildForm, CANCEL, choice, START } from './build.ts';

/** Asks which two images to compare: the current one and the one behind it at first. */
export function compareForm(state: State): FormDialog {
	const { images } = state.wim;
	const options = images.map(({ index, name }) => ({
		value: String(index),
		label: `${index} ${name}`,
	}));
	const [marked] = chosenImages(state);
	const here = state.focus === 'images' ? marked : currentImage(state);
	const at = Math.max(
		0,
		images.findIndex(({ index }) => index === here?.index),
	);
	const other = images[at + 1] ?? images[at - 1];
	return buildForm(state, {
		form: 'compare',
		// What was chosen for another image is not what this one is to be compared with.
		subject: `${state.wim.facts?.path ?? ''} ${here?.index ?? ''}`,
		title: 'Compare two images',
		fields: [
			choice('before', 'Before', options, String(here?.index ?? 1)),
			choice('after', 'After', options, String(other?.index ?? 1)),
		],
		buttons: [{ ...START, label: 'Compare' }, CANCEL],
		isQuick: true,
		estimates: false,
	});
}
