// LZMS encoder: how far matches reach. Both functions read up to 16 bytes too far.

/** How many bytes agree from two places on, `length` of them already known. */
// @ts-ignore: decorator
@inline
export function matchLength(a: usize, b: usize, length: u32, most: u32): u32 {
	let at = length;
	while (at < most) {
		const same = i8x16.bitmask(i8x16.eq(v128.load(a + <usize>at), v128.load(b + <usize>at)));
		if (same != 0xffff) {
			at += <u32>ctz(~same);
			break;
		}
		at += 16;
	}
	return min<u32>(at, most);
}

/** How far a delta match reaches. */
export function deltaLength(at: usize, offset: u32, span: u32, most: u32): u32 {
	const other = at - <usize>offset;
	let length: u32 = 0;
	while (length < most) {
		const a = i8x16.sub(v128.load(at + <usize>length), v128.load(at + <usize>length - <usize>span));
		const b = i8x16.sub(v128.load(other + <usize>length), v128.load(other + <usize>length - <usize>span));
		const same = i8x16.bitmask(i8x16.eq(a, b));
		if (same != 0xffff) {
			length += ctz(~same);
			break;
		}
		length += 16;
	}
	return min<u32>(length, most);
}
