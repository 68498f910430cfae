/**
 * Writes the contents of damaged files: first as every extraction does; what fails is read again from every place where the
 * blob may be, chunk by chunk, and ends up whole, or partial under a name that says so.
 */
import { DigestError, FormatError, type WimError } from '../../base/errors.ts';
import { formatHex } from '../../base/print.ts';
import { type Run, throwIfCanceled } from '../../base/run.ts';
import { type Sha1, sha1 as sha1Of } from '../../bytes/sha1.ts';
import { type HostPath, hostPath, hostPathText } from '../../host/host-path.ts';
import { LargeChunks } from '../../pool/large-chunks.ts';
import type { Pool } from '../../pool/pool.ts';
import { MemorySource } from '../../storage/memory-source.ts';
import type { Blob } from '../../wim/resource.ts';
import type {
	BlobSink,
	BlobWork,
	BlobWriter,
	ExtractBlob,
	FileJob,
	FileOutcome,
} from '../extract/extract-data.ts';
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

/** Makes a writer for blobs at these places. */
export type WriterFor = (blobs: ReadonlyMap<Sha1, Blob>) => BlobWriter;

export class SalvageWriter implements BlobWriter {
	/** By SHA-1, what is not simply whole. */
	readonly damaged = new Map<Sha1, DamagedOutcome>();
	private readonly writerFor: WriterFor;
	private readonly best: Map<Sha1, Blob>;
	private readonly candidates: ReadonlyMap<Sha1, readonly Blob[]>;
	/** Known by nothing but their contents. */
	private readonly learned = new Map<Sha1, Blob>();
	private readonly seek: (names: ReadonlySet<Sha1>) => Promise<void>;
	private readonly sought = new Set<Sha1>();
	private readonly pool: Pool;

	/**
	 * @param best the likeliest place of every blob
	 * @param candidates all places; `seek` adds to them
	 * @param pool decodes large chunks for what is read once more
	 */
	constructor(
		writerFor: WriterFor,
		best: ReadonlyMap<Sha1, Blob>,
		candidates: ReadonlyMap<Sha1, readonly Blob[]>,
		seek: (names: ReadonlySet<Sha1>) => Promise<void>,
		pool: Pool,
	) {
		this.pool = pool;
		this.writerFor = writerFor;
		this.best = new Map(best);
		this.candidates = candidates;
		this.seek = seek;
	}

	/** Adds blobs that no table and no search by SHA-1 gave. */
	learn(blobs: readonly Blob[]): void {
		for (const blob of blobs) {
			if (this.best.has(blob.sha1)) continue;
			this.best.set(blob.sha1, blob);
			this.learned.set(blob.sha1, blob);
		}
	}

	async write(work: BlobWork, sink: BlobSink, run: Run): Promise<void> {
		const lanes = new LargeChunks(this.pool, run.signal);
		const jobs = new Map(Array.from(work.files, (job) => [job.blob.sha1, job]));
		const files: { job: FileJob; error: WimError }[] = [];
		const small: { blob: ExtractBlob; error: WimError }[] = [];
		const first: BlobSink = {
			fileWritten(outcome) {
				const job = jobs.get(outcome.blob.sha1);
				if (outcome.error === null || job === undefined || !isContentError(outcome.error))
					sink.fileWritten(outcome);
				else files.push({ job, error: outcome.error });
			},
			smallRead(outcome, bytes) {
				if (outcome.error === null || !isContentError(outcome.error))
					sink.smallRead(outcome, bytes);
				else small.push({ blob: outcome.blob, error: outcome.error });
			},
		};
		await this.writerFor(this.best).write({ ...work, recoverData: false }, first, run);
		await this.seekOnce([...files.map(({ job }) => job.blob), ...small.map(({ blob }) => blob)]);
		for (const { job, error } of files) {
			throwIfCanceled(run);
			sink.fileWritten(await this.second(job, error, lanes, run));
		}
		for (const { blob, error } of small) {
			const best = await this.read(blob, lanes);
			const isWhole = best?.sha1 === blob.sha1;
			this.note(blob, isWhole ? 'whole' : 'lost', best, error);
			sink.smallRead({ blob, error: isWhole ? null : error }, isWhole ? best.bytes : null);
		}
	}

