import { type Bit, CodeError, PrefixCode } from './prefix-code.ts';

/** The tables of lzx.md §3 and a decoder that follows the document sentence by sentence. Slow. */

/** §3: how many offset slots a window order has. */
export function slotCount(order: number): number {
	const { base } = SLOTS;
	for (let slots = 30; ; slots++) if (base[slots]! > 2 ** order - 3) return slots;
}

/** §3: base and number of extra bits of each offset slot. */
export const SLOTS = makeSlots();

function makeSlots(): { readonly base: readonly number[]; readonly extra: readonly number[] } {
	const extra: number[] = [];
	const formatted = [0];
	for (let s = 0; s <= 50; s++) {
		extra[s] = s < 4 ? 0 : Math.min(17, Math.floor(s / 2) - 1);
		formatted[s + 1] = formatted[s]! + 2 ** extra[s]!;
	}
	return { base: formatted.map((value) => value - 2), extra };
}

interface Reader {
	nextBit(): Bit;
	nextBits(count: number): number;
}

/** §5: changes `lengths` from `from` to `to` as the stream says. */
function readLengths(reader: Reader, lengths: number[], from: number, to: number): void {
	const pretreeLengths: number[] = [];
	for (let k = 0; k < 20; k++) pretreeLengths.push(reader.nextBits(4));
	if (pretreeLengths.every((length) => length === 0)) throw new CodeError('empty pretree');
	const pretree = new PrefixCode(pretreeLengths);
	let i = from;
	while (i < to) {
		const symbol = pretree.decode(reader.nextBit);
		let run = 1;
		let value = 0;
		if (symbol <= 16) value = (lengths[i]! - symbol + 17) % 17;
		else if (symbol === 17) run = 4 + reader.nextBits(4);
		else if (symbol === 18) run = 20 + reader.nextBits(5);
		else {
			run = 4 + reader.nextBits(1);
			const delta = pretree.decode(reader.nextBit);
			if (delta > 16) throw new Error('§5: bad symbol in a run');
			value = (lengths[i]! - delta + 17) % 17;
		}
		if (i + run > to) throw new Error('§5: run too long');
		for (let k = 0; k < run; k++) lengths[i++] = value;
	}
}

/** §8, the decoding direction, in place. */
export function translateE8(data: Uint8Array): void {
	const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
	const n = data.length;
	let i = 0;
	while (i < n - 10) {
		if (data[i] !== 0xe8) {
			i += 1;
			continue;
		}
		const x = view.getInt32(i + 1, true);
		if (x >= 0 && x < 12000000) view.setInt32(i + 1, x - i, true);
		else if (x >= -i && x < 0) view.setInt32(i + 1, x + 12000000, true);
		i += 5;
	}
}

export function decodeLzxPlainly(
	input: Uint8Array,
	chunkSize: number,
	originalSize: number,
): Uint8Array {
	const order = Math.log2(chunkSize);
	const mainSymbols = 256 + 8 * slotCount(order);

	// §2: position in bits.
	let at = 0;
	const nextBit = (): Bit => {
		if (at >= input.length * 8 + 16) throw new Error('§2: bits that do not exist');
		const wordAt = (at >> 4) * 2;
		const word = (input[wordAt] ?? 0) + (input[wordAt + 1] ?? 0) * 256;
		const bit = (word >> (15 - (at & 15))) & 1;
		at += 1;
		return bit as Bit;
	};
	const nextBits = (count: number): number => {
		let value = 0;
		for (let k = 0; k < count; k++) value = value * 2 + nextBit();
		return value;
	};
	const reader = { nextBit, nextBits };

	const mainLengths = new Array<number>(mainSymbols).fill(0);
	const lengthLengths = new Array<number>(249).fill(0);
	let recent: [number, number, number] = [1, 1, 1];
	const output: number[] = [];
	while (output.length < originalSize) {
		// §4
		const type = nextBits(3);
		const size = nextBit() === 1 ? 32768 : nextBits(order === 15 ? 16 : 24);
		if (type < 1 || type > 3) throw new Error('§4: unknown block type');
		if (size < 1 || size > originalSize - output.length) throw new Error('§4: bad block size');
		const blockEnd = output.length + size;

		if (type === 3) {
			// §6
			at = (Math.floor(at / 16) + 1) * 16;
			let p = at / 8;
			if (p + 12 + size > input.length) throw new Error('§6: bytes that do not exist');
			const view = new DataView(input.buffer, input.byteOffset + p, 12);
			recent = [view.getUint32(0, true), view.getUint32(4, true), view.getUint32(8, true)];
			if (recent.includes(0)) throw new Error('§6: recent offset 0');
			p += 12;
			for (let k = 0; k < size; k++) output.push(input[p++]!);
			if (size % 2 === 1) p += 1;
			at = p * 8;
			// The padding byte of the last block may be absent.
			if (p > input.length) {
				if (output.length < originalSize) throw new Error('§2: bits that do not exist');
				at = input.length * 8;
			}
			continue;
		}

		const alignedLengths: number[] = [];
		if (type === 2) for (let k = 0; k < 8; k++) alignedLengths.push(nextBits(3));
		readLengths(reader, mainLengths, 0, 256);
		readLengths(reader, mainLengths, 256, mainSymbols);
		readLengths(reader, lengthLengths, 0, 249);
		if (mainLengths.every((length) => length === 0)) throw new CodeError('empty main code');
		const main = new PrefixCode(mainLengths);
		const long = new PrefixCode(lengthLengths);
		const aligned = type === 2 ? new PrefixCode(alignedLengths) : null;

		// §7
		while (output.length < blockEnd) {
			const symbol = main.decode(nextBit);
			if (symbol < 256) {
				output.push(symbol);
				continue;
			}
			const header = (symbol - 256) & 7;
			const slot = (symbol - 256) >> 3;
			const length = header < 7 ? header + 2 : 9 + long.decode(nextBit);
			let offset: number;
			const [r0, r1, r2] = recent;
			if (slot === 0) offset = r0;
			else if (slot === 1) {
				offset = r1;
				recent = [r1, r0, r2];
			} else if (slot === 2) {
				offset = r2;
				recent = [r2, r1, r0];
			} else {
				const extra = SLOTS.extra[slot]!;
				offset = SLOTS.base[slot]!;
				if (aligned !== null && extra >= 3) {
					offset += nextBits(extra - 3) * 8;
					offset += aligned.decode(nextBit);
				} else offset += nextBits(extra);
				recent = [offset, r0, r1];
			}
			if (offset > output.length) throw new Error('§7: offset too large');
			if (length > blockEnd - output.length)
				throw new Error('§4: match passes the end of its block');
			for (let k = 0; k < length; k++) output.push(output[output.length - offset]!);
		}
	}
	if (at > input.length * 8) throw new Error('§2: bits that do not exist');
	const bytes = Uint8Array.from(output);
	translateE8(bytes);
	return bytes;
}
