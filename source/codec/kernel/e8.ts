// The x86 CALL translation of LZX (shared/format/lzx.md §8), in both directions.

/** The "file size" that WIM files always use. */
const FILE_SIZE: i32 = 12000000;

/** Turns absolute CALL targets back into relative ones. Touches nothing outside the chunk, reads up to 15 bytes behind. */
export function decodeE8(start: usize, end: usize): void {
	if (end - start <= 10) return;
	const stop = end - 10;
	const call = i8x16.splat(<i8>0xe8);
	let at = start;
	while (at < stop) {
		const hits = i8x16.bitmask(i8x16.eq(v128.load(at), call));
		if (hits == 0) {
			at += 16;
			continue;
		}
		at += <usize>ctz(hits);
		if (at >= stop) return;
		const position = <i32>(at - start);
		const target = load<i32>(at + 1);
		if (target >= 0) {
			if (target < FILE_SIZE) store<i32>(at + 1, target - position);
		} else if (target >= -position) {
			store<i32>(at + 1, target + FILE_SIZE);
		}
		at += 5;
	}
}

/** Turns relative CALL targets into absolute ones. Touches nothing outside the chunk, reads up to 15 bytes behind. */
export function encodeE8(buf: usize, size: u32): void {
	if (size <= 10) return;
	const end = buf + size - 10;
	const wanted = i8x16.splat(<i8>0xe8);
	let p = buf;
	while (p < end) {
		if (load<u8>(p) != 0xe8) {
			const hits = i8x16.bitmask(i8x16.eq(v128.load(p), wanted));
			p += hits == 0 ? 16 : <usize>ctz(hits);
			continue;
		}
		const at = <i32>(p - buf);
		const x = load<i32>(p + 1);
		if (x >= -at && x < FILE_SIZE) store<i32>(p + 1, x < FILE_SIZE - at ? x + at : x - FILE_SIZE);
		p += 5;
	}
}
