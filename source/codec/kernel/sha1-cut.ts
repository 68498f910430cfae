// Finds where blobs may end: the SHA-1 of every prefix of some bytes, four prefixes at a time in the lanes of a vector.

export const STATE: usize = 121000; // 5 u32: the hash state at the start of the current block
export const LANES: usize = 121088; // 80 vectors: the message schedules of four padded blocks (aligned to 16)
const PLAIN: usize = 122368; // 80 u32: the message schedule of the block itself
export const LANE_STATE: usize = 122752; // 5 vectors
/** One bit for each value of the first 16 bits of a wanted SHA-1. */
export const WANTED: usize = 131072;

// @ts-ignore: decorator
@inline
function rotl4(x: v128, n: i32): v128 {
	return v128.or(v128.shl<i32>(x, n), v128.shr<u32>(x, 32 - n));
}

/** Runs the four padded blocks whose first 16 words stand in LANES through the state in LANE_STATE. */
export function compressLanes(): void {
	for (let t: usize = 16; t < 80; t++) {
		const at = LANES + (t << 4);
		const x = v128.xor(
			v128.xor(v128.load(at - 48), v128.load(at - 128)),
			v128.xor(v128.load(at - 224), v128.load(at - 256)),
		);
		v128.store(at, rotl4(x, 1));
	}
	let a = v128.load(LANE_STATE);
	let b = v128.load(LANE_STATE, 16);
	let c = v128.load(LANE_STATE, 32);
	let d = v128.load(LANE_STATE, 48);
	let e = v128.load(LANE_STATE, 64);
	let k = i32x4.splat(0x5a827999);
	let t: usize = LANES;
	for (const stop = LANES + 20 * 16; t < stop; t += 16) {
		const f = v128.bitselect(c, d, b);
		const next = i32x4.add(i32x4.add(i32x4.add(rotl4(a, 5), f), i32x4.add(e, k)), v128.load(t));
		e = d;
		d = c;
		c = rotl4(b, 30);
		b = a;
		a = next;
	}
	k = i32x4.splat(0x6ed9eba1);
	for (const stop = LANES + 40 * 16; t < stop; t += 16) {
		const f = v128.xor(v128.xor(b, c), d);
		const next = i32x4.add(i32x4.add(i32x4.add(rotl4(a, 5), f), i32x4.add(e, k)), v128.load(t));
		e = d;
		d = c;
		c = rotl4(b, 30);
		b = a;
		a = next;
	}
	k = i32x4.splat(0x8f1bbcdc);
	for (const stop = LANES + 60 * 16; t < stop; t += 16) {
		// Majority of b, c, d: where b and c differ it is d, else c.
		const g = v128.bitselect(d, c, v128.xor(b, c));
		const next = i32x4.add(i32x4.add(i32x4.add(rotl4(a, 5), g), i32x4.add(e, k)), v128.load(t));
		e = d;
		d = c;
		c = rotl4(b, 30);
		b = a;
		a = next;
	}
	k = i32x4.splat(0xca62c1d6);
	for (const stop = LANES + 80 * 16; t < stop; t += 16) {
		const f = v128.xor(v128.xor(b, c), d);
		const next = i32x4.add(i32x4.add(i32x4.add(rotl4(a, 5), f), i32x4.add(e, k)), v128.load(t));
		e = d;
		d = c;
		c = rotl4(b, 30);
		b = a;
		a = next;
	}
	v128.store(LANE_STATE, i32x4.add(v128.load(LANE_STATE), a));
	v128.store(LANE_STATE, i32x4.add(v128.load(LANE_STATE, 16), b), 16);
	v128.store(LANE_STATE, i32x4.add(v128.load(LANE_STATE, 32), c), 32);
	v128.store(LANE_STATE, i32x4.add(v128.load(LANE_STATE, 48), d), 48);
	v128.store(LANE_STATE, i32x4.add(v128.load(LANE_STATE, 64), e), 64);
}

/** Runs the block at `block` through the state in STATE. */
export function compressPlain(block: usize): void {
	for (let t: usize = 0; t < 64; t += 4) store<u32>(PLAIN + t, bswap<u32>(load<u32>(block + t)));
	for (let t: usize = 64; t < 320; t += 4) {
		const at = PLAIN + t;
		store<u32>(at, rotl<u32>(load<u32>(at - 12) ^ load<u32>(at - 32) ^ load<u32>(at - 56) ^ load<u32>(at - 64), 1));
	}
	let a = load<u32>(STATE);
	let b = load<u32>(STATE, 4);
	let c = load<u32>(STATE, 8);
	let d = load<u32>(STATE, 12);
	let e = load<u32>(STATE, 16);
	for (let t: usize = 0; t < 80; t++) {
		let f: u32;
		let k: u32;
		if (t < 20) {
			f = (b & c) | (~b & d);
			k = 0x5a827999;
		} else if (t < 40) {
			f = b ^ c ^ d;
			k = 0x6ed9eba1;
		} else if (t < 60) {
			f = (b & c) | (b & d) | (c & d);
			k = 0x8f1bbcdc;
		} else {
			f = b ^ c ^ d;
			k = 0xca62c1d6;
		}
		const next = rotl<u32>(a, 5) + f + e + k + load<u32>(PLAIN + (t << 2));
		e = d;
		d = c;
		c = rotl<u32>(b, 30);
		b = a;
		a = next;
	}
	store<u32>(STATE, load<u32>(STATE) + a);
	store<u32>(STATE, load<u32>(STATE, 4) + b, 4);
	store<u32>(STATE, load<u32>(STATE, 8) + c, 8);
	store<u32>(STATE, load<u32>(STATE, 12) + d, 12);
	store<u32>(STATE, load<u32>(STATE, 16) + e, 16);
}

