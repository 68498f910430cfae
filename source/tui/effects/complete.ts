/** Completion of paths: of this machine in forms, of the open image in the go-to line. */

import { EntryKind, type Listing } from '../engine.ts';
import { inSlices } from '../loader-slot.ts';
import { changeForm } from '../state/dialogs.ts';
import { focusedField, setText } from '../state/form.ts';
import type { FormDialog, State } from '../state/state.ts';
import { fieldOf } from '../state/text-field.ts';
import type { EffectHost } from './effect-host.ts';

/** Names offered when a path has several completions. */
const COMPLETIONS_MAX = 20;

const lastSeparator = (text: string): number =>
	Math.max(text.lastIndexOf('/'), text.lastIndexOf('\\'));

/** The longest beginning that all names share, without regard to case beyond the first name's own. */
export function commonStart(names: readonly string[]): string {
	const [first = '', ...rest] = names;
	let length = first.length;
	for (const name of rest) {
		let i = 0;
		while (i < length && i < name.length && name[i]!.toLowerCase() === first[i]!.toLowerCase()) i++;
		length = i;
	}
	return first.slice(0, length);
}

/** Completes the path in the focused field of a form. */
export async function completePath(
	host: EffectHost,
	form: FormDialog,
	signal: AbortSignal,
): Promise<void> {
	const field = focusedField(form);
	if (field?.kind !== 'path') return;
	const { pathSeparator } = host.state().settings;
	const { name } = field;
	const { text } = field.field;
	const all = await host.engine.complete(text).catch(() => []);
	if (signal.aborted) return;
	const entries = field.onlyFolders ? all.filter(({ isFolder }) => isFolder) : all;
	const names = entries.map((entry) => entry.name + (entry.isFolder ? pathSeparator : ''));
	const folder = text.slice(0, lastSeparator(text) + 1);
	const common = commonStart(names);
	host.change((state) =>
		changeForm(state, (current) => {
			const passed = names.length > 0 ? folder + common : text;
			const next = passed === text ? current : setText(current, name, passed);
			const completions = names.length === 1 ? [] : names.slice(0, COMPLETIONS_MAX);
			// The next Tab moves on, until something is typed.
			return { ...next, passed, completions };
		}),
	);
}

/** Completes a path inside the open image, for the go-to line. */
export async function completeInside(
	host: EffectHost,
	text: string,
	signal: AbortSignal,
): Promise<void> {
	const at = lastSeparator(text);
	const names = await namesInside(host.state(), text, at, signal);
	if (signal.aborted || names.length === 0) return;
	const completed = text.slice(0, at + 1) + commonStart(names);
	host.change((state) =>
		state.line
			? {
					...state,
					line: {
						...state.line,
						field: completed.length >= text.length ? fieldOf(completed) : state.line.field,
						completions: names.slice(0, COMPLETIONS_MAX),
					},
				}
			: state,
	);
}

/** Names looked at before keys get through. */
const SLICE = 8192;

/** Names of a listing that begin so, folders with a separator behind. */
function* beginning(
	{ names, kinds }: Listing,
	lower: string,
): Generator<void, string[], undefined> {
	const found: string[] = [];
	for (const [row, name] of names.entries()) {
		if (row % SLICE === SLICE - 1) yield;
		if (name.toLowerCase().startsWith(lower))
			found.push(name + ((kinds[row] ?? 0) & EntryKind.folder ? '\\' : ''));
	}
	return found;
}

/** Names that begin like what stands behind the separator at `at`; none is not an error. */
async function namesInside(
	{ files, wim }: State,
	text: string,
	at: number,
	signal: AbortSignal,
): Promise<readonly string[]> {
	const { listing } = files;
	if (!wim.file || !listing) return [];
	const folder = at < 0 ? listing.path : text.slice(0, at + 1).replaceAll('/', '\\');
	const whole = folder.startsWith('\\') ? folder : `${listing.path}\\${folder}`;
	const begin = text.slice(at + 1).toLowerCase();
	try {
		const position = (await wim.file.locate(listing.imageIndex, whole, signal))?.at(-1);
		if (position === undefined) return [];
		const inside = await wim.file.listFolder(listing.imageIndex, position, signal);
		return (await inSlices(beginning(inside, begin), signal)) ?? [];
	} catch {
		return [];
	}
}
