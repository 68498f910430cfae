// Length-limited canonical Huffman codes for the encoders.
//
// Sorting counts by a table of small counts, the code itself by Moffat and Katajainen's in-place method, the limit by
// moving leaves down from the deepest level that still has one (lzx.md section 10.6).

/** Scratch space of this file: 16 KiB. */
const SCRATCH: usize = 0x10000;
const SORTED: usize = SCRATCH; //            u32[1024]: count << 10 | symbol
const TREE: usize = SCRATCH + 0x1000; //     u32[1024]
const BUCKETS: usize = SCRATCH + 0x2000; //  u32[513]
const LEVELS: usize = SCRATCH + 0x2c00; //   u32[33]
const NEXT: usize = SCRATCH + 0x2d00; //     u32[33]
/** First byte behind the scratch space. */
export const HUFFMAN_END: usize = SCRATCH + 0x4000;

const SMALL: u32 = 511;

/**
 * Builds the code of at most 1024 symbols whose counts are below 2^22.
 *
 * A code with one symbol gets a second, unused one, so that every nonempty code is complete.
 *
 * @param counts u32 each
 * @param lengths u8 each, written; 0: no codeword
 * @param codes u32 each, written where the length is not 0
 * @returns number of symbols with a count
 */
export function buildCode(counts: usize, symbolCount: u32, limit: u32, lengths: usize, codes: usize): u32 {
	const used = sortCounts(counts, symbolCount);
	memory.fill(lengths, 0, symbolCount);
	if (used == 0) return 0;
	if (used == 1) {
		const only = load<u32>(SORTED) & 1023;
		const other: u32 = only == 0 ? 1 : 0;
		store<u8>(lengths + only, 1);
		store<u8>(lengths + other, 1);
		store<u32>(codes + (<usize>only << 2), only < other ? 0 : 1);
		store<u32>(codes + (<usize>other << 2), only < other ? 1 : 0);
		return 1;
	}
	countLevels(used, limit);
	// The rarest symbols come first and get the longest codewords.
	let at = SORTED;
	for (let level = limit; level > 0; level--) {
		for (let left = load<u32>(LEVELS + (<usize>level << 2)); left > 0; left--) {
			store<u8>(lengths + (load<u32>(at) & 1023), level);
			at += 4;
		}
	}
	assignCodes(symbolCount, limit, lengths, codes);
	return used;
}

function sortCounts(counts: usize, symbolCount: u32): u32 {
	memory.fill(BUCKETS, 0, (SMALL + 2) << 2);
	let used: u32 = 0;
	for (let s: u32 = 0; s < symbolCount; s++) {
		const count = load<u32>(counts + (<usize>s << 2));
		const bucket = BUCKETS + (<usize>min(count, SMALL) << 2);
		store<u32>(bucket, load<u32>(bucket) + 1);
	}
	for (let b: usize = 1; b <= SMALL; b++) {
		const n = load<u32>(BUCKETS + (b << 2));
		store<u32>(BUCKETS + (b << 2), used);
		used += n;
	}
	const large = load<u32>(BUCKETS + (<usize>SMALL << 2));
	for (let s: u32 = 0; s < symbolCount; s++) {
		const count = load<u32>(counts + (<usize>s << 2));
		if (count == 0) continue;
		const bucket = BUCKETS + (<usize>min(count, SMALL) << 2);
		const place = load<u32>(bucket);
		store<u32>(bucket, place + 1);
		store<u32>(SORTED + (<usize>place << 2), (count << 10) | s);
	}
	for (let i = large + 1; i < used; i++) {
		const key = load<u32>(SORTED + (<usize>i << 2));
		let j = i;
		while (j > large && load<u32>(SORTED + (<usize>(j - 1) << 2)) > key) {
			store<u32>(SORTED + (<usize>j << 2), load<u32>(SORTED + (<usize>(j - 1) << 2)));
			j--;
		}
		store<u32>(SORTED + (<usize>j << 2), key);
	}
	return used;
}

@inline function tree(i: u32): u32 { return load<u32>(TREE + (<usize>i << 2)); }
@inline function setTree(i: u32, v: u32): void { store<u32>(TREE + (<usize>i << 2), v); }
@inline function leafCount(i: u32): u32 { return load<u32>(SORTED + (<usize>i << 2)) >> 10; }

/** Leaves the number of codewords of each length, none longer than `limit`, in LEVELS. */
function countLevels(n: u32, limit: u32): void {
	// Inner nodes in order of weight; while a node waits for its parent it holds its weight, then the parent.
	let leaf: u32 = 0;
	let root: u32 = 0;
	for (let next: u32 = 0; next < n - 1; next++) {
		let weight: u32 = 0;
		for (let k = 0; k < 2; k++) {
			if (leaf < n && (root >= next || leafCount(leaf) <= tree(root))) weight += leafCount(leaf++);
			else {
				weight += tree(root);
				setTree(root++, next);
			}
		}
		setTree(next, weight);
	}
	memory.fill(LEVELS, 0, 33 << 2);
	// Depths from the root down, in place; each level's leaves are what its inner nodes leave free.
	setTree(n - 2, 0);
	let level: u32 = 0;
	let free: u32 = 1;
	let inner: u32 = 0;
	let index: i32 = <i32>n - 2;
	let left: u32 = n;
	while (free > 0) {
		inner = 0;
		while (index >= 0) {
			const depth: u32 = index == <i32>n - 2 ? 0 : tree(tree(index)) + 1;
			if (depth != level) break;
			setTree(index, depth);
			inner++;
			index--;
		}
		const leaves = free - inner;
		const at = LEVELS + (<usize>min(level, limit) << 2);
		store<u32>(at, load<u32>(at) + leaves);
		left -= leaves;
		free = inner * 2;
		level++;
	}
	if (level - 1 > limit) lift(limit);
}

/** Makes the leaves that were pressed into the deepest level fit: the sum of 2^-length must be 1 again. */
function lift(limit: u32): void {
	let sum: u32 = 0;
	for (let l: u32 = 1; l <= limit; l++) sum += load<u32>(LEVELS + (<usize>l << 2)) << (limit - l);
	let over = sum - (1 << limit);
	while (over > 0) {
		let l = limit - 1;
		while (load<u32>(LEVELS + (<usize>l << 2)) == 0) l--;
		// One leaf goes down a level and takes a leaf of the deepest level as its brother.
		store<u32>(LEVELS + (<usize>l << 2), load<u32>(LEVELS + (<usize>l << 2)) - 1);
		store<u32>(LEVELS + (<usize>(l + 1) << 2), load<u32>(LEVELS + (<usize>(l + 1) << 2)) + 2);
		store<u32>(LEVELS + (<usize>limit << 2), load<u32>(LEVELS + (<usize>limit << 2)) - 1);
		over--;
	}
}

/** Canonical codewords for given lengths, most significant bit first. */
function assignCodes(symbolCount: u32, limit: u32, lengths: usize, codes: usize): void {
	let code: u32 = 0;
	store<u32>(NEXT, 0);
	for (let l: u32 = 1; l <= limit; l++) {
		store<u32>(NEXT + (<usize>l << 2), code);
		code = (code + load<u32>(LEVELS + (<usize>l << 2))) << 1;
	}
	for (let s: usize = 0; s < <usize>symbolCount; s++) {
		const at = NEXT + (<usize>load<u8>(lengths + s) << 2);
		const word = load<u32>(at);
		store<u32>(codes + (s << 2), word);
		store<u32>(at, word + 1);
	}
}
