import { SLOTS, slotCount, translateE8 } from './oracle-lzx.ts';
import { PrefixCode, type Random, randomLengths } from './prefix-code.ts';

/** Writes LZX chunks by lzx.md, to order: not to compress, but to reach every corner of the format. */

type Item =
	| { readonly literal: number }
	| { readonly slot: number; readonly offset: number; readonly length: number };

export interface LzxBlock {
	readonly kind: 'verbatim' | 'aligned' | 'uncompressed';
	/** In bytes of output. */
	readonly size: number;
}

export interface LzxChunk {
	readonly stored: Uint8Array;
	readonly original: Uint8Array;
	/** How many bits of its word were used where each block begins: 0 to 15. */
	readonly phases: readonly number[];
}

/** The bit stream of §2. */
export class BitWriter {
	readonly bytes: number[] = [];
	#pending: number[] = [];

	bits(value: number, count: number): void {
		for (let bit = count - 1; bit >= 0; bit--) {
			this.#pending.push(Math.floor(value / 2 ** bit) & 1);
			if (this.#pending.length === 16) this.flush();
		}
	}

	symbol(code: PrefixCode, symbol: number): void {
		const { bits, length } = code.codeword(symbol);
		this.bits(bits, length);
	}

	/** Completes the word that was begun, if one was. */
	flush(): void {
		if (this.#pending.length === 0) return;
		const word = Number.parseInt(this.#pending.join('').padEnd(16, '0'), 2);
		this.bytes.push(word & 255, word >> 8);
		this.#pending = [];
	}

	/** §6 point 1: pads by 1 to 16 bits. */
	align(): void {
		this.bits(0, 1);
		this.flush();
	}

	/** How many bits the word that was begun holds. */
	get phase(): number {
		return this.#pending.length;
	}
}

/** What goes from block to block. */
interface State {
	readonly order: number;
	readonly output: number[];
	recent: [number, number, number];
	mainLengths: number[];
	lengthLengths: number[];
}

/** A chunk of the given blocks, with random content. */
export function makeLzx(
	chunkSize: number,
	blocks: readonly LzxBlock[],
	random: Random,
	trailingPad = true,
): LzxChunk {
	const order = Math.log2(chunkSize);
	const state: State = {
		order,
		output: [],
		recent: [1, 1, 1],
		mainLengths: new Array<number>(256 + 8 * slotCount(order)).fill(0),
		lengthLengths: new Array<number>(249).fill(0),
	};
	const writer = new BitWriter();
	const phases: number[] = [];
	blocks.forEach((block, at) => {
		phases.push(writer.phase);
		if (block.kind === 'uncompressed') {
			const padded = trailingPad || at < blocks.length - 1;
			writeUncompressed(writer, state, block.size, random, padded);
		} else writeCompressed(writer, state, block, random);
	});
	writer.flush();
	const original = Uint8Array.from(state.output);
	translateE8(original);
	return { stored: Uint8Array.from(writer.bytes), original, phases };
}

function writeHeader(
	writer: BitWriter,
	state: State,
	type: number,
	size: number,
	explicit: boolean,
): void {
	writer.bits(type, 3);
	if (size === 32768 && !explicit) writer.bits(1, 1);
	else {
		writer.bits(0, 1);
		writer.bits(size, state.order === 15 ? 16 : 24);
	}
}

function writeUncompressed(
	writer: BitWriter,
	state: State,
	size: number,
	random: Random,
	padded: boolean,
): void {
	writeHeader(writer, state, 3, size, random(2) === 0);
	writer.align();
	state.recent = [1 + random(30), 1 + random(300), 1 + random(30000)];
	for (const offset of state.recent)
		writer.bytes.push(offset & 255, (offset >> 8) & 255, (offset >> 16) & 255, 0);
	for (let k = 0; k < size; k++) {
		const byte = random(8) === 0 ? 0xe8 : random(20) === 0 ? 0xff : random(4);
		writer.bytes.push(byte);
		state.output.push(byte);
	}
	if (size % 2 === 1 && padded) writer.bytes.push(0);
}

function randomItems(state: State, size: number, random: Random): Item[] {
	const { output } = state;
	const end = output.length + size;
	const items: Item[] = [];
	const matchShare = random(4);
	const alphabet = [0xe8, 0, 0xff, random(256), random(256), random(256)].slice(0, 1 + random(6));
	const longest = [8, 9, 40, 257][random(4)]!;
	while (output.length < end) {
		const left = end - output.length;
		const at = output.length;
		if (at === 0 || left < 2 || random(4) > matchShare) {
			const literal = random(10) === 0 ? random(256) : alphabet[random(alphabet.length)]!;
			items.push({ literal });
			output.push(literal);
			continue;
		}
		const length = 2 + random(Math.min(left, longest) - 1);
		const choice = random(3);
		const named = random(3);
		if (choice === 0 && state.recent[named]! <= at) {
			const offset = state.recent[named]!;
			state.recent[named] = state.recent[0];
			state.recent[0] = offset;
			items.push({ slot: named, offset, length });
		} else {
			const largest = Math.min(at, 2 ** state.order - 3);
			const offset = 1 + random(random(2) === 0 ? largest : Math.min(largest, 50));
			let slot = 3;
			while (SLOTS.base[slot + 1]! <= offset) slot += 1;
			state.recent = [offset, state.recent[0], state.recent[1]];
			items.push({ slot, offset, length });
		}
		const { offset } = items[items.length - 1] as { readonly offset: number };
		for (let k = 0; k < length; k++) output.push(output[output.length - offset]!);
	}
	return items;
}

function writeCompressed(writer: BitWriter, state: State, block: LzxBlock, random: Random): void {
	const aligned = block.kind === 'aligned';
	writeHeader(writer, state, aligned ? 2 : 1, block.size, random(2) === 0);
	const items = randomItems(state, block.size, random);

	const mains = new Set<number>();
	const longs = new Set<number>();
	for (const item of items) {
		mains.add(mainSymbol(item));
		if (!('literal' in item) && item.length >= 9) longs.add(item.length - 9);
	}
	const mainLengths = randomLengths(mains, state.mainLengths.length, 16, random);
	// A block without long matches may leave the length code empty.
	const lengthLengths =
		longs.size === 0 && random(2) === 0
			? new Array<number>(249).fill(0)
			: randomLengths(longs, 249, 16, random);
	const alignedLengths = randomLengths(new Set([0, 1, 2, 3, 4, 5, 6, 7]), 8, 7, random);

	if (aligned) for (const length of alignedLengths) writer.bits(length, 3);
	writeLengths(writer, state.mainLengths.slice(0, 256), mainLengths.slice(0, 256), random);
	writeLengths(writer, state.mainLengths.slice(256), mainLengths.slice(256), random);
	writeLengths(writer, state.lengthLengths, lengthLengths, random);
	state.mainLengths = mainLengths;
	state.lengthLengths = lengthLengths;

	const main = new PrefixCode(mainLengths);
	const long = new PrefixCode(lengthLengths);
	const low = new PrefixCode(alignedLengths);
	for (const item of items) {
		writer.symbol(main, mainSymbol(item));
		if ('literal' in item) continue;
		if (item.length >= 9) writer.symbol(long, item.length - 9);
		if (item.slot < 3) continue;
		const value = item.offset - SLOTS.base[item.slot]!;
		const extra = SLOTS.extra[item.slot]!;
		if (aligned && extra >= 3) {
			writer.bits(value >> 3, extra - 3);
			writer.symbol(low, value & 7);
		} else writer.bits(value, extra);
	}
}

function mainSymbol(item: Item): number {
	return 'literal' in item ? item.literal : 256 + item.slot * 8 + Math.min(7, item.length - 2);
}

interface PretreeItem {
	readonly symbol: number;
	readonly extra?: number;
	readonly extraBits?: number;
	/** The second symbol of a run of equal lengths. */
	readonly delta?: number;
}

/** §5, choosing at random among the ways to say the same. */
function writeLengths(
	writer: BitWriter,
	old: readonly number[],
	lengths: readonly number[],
	random: Random,
): void {
	const items: PretreeItem[] = [];
	let i = 0;
	while (i < lengths.length) {
		let run = 1;
		while (i + run < lengths.length && lengths[i + run] === lengths[i]) run += 1;
		const delta = (old[i]! - lengths[i]! + 17) % 17;
		const choice = random(4);
		if (lengths[i] === 0 && run >= 20 && choice > 0) {
			const count = Math.min(51, 20 + random(run - 19));
			items.push({ symbol: 18, extra: count - 20, extraBits: 5 });
			i += count;
		} else if (lengths[i] === 0 && run >= 4 && choice > 1) {
			const count = Math.min(19, 4 + random(run - 3));
			items.push({ symbol: 17, extra: count - 4, extraBits: 4 });
			i += count;
		} else if (run >= 4 && choice > 0) {
			const count = Math.min(5, 4 + random(run - 3));
			items.push({ symbol: 19, extra: count - 4, extraBits: 1, delta });
			i += count;
		} else {
			items.push({ symbol: delta });
			i += 1;
		}
	}
	const used = new Set(
		items.flatMap(({ symbol, delta }) => [symbol, ...(delta === undefined ? [] : [delta])]),
	);
	const pretreeLengths = randomLengths(used, 20, 15, random);
	const pretree = new PrefixCode(pretreeLengths);
	for (const length of pretreeLengths) writer.bits(length, 4);
	for (const item of items) {
		writer.symbol(pretree, item.symbol);
		if (item.extraBits !== undefined) writer.bits(item.extra!, item.extraBits);
		if (item.delta !== undefined) writer.symbol(pretree, item.delta);
	}
}