export function lanesFromState(): void {
	for (let k: usize = 0; k < 5; k++)
		v128.store(LANE_STATE + (k << 4), i32x4.splat(load<u32>(STATE + (k << 2))));
}

/** Whether the SHA-1 in a lane begins like a wanted one. */
// @ts-ignore: decorator
@inline
export function lanesWanted(lane: u32): bool {
	const top = load<u32>(LANE_STATE + (<usize>lane << 2)) >> 16;
	return ((<u32>load<u8>(WANTED + <usize>(top >> 3)) >> (top & 7)) & 1) != 0;
}

/** Words 14 and 15 of the lanes: the lengths in bits of four messages of `size` to `size + 3` bytes. */
function storeLengths(size: u64): void {
	for (let k: usize = 0; k < 4; k++) {
		const bits = (size + k) << 3;
		store<u32>(LANES + 14 * 16 + (k << 2), <u32>(bits >> 32));
		store<u32>(LANES + 15 * 16 + (k << 2), <u32>bits);
	}
}

/** Moves the state on by whole blocks without looking at prefixes. */
export function skipSha1(start: usize, size: u32, before: u64): void {
	if (before == 0) resetCut();
	for (let base: usize = 0; base + 64 <= <usize>size; base += 64) compressPlain(start + base);
}

/** The state of a message without bytes. */
export function resetCut(): void {
	store<u32>(STATE, 0x67452301);
	store<u32>(STATE, 0xefcdab89, 4);
	store<u32>(STATE, 0x98badcfe, 8);
	store<u32>(STATE, 0x10325476, 12);
	store<u32>(STATE, 0xc3d2e1f0, 16);
}

/**
 * Hashes every prefix of a message whose first `before` bytes (a multiple of 64) went through earlier calls, and notes
 * those whose first 16 bits are wanted. A full SHA-1 comparison is the caller's.
 *
 * @param start the next bytes of the message; whole blocks, and up to 64 readable bytes behind the last
 * @param size in bytes; the state moves on by the whole blocks in it
 * @param hits receives 24 bytes each: the length of the prefix minus `before` (u32), then the SHA-1 in five words
 * @returns how many hits, at most `most`
 */
export function cutBySha1(start: usize, size: u32, before: u64, hits: usize, most: u32): u32 {
	if (before == 0) resetCut();
	let count: u32 = 0;
	for (let base: u32 = 0; base <= size; base += 64) {
		const block = start + <usize>base;
		const rest = size - base;
		for (let m: u32 = 0; m < 64 && m <= rest; m += 4) {
			lanesFromState();
			const words = m >> 2;
			for (let w: u32 = 0; w < words; w++)
				v128.store(LANES + (<usize>w << 4), i32x4.splat(bswap<u32>(load<u32>(block + (<usize>w << 2)))));
			const word = bswap<u32>(load<u32>(block + <usize>m));
			const at = LANES + (<usize>words << 4);
			store<u32>(at, 0x80000000);
			store<u32>(at, (word & 0xff000000) | 0x00800000, 4);
			store<u32>(at, (word & 0xffff0000) | 0x00008000, 8);
			store<u32>(at, (word & 0xffffff00) | 0x00000080, 12);
			for (let w = words + 1; w < 16; w++) v128.store(LANES + (<usize>w << 4), i32x4.splat(0));
			const total = before + base + m;
			if (m >= 56) {
				compressLanes();
				for (let w: usize = 0; w < 14; w++) v128.store(LANES + (w << 4), i32x4.splat(0));
			}
			storeLengths(total);
			compressLanes();
			for (let lane: u32 = 0; lane < 4; lane++) {
				if (m + lane > rest || total + lane == 0) continue;
				if (!lanesWanted(lane)) continue;
				const to = hits + <usize>count * 24;
				store<u32>(to, base + m + lane);
				for (let k: usize = 0; k < 5; k++)
					store<u32>(to + 4 + (k << 2), load<u32>(LANE_STATE + (k << 4) + (<usize>lane << 2)));
				if (++count == most) return count;
			}
		}
		if (rest >= 64) compressPlain(block);
	}
	return count;
}
