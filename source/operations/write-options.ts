/** How an operation compresses what it writes, resolved once from what a user asked for. */
import { InputError } from '../base/errors.ts';
import {
	type Compression,
	chunkSizeRange,
	compressionName,
	isLegalChunkSize,
} from '../codec/compression.ts';
import { LEVEL_NORMAL } from '../codec/encoder.ts';
import type { ChunkEncoder } from '../pool/tasks/encode.ts';
import type { ResourceFormat } from '../wim/write-resource.ts';

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

/** What operations need besides their options: whoever runs them hands it over. */
export interface WriteTools {
	readonly encoder: ChunkEncoder;
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

function requireChunkSize(compression: Compression, chunkSize: number): void {
	if (compression === 'none' || isLegalChunkSize(compression, chunkSize)) return;
	const { min, max } = chunkSizeRange(compression);
	throw new InputError(
		`Cannot use chunks of ${chunkSize} bytes with ${compressionName(compression)}`,
		{ hint: `Choose a power of two from ${min} to ${max}.` },
	);
}
