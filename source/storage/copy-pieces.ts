/**
 * The memory that copies go through, shared by all files: the system clears new memory page by page, which takes as long as
 * it takes to fill it.
 */
import { Buffer } from 'node:buffer';
import { COPY_SIZE } from './output.ts';

/** As many as there are threads that read and write. */
const PIECES_MAX = 4;

const free: Uint8Array[] = [];
const waiting: ((piece: Uint8Array) => void)[] = [];
let made = 0;

/** Lends a piece of `COPY_SIZE` bytes, which somebody has to give back soon: others may wait for it. */
export function takePiece(): Uint8Array | Promise<Uint8Array> {
	const piece = free.pop();
	if (piece !== undefined) return piece;
	if (made === PIECES_MAX) return new Promise((resolve) => waiting.push(resolve));
	made++;
	return new Uint8Array(Buffer.allocUnsafeSlow(COPY_SIZE).buffer);
}

export function givePiece(piece: Uint8Array): void {
	const next = waiting.shift();
	if (next === undefined) free.push(piece);
	else next(piece);
}
