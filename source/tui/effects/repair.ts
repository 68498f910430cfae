import { repairForm } from '../forms/rescue.ts';
import { openDialog } from '../state/dialogs.ts';
import { baseName, namedPath, topDialog } from '../state/selectors.ts';
import type { EffectHost } from './effect-host.ts';

/** Opens the repair dialog with the WIMs that lie beside the damaged file. */
export async function openRepair(host: EffectHost): Promise<void> {
	const { file } = host.state().wim;
	const wim = namedPath(host.state());
	if (wim === null) return;
	const folder = wim.slice(0, wim.length - baseName(wim).length) || '.';
	let beside: readonly string[] = [];
	const abort = new AbortController();
	// Their names and headers are enough; what they hold is found out when the job runs.
	const named = (found: readonly { readonly path: string }[]): void => {
		beside = found.map(({ path }) => path);
		abort.abort();
	};
	await host.engine.findWims(folder, false, named, abort.signal).catch(() => {});
	beside = await host.engine.sortDonors(
		wim,
		beside.filter((path) => path !== wim),
	);
	host.change((state) =>
		state.wim.file === file && topDialog(state) === null
			? openDialog(state, repairForm(state, beside))
			: state,
	);
}
