// The XPRESS decoder: shared/format/xpress.md, which describes LZ77+Huffman of [MS-XCA] as WIM files use it.

import { fourWords, refillStep } from './bits';
import { copyMatch } from './copy';
import { buildTable, COMPLETE, LONG, longSymbol, NO_SYMBOL } from './huffman';
import {
	CODE_INCOMPLETE,
	DONE,
	ENDS_EARLY,
	LENGTH_FORM,
	LENGTHS,
	MAIN_LONG,
	MAIN_TABLE,
	MATCH_BEFORE_START,
	MATCH_PAST_END,
	SYMBOL_UNKNOWN,
} from './layout';

const TABLE_BITS: u32 = 12;
const TABLE_SHIFT: u64 = 52;
const FIRST_MATCH: u32 = 256 << 6;
const END_SYMBOL: u32 = 256;

/** Where the read pointer stood after the last chunk, end marker included, by the fetch rule of the format. */
export let xpressEnd: usize = 0;

/**
 * Decodes one chunk. Reads up to 40 bytes behind `inEnd`, which must be zero; writes up to 15 behind `outEnd`.
 *
 * @returns a code of layout.ts
 */
export function decodeXpress(input: usize, inEnd: usize, output: usize, outEnd: usize): u32 {
	if (inEnd - input < 256) return ENDS_EARLY;
	const nibble = i8x16.splat(15);
	for (let k: usize = 0; k < 256; k += 16) {
		const pair = v128.load(input + k);
		const low = v128.and(pair, nibble);
		const high = v128.shr<u8>(pair, 4);
		v128.store(
			LENGTHS + k * 2,
			v128.shuffle<i8>(low, high, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23),
		);
		v128.store(
			LENGTHS + k * 2 + 16,
			v128.shuffle<i8>(low, high, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31),
		);
	}
	if (buildTable(LENGTHS, 512, MAIN_TABLE, TABLE_BITS, MAIN_LONG) != COMPLETE) return CODE_INCOMPLETE;

	const inLimit = inEnd + 8;
	const lastTriple = outEnd - 3;
	let p = input + 256;
	let bits: u64 = 0;
	let held: u32 = 0;
	let out = output;
	while (out < outEnd) {
		// More bits than exist were taken if the pointer is this far behind the end.
		if (p > inLimit) return ENDS_EARLY;
		bits |= fourWords(p) >> (<u64>held);
		p += refillStep(held);
		held |= 48;
		let e = <u32>load<u16>(MAIN_TABLE + (<usize>(bits >> TABLE_SHIFT) << 1));
		if (e < FIRST_MATCH && out <= lastTriple) {
			bits <<= <u64>e;
			held -= e;
			store<u8>(out, <u8>(e >> 6));
			out += 1;
			e = <u32>load<u16>(MAIN_TABLE + (<usize>(bits >> TABLE_SHIFT) << 1));
			if (e < FIRST_MATCH) {
				bits <<= <u64>e;
				held -= e;
				store<u8>(out, <u8>(e >> 6));
				out += 1;
				e = <u32>load<u16>(MAIN_TABLE + (<usize>(bits >> TABLE_SHIFT) << 1));
				if (e < FIRST_MATCH) {
					bits <<= <u64>e;
					held -= e;
					store<u8>(out, <u8>(e >> 6));
					out += 1;
					continue;
				}
			}
		}
		if (e >= LONG) {
			e = longSymbol(MAIN_LONG, <u32>(bits >> 48), TABLE_BITS);
			if (e == NO_SYMBOL) return SYMBOL_UNKNOWN;
		}
		bits <<= <u64>e;
		held -= e;
		if (e < FIRST_MATCH) {
			store<u8>(out, <u8>(e >> 6));
			out += 1;
			continue;
		}
		if ((held & 63) < 16) {
			bits |= fourWords(p) >> (<u64>held);
			p += refillStep(held);
			held |= 48;
		}
		const symbol = e >> 6;
		let length = <usize>(symbol & 15) + 3;
		if (length == 18) {
			// Raw bytes stand where a reader stands that never fetches early: give back what is fetched in excess.
			const excess = ((held >> 4) & 3) - 1;
			p -= <usize>(excess << 1);
			held = (held & 63) - (excess << 4);
			const unheld = <u64>(64 - held);
			bits = (bits >> unheld) << unheld;
			if (p >= inEnd) return ENDS_EARLY;
			const byte = <usize>load<u8>(p);
			p += 1;
			length = byte + 18;
			if (byte == 255) {
				if (p + 2 > inEnd) return ENDS_EARLY;
				length = <usize>load<u16>(p) + 3;
				p += 2;
				if (length < 18) return LENGTH_FORM;
			}
		}
		const extra = (symbol >> 4) & 15;
		const offset = (<usize>1 << <usize>extra) + <usize>((bits >> 1) >> <u64>(63 - extra));
		bits <<= <u64>extra;
		held -= extra;
		if (offset > out - output) return MATCH_BEFORE_START;
		if (length > outEnd - out) return MATCH_PAST_END;
		copyMatch(out, offset, length);
		out += length;
	}
	return finish(p, inEnd, bits, held);
}

/** Checks that no bit was made up, and notes where the chunk ends. */
function finish(at: usize, inEnd: usize, buffer: u64, fetched: u32): u32 {
	let p = at;
	let bits = buffer;
	let held = fetched;
	if (p - <usize>((held & 63) >> 3) > inEnd) return ENDS_EARLY;
	bits |= fourWords(p) >> (<u64>held);
	p += refillStep(held);
	held |= 48;
	let e = <u32>load<u16>(MAIN_TABLE + (<usize>(bits >> TABLE_SHIFT) << 1));
	if (e >= LONG) e = longSymbol(MAIN_LONG, <u32>(bits >> 48), TABLE_BITS);
	if (e >> 6 == END_SYMBOL) held -= e;
	xpressEnd = p - <usize>((((held >> 4) & 3) - 1) << 1);
	return DONE;
}
