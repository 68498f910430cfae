// LZMS encoder: one chunk, in steps.
//
// The input is filtered in place and restored at the end. A large chunk takes many seconds, so it can be encoded in
// steps, between which the caller may look whether anybody still wants it.

import { startCodes } from './lzms-encode-codes';
import { filterX86, forgetTargets } from './lzms-encode-filter';
import { finderSize, startFinder } from './lzms-encode-find';
import { parsed, parseSection, startParser } from './lzms-encode-parse';
import { forgetTables, offsetSlot, prepareTables } from './lzms-encode-tables';
import { finishWriter, isFull, startWriter } from './lzms-encode-writer';

let input: usize = 0;
let size: u32 = 0;

export function lzmsWorkSize(chunk: u32, level: u32): usize {
	return finderSize(chunk);
}
export function lzmsBegin(at: usize, length: u32, output: usize, work: usize, nice: u32, depth: u32, delta: u32, looks: u32): void {
	prepareTables();
	input = at;
	size = length;
	memory.fill(at + <usize>length, 0, 64);
	filterX86(at, length, false);
	startWriter(output, <usize>length);
	startCodes(length < 2 ? 2 : offsetSlot(length - 1) + 1);
	startFinder(at, length, work, nice, depth, delta != 0);
	startParser(at, length, nice, delta != 0, looks);
}
export function lzmsStep(bytes: u32): u32 {
	const to = parsed + min<u32>(bytes, size - parsed);
	while (parsed < to) {
		parseSection();
		if (isFull()) return size;
	}
	return parsed;
}
export function lzmsFinish(): usize {
	const stored = isFull() ? <usize>0 : finishWriter();
	filterX86(input, size, true);
	return stored < <usize>size ? stored : 0;
}
/** To be called when another codec has used the region of the tables. */
export function forgetLzms(): void {
	forgetTables();
	forgetTargets();
}
export function heapBase(): usize { return 0x800000; }
