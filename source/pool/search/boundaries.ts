/** Where one file may end and the next begin, by nothing but what the bytes look like. */
import { isFormatStart } from './formats.ts';

/** How far back a repetition is looked for, by four bytes at a time: a table of last places. */
const HASH_BITS = 16;

/** Bytes of a run without any repetition that make a change of contents. */
const NOVEL_LEAST = 8;
/** The new contents begin so many bytes behind the start of such a run at most. */
const NOVEL_MOST = 16;

/** Bytes on both sides that are compared: text on one, none on the other. */
const TEXT_SIZE = 8;

const LINE_FEED = 0x0a;

/**
 * Offsets into `bytes` at which a file may begin, ascending: where a known format begins, behind a line end or a run of
 * zeros, where text turns into something else, and where bytes stop repeating what came before. About one in a hundred.
 */
export function boundariesOf(bytes: Uint8Array): Uint32Array<ArrayBuffer> {
	const isBoundary = new Uint8Array(bytes.length + 1);
	markNovelty(bytes, isBoundary);
	let textRun = 0;
	for (let at = 0; at < bytes.length; at++) {
		const before = at > 0 ? bytes[at - 1] : -1;
		const before2 = at > 1 ? bytes[at - 2] : -1;
		const here = bytes[at] ?? 0;
		if (before === LINE_FEED || (before === 0 && before2 === LINE_FEED)) isBoundary[at] = 1;
		else if (before === 0 && before2 === 0 && here !== 0) isBoundary[at] = 1;
		else if (isFormatStart(bytes, at)) isBoundary[at] = 1;
		const isText = isTextByte(here);
		if (textRun >= TEXT_SIZE && !isText) isBoundary[at] = 1;
		textRun = isText ? textRun + 1 : 0;
		// Text that begins behind a byte that is none.
		if (textRun === TEXT_SIZE && at >= TEXT_SIZE) isBoundary[at - TEXT_SIZE + 1] = 1;
	}
	const found = new Uint32Array(isBoundary.reduce((sum, one) => sum + one, 0));
	let count = 0;
	for (let at = 0; at <= bytes.length; at++) if (isBoundary[at] === 1) found[count++] = at;
	return found;
}

function isTextByte(byte: number): boolean {
	return (byte >= 0x20 && byte < 0x7f) || (byte >= 0x09 && byte <= 0x0d);
}

/** Marks where a run of bytes begins that are part of no repetition of four bytes. */
function markNovelty(bytes: Uint8Array, isBoundary: Uint8Array): void {
	const last = new Int32Array(1 << HASH_BITS).fill(-1);
	const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
	let coveredEnd = 0;
	for (let at = 0; at + 4 <= bytes.length; at++) {
		const word = view.getUint32(at, true);
		const slot = Math.imul(word, 0x9e37_79b1) >>> (32 - HASH_BITS);
		const place = last[slot] ?? -1;
		last[slot] = at;
		if (place < 0 || view.getUint32(place, true) !== word) continue;
		if (at - coveredEnd >= NOVEL_LEAST && coveredEnd > 0)
			isBoundary.fill(1, coveredEnd, Math.min(at, coveredEnd + NOVEL_MOST) + 1);
		coveredEnd = at + 4;
	}
	if (bytes.length - coveredEnd >= NOVEL_LEAST && coveredEnd > 0)
		isBoundary.fill(1, coveredEnd, Math.min(bytes.length, coveredEnd + NOVEL_MOST) + 1);
}
