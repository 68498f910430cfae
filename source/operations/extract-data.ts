/** How the contents of blobs reach files: what `extract-run.ts` asks for. */

import type { WimError } from '../base/errors.ts';
import type { Run } from '../base/run.ts';
import type { HostPath } from '../host/host-path.ts';
import type { Blob } from '../wim/resource.ts';

/** A file to be made; nothing stands under its name afterwards unless the outcome says so. */
export interface FileTarget {
	readonly path: HostPath;
	/** What `utimes` takes; null leaves what the system sets. */
	readonly times: readonly [access: number | string, write: number | string] | null;
	/** Blocks of zeros become holes. */
	readonly isSparse: boolean;
}

/** One blob and all files that hold it. */
export interface FileJob {
	readonly blob: Blob;
	readonly files: readonly FileTarget[];
}

export interface BlobOutcome {
	readonly blob: Blob;
	/** Why the contents are not what they should be; null when they are. */
	readonly error: WimError | null;
	/** The files stand, with zeros for what could not be read. */
	readonly isKept: boolean;
}

export interface BlobWriter {
	/**
	 * Writes blobs into files, in the order of the part, each decoded once and its SHA-1 checked. Reports every blob once,
	 * and the original bytes as they come.
	 *
	 * @throws {CanceledError} when canceled, with no half-written file left
	 */
	writeFiles(
		jobs: readonly FileJob[],
		options: { readonly recoverData: boolean },
		onOutcome: (outcome: BlobOutcome) => void,
		run: Run,
	): Promise<void>;

	/** Reads blobs of at most 64 KiB whole. */
	readSmall(
		blobs: readonly Blob[],
		onOutcome: (outcome: BlobOutcome, bytes: Uint8Array | null) => void,
		run: Run,
	): Promise<void>;
}
