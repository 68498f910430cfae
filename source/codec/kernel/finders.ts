// Entry of the finding kernel: recognises XPRESS and LZX chunks in bytes of unknown structure, finds where they and LZMS
// chunks may end, and finds the ends of blobs by their SHA-1 (wim.md §13.4 C and D). Used by salvage only, so it is a module of its own.

import { fourWords, refillStep } from './bits';
import { copyMatch } from './copy';
import { decodeE8 } from './e8';
import { buildTable, COMPLETE, LONG, longSymbol, NO_SYMBOL } from './huffman';
import { AREAS, LENGTHS, MAIN_LONG, MAIN_TABLE } from './layout';
import { blindLeftLzms, endsOfLzms, scanLzms, startsOfLzms, untriedLzms, workOfLzms } from './lzms-find';
import { probeLzxBlocks } from './lzx';
import { cutBySha1, skipSha1 } from './sha1-cut';
import { prefixesBySha1, startsBySha1 } from './sha1-starts';

export { blindLeftLzms, cutBySha1, endsOfLzms, prefixesBySha1, scanLzms, skipSha1, startsBySha1, startsOfLzms, untriedLzms, workOfLzms };

/** First byte of memory that the kernel does not use itself. */
export function areasStart(): u32 {
	return <u32>AREAS;
}

/** Sum of 2^(15 - length) of a byte's two code lengths, for all 256 bytes (u16 each). */
const SPACES: usize = 120000;

if (memory.size() < 8) memory.grow(8 - memory.size());

function lengthSpace(length: u32): u32 {
	return length == 0 ? 0 : <u32>1 << (15 - length);
}

for (let byte: u32 = 0; byte < 256; byte++)
	store<u16>(SPACES + (<usize>byte << 1), <u16>(lengthSpace(byte & 15) + lengthSpace(byte >> 4)));

/**
 * Finds where XPRESS chunks may begin: 256 bytes whose 512 code lengths fill the code space exactly.
 *
 * @param hits receives offsets from `start` (u32)
 * @returns how many; the search ends when `most` are found
 */
export function scanXpress(start: usize, end: usize, hits: usize, most: u32): u32 {
	let count: u32 = 0;
	if (end - start < 256) return 0;
	let sum: u32 = 0;
	for (let k: usize = 0; k < 255; k++)
		sum += <u32>load<u16>(SPACES + (<usize>load<u8>(start + k) << 1));
	for (let p = start; p + 256 <= end; p++) {
		sum += <u32>load<u16>(SPACES + (<usize>load<u8>(p + 255) << 1));
		if (sum == 32768) {
			store<u32>(hits + (<usize>count << 2), <u32>(p - start));
			if (++count == most) return count;
		}
		sum -= <u32>load<u16>(SPACES + (<usize>load<u8>(p) << 1));
	}
	return count;
}

/**
 * Decodes an XPRESS chunk of unknown size and notes where it may end.
 *
 * @param chunkSize decodes at most this many bytes
 * @param ends receives pairs (u32): decoded size, stored size; ascending
 * @returns how many pairs, at most `most`; of more, the first and the last are kept
 */
