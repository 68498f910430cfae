import { repairForm } from '../forms/rescue.ts';
import { openDialog } from '../state/dialogs.ts';
import { setText, valuesOf } from '../state/form.ts';
import { namedPath, topDialog } from '../state/selectors.ts';
import { clearStatus, say } from '../state/status.ts';
import type { EffectHost } from './effect-host.ts';

/** Opens the repair dialog with the WIMs that lie beside the damaged file. */
export async function openRepair(host: EffectHost): Promise<void> {
	const { file } = host.state().wim;
	const wim = namedPath(host.state());
	if (wim === null) return;
	host.change((state) => say(state, 'Looking for donors beside the file...'));
	const { target, donors } = await host.engine.repairFacts(wim);
	const filled = repairForm(host.state(), target, donors);
	// A name that was typed before may be taken by now: the job of then made it.
	const isTaken = (await host.engine.look(String(valuesOf(filled)['target']))).exists;
	const form = isTaken ? setText(filled, 'target', target) : filled;
	host.change((state) =>
		state.wim.file === file && topDialog(state) === null
			? openDialog(clearStatus(state), form)
			: state,
	);
}
