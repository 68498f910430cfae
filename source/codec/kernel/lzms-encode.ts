// LZMS encoder: one chunk, in steps.

import { startCodes } from './lzms-encode-codes';
import { filterX86 } from './lzms-encode-filter';
import { finderSize, startFinder } from './lzms-encode-find';
import { parsed, parseSection, startParser } from './lzms-encode-parse';
import { offsetSlot, prepareTables } from './lzms-encode-tables';
import { finishWriter, startWriter, writtenSize } from './lzms-encode-writer';

let input: usize = 0;
let size: u32 = 0;
let full: bool = false;

export function lzmsWorkSize(chunk: u32, level: u32): usize {
	return finderSize(chunk);
}
export function lzmsBegin(at: usize, length: u32, output: usize, work: usize, nice: u32, depth: u32, delta: u32, looks: u32): void {
	prepareTables();
	input = at;
	size = length;
	full = false;
	memory.fill(at + <usize>length, 0, 64);
	filterX86(at, length, false);
	startWriter(output, <usize>length + 65536);
	startCodes(length < 2 ? 2 : offsetSlot(length - 1) + 1);
	startFinder(at, length, work, nice, depth, delta != 0);
	startParser(at, length, nice, delta != 0, looks);
}
export function lzmsStep(bytes: u32): u32 {
	const to = parsed + min<u32>(bytes, size - parsed);
	while (parsed < to) {
		parseSection();
		if (writtenSize() >= size) {
			full = true;
			return size;
		}
	}
	return parsed;
}
export function lzmsFinish(): usize {
	const stored = full ? <usize>size : finishWriter();
	if (stored < <usize>size) return stored;
	filterX86(input, size, true);
	return 0;
}
export function heapBase(): usize { return __heap_base; }
