/** Commands of the map of the file. */

import { findingUnderCursor } from '../../state/damage.ts';
import {
	fileAtCursor,
	fileMap,
	moveCells,
	openMap,
	otherPart,
	toFinding,
} from '../../state/map.ts';
import type { State } from '../../state/state.ts';
import { say } from '../../state/status.ts';
import { type Command, change } from '../command.ts';
import { needsFile } from '../conditions.ts';
import { showInFiles } from './damage.ts';

function showFile(state: State): State {
	const file = fileAtCursor(state);
	return file ? showInFiles(state, file) : say(state, 'No named file lies here');
}

const needsParts = (state: State): string | null =>
	(fileMap(state)?.length ?? 1) > 1 ? null : 'the file has one part';

export const mapCommands: readonly Command[] = [
	{
		id: 'map.right',
		title: 'Cell to the right',
		group: 'move',
		when: ['map'],
		keys: ['l', 'right'],
		run: change((state) => moveCells(state, 1)),
	},
	{
		id: 'map.left',
		title: 'Cell to the left',
		group: 'move',
		when: ['map'],
		keys: ['h', 'left'],
		run: change((state) => moveCells(state, -1)),
	},
	{
		id: 'map.finding',
		title: 'What was found here',
		hint: 'finding',
		group: 'do',
		when: ['map'],
		keys: ['enter'],
		footer: 10,
		run: change(toFinding),
	},
	{
		id: 'map.showFile',
		title: 'Show the file in Files',
		hint: 'show',
		group: 'do',
		when: ['map'],
		keys: ['o'],
		footer: 20,
		run: change(showFile),
	},
	{
		id: 'map.prevPart',
		title: 'Part before',
		group: 'move',
		when: ['map'],
		keys: ['['],
		disabled: needsParts,
		run: change((state) => otherPart(state, -1)),
	},
	{
		id: 'map.nextPart',
		title: 'Next part',
		group: 'move',
		when: ['map'],
		keys: [']'],
		disabled: needsParts,
		run: change((state) => otherPart(state, 1)),
	},
	{
		id: 'view.map',
		title: 'Map of the file',
		hint: 'map',
		group: 'everywhere',
		when: ['damage', 'images', 'files'],
		keys: ['M'],
		footer: 80,
		disabled: needsFile,
		run: change((state) =>
			openMap(state, state.view === 'damage' ? findingUnderCursor(state) : null),
		),
	},
];
