// The bit stream of XPRESS and LZX: 16-bit little-endian words, most significant bit first.
//
// `bits` holds what comes next at its top, `held` says how many bits are fetched. Only the low six bits of `held` count,
// so a whole table entry can be subtracted. A refill brings `held` to 48..63; bits ORed in beyond that do no harm, as the
// next refill ORs the same values again.

/** The next four words, the first at the top. */
// @ts-ignore: decorator
@inline
export function fourWords(p: usize): u64 {
	const x = rotl<u64>(load<u64>(p), 32);
	return ((x & 0x0000ffff0000ffff) << 16) | ((x >> 16) & 0x0000ffff0000ffff);
}

/** By how many bytes a refill advances the read pointer. */
// @ts-ignore: decorator
@inline
export function refillStep(held: u32): usize {
	return <usize>(((held >> 3) & 6) ^ 6);
}
