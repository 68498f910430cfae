// Entry of the decoding kernel: one chunk in, one chunk out.

import { AREAS, FORMAT_UNKNOWN, MORE, STORED_SIZE } from './layout';
import { decodeLzx, lzxEnd } from './lzx';
import {
	abandonLzms,
	decodeLzms,
	decodeLzmsWindows,
	lzmsBack,
	lzmsFront,
	lzmsReached,
	resumeLzms,
} from './lzms';
import { decodeXpress, xpressEnd } from './xpress';

export {
	lzmsBackAt as backAt,
	lzmsBackIsDue as backIsDue,
	lzmsBackWindow as backWindow,
	lzmsFrontAt as frontAt,
	lzmsFrontIsDue as frontIsDue,
	lzmsFrontWindow as frontWindow,
} from './lzms';

const XPRESS: u32 = 1;
const LZX: u32 = 2;
const LZMS: u32 = 3;

let front: u32 = 0;
let back: u32 = 0;
let reached: u32 = 0;

/** First byte of memory that the kernel does not use itself. */
export function areasStart(): u32 {
	return <u32>AREAS;
}

/** How many stored bytes the last chunk used from the front. */
export function consumedFront(): u32 {
	return front;
}

/** Where the reader from the back stopped in the last chunk; its stored size if there is no such reader. */
export function consumedBack(): u32 {
	return back;
}

/** How many original bytes of the last chunk were decoded before it turned out to be broken; 0 where that is not known. */
export function decodedBefore(): u32 {
	return reached;
}

/**
 * Decodes a chunk, whose sizes the caller has checked: 0 < stored size < original size <= chunk size. All 64 bytes before
 * and behind the two stretches must exist; they are used, but hold their values again afterwards.
 *
 * @param neededSize of the original bytes: what follows may be left out, and be anything then
 * @returns a code of layout.ts
 */
export function decode(
	format: u32,
	chunkSize: u32,
	input: usize,
	storedSize: usize,
	output: usize,
	originalSize: usize,
	neededSize: usize,
): u32 {
	const inEnd = input + storedSize;
	const outEnd = output + originalSize;
	// The decoders want zeros around the input; neighbouring chunks may lie there.
	const zero = i64x2.splat(0);
	const b0 = v128.load(input - 64);
	const b1 = v128.load(input - 48);
	const b2 = v128.load(input - 32);
	const b3 = v128.load(input - 16);
	const e0 = v128.load(inEnd);
	const e1 = v128.load(inEnd + 16);
	const e2 = v128.load(inEnd + 32);
	const e3 = v128.load(inEnd + 48);
	// Their wide copies write behind the output.
	const o0 = v128.load(outEnd);
	v128.store(input - 64, zero);
	v128.store(input - 48, zero);
	v128.store(input - 32, zero);
	v128.store(input - 16, zero);
	v128.store(inEnd, zero);
	v128.store(inEnd + 16, zero);
	v128.store(inEnd + 32, zero);
	v128.store(inEnd + 48, zero);

	let code = FORMAT_UNKNOWN;
	reached = 0;
	if (format == XPRESS) {
		code = decodeXpress(input, inEnd, output, outEnd);
		front = <u32>(xpressEnd - input);
		back = <u32>storedSize;
	} else if (format == LZX) {
		code = decodeLzx(input, inEnd, output, outEnd, ctz(chunkSize));
		front = <u32>(lzxEnd - input);
		back = <u32>storedSize;
	} else if (format == LZMS) {
		if (storedSize & 1 || storedSize < 4) {
			code = STORED_SIZE;
		} else {
			code = decodeLzms(input, inEnd, output, outEnd, output + neededSize);
			reached = <u32>(lzmsReached - output);
		}
		front = lzmsFront;
		back = lzmsBack;
	}
	v128.store(input - 64, b0);
	v128.store(input - 48, b1);
	v128.store(input - 32, b2);
	v128.store(input - 16, b3);
	v128.store(inEnd, e0);
	v128.store(inEnd + 16, e1);
	v128.store(inEnd + 32, e2);
	v128.store(inEnd + 48, e3);
	v128.store(outEnd, o0);
	return code;
}

// Of a chunk with windows: where it comes out, and what stood behind that.
let windowsOutput: usize = 0;
let windowsEnd: usize = 0;
let behindLow: u64 = 0;
let behindHigh: u64 = 0;

/**
 * Decodes an LZMS chunk of which only a window around each reader is in memory; see `decode` and `decodeLzmsWindows`. While it
 * returns MORE, windows that are due, if any, are to be set, and `decodeOn` is to be called; nothing else of this kernel meanwhile.
 */
export function decodeWindows(
	storedSize: usize,
	frontAddress: usize,
	frontSize: usize,
	backAddress: usize,
	backSize: usize,
	output: usize,
	originalSize: usize,
	neededSize: usize,
): u32 {
	reached = 0;
	if (storedSize & 1 || storedSize < 4) return STORED_SIZE;
	windowsOutput = output;
	windowsEnd = output + originalSize;
	behindLow = load<u64>(windowsEnd);
	behindHigh = load<u64>(windowsEnd, 8);
	const code = decodeLzmsWindows(
		storedSize,
		frontAddress,
		frontSize,
		backAddress,
		backSize,
		output,
		windowsEnd,
		output + neededSize,
	);
	return code == MORE ? code : endWindows(code);
}

/** Goes on. */
export function decodeOn(): u32 {
	const code = resumeLzms();
	return code == MORE ? code : endWindows(code);
}

/** Gives the chunk up: the stored bytes that it needs next cannot be had. */
export function abandon(): void {
	abandonLzms();
	endWindows(MORE);
}

function endWindows(code: u32): u32 {
	store<u64>(windowsEnd, behindLow);
	store<u64>(windowsEnd, behindHigh, 8);
	reached = <u32>(lzmsReached - windowsOutput);
	front = lzmsFront;
	back = lzmsBack;
	return code;
}
