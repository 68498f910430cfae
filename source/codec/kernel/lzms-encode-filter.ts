// LZMS encoder: the x86 filter (section 8 of the description), forward over the input, and back when the chunk is
// stored raw after all.


import { LAST_USE } from './lzms-encode-layout';

/** Added to all positions, so that the table need not be cleared for each chunk. */
let base: i32 = 0x7fff_ffff;

/** To be called when other codecs may have used the region of the tables. */
export function forgetTargets(): void {
	base = 0x7fff_ffff;
}

function startPositions(size: i32): void {
	if (base > 0x7fff_ffff - size - 0x20000) {
		memory.fill(LAST_USE, 0, 4 * 65536);
		base = 0x20000;
	}
}

/** Makes the displacements of a chunk absolute, or with `undo` relative again. */
export function filterX86(data: usize, size: i32, undo: bool): void {
	if (size <= 17) return;
	startPositions(size);
	const end = size - 16;
	let lastCode: i32 = -1024;
	let i: i32 = 1;
	while (true) {
		i = nextOpcode(data, i, end);
		if (i >= end) break;
		const at = data + <usize>i;
		const b0 = <u32>load<u8>(at);
		const b1 = <u32>load<u8>(at, 1);
		const b2 = <u32>load<u8>(at, 2);
		let limit: i32 = 1023;
		let operand: i32 = 0;
		if (b0 == 0xe9) {
			i += 5;
			continue;
		}
		if (b0 == 0xe8) {
			operand = 1;
			limit = 511;
		} else if (b0 == 0xff) {
			if (b1 == 0x15) operand = 2;
		} else if (b0 == 0xf0) {
			if (b1 == 0x83 && b2 == 0x05) operand = 3;
		} else if ((b2 & 7) == 5) {
			if (b1 == 0x8d || (b1 == 0x8b && b0 == 0x48 && (b2 & 0xf0) == 0)) operand = 3;
		}
		if (operand == 0) {
			i++;
			continue;
		}
		const place = data + <usize>(i + operand);
		const translate = i - lastCode <= limit;
		if (undo && translate) store<u32>(place, load<u32>(place) - <u32>i);
		const target = (<u32>i + <u32>load<u16>(place)) & 0xffff;
		if (!undo && translate) store<u32>(place, load<u32>(place) + <u32>i);
		const last = i + operand + 3;
		const use = LAST_USE + (<usize>target << 2);
		if (base + last - load<i32>(use) <= 65535) lastCode = last;
		store<i32>(use, base + last);
		i = last + 1;
	}
	base += size + 0x10000;
}

/** The first position from `i` on that holds one of the six opcode bytes, or any position from `end` on. */
// @ts-ignore: decorator
@inline
function nextOpcode(data: usize, from: i32, end: i32): i32 {
	let i = from;
	while (i < end) {
		const v = v128.load(data + <usize>i);
		const rex = i8x16.eq(v128.and(v, i8x16.splat(<i8>0xfb)), i8x16.splat(0x48));
		const jump = i8x16.eq(v128.and(v, i8x16.splat(<i8>0xfe)), i8x16.splat(<i8>0xe8));
		const other = v128.or(i8x16.eq(v, i8x16.splat(<i8>0xf0)), i8x16.eq(v, i8x16.splat(<i8>0xff)));
		const found = i8x16.bitmask(v128.or(v128.or(rex, jump), other));
		if (found != 0) return i + ctz(found);
		i += 16;
	}
	return i;
}
