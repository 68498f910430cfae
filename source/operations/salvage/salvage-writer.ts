/**
 * Writes the contents of damaged files: first as every extraction does; what fails is read again from every place where the
 * blob may be, chunk by chunk, and ends up whole, or partial under a name that says so.
 */
import { DigestError, FormatError, type WimError } from '../../base/errors.ts';
import { formatHex } from '../../base/print.ts';
import { type Run, throwIfCanceled } from '../../base/run.ts';
import { type Sha1, sha1 as sha1Of } from '../../bytes/sha1.ts';
import { type HostPath, hostPath, hostPathText } from '../../host/host-path.ts';
import { MemorySource } from '../../storage/memory-source.ts';
import type { Blob, Part } from '../../wim/resource.ts';
import type { BlobOutcome, BlobWriter, FileJob } from '../extract-data.ts';
import { isExpected } from './open-damaged.ts';
import { type DamagedBlob, type Range, readDamagedBlob } from './read-damaged.ts';

/** Ends the names of files whose contents are not what they should be. */
export const PARTIAL_SUFFIX = '.partial';

/** Larger blobs are not read into memory: their bad chunks become zeros on the way through the lanes. */
const IN_MEMORY_MAX = 256 << 20;

/** What became of a blob that could not be written at the first attempt. */
export interface DamagedOutcome {
	readonly sha1: Sha1;
	readonly size: number;
	/** `whole` when another place or a repair gave the right bytes. */
	readonly state: 'whole' | 'partial' | 'lost';
	/** In the blob; null when only its SHA-1 says that something is wrong. */
	readonly badRanges: readonly Range[] | null;
	readonly error: WimError;
}

export class SalvageWriter implements BlobWriter {
	/** By SHA-1, what is not simply whole. */
	readonly damaged = new Map<Sha1, DamagedOutcome>();
	private readonly inner: BlobWriter;
	private readonly candidates: ReadonlyMap<Sha1, readonly Blob[]>;

	constructor(inner: BlobWriter, candidates: ReadonlyMap<Sha1, readonly Blob[]>) {
		this.inner = inner;
		this.candidates = candidates;
	}

	async writeFiles(
		jobs: readonly FileJob[],
		_options: { readonly recoverData: boolean },
		onOutcome: (outcome: BlobOutcome) => void,
		run: Run,
	): Promise<void> {
		const byBlob = new Map(jobs.map((job) => [job.blob, job]));
		const failed: { job: FileJob; error: WimError }[] = [];
		await this.inner.writeFiles(
			jobs,
			{ recoverData: false },
			(outcome) => {
				const job = byBlob.get(outcome.blob);
				if (outcome.error === null || job === undefined || !isContentError(outcome.error))
					onOutcome(outcome);
				else failed.push({ job, error: outcome.error });
			},
			run,
		);
		for (const { job, error } of failed) {
			throwIfCanceled(run);
			onOutcome(await this.second(job, error, run));
		}
	}

	async readSmall(
		blobs: readonly Blob[],
		onOutcome: (outcome: BlobOutcome, bytes: Uint8Array | null) => void,
		run: Run,
	): Promise<void> {
		const failed: { blob: Blob; error: WimError }[] = [];
		await this.inner.readSmall(
			blobs,
			(outcome, bytes) => {
				if (outcome.error === null || !isContentError(outcome.error)) onOutcome(outcome, bytes);
				else failed.push({ blob: outcome.blob, error: outcome.error });
			},
			run,
		);
		for (const { blob, error } of failed) {
			const best = await this.best(blob);
			const isWhole = best?.sha1 === blob.sha1;
			this.note(blob, isWhole ? 'whole' : 'lost', best, error);
			onOutcome(
				{ blob, error: isWhole ? null : error, isKept: false },
				isWhole ? (best?.bytes ?? null) : null,
			);
		}
	}

	private async second(job: FileJob, error: WimError, run: Run): Promise<BlobOutcome> {
		const { blob } = job;
		if (blob.size > IN_MEMORY_MAX) return this.large(job, error, run);
		const best = await this.best(blob);
		if (best === null || isAllBad(best, blob.size)) {
			this.note(blob, 'lost', best, error);
			return { blob, error, isKept: false };
		}
		const isWhole = best.sha1 === blob.sha1;
		await this.write(best, isWhole ? job : partialJob(job), run);
		this.note(blob, isWhole ? 'whole' : 'partial', best, error);
		return { blob, error: isWhole ? null : this.partialError(blob, best), isKept: false };
	}

