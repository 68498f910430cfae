import { machineClock } from '../../jobs/clock.ts';
import { Journal } from '../../jobs/journal.ts';
import { openTools } from '../../jobs/open-tools.ts';
import { performWith } from '../../jobs/perform.ts';
import type { DeckEngine } from '../engine.ts';
import { REQUEST_VERBS } from './requests.ts';
import { WimEngine } from './wim-engine.ts';

/** The engine of the deck on this machine. */
export async function createEngine(): Promise<DeckEngine> {
	// Standard input and output belong to the screen.
	const tools = openTools({ threads: null, input: null, output: null, onFault: () => {} });
	return new WimEngine({
		clock: machineClock,
		journal: await Journal.openFor(process.env, machineClock),
		verbs: REQUEST_VERBS,
		perform: (request, run, told) => performWith({ ...tools, ...told })(request, run),
		dispose: async () => tools[Symbol.asyncDispose](),
	});
}
