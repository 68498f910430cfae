import type { DisplacedPiece } from './displaced-source.ts';
import type { TextModeIndex } from './text-mode-source.ts';

/**
 * Anything that holds bytes at an offset can hold a WIM. The engine reads through this one interface and
 * never assumes a path: a file, memory, and later an image inside an ISO or a file behind HTTP.
 */
export interface Source extends AsyncDisposable {
	/**
	 * Has the system copy all of it over the file at `path`, or share its blocks where the file system can.
	 *
	 * @param onBegun told when the system is at it
	 * @returns false where that cannot be had; the file may have been changed all the same
	 */
	copyTo?(path: string, onBegun: () => void): Promise<boolean>;
	/** What people call it: the path as given, or `standard input`. */
	readonly name: string;
	/** In bytes, as of the opening. */
	readonly size: number;
	/** Stretches that are gone and read as zeros, in order; absent where everything is there. */
	readonly holes?: readonly { readonly start: number; readonly end: number }[];
	/** Whether something between two offsets was found to be damaged when it was read; absent where nobody knows. */
	isDamaged?(start: number, end: number): boolean;
	/**
	 * Reads up to `into.length` bytes at `offset` and says how many there were; fewer only at the end.
	 *
	 * @throws {HostError} when the machine refuses
	 */
	read(offset: number, into: Uint8Array): Promise<number>;
	/** How another thread of this process can read the same bytes; null when only this object can. */
	share(): SharedSource | null;
}

/** What crosses to a worker thread. A descriptor belongs to the process, so it stays valid while the source is open. */
export type SharedSource =
	| { readonly kind: 'descriptor'; readonly fd: number; readonly name: string }
	| {
			readonly kind: 'memory';
			readonly bytes: Uint8Array<SharedArrayBuffer>;
			readonly name: string;
	  }
	| {
			readonly kind: 'displaced';
			readonly base: SharedSource;
			readonly pieces: readonly DisplacedPiece[];
			readonly name: string;
	  }
	| {
			readonly kind: 'text-mode';
			readonly base: SharedSource;
			readonly index: TextModeIndex;
			readonly name: string;
	  };
