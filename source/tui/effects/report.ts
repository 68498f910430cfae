/** Reports of damage, and lists, as files. */

import { plural } from '../../base/print.ts';
import type { FindingFile } from '../engine.ts';
import { type ListFormat, listRows, listSteps } from '../list-file.ts';
import { inSlices } from '../loader-slot.ts';
import { jsonReport } from '../report.ts';
import { sentence } from '../sentence.ts';
import { damageReport } from '../state/damage.ts';
import { changeForm, closeDialog } from '../state/dialogs.ts';
import { valuesOf, withErrors } from '../state/form.ts';
import { markPositions } from '../state/marks.ts';
import { markCount, namedPath } from '../state/selectors.ts';
import type { FormDialog } from '../state/state.ts';
import { say } from '../state/status.ts';
import type { EffectHost } from './effect-host.ts';

/** The report dialog's main button. */
export async function submitReport(host: EffectHost, form: FormDialog): Promise<void> {
	const values = valuesOf(form);
	const { damage } = host.state();
	const source = namedPath(host.state()) ?? '';
	const text =
		values.format === 'json'
			? jsonReport(source, damage.findings)
			: damageReport(source, damage.findings);
	await writeReport(host, String(values.path ?? ''), text);
}

/** The dialog that writes what a list shows. */
export async function submitList(host: EffectHost, form: FormDialog): Promise<void> {
	const values = valuesOf(form);
	const rows = listRows(host.state(), values.what === 'marked');
	if (!rows) return;
	const { signal } = new AbortController();
	const made = await inSlices(listSteps(rows, values.format as ListFormat), signal);
	if (!made) return;
	const { text, written, leftOut } = made;
	const left = leftOut > 0 ? `; ${leftOut} left out: no line can hold their names` : '';
	await writeReport(host, String(values.path ?? ''), text, `: ${plural(written, 'row')}${left}`);
}

export async function writeReport(
	host: EffectHost,
	path: string,
	text: string,
	what = '',
): Promise<void> {
	try {
		await host.engine.writeReport(path, text);
		host.change((state) => say(closeDialog(state), `Wrote ${path}${what}`));
	} catch (error) {
		host.change((state) =>
			changeForm(say(state, sentence(error), 'error'), (form) =>
				withErrors(form, { path: sentence(error) }),
			),
		);
	}
}

/** Marks files of the open WIM that are known by their paths. */
export async function markFiles(host: EffectHost, files: readonly FindingFile[]): Promise<void> {
	const { wim } = host.state();
	const { signal } = new AbortController();
	const found = new Map<number, number[]>();
	for (const { imageIndex, path } of files) {
		const trail = await wim.file?.locate(imageIndex, path, signal).catch(() => null);
		const position = trail?.at(-1);
		if (position !== undefined) found.set(imageIndex, [...(found.get(imageIndex) ?? []), position]);
	}
	host.change((state) => {
		if (state.wim.file !== wim.file) return state;
		const marked = markPositions(state, found);
		return say(marked, `${markCount(marked)} marked`);
	});
}
