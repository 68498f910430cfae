/** Extracting and applying: opens the WIM and the image, checks what was asked to be checked, writes. */

import type { Readable } from 'node:stream';
import { InputError } from '../base/errors.ts';
import { breathe, type Run } from '../base/run.ts';
import { isNtfsVolume, mountNtfsVolume } from '../host/ntfs-volume.ts';
import { openImage } from '../image/open.ts';
import { applyAllImages, applyImage } from '../operations/extract/apply.ts';
import { applyFromPipe } from '../operations/extract/apply-pipe.ts';
import { extractPaths, extractToStream } from '../operations/extract/extract.ts';
import type { ExtractSummary } from '../operations/extract/extract-run.ts';
import { poolBlobWriter } from '../operations/extract/pool-blob-writer.ts';
import { openUnnamed, UNNAMED_IMAGE } from '../operations/extract/unnamed-image.ts';
import { StreamOutput } from '../storage/output-stream.ts';
import { PipeReader } from '../wim/pipe-reader.ts';
import { isEveryImage } from '../wim/wim.ts';
import { expectChunk, expectWhole } from './expect-whole.ts';
import { openForReading } from './open-for-job.ts';
import type { ApplyRequest, ExtractRequest } from './request.ts';
import type { JobTools } from './tools.ts';

export async function performExtract(
	request: ExtractRequest,
	{ pool, output }: JobTools,
	run: Run,
): Promise<ExtractSummary | { readonly files: number; readonly bytes: number }> {
	await using wim = await openForReading(request.wim, request, run);
	if (!request.dryRun) expectChunk(pool, wim);
	const pause = () => breathe(run);
	const image =
		request.image === UNNAMED_IMAGE
			? await openUnnamed(wim, pause)
			: await openImage(wim, wim.image(request.image), { tolerant: false }, pause);
	const { paths } = request;
	if (request.target === '-') {
		if (output === null)
			throw new InputError('Cannot write to standard output here', { hint: 'Name a folder.' });
		const to = new StreamOutput('standard output', output);
		const write = (bytes: Uint8Array) => to.append(bytes);
		return await extractToStream(image, paths, pool, request, write, run);
	}
	const writer = poolBlobWriter(pool, wim.blobs);
	return await extractPaths(image, paths, request.target, writer, request, run);
}

export async function performApply(
	request: ApplyRequest,
	tools: JobTools,
	run: Run,
): Promise<ExtractSummary> {
	if (!(await isNtfsVolume(request.target))) return await applyToFolder(request, tools, run);
	await using volume = await mountNtfsVolume(request.target, !request.dryRun);
	return await applyToFolder({ ...request, target: volume.folder }, tools, run);
}

async function applyToFolder(
	request: ApplyRequest,
	{ pool, input }: JobTools,
	run: Run,
): Promise<ExtractSummary> {
	if (request.wim === '-') return applyStandardInput(request, input, run);
	if (!request.dryRun) await expectWhole(pool, request.wim);
	await using wim = await openForReading(request.wim, request, run);
	const options = { ...request, rpfix: request.rpfix ?? wim.hasRpFix };
	const writer = poolBlobWriter(pool, wim.blobs);
	if (isEveryImage(request.image))
		return await applyAllImages(wim, request.target, writer, options, run);
	const chosen = request.image === null ? wim.onlyImage(', or all') : wim.image(request.image);
	const image = await openImage(wim, chosen, { tolerant: false }, () => breathe(run));
	return await applyImage(image, request.target, writer, options, run);
}

/** A pipable WIM that arrives on standard input: its blobs come in the order of the file, once. */
async function applyStandardInput(
	request: ApplyRequest,
	input: Readable | null,
	run: Run,
): Promise<ExtractSummary> {
	if (input === null)
		throw new InputError('Cannot read standard input here', { hint: 'Name a file.' });
	await using reader = await PipeReader.open(input, 'standard input');
	const options = { ...request, rpfix: request.rpfix ?? reader.wim.hasRpFix };
	const image =
		request.image ??
		String(
			reader.wim.onlyImage(', or all', 'Write the index, the name or "all" after the "-".').index,
		);
	return await applyFromPipe(reader, image, request.target, options, run);
}
