/** Staging what a form names: looks at both sides first, so that conflicts stand on their field. */

import { formatCount } from '../../base/print.ts';
import { windowsNameFault } from '../../operations/capture/windows-name.ts';
import { changeForm, closeDialog } from '../state/dialogs.ts';
import { valuesOf, withErrors } from '../state/form.ts';
import { type StagedDraft, stage } from '../state/staged.ts';
import type { Occupant } from '../state/staged-plan.ts';
import type { FormDialog, State } from '../state/state.ts';
import { say } from '../state/status.ts';
import type { EffectHost } from './effect-host.ts';

/** Either separator; `.` and `..` as people write them. */
function pathIn(folder: string, text: string): string {
	const slashed = text.replaceAll('/', '\\');
	const whole = slashed.startsWith('\\') ? slashed : `${folder}\\${slashed}`;
	const parts: string[] = [];
	for (const part of whole.split('\\')) {
		if (part === '..') parts.pop();
		else if (part !== '' && part !== '.') parts.push(part);
	}
	return `\\${parts.join('\\')}`;
}

const lastName = (path: string): string =>
	path
		.split(/[\\/]/)
		.filter((name) => name !== '')
		.at(-1) ?? '';

const failed =
	(field: string, reason: string) =>
	(state: State): State =>
		changeForm(state, (form) => withErrors(form, { [field]: reason }));

/** Stages, or shows why not on a field. */
function staged(
	host: EffectHost,
	imageIndex: number,
	draft: StagedDraft,
	occupant: Occupant | null,
	field: string,
): void {
	host.change((state) => {
		const next = stage(state, imageIndex, draft, occupant);
		if (typeof next === 'string') return failed(field, next)(state);
		const count = formatCount(next.staged.changes.length);
		return say(closeDialog(next), `${count} staged; C shows and commits them`);
	});
}

export async function submitAdd(host: EffectHost, form: FormDialog): Promise<void> {
	const values = valuesOf(form);
	const source = String(values['source'] ?? '').replace(/(.)[\\/]+$/, '$1');
	const imageIndex = Number(values['imageIndex']);
	const { file } = host.state().wim;
	if (!file) return;
	const facts = await host.engine.look(source);
	if (!facts.exists) return host.change(failed('source', 'there is no such file or folder'));
	const name = String(values['name'] ?? '').trim() || lastName(source);
	if (name === '') return host.change(failed('name', 'name it: the source has no name of its own'));
	const path = pathIn(String(values['folder']), name);
	const fault = windowsFault(path);
	if (fault) return host.change(failed('name', fault));
	const occupant = await file.entryAt(imageIndex, path);
	const { isFolder } = facts;
	const draft = {
		type: 'add',
		// The next deck may be started in another folder.
		source: facts.path,
		path,
		isFolder,
		replaces: occupant,
		size: isFolder ? null : facts.size,
		fileCount: isFolder ? null : 1,
	} as const;
	staged(host, imageIndex, draft, occupant, 'name');
}

/** Why Windows could not have the last name of a path; the command `update` takes any name. */
function windowsFault(path: string): string | null {
	const fault = windowsNameFault(path.slice(path.lastIndexOf('\\') + 1));
	return fault && `not a name for Windows: ${fault}`;
}

export async function submitRename(host: EffectHost, form: FormDialog): Promise<void> {
	const values = valuesOf(form);
	const path = String(values['path']);
	const imageIndex = Number(values['imageIndex']);
	const { file } = host.state().wim;
	if (!file) return;
	const name = String(values['name'] ?? '').trim();
	if (name === '') return host.change(failed('name', 'a name is needed'));
	const to = pathIn(path.slice(0, path.lastIndexOf('\\')), name);
	if (to === path) return host.change(failed('name', 'this is its name already'));
	const fault = windowsFault(to);
	if (fault) return host.change(failed('name', fault));
	const folder = await file.entryAt(imageIndex, to.slice(0, to.lastIndexOf('\\')) || '\\');
	if (!folder?.isFolder) return host.change(failed('name', 'there is no such folder in the image'));
	const entry = await file.entryAt(imageIndex, path);
	if (!entry) return host.change(failed('name', 'it is not in the image any more'));
	const { isFolder, position } = entry;
	const size = isFolder ? null : entry.size;
	const draft = { type: 'rename', path, to, position, isFolder, size, fileCount: 1 } as const;
	staged(host, imageIndex, draft, await file.entryAt(imageIndex, to), 'name');
}
