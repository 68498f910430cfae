/** What `repair` is asked for. */
import type { LostPolicy } from '../rescue/mark-lost.ts';

export interface RepairOptions {
	/** WIMs, first parts of sets, ESDs or folders, the preferred ones first; damaged ones too. */
	readonly donors: readonly string[];
	/** Patterns of further parts of the damaged set. */
	readonly references: readonly string[];
	readonly lost: LostPolicy;
	/** How long single flipped bits are searched for, all contents together; 0 for not at all. */
	readonly bitSearchSeconds: number;
	/** Null: an integrity table when the damaged file had one. */
	readonly integrity: boolean | null;
	/** Finds out and reports, writes nothing. */
	readonly dryRun: boolean;
}

/** Long enough for a chunk of 32 KiB on one core, short enough to wait for. */
export const BIT_SEARCH_SECONDS = 60;
