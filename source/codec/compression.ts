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

/** The name of a format as people write it: `LZX`, `none`. */
export function compressionName(compression: Compression): string {
	return compression === 'none' ? 'none' : compression.toUpperCase();
}
