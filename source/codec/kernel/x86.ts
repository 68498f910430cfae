// The x86 filter of LZMS (shared/format/lzms.md §8), in the decoding direction.

/** Distance from which an older use of a target no longer counts. */
const FORGET: u32 = 65536;

// What the table of last uses holds is the position plus a base that grows from chunk to chunk, so that it needs no
// clearing: what an earlier chunk left is more than 65535 away.
let base: u32 = FORGET;

/** An instruction that begins in so many last bytes is left as it is. */
export const FILTER_TAIL: usize = 16;

/**
 * Turns absolute displacements of a finished chunk back into relative ones. Reads up to 18 bytes behind `end`.
 *
 * @param lastUses a table of 65536 numbers of 4 bytes, zero at first, then left alone
 */
export function decodeX86(start: usize, end: usize, lastUses: usize): void {
	const size = <u32>(end - start);
	if (size <= 17) return;
	if (base > 0xffff0000 - FORGET - size) {
		memory.fill(lastUses, 0, 65536 * 4);
		base = FORGET;
	}
	const origin = base;
	base += size + FORGET;

	const rexMask = i8x16.splat(<i8>0xfb);
	const rex = i8x16.splat(0x48);
	const lock = i8x16.splat(<i8>0xf0);
	const modMask = i8x16.splat(7);
	const mod = i8x16.splat(5);
	const branchMask = i8x16.splat(<i8>0xfe);
	const branch = i8x16.splat(<i8>0xe8);
	const group = i8x16.splat(<i8>0xff);
	const indirect = i8x16.splat(0x15);

	const stop = end - FILTER_TAIL;
	let lastCode: i32 = -1024;
	let at = start + 1;
	while (at < stop) {
		const v0 = v128.load(at);
		const v2 = v128.load(at, 2);
		// Bytes 0x48, 0x4C or 0xF0 before a byte with low bits 5; 0xE8 or 0xE9; 0xFF 0x15.
		let hits = <u32>i8x16.bitmask(
			v128.or(
				v128.or(
					v128.and(
						v128.or(i8x16.eq(v128.and(v0, rexMask), rex), i8x16.eq(v0, lock)),
						i8x16.eq(v128.and(v2, modMask), mod),
					),
					i8x16.eq(v128.and(v0, branchMask), branch),
				),
				v128.and(i8x16.eq(v0, group), i8x16.eq(v128.load(at, 1), indirect)),
			),
		);
		const window = at;
		at += 16;
		while (hits != 0) {
			const op = window + <usize>ctz(hits);
			if (op >= stop) return;
			const b0 = <u32>load<u8>(op);
			const b1 = <u32>load<u8>(op, 1);
			let operand = op + 3;
			let limit: i32 = 1023;
			if (b0 == 0xe8) {
				operand = op + 1;
				limit = 511;
			} else if (b0 == 0xe9) {
				const next = op + 5;
				if (next >= at) {
					at = next;
					break;
				}
				const skipped = <u32>(next - window);
				hits = (hits >> skipped) << skipped;
				continue;
			} else if (b0 == 0xff) {
				operand = op + 2;
			} else if (b0 == 0xf0) {
				if (b1 != 0x83 || load<u8>(op, 2) != 5) {
					hits &= hits - 1;
					continue;
				}
			} else if (b1 != 0x8d && (b1 != 0x8b || b0 != 0x48 || (load<u8>(op, 2) & 0xf0) != 0)) {
				hits &= hits - 1;
				continue;
			}
			const position = <i32>(op - start);
			let value = load<u32>(operand);
			if (position - lastCode <= limit) {
				value -= position;
				store<u32>(operand, value);
			}
			const slot = lastUses + (<usize>((<u32>position + value) & 0xffff) << 2);
			const last = <u32>(operand + 3 - start);
			if (last + origin - load<u32>(slot) < FORGET) lastCode = <i32>last;
			store<u32>(slot, last + origin);
			const next = operand + 4;
			if (next >= at) {
				at = next;
				break;
			}
			const skipped = <u32>(next - window);
			hits = (hits >> skipped) << skipped;
		}
	}
}
