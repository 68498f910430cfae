// LZMS encoder: adaptive Huffman codes (section 4 of the description) with prices for the parser.
//
// A code is a record of static memory; its three tables follow the head. Building follows the description's tie
// rules exactly, since the reader builds the same code on its own.

import { OFFSET_EXTRA, LENGTH_EXTRA, LENGTH_SLOT, LITERAL_CODE, OFFSET_CODE, LENGTH_CODE, DELTA_OFFSET_CODE, POWER_CODE, LENGTH_PRICE, SORTED, BUCKETS, INNER, PARENT, DEPTHS, NEXT } from './lzms-encode-layout';
import { PRICE_SHIFT } from './lzms-encode-tables';

const FREQUENCY: usize = 0;
const CODEWORD: usize = 4 * 800; // codeword << 4 | size
const PRICE: usize = 8 * 800;
const RECORD: i32 = 12 * 800;


/** Price of each symbol; for offsets with the extra bits of the slot. */
export const LITERAL_PRICE: usize = LITERAL_CODE + PRICE;
export const OFFSET_PRICE: usize = OFFSET_CODE + PRICE;
export const DELTA_OFFSET_PRICE: usize = DELTA_OFFSET_CODE + PRICE;
export const POWER_PRICE: usize = POWER_CODE + PRICE;


let literalLeft: u32 = 0;
let offsetLeft: u32 = 0;
let lengthLeft: u32 = 0;
let deltaOffsetLeft: u32 = 0;
let powerLeft: u32 = 0;
let offsetCount: u32 = 0;

const LONG_PERIOD: u32 = 1024;
const SHORT_PERIOD: u32 = 512;

/** Starts all codes for a chunk with this many offset slots. */
export function startCodes(slots: u32): void {
	offsetCount = max<u32>(slots, 2);
	start(LITERAL_CODE, 256);
	start(OFFSET_CODE, offsetCount);
	memory.copy(DELTA_OFFSET_CODE, OFFSET_CODE, RECORD);
	start(LENGTH_CODE, 54);
	start(POWER_CODE, 8);
	literalLeft = LONG_PERIOD;
	offsetLeft = LONG_PERIOD;
	deltaOffsetLeft = LONG_PERIOD;
	lengthLeft = SHORT_PERIOD;
	powerLeft = SHORT_PERIOD;
	priceSymbols(LITERAL_CODE, 256);
	priceOffsets(OFFSET_CODE);
	priceOffsets(DELTA_OFFSET_CODE);
	priceLengths();
	priceSymbols(POWER_CODE, 8);
}

/** Codeword << 4 | size. */
// @ts-ignore: decorator
@inline
export function codeword(code: usize, symbol: u32): u32 {
	return load<u32>(code + (<usize>symbol << 2), CODEWORD);
}

// @ts-ignore: decorator
@inline
function count(code: usize, symbol: u32): void {
	const at = code + (<usize>symbol << 2);
	store<u32>(at, load<u32>(at, FREQUENCY) + 1, FREQUENCY);
}

/** Counts a symbol that has been written; builds the code again when its period is over. */
// @ts-ignore: decorator
@inline
export function countLiteral(symbol: u32): void {
	count(LITERAL_CODE, symbol);
	if (--literalLeft == 0) {
		literalLeft = LONG_PERIOD;
		rebuild(LITERAL_CODE, 256);
		priceSymbols(LITERAL_CODE, 256);
	}
}

// @ts-ignore: decorator
@inline
export function countOffset(symbol: u32): void {
	count(OFFSET_CODE, symbol);
	if (--offsetLeft == 0) {
		offsetLeft = LONG_PERIOD;
		rebuild(OFFSET_CODE, offsetCount);
		priceOffsets(OFFSET_CODE);
	}
}

// @ts-ignore: decorator
@inline
export function countLength(symbol: u32): void {
	count(LENGTH_CODE, symbol);
	if (--lengthLeft == 0) {
		lengthLeft = SHORT_PERIOD;
		rebuild(LENGTH_CODE, 54);
		priceLengths();
	}
}

export function countDeltaOffset(symbol: u32): void {
	count(DELTA_OFFSET_CODE, symbol);
	if (--deltaOffsetLeft == 0) {
		deltaOffsetLeft = LONG_PERIOD;
		rebuild(DELTA_OFFSET_CODE, offsetCount);
		priceOffsets(DELTA_OFFSET_CODE);
	}
}

export function countPower(symbol: u32): void {
	count(POWER_CODE, symbol);
	if (--powerLeft == 0) {
		powerLeft = SHORT_PERIOD;
		rebuild(POWER_CODE, 8);
		priceSymbols(POWER_CODE, 8);
	}
}

function priceSymbols(code: usize, symbols: u32): void {
	for (let at = code, end = code + (<usize>symbols << 2); at < end; at += 4) {
		store<u32>(at, (load<u32>(at, CODEWORD) & 15) << PRICE_SHIFT, PRICE);
	}
}

function priceOffsets(code: usize): void {
	for (let slot: u32 = 0; slot < offsetCount; slot++) {
		const at = code + (<usize>slot << 2);
		const bits = (load<u32>(at, CODEWORD) & 15) + <u32>load<u8>(OFFSET_EXTRA + slot);
		store<u32>(at, bits << PRICE_SHIFT, PRICE);
	}
}

function priceLengths(): void {
	for (let length: u32 = 1; length < 256; length++) {
		const slot = <u32>load<u8>(LENGTH_SLOT + length);
		const bits = (codeword(LENGTH_CODE, slot) & 15) + <u32>load<u8>(LENGTH_EXTRA + slot);
		store<u32>(LENGTH_PRICE + (<usize>length << 2), (bits << PRICE_SHIFT) | length);
	}
}

