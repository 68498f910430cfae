/** The compression formats of resources, and which chunk sizes each allows (wim.md §1.3). */

export type Compression = 'none' | 'xpress' | 'lzx' | 'lzms';

/** All formats; the position is the number that the header of a solid resource uses. */
export const COMPRESSIONS: readonly Compression[] = ['none', 'xpress', 'lzx', 'lzms'];

/** The chunk sizes of one format: powers of two, in bytes. */
export interface ChunkSizeRange {
	readonly min: number;
	readonly max: number;
	/** What writers use for ordinary resources. */
	readonly normal: number;
	/** What writers use inside solid resources. */
	readonly solid: number;
}

const RANGES: Readonly<Record<Compression, ChunkSizeRange>> = {
	// A file without compression has no chunks; a chunk size in its header means nothing.
	none: { min: 0, max: 2 ** 32 - 1, normal: 0, solid: 0 },
	xpress: { min: 2 ** 12, max: 2 ** 16, normal: 2 ** 15, solid: 2 ** 15 },
	lzx: { min: 2 ** 15, max: 2 ** 21, normal: 2 ** 15, solid: 2 ** 15 },
	lzms: { min: 2 ** 15, max: 2 ** 30, normal: 2 ** 17, solid: 2 ** 26 },
};

/** Least, greatest and usual chunk sizes of a format, in bytes. */
export function chunkSizeRange(compression: Compression): ChunkSizeRange {
	return RANGES[compression];
}

/** Whether chunks of this size may exist; without compression every size is harmless. */
export function isLegalChunkSize(compression: Compression, size: number): boolean {
	const { min, max } = RANGES[compression];
	if (!Number.isSafeInteger(size) || size < min || size > max) return false;
	return compression === 'none' || 2 ** Math.round(Math.log2(size)) === size;
}

/** The most bytes of a match of LZX, and the least bits that a match takes. */
const LZX_MATCH_MAX = 257;
const BITS_LEAST = 1;
/** The lengths of all codewords of an XPRESS chunk, and the first words of an LZMS chunk, in bytes. */
const XPRESS_LEAST = 256;
const LZMS_LEAST = 4;

/** The least bytes that a compressed chunk is stored in that decodes to `originalSize` bytes, of which no encoder knows more. */
export function storedSizeLeast(compression: Compression, originalSize: number): number {
	switch (compression) {
		case 'none':
			return originalSize;
		case 'xpress':
			return Math.min(originalSize, XPRESS_LEAST);
		case 'lzx':
			return Math.ceil(((originalSize / LZX_MATCH_MAX) * BITS_LEAST) / 8);
		case 'lzms':
			return Math.min(originalSize, LZMS_LEAST);
	}
}

/** The name of a format as people write it: `LZX`, `none`. */
export function compressionName(compression: Compression): string {
	return compression === 'none' ? 'none' : compression.toUpperCase();
}
