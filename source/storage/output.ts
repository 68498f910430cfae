import type { Source } from './source.ts';

/** How much is copied in one step: large enough that handing it to the system costs nothing, small enough to be canceled. */
export const COPY_SIZE = 1 << 21;

/** What a writer writes to: appended bytes, and where it can seek, bytes at an offset and read back. */
export interface Output {
	/** What people call it. */
	readonly name: string;
	/** Where the next `append` goes, in bytes from the start. */
	readonly position: number;
	/** False for a stream: then only `append` works. */
	readonly canSeek: boolean;
	/** The bytes may be reused once the promise is fulfilled. */
	append(bytes: Uint8Array): Promise<void>;
	/**
	 * Appends up to `COPY_SIZE` bytes of a source, and says how many there were: fewer only at its end. Where it can, it
	 * writes them while the next ones are read.
	 */
	copy(source: Source, offset: number, size: number): Promise<number>;
	/**
	 * Appends the bytes of a source that stand at this very position there, up to `end`, in one go; absent where that is
	 * not possible at all.
	 *
	 * @param onBegun told when the system is at it
	 * @returns false when nothing was appended
	 */
	adopt?(source: Source, end: number, onBegun: () => void): Promise<boolean>;
	/** Writes over bytes that were appended. */
	writeAt(offset: number, bytes: Uint8Array): Promise<void>;
	/** Reads back what was appended; all of it must be there. */
	readAt(offset: number, into: Uint8Array): Promise<void>;
	/** Takes back everything from `offset` on; later appends go there. */
	rewind(offset: number): void;
}
