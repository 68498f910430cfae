import type { WimError } from '../../source/base/errors.ts';
import type { ProgressEvent, Run } from '../../source/base/run.ts';

/** A run that keeps what is reported and whose clock moves only when told to (`elapsed` adds 10 ms a call). */
export interface TestRun extends Run {
	readonly events: ProgressEvent[];
	/** What was reported as a problem. */
	problems(): WimError[];
	/** The texts of the warnings. */
	warnings(): string[];
	cancel(): void;
}

export function testRun(): TestRun {
	const events: ProgressEvent[] = [];
	const controller = new AbortController();
	let ticks = 0;
	return {
		events,
		signal: controller.signal,
		report: (event) => events.push(event),
		clock: {
			now: () => Date.UTC(2024, 4, 14),
			elapsed: () => (ticks += 10),
			guid: () => Uint8Array.from({ length: 16 }, (_, at) => at),
		},
		problems: () => events.flatMap((event) => (event.type === 'problem' ? [event.error] : [])),
		warnings: () => events.flatMap((event) => (event.type === 'warning' ? [event.message] : [])),
		cancel: () => controller.abort(),
	};
}

/** Phases that went past the size that they had named. */
export function overrunsOf({ events }: TestRun): string[] {
	const found: string[] = [];
	let phase = '';
	let total: number | null = null;
	let done = 0;
	for (const event of [...events, { type: 'phase', phase: 'finish', totalBytes: null } as const])
		if (event.type === 'phase') {
			if (total !== null && done > total) found.push(`${phase}: ${done} of ${total} bytes`);
			({ phase, totalBytes: total } = event);
			done = 0;
		} else if (event.type === 'advance') done += event.bytes;
	return found;
}
