/** Commands of the view of sizes by folder. */

import { enterSizes, leaveSizes, showSizes, sizesToFiles } from '../../state/sizes.ts';
import { closeView } from '../../state/view.ts';
import { type Command, change } from '../command.ts';
import { needsFile } from '../conditions.ts';

export const sizeCommands: readonly Command[] = [
	{
		id: 'view.sizes',
		title: 'Size by folder',
		hint: 'sizes',
		group: 'do',
		when: ['images', 'files', 'details', 'sizes'],
		keys: ['%'],
		footer: 85,
		disabled: needsFile,
		run: change((state) => (state.view === 'sizes' ? closeView(state) : showSizes(state))),
	},
	{
		id: 'sizes.enter',
		title: 'Into the folder',
		hint: 'open',
		group: 'move',
		when: ['sizes'],
		keys: ['enter', 'l', 'right'],
		footer: 10,
		run: change(enterSizes),
	},
	{
		id: 'sizes.parent',
		title: 'Folder above',
		hint: 'up',
		group: 'move',
		when: ['sizes'],
		keys: ['h', 'left', 'backspace'],
		footer: 20,
		run: change(leaveSizes),
	},
	{
		id: 'sizes.showFile',
		title: 'Show in Files',
		hint: 'show in Files',
		group: 'do',
		when: ['sizes'],
		keys: ['o'],
		footer: 30,
		run: change(sizesToFiles),
	},
];
