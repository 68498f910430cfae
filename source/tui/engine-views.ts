/** What the views over an open file need from the engine, in plain data. All text is raw and hostile. */

/** A folder by how much lies in it, as columns: row `i` is entry `positions[i]` of the image. */
export interface SizeListing {
	readonly imageIndex: number;
	readonly folder: number;
	/** Of the root: itself. */
	readonly parent: number;
	/** Backslash path of the folder. */
	readonly path: string;
	readonly positions: Int32Array;
	readonly names: readonly string[];
	/** Bits of `EntryKind`. */
	readonly kinds: Uint8Array;
	/** Bytes at and below; a file with several names counts once a row. */
	readonly sizes: Float64Array;
	/** Stored bytes at and below; equal contents count once a row. */
	readonly packed: Float64Array;
	/** Names of files at and below. */
	readonly files: Float64Array;
	/** Of the folder itself; less than the sum of its rows where they share files or contents. */
	readonly total: {
		readonly size: number;
		readonly packed: number;
		readonly files: number;
		readonly folders: number;
	};
}

export type DifferenceKind = 'added' | 'removed' | 'changed' | 'moved';

/** A difference between two images. Paths are backslash paths. */
export interface ImageDifference {
	readonly kind: DifferenceKind;
	/** In the image after it; of what was removed, in the one before. */
	readonly path: string;
	/** Where a moved file stood. */
	readonly from: string | null;
	readonly isFolder: boolean;
	/** What differs, in words. */
	readonly aspects: readonly string[];
	/** 0 on the side where it is not. */
	readonly sizeBefore: number;
	readonly sizeAfter: number;
}

/** One fact of a file on both sides; null where the file is not there. */
/** Text, or a time in milliseconds since 1970: how times are shown is a setting of the deck. */
export type FactValue = string | number;

export interface DifferenceFact {
	readonly label: string;
	readonly before: FactValue | null;
	readonly after: FactValue | null;
}

export type MapState = 'structure' | 'good' | 'bad' | 'unchecked' | 'unreferenced';

/** A stretch of a part and what is known of it. */
export interface MapStretch {
	readonly offset: number;
	readonly size: number;
	readonly state: MapState;
}

/** One file of the set, without gaps from its first byte to its last. */
export interface PartMap {
	readonly path: string;
	readonly size: number;
	readonly stretches: readonly MapStretch[];
}

/** A stretch that a running check has read and found good. */
export interface GoodStretch {
	/** Absolute. */
	readonly part: string;
	readonly offset: number;
	readonly size: number;
}

/** A stretch of bytes of one part. */
export interface MapPlace {
	/** Position of the part, from 0. */
	readonly part: number;
	readonly offset: number;
	readonly size: number;
}

/** What lies in a place. */
export interface PlaceFacts {
	/** The first few of them. */
	readonly resources: readonly {
		readonly offset: number;
		readonly storedSize: number;
		readonly originalSize: number;
		readonly kind: string;
	}[];
	readonly resourceCount: number;
	/** The first few of them. */
	readonly files: readonly { readonly imageIndex: number; readonly path: string }[];
	readonly fileCount: number;
	/** Indexes of the images whose files were looked at. */
	readonly searched: readonly number[];
}
