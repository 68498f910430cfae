// The offset and length slots of LZMS (shared/format/lzms.md §5): per slot 8 bytes, its base and its number of extra bits.

export const OFFSET_SLOTS: u32 = 799;
export const LENGTH_SLOTS: u32 = 54;

// @ts-ignore: decorator
@inline
function run(at: usize, extra: u32, count: u32): usize {
	let to = at;
	let base = load<u32>(to);
	for (let k: u32 = 0; k < count; k++) {
		store<u32>(to, base);
		store<u32>(to + 4, extra);
		to += 8;
		base += <u32>1 << extra;
		store<u32>(to, base);
	}
	return to;
}

/** Writes the 799 offset slots, and the base of one more. */
export function writeOffsetSlots(at: usize): void {
	store<u32>(at, 1);
	let to = run(at, 0, 8);
	to = run(to, 2, 9);
	to = run(to, 3, 7);
	to = run(to, 4, 10);
	to = run(to, 5, 15);
	to = run(to, 6, 15);
	to = run(to, 7, 20);
	to = run(to, 8, 20);
	to = run(to, 9, 30);
	to = run(to, 10, 33);
	to = run(to, 11, 40);
	to = run(to, 12, 42);
	to = run(to, 13, 45);
	to = run(to, 14, 60);
	to = run(to, 15, 73);
	to = run(to, 16, 80);
	to = run(to, 17, 85);
	to = run(to, 18, 95);
	to = run(to, 19, 105);
	to = run(to, 20, 6);
	run(to, 30, 1);
}

/** Writes the 54 length slots, and the base of one more. */
export function writeLengthSlots(at: usize): void {
	store<u32>(at, 1);
	let to = run(at, 0, 26);
	to = run(to, 1, 4);
	to = run(to, 2, 6);
	to = run(to, 3, 4);
	to = run(to, 4, 5);
	to = run(to, 5, 2);
	to = run(to, 6, 1);
	to = run(to, 7, 1);
	to = run(to, 8, 1);
	to = run(to, 9, 1);
	to = run(to, 10, 1);
	to = run(to, 16, 1);
	run(to, 30, 1);
}

/** One more than the slot that contains `value`. */
export function slotsFor(at: usize, value: u32): u32 {
	let slot: u32 = 1;
	while (slot < OFFSET_SLOTS && load<u32>(at + (<usize>slot << 3)) <= value) slot += 1;
	return slot;
}
