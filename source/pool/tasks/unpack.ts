/** Decodes one large chunk for another thread: a chunk of 64 MiB would keep that busy for a third of a second. */
import { FormatError } from '../../base/errors.ts';
import type { Compression } from '../../codec/compression.ts';
import type { Consumed } from '../../codec/decoder.ts';
import type { Lane } from '../lane.ts';

export interface UnpackRequest {
	readonly compression: Compression;
	/** That of the resource. */
	readonly chunkSize: number;
	/** The chunk as it is stored. */
	readonly stored: Uint8Array;
	readonly originalSize: number;
	/** If given: so many original bytes are enough. */
	readonly neededSize?: number;
	/** For what comes out, from its start; at least as large. */
	readonly room: SharedArrayBuffer;
}

export interface UnpackReply {
	/** Why the chunk is broken; null when it is whole. */
	readonly defect: string | null;
	/** Bytes in the room: of a broken chunk what was decoded before that showed, right up to some point. */
	readonly size: number;
	/** How much of the stored bytes was used. */
	readonly consumed: Consumed;
}

export function* unpackTask(
	{ compression, chunkSize, stored, originalSize, neededSize, room }: UnpackRequest,
	lane: Lane,
): Generator<number, UnpackReply, void> {
	const { decoder } = lane;
	decoder.reserve(stored.length, originalSize);
	decoder.input(stored.length).set(stored);
	let defect: string | null = null;
	let size = Math.min(originalSize, neededSize ?? originalSize);
	try {
		decoder.decode(compression, chunkSize, stored.length, originalSize, size);
	} catch (error) {
		if (!(error instanceof FormatError)) throw error;
		defect = error.message;
		size = decoder.lastDecoded;
	}
	const consumed = decoder.lastConsumed();
	new Uint8Array(room).set(decoder.outputBytes.subarray(0, size));
	yield originalSize;
	return { defect, size, consumed };
}
