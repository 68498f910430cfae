/** How an operation compresses what it writes, resolved once from what a user asked for. */
import { InputError } from '../../base/errors.ts';
import {
	type Compression,
	chunkSizeRange,
	compressionName,
	isLegalChunkSize,
} from '../../codec/compression.ts';
import { LEVEL_NORMAL } from '../../codec/encoder.ts';
import type { Pool } from '../../pool/pool.ts';
import type { ChunkEncoder } from '../../pool/tasks/encode.ts';
import type { ResourceFormat } from '../../wim/write-resource.ts';

/** A type with its level; a level of null is the usual one. */
export interface CompressionChoice {
	readonly type: Compression;
	/** 1 to 100. */
	readonly level: number | null;
}

/** As a command line or dialog gives it: null is "not given". */
export interface CompressionRequest {
	readonly compress: CompressionChoice | null;
	readonly chunkSize: number | null;
	readonly solid: boolean;
	readonly solidCompress: CompressionChoice | null;
	readonly solidChunkSize: number | null;
	/** Blobs of a solid resource in the order of the tree. */
	readonly noSolidSort: boolean;
}

/** Nothing was asked for. */
export const USUAL_COMPRESSION: CompressionRequest = {
	compress: null,
	chunkSize: null,
	solid: false,
	solidCompress: null,
	solidChunkSize: null,
	noSolidSort: false,
};

/** How a file is to be compressed. */
export interface CompressionPlan {
	readonly compression: Compression;
	/** 0 without compression. */
	readonly chunkSize: number;
	readonly level: number;
	/** How new blobs go into solid resources; null when each is a resource of its own. */
	readonly solid: (ResourceFormat & { readonly sorted: boolean }) | null;
}

/** The chunk size of WIMBoot files, which Windows reads in place. */
export const WIMBOOT_CHUNK_SIZE = 4096;

/** What a new WIMBoot file is compressed with, unless another type is asked for. */
export function forWimBoot(request: CompressionRequest): CompressionRequest {
	if (request.compress !== null) return request;
	const chunkSize = request.chunkSize ?? WIMBOOT_CHUNK_SIZE;
	return { ...request, compress: { type: 'xpress', level: null }, chunkSize };
}

/** What operations need besides their options: whoever runs them hands it over. */
export interface WriteTools {
	readonly encoder: ChunkEncoder;
	/** Decodes large chunks of what is compressed anew; null: the calling thread does. */
	readonly pool: Pool | null;
}

/** For whoever finds out how much there is to compress: threads start meanwhile, unless nothing will be written. */
export function expectNew({ encoder }: WriteTools, dryRun: boolean): (bytes: number) => void {
	return dryRun ? () => {} : (bytes) => encoder.expect?.(bytes);
}

/**
 * Decides type, chunk size and level.
 *
 * @param fallback what counts when nothing was asked for: that of the file at hand, or the usual one of the verb
 * @throws {InputError} for a chunk size that the type does not allow
 */
export function planCompression(
	request: CompressionRequest,
	fallback: { readonly compression: Compression; readonly chunkSize: number | null },
): CompressionPlan {
	const solidType = request.solidCompress?.type ?? 'lzms';
	if (request.solid && solidType === 'none')
		throw new InputError('Cannot write solid resources without compression', {
			hint: 'Choose another type with --solid-compress, or leave --solid out.',
		});
	const compression = request.compress?.type ?? fallback.compression;
	const isFallback = compression === fallback.compression;
	const usual = chunkSizeRange(compression).normal;
	const chunkSize =
		compression === 'none'
			? 0
			: (request.chunkSize ?? (isFallback ? (fallback.chunkSize ?? usual) : usual));
	requireChunkSize(compression, chunkSize);
	const solidChunkSize = request.solidChunkSize ?? chunkSizeRange(solidType).solid;
	if (request.solid) requireChunkSize(solidType, solidChunkSize);
	return {
		compression,
		chunkSize,
		level: request.compress?.level ?? LEVEL_NORMAL,
		solid: request.solid
			? {
					layout: 'solid',
					compression: solidType,
					chunkSize: solidChunkSize,
					level: request.solidCompress?.level ?? request.compress?.level ?? LEVEL_NORMAL,
					sorted: !request.noSolidSort,
				}
			: null,
	};
}

/**
 * Decides how something is added to a file that exists. Its type stays; another chunk size means that everything is
 * compressed anew.
 *
 * @param warn told when another type was asked for
 */
export function planAddition(
	request: CompressionRequest,
	file: { readonly compression: Compression; readonly chunkSize: number },
	warn: (message: string) => void,
): CompressionPlan {
	const { compress } = request;
	if (compress === null || compress.type === file.compression)
		return planCompression(request, file);
	const name = compressionName(file.compression);
	warn(
		`The compression stays ${name}, as the file has it; "wimdeck optimize --compress=TYPE" changes it`,
	);
	return planCompression({ ...request, compress: null }, file);
}

/**
 * Refuses combinations that no file can have.
 *
 * @throws {InputError}
 */
export function requireWritable(file: {
	readonly isPipable: boolean;
	/** It goes where nothing can be read back or written twice. */
	readonly isStream: boolean;
	readonly plan: CompressionPlan;
	readonly integrity: boolean;
}): void {
	if (file.isPipable && file.plan.solid !== null)
		throw new InputError('Cannot write a pipable WIM with solid resources', {
			hint: 'Leave --solid out, or have an ordinary file written: with --not-pipable, without --pipable.',
		});
	if (!file.isStream) return;
	if (!file.isPipable)
		throw new InputError('Cannot write to standard output: only a pipable WIM can go there', {
			hint: 'Leave --not-pipable out, or name a file.',
		});
	if (file.integrity)
		throw new InputError('Cannot write an integrity table to standard output', {
			hint: 'Leave --check out, or name a file; each blob has its own SHA-1 anyway.',
		});
}

function requireChunkSize(compression: Compression, chunkSize: number): void {
	if (compression === 'none' || isLegalChunkSize(compression, chunkSize)) return;
	const { min, max } = chunkSizeRange(compression);
	throw new InputError(
		`Cannot use chunks of ${chunkSize} bytes with ${compressionName(compression)}`,
		{ hint: `Choose a power of two from ${min} to ${max}.` },
	);
}
