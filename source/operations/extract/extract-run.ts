/**
 * Carries out an extraction plan: structure first, then contents, then everything that could lead a write astray or
 * would be disturbed by one: further names, symbolic links, owners and modes, times of folders (wim.md §11.2).
 */

import { HostError, UnsupportedError } from '../../base/errors.ts';
import { formatSize, plural } from '../../base/print.ts';
import { breathe, type Run } from '../../base/run.ts';
import type { Sha1 } from '../../bytes/sha1.ts';
import type { BlobWriter, ExtractBlob, FileJob } from './extract-data.ts';
import {
	type ExtractCounts,
	Extraction,
	type ExtractOptions,
	type ExtractPart,
} from './extraction.ts';

/** What was made; in a dry run, what would be. */
export interface ExtractSummary extends ExtractCounts {
	/** Bytes the files take on the disk, and bytes that were free before. */
	readonly neededSize: number;
	readonly freeSize: number;
}

/**
 * Extracts what the plans say. Several trees share one pass over the blobs.
 *
 * @throws {UnsupportedError} for strict ACLs, before anything is written
 * @throws {HostError} when there is no room, or the target takes no more writes
 */
export async function runExtract(
	parts: readonly ExtractPart[],
	writer: BlobWriter,
	options: ExtractOptions,
	run: Run,
): Promise<ExtractSummary> {
	const freeSize = admit(parts, options, run);
	const extractions = parts.map((part) => new Extraction(part, options, run));
	if (!options.dryRun || options.readsWhenDry === true) {
		writer.expect?.(parts.reduce((total, { plan }) => total + plan.blobBytes, 0));
		run.report({ type: 'phase', phase: 'create', totalBytes: null });
		for (const extraction of extractions) await extraction.makeStructure();
		await writeData(parts, extractions, writer, options, run);
		for (const extraction of extractions) await extraction.makeHardLinks();
		for (const extraction of extractions) await extraction.makeSymbolicLinks();
		for (const extraction of extractions) await extraction.makeStreams(writer);
		run.report({ type: 'phase', phase: 'attributes', totalBytes: null });
		for (const extraction of extractions) await extraction.setAttributes();
	}
	const summary = { folders: 0, files: 0, symbolicLinks: 0, specials: 0, bytes: 0 };
	for (const extraction of extractions) await extraction.addTo(summary);
	const neededSize = parts.reduce((total, { plan }) => total + plan.fileBytes, 0);
	return { ...summary, neededSize, freeSize };
}

/** Tells what the plans say, and refuses what cannot be; then nothing of this run stays. @returns free bytes */
function admit(parts: readonly ExtractPart[], options: ExtractOptions, run: Run): number {
	try {
		for (const part of parts) refuseStrictAcls(part, options);
		for (const { plan } of parts) {
			for (const message of plan.losses) run.report({ type: 'warning', message });
			for (const error of plan.problems) run.report({ type: 'problem', error });
		}
		const freeSize = parts[0]?.target.freeSize() ?? 0;
		checkRoom(parts, freeSize);
		return freeSize;
	} catch (error) {
		for (const { target } of parts) target.withdraw();
		throw error;
	}
}

function refuseStrictAcls({ plan, target }: ExtractPart, options: ExtractOptions): void {
	if (options.acls !== 'strict' || plan.descriptorCount === 0 || target.keepsNtfs()) return;
	throw new UnsupportedError(
		`Cannot restore the security descriptors of ${plural(plan.descriptorCount, 'file')}: this file system cannot hold them`,
		{ path: target.root, hint: 'Leave out --strict-acls, or pass --no-acls.' },
	);
}

/** One pass over the blobs of all trees. */
async function writeData(
	parts: readonly ExtractPart[],
	extractions: readonly Extraction[],
	writer: BlobWriter,
	options: ExtractOptions,
	run: Run,
): Promise<void> {
	const isSized = parts.every(({ plan }) => plan.blobBytes > 0 || plan.files.size === 0);
	const totalBytes = parts.reduce((total, { plan }) => total + plan.blobBytes, 0);
	run.report({ type: 'phase', phase: 'data', totalBytes: isSized ? totalBytes : null });
	await breathe(run);
	const small = new Map<Sha1, ExtractBlob>();
	for (const extraction of extractions)
		for (const blob of extraction.linkBlobs()) small.set(blob.sha1, blob);
	const [only] = extractions;
	const jobs = only && extractions.length === 1 ? only.fileJobs() : mergedJobs(extractions);
	await writer.write(
		{ files: jobs, small: [...small.values()], recoverData: options.recoverData },
		{
			fileWritten: (outcome) => {
				for (const extraction of extractions) extraction.fileWritten(outcome);
			},
			smallRead: (outcome, bytes) => {
				for (const extraction of extractions) extraction.smallRead(outcome, bytes);
			},
		},
		run,
	);
}

/** One job for each blob, whatever trees it is in. */
function mergedJobs(extractions: readonly Extraction[]): FileJob[] {
	const jobs = new Map<Sha1, FileJob>();
	for (const extraction of extractions)
		for (const job of extraction.fileJobs()) {
			const known = jobs.get(job.blob.sha1);
			jobs.set(job.blob.sha1, known === undefined ? job : bothOf(known, job));
		}
	return [...jobs.values()];
}

/** The same blob for two trees. */
function bothOf(one: FileJob, other: FileJob): FileJob {
	return {
		blob: one.blob,
		get files() {
			return [...one.files, ...other.files];
		},
	};
}

/** @throws {HostError} when the files cannot fit, counting what they replace */
function checkRoom(parts: readonly ExtractPart[], freeSize: number): void {
	const needed = parts.reduce((total, { plan }) => total + plan.fileBytes, 0);
	if (needed <= freeSize) return;
	let replaced = 0;
	for (const { plan, target } of parts)
		if (!target.isEmpty)
			for (const { path } of plan.files.holders) replaced += target.occupiedSize(path);
	const missing = needed - freeSize - replaced;
	if (missing <= 0) return;
	const root = parts[0]?.target.root ?? '';
	const free = freeSize === 0 ? 'nothing is free' : `only ${formatSize(freeSize)} are free`;
	throw new HostError(`Cannot extract ${formatSize(needed)} into "${root}": ${free}`, {
		path: root,
		hint: `Free another ${formatSize(missing)}, or choose another place.`,
	});
}
