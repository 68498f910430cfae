/** How the contents of blobs reach files: what `extract-run.ts` asks for. */

import { FormatError, MissingError, type WimError } from '../../base/errors.ts';
import { REPARSE_DATA_SIZE_MAX } from '../../base/limits.ts';
import type { List } from '../../base/list.ts';
import type { Run } from '../../base/run.ts';
import type { Sha1 } from '../../bytes/sha1.ts';
import type { HostPath } from '../../host/host-path.ts';
import { STREAM_SIZE_MAX } from '../../host/ntfs.ts';
import type { OpenImage } from '../../image/open.ts';
import type { ImageTree } from '../../image/tree.ts';

/** A blob as far as extracting needs to know it. */
export interface ExtractBlob {
	readonly sha1: Sha1;
	/** Original bytes; 0 until it is known (a stream tells when the blob arrives). */
	readonly size: number;
}

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
	readonly blob: ExtractBlob;
	/** May be put together by a getter: ask once, when the blob is about to be written. The job may be, too. */
	readonly files: readonly FileTarget[];
}

export interface BlobOutcome {
	readonly blob: ExtractBlob;
	/** Why the contents are not what they should be; null when they are. */
	readonly error: WimError | null;
}

export interface FileOutcome extends BlobOutcome {
	/** Despite the error the files stand, with zeros for what could not be read. */
	readonly isKept: boolean;
	/** Files that the machine did not want, by the objects of the job; they are not there, the others are. */
	readonly refused: ReadonlyMap<FileTarget, WimError>;
}

/** What a run of the writer is asked for. A blob may be in both lists. */
export interface BlobWork {
	readonly files: List<FileJob>;
	/** Blobs to be read whole: reparse data, and named streams where they can be restored. */
	readonly small: readonly ExtractBlob[];
	/** Keep files whose contents are damaged. */
	readonly recoverData: boolean;
}

/** Told once of every blob asked for, in whatever order they come; what it throws ends the run. */
export interface BlobSink {
	fileWritten(outcome: FileOutcome): void;
	smallRead(outcome: BlobOutcome, bytes: Uint8Array | null): void;
}

/** Puts blobs into files: each decoded once, in the order of the part, its SHA-1 checked. */
export interface BlobWriter {
	/** Says how many original bytes will be asked for, while there is still something else to do. */
	expect?(bytes: number): void;
	/**
	 * Reports original bytes as they come.
	 *
	 * @throws {CanceledError} when canceled, with no half-written file left
	 */
	write(work: BlobWork, sink: BlobSink, run: Run): Promise<void>;
}

/** Small blobs are reparse data and named streams for NTFS, which cannot be larger; more is a damaged image. */
export const SMALL_SIZE_MAX = Math.max(REPARSE_DATA_SIZE_MAX, STREAM_SIZE_MAX);

/** Where a plan gets its tree and its blobs from: an image of a file, or of a stream. */
export interface ExtractSource {
	readonly tree: ImageTree;
	/**
	 * The blob of a nonempty stream.
	 *
	 * @param pathOf what needs it, for the message
	 * @throws {MissingError | FormatError} when it cannot be had, known before reading it
	 */
	blob(sha1: Sha1, pathOf: () => string): ExtractBlob;
}

/** The blobs of an open WIM. */
export function sourceOf({ wim, tree }: OpenImage): ExtractSource {
	return {
		tree,
		blob(sha1, pathOf) {
			const blob = wim.blobs.get(sha1);
			if (blob !== undefined && blob.defect === null) return blob;
			const path = pathOf();
			const attempt = `Cannot extract "${path}"`;
			if (blob === undefined)
				throw new MissingError(`${attempt}: blob ${sha1} is not in "${wim.name}"`, {
					...wim.missingBlob(sha1).facts,
					path,
				});
			throw new FormatError(`${attempt}: its contents cannot be read, ${blob.defect}`, { path });
		},
	};
}
