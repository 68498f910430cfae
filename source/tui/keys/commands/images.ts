/** Commands of the Images pane. */

import { openDialog } from '../../state/dialogs.ts';
import { currentImage, imageUnderCursor, namedPath } from '../../state/selectors.ts';
import type { State } from '../../state/state.ts';
import { browseImage } from '../../state/wim.ts';
import { imageFactRows } from '../../view/image-facts.ts';
import type { Api } from '../api.ts';
import { type Command, change } from '../command.ts';
import { all, needsImageRow, needsNamed, needsVerb } from '../conditions.ts';

function showFacts(state: State): State {
	const image = state.focus === 'images' ? imageUnderCursor(state) : currentImage(state);
	if (!image) return state;
	return openDialog(state, {
		kind: 'facts',
		title: `Image ${image.index}`,
		rows: imageFactRows(state, image),
		top: 0,
	});
}

/** Verifies the file; nothing is written, so nothing is asked. */
function verify(api: Api): void {
	const { load } = api.state().wim;
	const wim = namedPath(api.state());
	if (wim === null) return;
	api.effects.startJob({
		verb: 'verify',
		values: { wim, refs: load.request?.refs ?? [] },
	});
}

export const imageCommands: readonly Command[] = [
	{
		id: 'image.browse',
		title: 'Open in Files',
		hint: 'open',
		group: 'do',
		when: ['images'],
		keys: ['enter', 'l', 'right'],
		footer: 10,
		disabled: needsImageRow,
		run: change(browseImage),
	},
	{
		id: 'image.info',
		title: 'Facts of the image',
		hint: 'info',
		group: 'do',
		when: ['images'],
		keys: ['i'],
		footer: 60,
		disabled: needsImageRow,
		run: change(showFacts),
	},
	{
		id: 'job.verify',
		title: 'Verify the file',
		hint: 'verify',
		group: 'job',
		when: ['images', 'files', 'details', 'damage'],
		keys: ['V', 'f9'],
		footer: 70,
		disabled: all(needsNamed, needsVerb('verify')),
		run: verify,
	},
];