	/** Through the lanes, zeros for bad chunks, under the name of a partial file. */
	private async large(job: FileJob, error: WimError, run: Run): Promise<BlobOutcome> {
		let kept = false;
		await this.inner.writeFiles(
			[partialJob(job)],
			{ recoverData: true },
			(outcome) => {
				kept = outcome.isKept || outcome.error === null;
			},
			run,
		);
		this.note(job.blob, kept ? 'partial' : 'lost', null, error);
		return { blob: job.blob, error, isKept: false };
	}

	/** The reading with the right SHA-1, else the one with the fewest bad bytes. */
	private async best(blob: Blob): Promise<DamagedBlob | null> {
		let best: DamagedBlob | null = null;
		for (const candidate of this.candidates.get(blob.sha1) ?? [blob]) {
			if (candidate.size > IN_MEMORY_MAX) continue;
			try {
				const read = await readDamagedBlob(candidate);
				if (read.sha1 === blob.sha1) return read;
				if (best === null || badBytes(read) < badBytes(best)) best = read;
			} catch (error) {
				if (!isExpected(error)) throw error;
			}
		}
		return best;
	}

	/** Hands bytes in memory to the inner writer as if they were a blob of their own. */
	private async write(read: DamagedBlob, job: FileJob, run: Run): Promise<void> {
		const source = new MemorySource('recovered bytes', read.bytes);
		const part = { source, header: job.blob.resource.part.header, pipable: false } satisfies Part;
		const blob: Blob = {
			sha1: sha1Of(read.bytes),
			size: read.bytes.length,
			referenceCount: 1,
			resource: {
				part,
				offset: 0,
				storedSize: read.bytes.length,
				originalSize: read.bytes.length,
				layout: 'raw',
				compression: 'none',
				chunkSize: 0,
				flags: 0,
			},
			offsetInResource: 0,
			defect: null,
		};
		await this.inner.writeFiles(
			[{ blob, files: job.files }],
			{ recoverData: false },
			({ error }) => {
				if (error !== null) throw error;
			},
			run,
		);
	}

	private note(
		blob: Blob,
		state: DamagedOutcome['state'],
		read: DamagedBlob | null,
		error: WimError,
	): void {
		const badRanges = read === null || read.badRanges.length === 0 ? null : read.badRanges;
		this.damaged.set(blob.sha1, { sha1: blob.sha1, size: blob.size, state, badRanges, error });
	}

	private partialError(blob: Blob, read: DamagedBlob): WimError {
		const ranges = read.badRanges.map(
			({ start, end }) => `${formatHex(start)} to ${formatHex(end)}`,
		);
		const what =
			ranges.length > 0
				? `${badBytes(read)} of ${blob.size} bytes are lost (${ranges.slice(0, 4).join(', ')}${ranges.length > 4 ? ', ...' : ''})`
				: `its SHA-1 is ${read.sha1}, expected ${blob.sha1}`;
		return new DigestError(`Cannot read it whole: ${what}`, {
			hint: `What is left stands beside it under a name that ends in "${PARTIAL_SUFFIX}".`,
		});
	}
}

function isContentError(error: WimError): boolean {
	return (
		error instanceof FormatError || error instanceof DigestError || error.code === 'missing-data'
	);
}

function badBytes({ badRanges }: DamagedBlob): number {
	return badRanges.reduce((sum, { start, end }) => sum + end - start, 0);
}

function isAllBad(read: DamagedBlob, size: number): boolean {
	return size > 0 && badBytes(read) >= size;
}

function partialJob(job: FileJob): FileJob {
	return {
		blob: job.blob,
		files: job.files.map((file) => ({ ...file, path: withSuffix(file.path) })),
	};
}

function withSuffix(path: HostPath): HostPath {
	return typeof path === 'string'
		? path + PARTIAL_SUFFIX
		: hostPath(hostPathText(path) + PARTIAL_SUFFIX);
}
