// LZX encoder: where a block of the lazy parse ends. Items are observed by kind; when new ones differ from those of the block so far, codes of
// their own are worth their description (lzx.md section 10.5).

import { bump, CLASSES } from './lzx-encode-layout';

// Items: of the block, and of those that are new.
let blockSeen: u32 = 0;
let newSeen: u32 = 0;

/** Bytes: smaller blocks do not earn what describing their codes takes. */
const BLOCK_MIN: u32 = 6500;
/** After so many new items the two are compared. */
const LOOK: u32 = 400;

/** Takes note of an item: literals are of the kinds 0 to 7, short matches 8, long ones 9. */
@inline export function observe(kind: u32): void {
	bump(CLASSES + 40 + (<usize>kind << 2));
	newSeen++;
}

/** Whether the items just observed differ from the block so far; if not, they become part of it. */
function differs(): bool {
	let difference: u64 = 0;
	for (let k: usize = 0; k < 40; k += 4) {
		const a = <u64>load<u32>(CLASSES + 40 + k) * blockSeen;
		const b = <u64>load<u32>(CLASSES + k) * newSeen;
		difference += a > b ? a - b : b - a;
	}
	if (blockSeen > 0 && difference * 8 > 8 * <u64>blockSeen * newSeen) return true;
	merge();
	return false;
}

function merge(): void {
	for (let k: usize = 0; k < 40; k += 4) {
		store<u32>(CLASSES + k, load<u32>(CLASSES + k) + load<u32>(CLASSES + 40 + k));
		store<u32>(CLASSES + 40 + k, 0);
	}
	blockSeen += newSeen;
	newSeen = 0;
}

/** Begins a block of which nothing is known. */
export function startBlock(): void {
	memory.fill(CLASSES, 0, 80);
	blockSeen = 0;
	newSeen = 0;
}

/** Whether the block should end here, with so many bytes in it and so many left. */
@inline export function endsBlock(done: u32, left: u32): bool {
	if (newSeen < LOOK) return false;
	if (done >= BLOCK_MIN && left >= BLOCK_MIN) return differs();
	merge();
	return false;
}
