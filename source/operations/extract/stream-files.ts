/**
 * Named streams where an NTFS mount shows them as files `PATH:NAME`. They are made after the files that they belong to:
 * small ones of what the first pass kept, larger ones in a pass of their own.
 */
import { HostError, WimError } from '../../base/errors.ts';
import type { Run } from '../../base/run.ts';
import type { Sha1 } from '../../bytes/sha1.ts';
import type { HostPath } from '../../host/host-path.ts';
import { hostPathText } from '../../host/host-path.ts';
import { plainTarget, TargetFile } from '../../storage/target-file.ts';
import type { BlobWriter, ExtractBlob, FileJob, FileTarget } from './extract-data.ts';

/** What no name of a stream holds; a separator would lead elsewhere. */
const FORBIDDEN = /[/\\:\0]/;

export class StreamFiles {
	readonly #run: Run;
	/** Reads only. */
	readonly #isDry: boolean;
	readonly #large = new Map<Sha1, { blob: ExtractBlob; files: FileTarget[] }>();

	constructor(run: Run, isDry = false) {
		this.#run = run;
		this.#isDry = isDry;
	}

	/** @param bytes null for what is to be read by `writeLarge` */
	add(path: HostPath, name: string, blob: ExtractBlob | null, bytes: Uint8Array | null): void {
		const text = hostPathText(path);
		try {
			if (FORBIDDEN.test(name))
				throw new HostError(`Cannot make the stream "${text}": its name is not allowed`, {
					path: text,
				});
			const target = plainTarget(path);
			if (!this.#isDry) TargetFile.remove(target);
			if (bytes === null) {
				if (blob !== null) this.#later(blob, path);
			} else if (!this.#isDry) fill(TargetFile.create(target), bytes);
		} catch (error) {
			if (!(error instanceof WimError)) throw error;
			this.#run.report({ type: 'problem', error });
		}
	}

	#later(blob: ExtractBlob, path: HostPath): void {
		const job = this.#large.get(blob.sha1) ?? { blob, files: [] };
		if (!this.#isDry) job.files.push({ path, times: null, isSparse: false });
		this.#large.set(blob.sha1, job);
	}

	async writeLarge(writer: BlobWriter, recoverData: boolean): Promise<void> {
		if (this.#large.size === 0) return;
		const run = this.#run;
		const files: FileJob[] = [...this.#large.values()];
		const totalBytes = files.reduce((sum, { blob }) => sum + blob.size, 0);
		run.report({ type: 'phase', phase: 'data', totalBytes });
		const report = (error: WimError) => run.report({ type: 'problem', error });
		await writer.write(
			{ files, small: [], recoverData },
			{
				fileWritten: ({ error, refused }) => {
					for (const refusal of refused.values()) report(refusal);
					if (error !== null) report(error);
				},
				smallRead() {},
			},
			run,
		);
	}
}

function fill(file: TargetFile, bytes: Uint8Array): void {
	try {
		file.write(bytes, 0);
	} catch (error) {
		file.discard();
		throw error;
	}
	file.finish();
}
