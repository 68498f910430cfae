/** Walks the resources of a pipable file by the headers in front of them (wim.md §7, §13.7). */
import { breathe, type Run } from '../../base/run.ts';
import { type Sha1, sha1At } from '../../bytes/sha1.ts';
import { chunkCount, chunkTableSize, PREFIX_SIZE } from '../../codec/chunk-table.ts';
import type { Source } from '../../storage/source.ts';
import { ResourceFlag } from '../part-header.ts';
import { positionsOf } from './find-xml.ts';
import { SlidingWindow } from './window.ts';

/** A resource that its own header describes. */
export interface WalkedResource {
	/** Of the data, behind the header. */
	readonly offset: number;
	/** Shorter than it was when the file is cut. */
	readonly storedSize: number;
	readonly originalSize: number;
	readonly sha1: Sha1;
	readonly flags: number;
	readonly isCut: boolean;
}

export const PIPE_HEADER_SIZE = 40;
export const PIPE_MAGIC = new Uint8Array([0xd8, 0xb9, 0x3d, 0x44, 0xa2, 0x9b, 0x9b, 0x2b]);

/**
 * All resources in a stretch, in order. Behind a damaged place the next header is searched for.
 *
 * @param chunkSize of compressed resources
 */
export async function walkPipable(
	source: Source,
	stretch: { readonly start: number; readonly end: number },
	chunkSize: number,
	run: Run,
): Promise<WalkedResource[]> {
	const window = new SlidingWindow(source, 4 << 20);
	const found: WalkedResource[] = [];
	let at = stretch.start;
	while (at + PIPE_HEADER_SIZE <= stretch.end) {
		const head = await window.at(at, PIPE_HEADER_SIZE);
		if (!PIPE_MAGIC.every((byte, k) => head[k] === byte)) {
			at = await nextMagic(window, at + 1, stretch.end);
			await breathe(run);
			continue;
		}
		const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
		const originalSize = view.getUint32(8, true) + view.getUint32(12, true) * 0x1_0000_0000;
		const sha1 = sha1At(head, 16);
		const flags = view.getUint32(36, true);
		const offset = at + PIPE_HEADER_SIZE;
		const storedSize = await storedSizeAt(
			window,
			offset,
			originalSize,
			flags,
			chunkSize,
			stretch.end,
		);
		if (storedSize === null) {
			at = await nextMagic(window, at + 1, stretch.end);
			continue;
		}
		const room = stretch.end - offset;
		found.push({
			offset,
			storedSize: Math.min(storedSize, room),
			originalSize,
			sha1,
			flags,
			isCut: storedSize > room,
		});
		at = offset + storedSize;
	}
	return found;
}

/** Null when a chunk prefix cannot be right. */
async function storedSizeAt(
	window: SlidingWindow,
	offset: number,
	originalSize: number,
	flags: number,
	chunkSize: number,
	end: number,
): Promise<number | null> {
	if (!(flags & ResourceFlag.compressed) || chunkSize === 0) return originalSize;
	const count = chunkCount(originalSize, chunkSize);
	let at = offset;
	for (let chunk = 0; chunk < count; chunk++) {
		const bytes = await window.at(at, PREFIX_SIZE);
		// Cut inside: everything up to the end belongs to it.
		if (at + PREFIX_SIZE > end || bytes.length < PREFIX_SIZE) return end + 1 - offset;
		const size = new DataView(bytes.buffer, bytes.byteOffset, PREFIX_SIZE).getUint32(0, true);
		if (size < 1 || size > Math.min(chunkSize, originalSize - chunk * chunkSize)) return null;
		at += PREFIX_SIZE + size;
	}
	return at + chunkTableSize(originalSize, chunkSize) - offset;
}

async function nextMagic(window: SlidingWindow, from: number, end: number): Promise<number> {
	const step = 1 << 20;
	for (let at = from; at < end; at += step) {
		const bytes = await window.at(at, Math.min(step + PIPE_MAGIC.length, end - at));
		const [hit] = positionsOf(bytes, PIPE_MAGIC);
		if (hit !== undefined) return at + hit;
	}
	return end;
}