export function probeXpress(
	input: usize,
	inEnd: usize,
	output: usize,
	chunkSize: u32,
	ends: usize,
	most: u32,
): u32 {
	if (inEnd - input < 260) return 0;
	for (let k: usize = 0; k < 256; k++) {
		const pair = load<u8>(input + k);
		store<u8>(LENGTHS + k * 2, pair & 15);
		store<u8>(LENGTHS + k * 2 + 1, pair >> 4);
	}
	if (buildTable(LENGTHS, 512, MAIN_TABLE, 11, MAIN_LONG) != COMPLETE) return 0;
	const outEnd = output + <usize>chunkSize;
	let count: u32 = 0;
	let p = input + 256;
	let bits: u64 = 0;
	let held: u32 = 0;
	let out = output;
	while (p <= inEnd + 8) {
		bits |= fourWords(p) >> (<u64>held);
		p += refillStep(held);
		held |= 48;
		let e = <u32>load<u16>(MAIN_TABLE + (<usize>(bits >> 53) << 1));
		if (e >= LONG) {
			e = longSymbol(MAIN_LONG, <u32>(bits >> 48), 11);
			if (e == NO_SYMBOL) return count;
		}
		const symbol = e >> 6;
		bits <<= <u64>e;
		held -= e;
		if (symbol == 256) {
			// What a reader that never fetches early would hold, and where it would stand.
			const excess = ((held >> 4) & 3) - 1;
			const stand = p - <usize>(excess << 1);
			const holds = (held & 63) - (excess << 4);
			if (stand <= inEnd && bits >> <u64>(64 - holds) == 0 && out > output) {
				if (count == most) {
					const half = most >> 1;
					memory.copy(
						ends + (<usize>half << 3),
						ends + (<usize>(half + 1) << 3),
						<usize>(most - half - 1) << 3,
					);
					count -= 1;
				}
				store<u32>(ends + (<usize>count << 3), <u32>(out - output));
				store<u32>(ends + (<usize>count << 3) + 4, <u32>(stand - input));
				count += 1;
			}
		}
		if (out >= outEnd) return count;
		if (symbol < 256) {
			store<u8>(out, <u8>symbol);
			out += 1;
			continue;
		}
		if ((held & 63) < 16) {
			bits |= fourWords(p) >> (<u64>held);
			p += refillStep(held);
			held |= 48;
		}
		let length = <usize>(symbol & 15) + 3;
		if (length == 18) {
			const excess = ((held >> 4) & 3) - 1;
			p -= <usize>(excess << 1);
			held = (held & 63) - (excess << 4);
			const unheld = <u64>(64 - held);
			bits = (bits >> unheld) << unheld;
			if (p >= inEnd) return count;
			const byte = <usize>load<u8>(p);
			p += 1;
			length = byte + 18;
			if (byte == 255) {
				if (p + 2 > inEnd) return count;
				length = <usize>load<u16>(p) + 3;
				p += 2;
				if (length < 18) return count;
			}
		}
		const extra = (symbol >> 4) & 15;
		const offset = (<usize>1 << <usize>extra) + <usize>((bits >> 1) >> <u64>(63 - extra));
		bits <<= <u64>extra;
		held -= extra;
		if (offset > out - output || length > outEnd - out) return count;
		copyMatch(out, offset, length);
		out += length;
	}
	return count;
}

/** How many of the next bits of an LZX stream a header test may read. */
// @ts-ignore: decorator
@inline
function lzxBits(p: usize, from: u32, count: u32): u32 {
	const word = p + <usize>((from >> 4) << 1);
	return <u32>((fourWords(word) << <u64>(from & 15)) >> <u64>(64 - count));
}

/**
 * Finds where LZX chunks may begin: a verbatim or aligned block whose small codes are complete.
 *
 * @param chunkSize of the resource: the greatest size of a first block
 * @param hits receives offsets from `start` (u32)
 */
export function scanLzx(
	start: usize,
	end: usize,
	chunkSize: u32,
	hits: usize,
	most: u32,
): u32 {
	let count: u32 = 0;
	const sizeBits: u32 = chunkSize == 32768 ? 16 : 24;
	for (let p = start; p + 32 <= end; p++) {
		// Type 1 or 2 stands in the top three bits of the first word.
		const top = <u32>load<u8>(p + 1) >> 5;
		if (top != 1 && top != 2) continue;
		let at: u32 = 4;
		if (!(load<u8>(p + 1) & 16)) {
			const size = lzxBits(p, 4, sizeBits);
			if (size == 0 || size > chunkSize) continue;
			at += sizeBits;
		}
		if (top == 2) {
			let space: u32 = 0;
			for (let s: u32 = 0; s < 8; s++) {
				const length = lzxBits(p, at, 3);
				at += 3;
				if (length != 0) space += <u32>1 << (7 - length);
			}
			if (space != 128) continue;
		}
		let space: u32 = 0;
		for (let s: u32 = 0; s < 20; s++) {
			const length = lzxBits(p, at, 4);
			at += 4;
			if (length != 0) space += <u32>1 << (15 - length);
		}
		if (space != 32768) continue;
		store<u32>(hits + (<usize>count << 2), <u32>(p - start));
		if (++count == most) return count;
	}
	return count;
}

/**
 * Decodes an LZX chunk of unknown size and notes where it may end: behind a block when the rest of the word is zero. The
 * E8 translation is not undone; `undoE8` does that once the size is known.
 */
export function probeLzx(
	input: usize,
	inEnd: usize,
	output: usize,
	chunkSize: u32,
	ends: usize,
	most: u32,
): u32 {
	return probeLzxBlocks(input, inEnd, output, chunkSize, ends, most);
}

/** Undoes the E8 translation of a chunk. */
export function undoE8(output: usize, size: u32): void {
	decodeE8(output, output + <usize>size);
}
