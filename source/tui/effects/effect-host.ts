import type { DeckEngine, JobRequest } from '../engine.ts';
import type { State } from '../state/state.ts';

/** What an effect has at hand; its answer is a change of the state, now or later. */
export interface EffectHost {
	readonly engine: DeckEngine;
	state(): State;
	/** A change to show at once; nothing once the deck is over. */
	change(change: (state: State) => State): void;
	/** Puts a job into the queue and says so, or says why not. */
	startJob(request: JobRequest): void;
}
