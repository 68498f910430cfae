import { PrefixCode, type Random, randomLengths } from './prefix-code.ts';

/** Writes XPRESS chunks by xpress.md §3, to order: not to compress, but to reach every corner of the format. */

export type XpressItem =
	| { readonly literal: number }
	| { readonly offset: number; readonly length: number };

export interface XpressChunk {
	readonly stored: Uint8Array;
	readonly original: Uint8Array;
}

/** The greatest length that one match can have. */
const LENGTH_MAX = 65538;

/** Items that mean something anywhere: literals, near and far matches, short and very long ones. */
export function randomXpressItems(random: Random, originalSize: number): XpressItem[] {
	const items: XpressItem[] = [];
	const alphabet = 1 + random(256);
	let at = 0;
	while (at < originalSize) {
		const left = originalSize - at;
		if (at === 0 || left < 3 || random(3) > 0) {
			items.push({ literal: random(alphabet) });
			at += 1;
			continue;
		}
		const offset = 1 + (random(2) === 0 ? random(Math.min(at, 40)) : random(Math.min(at, 65535)));
		const limit = Math.min(left, [17, 40, 300, LENGTH_MAX][random(4)]!);
		const length = 3 + random(limit - 2);
		items.push({ offset, length });
		at += length;
	}
	return items;
}

/** The bytes that items mean. */
export function expandXpress(items: readonly XpressItem[]): Uint8Array {
	const output: number[] = [];
	for (const item of items) {
		if ('literal' in item) output.push(item.literal);
		else for (let k = 0; k < item.length; k++) output.push(output[output.length - item.offset]!);
	}
	return Uint8Array.from(output);
}

function symbolOf(item: XpressItem): number {
	if ('literal' in item) return item.literal;
	const bits = Math.floor(Math.log2(item.offset));
	return 256 + bits * 16 + Math.min(15, item.length - 3);
}

export function makeXpress(
	items: readonly XpressItem[],
	random: Random,
	endMarker: boolean,
): XpressChunk {
	const used = new Set(items.map(symbolOf));
	if (endMarker) used.add(256);
	const lengths = randomLengths(used, 512, 15, random);
	const code = new PrefixCode(lengths);
	const bytes: number[] = [];
	for (let k = 0; k < 256; k++) bytes[k] = lengths[2 * k]! + lengths[2 * k + 1]! * 16;

	let w1 = 256;
	let w2 = 258;
	let p = 260;
	const pending: number[] = [];
	const putWord = (at: number, word: readonly number[]): void => {
		const value = Number.parseInt(word.join('').padEnd(16, '0'), 2);
		bytes[at] = value & 255;
		bytes[at + 1] = value >> 8;
	};
	const putBits = (value: number, count: number): void => {
		for (let bit = count - 1; bit >= 0; bit--) pending.push((value >> bit) & 1);
		if (pending.length > 16) {
			putWord(w1, pending.splice(0, 16));
			w1 = w2;
			w2 = p;
			p += 2;
		}
	};
	for (const item of items) {
		const codeword = code.codeword(symbolOf(item));
		putBits(codeword.bits, codeword.length);
		if ('literal' in item) continue;
		const header = item.length - 3;
		if (header >= 270 || (header >= 15 && random(8) === 0)) {
			bytes[p++] = 255;
			bytes[p++] = header & 255;
			bytes[p++] = header >> 8;
		} else if (header >= 15) bytes[p++] = header - 15;
		const extra = Math.floor(Math.log2(item.offset));
		putBits(item.offset - 2 ** extra, extra);
	}
	if (endMarker) {
		const codeword = code.codeword(256);
		putBits(codeword.bits, codeword.length);
	}
	putWord(w1, pending);
	putWord(w2, []);
	return { stored: Uint8Array.from(bytes.slice(0, p)), original: expandXpress(items) };
}
