// A cheap look at a chunk before an expensive parse: is there anything to gain at all? (xpress.md section 5.4)

import { HUFFMAN_END } from './huffman-build';

const COUNTS: usize = HUFFMAN_END; //        u32[4][256]
const HEADS: usize = COUNTS + 0x1000; //     u32[2^14]: the last position with each hash

/** Random bytes have 8 bits; what a code could save below this is less than its own description takes. */
const BITS_MIN: f64 = 7.975;

/**
 * Whether a chunk looks random: all bytes about equally frequent, and hardly any eight of them (four in chunks up to
 * 64 KiB) occur twice.
 */
export function looksRandom(buf: usize, size: u32): bool {
	if (size < 4096) return false;
	return flat(buf, size) && !repeats(buf, size);
}

function flat(buf: usize, size: u32): bool {
	memory.fill(COUNTS, 0, 0x1000);
	const end = buf + (size & ~3);
	for (let p = buf; p < end; p += 4) {
		const four = load<u32>(p);
		bump(COUNTS + (<usize>(four & 255) << 2));
		bump(COUNTS + 0x400 + (<usize>((four >> 8) & 255) << 2));
		bump(COUNTS + 0x800 + (<usize>((four >> 16) & 255) << 2));
		bump(COUNTS + 0xc00 + (<usize>(four >> 24) << 2));
	}
	// For counts near the mean m the entropy is 8 - sum((c - m)^2) / (2 ln 2 * m * n).
	const total = <f64>(size & ~3);
	const mean = total / 256;
	let squares: f64 = 0;
	for (let b: usize = 0; b < 0x400; b += 4) {
		const at = COUNTS + b;
		const d = <f64>(load<u32>(at) + load<u32>(at + 0x400) + load<u32>(at + 0x800) + load<u32>(at + 0xc00)) - mean;
		squares += d * d;
	}
	return 8 - squares / (1.3862943611 * mean * total) > BITS_MIN;
}

@inline function bump(at: usize): void { store<u32>(at, load<u32>(at) + 1); }

/** In large chunks only a share of all eight-byte groups counts, chosen by content, so that far repeats are not forgotten. */
function repeats(buf: usize, size: u32): bool {
	memory.fill(HEADS, 0, 0x10000);
	const large = size > 0x10000;
	const mask: u64 = large ? 0xffff_ffff_ffff_ffff : 0xffff_ffff;
	const skip: u64 = large ? (1 << (31 - clz(size >> 13))) - 1 : 0;
	let left: u32 = large ? 4 : size >> 13;
	for (let i: u32 = 1; i < size - 8; i++) {
		const word = load<u64>(buf + i) & mask;
		const hash = word * 0x9e37_79b9_7f4a_7c15;
		if ((hash >> 32) & skip) continue;
		const head = HEADS + (<usize>(hash >> 50) << 2);
		const old = load<u32>(head);
		store<u32>(head, i);
		if (old != 0 && (load<u64>(buf + old) & mask) == word && left-- == 0) return true;
	}
	return false;
}
