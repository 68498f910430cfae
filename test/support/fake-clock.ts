import type { Clock } from '../../source/base/run.ts';

/** A clock that moves only when told to. */
export interface FakeClock extends Clock {
	advance(ms: number): void;
}

export function fakeClock(): FakeClock {
	let ms = 0;
	return {
		now: () => Date.UTC(2024, 4, 14) + ms,
		elapsed: () => ms,
		guid: () => new Uint8Array(16),
		advance: (by) => {
			ms += by;
		},
	};
}
