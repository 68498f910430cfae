import { UnsupportedError } from '../../base/errors.ts';
import { machineClock } from '../../jobs/clock.ts';
import { Journal } from '../../jobs/journal.ts';
import type { DeckEngine } from '../engine.ts';
import { WimEngine } from './wim-engine.ts';

/** The engine of the deck on this machine. */
export async function createEngine(): Promise<DeckEngine> {
	return new WimEngine({
		clock: machineClock,
		journal: await Journal.openFor(process.env, machineClock),
		verbs: [],
		perform: async ({ verb }) => {
			throw new UnsupportedError(
				`Cannot run ${verb} from the deck: it is not part of this version`,
			);
		},
		dispose: async () => {},
	});
}
