// Copies of matches, in steps of 16 bytes: up to 15 bytes behind the end are overwritten.

import { PATTERN_MASKS, PATTERN_STEPS } from './layout';

for (let offset: usize = 1; offset < 16; offset++) {
	for (let i: usize = 0; i < 16; i++) store<u8>(PATTERN_MASKS + offset * 16 + i, <u8>(i % offset));
	store<u32>(PATTERN_STEPS + offset * 4, <u32>(16 - (16 % offset)));
}

/** Repeats the bytes at `out - offset` until `out + length`. All bounds are the caller's business. */
// @ts-ignore: decorator
@inline
export function copyMatch(out: usize, offset: usize, length: usize): void {
	// Nearly all matches are done with the first step.
	if (offset >= 16) {
		let from = out - offset;
		v128.store(out, v128.load(from));
		if (length > 16) {
			const end = out + length;
			let to = out + 16;
			do {
				from += 16;
				v128.store(to, v128.load(from));
				to += 16;
			} while (to < end);
		}
	} else {
		const pattern = v128.swizzle(v128.load(out - offset), v128.load(PATTERN_MASKS + (offset << 4)));
		v128.store(out, pattern);
		const step = <usize>load<u32>(PATTERN_STEPS + (offset << 2));
		if (length > step) {
			const end = out + length;
			let to = out + step;
			do {
				v128.store(to, pattern);
				to += step;
			} while (to < end);
		}
	}
}
