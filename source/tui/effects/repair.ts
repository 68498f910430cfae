import { repairForm } from '../forms/rescue.ts';
import { openDialog } from '../state/dialogs.ts';
import { baseName, topDialog } from '../state/selectors.ts';
import type { EffectHost } from './effect-host.ts';

/** Opens the repair dialog with the WIMs that lie beside the damaged file. */
export async function openRepair(host: EffectHost): Promise<void> {
	const { facts, file } = host.state().wim;
	if (!facts) return;
	const folder = facts.path.slice(0, facts.path.length - baseName(facts.path).length);
	let beside: readonly string[] = [];
	const abort = new AbortController();
	// Their names are enough; what they hold is found out when the job runs.
	const named = (found: readonly { readonly path: string }[]): void => {
		beside = found.map(({ path }) => path);
		abort.abort();
	};
	await host.engine.findWims(folder, false, named, abort.signal).catch(() => {});
	host.change((state) =>
		state.wim.file === file && topDialog(state) === null
			? openDialog(state, repairForm(state, beside))
			: state,
	);
}
