import type { Readable, Writable } from 'node:stream';
import type { Fault, Range } from '../operations/verify/verify-report.ts';
import type { Pool } from '../pool/pool.ts';
import type { ChunkEncoder } from '../pool/tasks/encode.ts';

/** What a process lends its jobs: one of each, whoever asks. */
export interface JobTools {
	/** The pool of the process; it starts no thread before there is work for one. */
	readonly pool: Pool;
	readonly encoder: ChunkEncoder;
	/** Where `-` is read from; null where a job cannot have it, as in the deck. */
	readonly input: Readable | null;
	/** Where `-` is written to; null where a job cannot have it. */
	readonly output: Writable | null;
	/** Told of each fault that `verify` finds, and again when the files it hits are known. */
	readonly onFault: (fault: Fault) => void;
	/** Told by `verify` of each stretch of a part that it has found good. */
	readonly onGood?: (part: string, range: Range) => void;
	/** Told when a mounted image can be used; the job goes on until it is unmounted. */
	readonly onMounted?: (folder: string) => void;
}