	private async seekOnce(blobs: readonly ExtractBlob[]): Promise<void> {
		const names = blobs.map(({ sha1 }) => sha1).filter((sha1) => !this.sought.has(sha1));
		if (names.length === 0) return;
		for (const sha1 of names) this.sought.add(sha1);
		await this.seek(new Set(names));
	}

	private async second(
		job: FileJob,
		error: WimError,
		lanes: LargeChunks,
		run: Run,
	): Promise<FileOutcome> {
		const { blob } = job;
		const places = this.candidates.get(blob.sha1) ?? [];
		if (blob.size > IN_MEMORY_MAX && places.every(({ size }) => size > IN_MEMORY_MAX))
			return this.large(job, error, run);
		const best = await this.read(blob, lanes);
		if (best === null || isAllBad(best, blob.size)) {
			this.note(blob, 'lost', best, error);
			return { blob, error, isKept: false, refused: new Map() };
		}
		const isWhole = best.sha1 === blob.sha1;
		await this.writeBytes(best, isWhole ? job : partialJob(job), run);
		this.note(blob, isWhole ? 'whole' : 'partial', best, error);
		return {
			blob,
			error: isWhole ? null : this.partialError(blob, best),
			isKept: false,
			refused: new Map(),
		};
	}

	/** Through the lanes, zeros for bad chunks, under the name of a partial file. */
	private async large(job: FileJob, error: WimError, run: Run): Promise<FileOutcome> {
		let kept = false;
		const sink: BlobSink = {
			fileWritten(outcome) {
				kept = outcome.isKept || outcome.error === null;
			},
			smallRead() {},
		};
		const work = { files: [partialJob(job)], small: [], recoverData: true };
		await this.writerFor(this.best).write(work, sink, run);
		this.note(job.blob, kept ? 'partial' : 'lost', null, error);
		return { blob: job.blob, error, isKept: false, refused: new Map() };
	}

	/** The reading with the right SHA-1, else the one with the fewest bad bytes. */
	private async read(blob: ExtractBlob, lanes: LargeChunks): Promise<DamagedBlob | null> {
		let best: DamagedBlob | null = null;
		const learned = this.learned.get(blob.sha1);
		const places = this.candidates.get(blob.sha1) ?? (learned === undefined ? [] : [learned]);
		for (const candidate of places) {
			if (candidate.size > IN_MEMORY_MAX) continue;
			try {
				const read = await readDamagedBlob(candidate, lanes);
				if (read.sha1 === blob.sha1) return read;
				if (best === null || badBytes(read) < badBytes(best)) best = read;
			} catch (error) {
				if (!isExpected(error)) throw error;
			}
		}
		return best;
	}

	/** Hands bytes in memory to a writer as if they were a blob of their own. */
	private async writeBytes(read: DamagedBlob, job: FileJob, run: Run): Promise<void> {
		const [anyBlob] = this.best.values();
		const header = anyBlob?.resource.part.header;
		if (header === undefined) return;
		const source = new MemorySource('recovered bytes', read.bytes);
		const blob: Blob = {
			sha1: sha1Of(read.bytes),
			size: read.bytes.length,
			referenceCount: 1,
			resource: {
				part: { source, header, pipable: false },
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
		const sink: BlobSink = {
			fileWritten({ error }) {
				if (error !== null) throw error;
			},
			smallRead() {},
		};
		const work = { files: [{ blob, files: job.files }], small: [], recoverData: false };
		await this.writerFor(new Map([[blob.sha1, blob]])).write(work, sink, run);
	}

	private note(
		blob: ExtractBlob,
		state: DamagedOutcome['state'],
		read: DamagedBlob | null,
		error: WimError,
	): void {
		const badRanges = read === null || read.badRanges.length === 0 ? null : read.badRanges;
		this.damaged.set(blob.sha1, { sha1: blob.sha1, size: blob.size, state, badRanges, error });
	}

	private partialError(blob: ExtractBlob, read: DamagedBlob): WimError {
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
