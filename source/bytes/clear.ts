const PIECE = 65_536;
const ZEROS = new Uint8Array(PIECE);

/**
 * Zeroes bytes, and does not write where there are zeros already: new memory takes room only once it is written to, and a
 * damaged chunk may claim a GiB.
 */
export function clear(bytes: Uint8Array): void {
	for (let at = 0; at < bytes.length; at += PIECE) {
		const piece = bytes.subarray(at, at + PIECE);
		if (Buffer.compare(piece, ZEROS.subarray(0, piece.length)) !== 0) piece.fill(0);
	}
}
