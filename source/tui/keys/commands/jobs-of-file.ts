/** Commands whose dialogs start jobs: on images, on the open file, on files of this machine. */

import { captureForm } from '../../forms/capture.ts';
import { exportForm } from '../../forms/export.ts';
import { applyForm } from '../../forms/extract.ts';
import { salvageForm, verifyForm } from '../../forms/rescue.ts';
import { deleteForm, optimizeForm, propertiesForm, undoForm } from '../../forms/rewrite.ts';
import { joinForm, splitForm } from '../../forms/split.ts';
import { openDialog } from '../../state/dialogs.ts';
import type { FormDialog, State } from '../../state/state.ts';
import { type Command, type Context, change } from '../command.ts';
import { all, needsFile, needsImage, needsNamed, needsVerb, needsWritable } from '../conditions.ts';

const opening = (build: (state: State) => FormDialog): Command['run'] =>
	change((state) => openDialog(state, build(state)));

const needsEditable = (verb: string) => all(needsFile, needsVerb(verb), needsWritable);

const onFile: readonly Context[] = ['images', 'files', 'details', 'damage', 'map'];

export const fileJobCommands: readonly Command[] = [
	{
		id: 'job.capture',
		title: 'Capture a folder into an image...',
		hint: 'capture',
		group: 'job',
		when: ['images', 'start'],
		keys: ['c', 'f6'],
		footer: 25,
		writes: true,
		disabled: needsVerb('capture'),
		run: opening(captureForm),
	},
	{
		id: 'job.export',
		title: 'Export marked images, else this one...',
		hint: 'export',
		group: 'job',
		when: ['images'],
		keys: ['e', 'f5'],
		footer: 20,
		writes: true,
		disabled: all(needsImage, needsVerb('export')),
		run: opening(exportForm),
	},
	{
		id: 'job.apply',
		title: 'Apply the image to a folder...',
		hint: 'apply',
		group: 'job',
		when: ['images'],
		keys: ['a'],
		footer: 30,
		writes: true,
		disabled: all(needsImage, needsVerb('apply')),
		run: opening(applyForm),
	},
	{
		id: 'job.edit',
		title: 'Properties of the image: names, flags, boot...',
		hint: 'properties',
		group: 'job',
		when: ['images'],
		keys: ['P'],
		footer: 75,
		writes: true,
		disabled: all(needsImage, needsEditable('edit')),
		run: opening(propertiesForm),
	},
	{
		id: 'job.delete',
		title: 'Delete marked images, else this one...',
		hint: 'delete',
		group: 'job',
		when: ['images'],
		keys: ['D', 'f8'],
		footer: 76,
		writes: true,
		disabled: all(needsImage, needsEditable('delete')),
		run: opening(deleteForm),
	},
	{
		id: 'job.split',
		title: 'Split the file into SWM parts...',
		group: 'job',
		when: ['images'],
		keys: ['S'],
		writes: true,
		disabled: all(needsFile, needsVerb('split')),
		run: opening(splitForm),
	},
	{
		id: 'job.join',
		title: 'Join SWM parts into one file...',
		group: 'job',
		when: ['images', 'start'],
		keys: ['J'],
		writes: true,
		disabled: needsVerb('join'),
		run: opening(joinForm),
	},
	{
		id: 'job.optimize',
		title: 'Optimize: write the file anew without its holes...',
		group: 'job',
		when: ['images'],
		keys: ['O'],
		writes: true,
		disabled: needsEditable('optimize'),
		run: opening(optimizeForm),
	},
	{
		id: 'job.undo',
		title: 'Take back the last edit of the file...',
		group: 'job',
		when: ['images'],
		keys: ['Z'],
		writes: true,
		disabled: needsEditable('undo'),
		run: opening(undoForm),
	},
	{
		id: 'job.verifyWith',
		title: 'Verify the file with options...',
		group: 'job',
		when: ['images'],
		keys: ['T'],
		disabled: all(needsNamed, needsVerb('verify')),
		run: opening(verifyForm),
	},
	{
		id: 'job.salvage',
		title: 'Salvage what is left of the file...',
		group: 'job',
		when: onFile,
		keys: ['X'],
		writes: true,
		disabled: all(needsNamed, needsVerb('salvage')),
		run: opening(salvageForm),
	},
	{
		id: 'job.repair',
		title: 'Repair into a new file, with donors...',
		group: 'job',
		when: onFile,
		keys: ['F'],
		writes: true,
		disabled: all(needsNamed, needsVerb('repair')),
		run: (api) => api.effects.openRepair(),
	},
];