/** All frequencies are 1: the first symbols get the longer codewords. */
function start(code: usize, symbols: u32): void {
	const floor = 31 - clz(symbols);
	const longer = (symbols - ((<u32>1) << floor)) << 1;
	const shorter = symbols - longer;
	for (let symbol: u32 = 0; symbol < symbols; symbol++) {
		const at = code + (<usize>symbol << 2);
		store<u32>(at, 1, FREQUENCY);
		const word =
			symbol < longer ? ((shorter << 1) + symbol) << 4 | (floor + 1) : (symbol - longer) << 4 | floor;
		store<u32>(at, word, CODEWORD);
	}
}


/** Builds the code from the frequencies, then halves them. */
function rebuild(code: usize, symbols: u32): void {
	sort(code, symbols);
	// Two queues: the sorted leaves, and the inner nodes in order of creation.
	let leaf = SORTED;
	const leafEnd = SORTED + (<usize>symbols << 2);
	store<u32>(leafEnd, 0xffffffff);
	let inner: usize = INNER;
	const last: usize = INNER + (<usize>(symbols - 2) << 2);
	for (let made: usize = INNER; made <= last; made += 4) {
		store<u32>(made, 0xffffffff);
		let sum: u32 = 0;
		let leaves: u32 = 0;
		for (let child = 0; child < 2; child++) {
			const weight = load<u32>(leaf) >> 16;
			const other = load<u32>(inner);
			if (leaf < leafEnd && weight <= other) {
				sum += weight;
				leaves++;
				leaf += 4;
			} else {
				sum += other;
				const at = inner - INNER + PARENT;
				store<u32>(at, load<u32>(at) | (<u32>(made - INNER)) << 2);
				inner += 4;
			}
		}
		store<u32>(made, sum);
		store<u32>(made - INNER + PARENT, leaves);
	}
	memory.fill(DEPTHS, 0, 4 * 64);
	// From the root down; a parent always comes after its children.
	store<u32>(last, 0);
	addLeaves(1, load<u32>(last - INNER + PARENT) & 3);
	for (let node: usize = last - 4; node >= INNER; node -= 4) {
		const link = load<u32>(node - INNER + PARENT);
		const depth = load<u32>(INNER + (link >> 2)) + 1;
		store<u32>(node, depth);
		addLeaves(depth + 1, link & 3);
	}
	assign(code, symbols);
}

// @ts-ignore: decorator
@inline
function addLeaves(depth: u32, leaves: u32): void {
	const at = DEPTHS + (<usize>depth << 2);
	store<u32>(at, load<u32>(at) + leaves);
}

/** Lists the symbols by frequency, then number. */
function sort(code: usize, symbols: u32): void {
	memory.fill(BUCKETS, 0, 4 * 257);
	const end = code + (<usize>symbols << 2);
	for (let at = code; at < end; at += 4) {
		const bucket = BUCKETS + (<usize>min<u32>(load<u32>(at, FREQUENCY), 255) << 2);
		store<u32>(bucket, load<u32>(bucket) + 1);
	}
	let sum: u32 = 0;
	for (let bucket: usize = BUCKETS; bucket < BUCKETS + 4 * 256; bucket += 4) {
		const size = load<u32>(bucket);
		store<u32>(bucket, sum);
		sum += size;
	}
	const common = load<u32>(BUCKETS + 4 * 255);
	for (let symbol: u32 = 0; symbol < symbols; symbol++) {
		const frequency = load<u32>(code + (<usize>symbol << 2), FREQUENCY);
		const bucket = BUCKETS + (<usize>min<u32>(frequency, 255) << 2);
		const place = load<u32>(bucket);
		store<u32>(bucket, place + 1);
		store<u32>(SORTED + (<usize>place << 2), (frequency << 16) | symbol);
	}
	// The last bucket holds everything from 255 up: few symbols, sorted by insertion.
	for (let i: u32 = common + 1; i < symbols; i++) {
		const value = load<u32>(SORTED + (<usize>i << 2));
		let j = i;
		while (j > common) {
			const before = load<u32>(SORTED + (<usize>(j - 1) << 2));
			if (before <= value) break;
			store<u32>(SORTED + (<usize>j << 2), before);
			j--;
		}
		store<u32>(SORTED + (<usize>j << 2), value);
	}
}


/** Gives the greatest depths to the rarest symbols, numbers the codewords, and dilutes the frequencies. */
function assign(code: usize, symbols: u32): void {
	let at: usize = SORTED;
	for (let depth: usize = 15; depth > 0; depth--) {
		for (let left = load<u32>(DEPTHS + (depth << 2)); left > 0; left--) {
			store<u32>(code + (<usize>(load<u32>(at) & 0xffff) << 2), <u32>depth, CODEWORD);
			at += 4;
		}
	}
	let first: u32 = 0;
	for (let depth: usize = 1; depth < 16; depth++) {
		store<u32>(NEXT + (depth << 2), first);
		first = (first + load<u32>(DEPTHS + (depth << 2))) << 1;
	}
	const end = code + (<usize>symbols << 2);
	for (let symbol = code; symbol < end; symbol += 4) {
		const size = load<u32>(symbol, CODEWORD);
		const next = NEXT + (<usize>size << 2);
		const word = load<u32>(next);
		store<u32>(next, word + 1);
		store<u32>(symbol, (word << 4) | size, CODEWORD);
		store<u32>(symbol, (load<u32>(symbol, FREQUENCY) >> 1) + 1, FREQUENCY);
	}
}
