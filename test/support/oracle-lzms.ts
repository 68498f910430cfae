import { type Bit, codewordsOf, PrefixCode } from './prefix-code.ts';

/** The model of lzms.md, shared by the plain decoder below and the test encoder, written from the document. Slow. */

/** §5: base and number of extra bits of each slot. */
export interface Slots {
	readonly base: readonly number[];
	readonly extra: readonly number[];
}

function makeSlots(runs: readonly (readonly [extra: number, count: number])[]): Slots {
	const base = [1];
	const extra: number[] = [];
	for (const [bits, count] of runs) {
		for (let k = 0; k < count; k++) {
			extra.push(bits);
			base.push(base[base.length - 1]! + 2 ** bits);
		}
	}
	return { base, extra };
}

// biome-ignore format: the table of §5, in its order
export const OFFSET_SLOTS = makeSlots([
	[0, 8], [1, 0], [2, 9], [3, 7], [4, 10], [5, 15], [6, 15], [7, 20], [8, 20], [9, 30], [10, 33], [11, 40], [12, 42],
	[13, 45], [14, 60], [15, 73], [16, 80], [17, 85], [18, 95], [19, 105], [20, 6], [30, 1],
]);
// biome-ignore format: the table of §5, in its order
export const LENGTH_SLOTS = makeSlots([
	[0, 26], [1, 4], [2, 6], [3, 4], [4, 5], [5, 2], [6, 1], [7, 1], [8, 1], [9, 1], [10, 1], [16, 1], [30, 1],
]);

/** The slot that contains a value. */
export function slotOf(slots: Slots, value: number): number {
	let slot = 0;
	while (slots.base[slot + 1]! <= value) slot += 1;
	return slot;
}

/** §3.1, §3.2: a class of decisions with its state and entries. */
export class DecisionClass {
	#state = 0;
	readonly #histories: Bit[][];

	constructor(states: number) {
		// Newest bit first: bit 0 of 0x55555555 is a 1.
		this.#histories = Array.from({ length: states }, () =>
			Array.from({ length: 64 }, (_, bit) => (bit < 32 && bit % 2 === 0 ? 1 : 0)),
		);
	}

	/** Zeros among the last 64 bits, 1..63. */
	probability(): number {
		const zeros = this.#histories[this.#state]!.filter((bit) => bit === 0).length;
		return Math.min(63, Math.max(1, zeros));
	}

	update(bit: Bit): void {
		const history = this.#histories[this.#state]!;
		history.unshift(bit);
		history.pop();
		this.#state = (this.#state * 2 + bit) % this.#histories.length;
	}
}

/** §4: an adaptive Huffman code. */
export class AdaptiveCode {
	readonly #period: number;
	#frequencies: number[];
	#left: number;
	#code: PrefixCode;

	constructor(count: number, period: number) {
		this.#frequencies = new Array<number>(count).fill(1);
		this.#period = period;
		this.#left = period;
		this.#code = new PrefixCode(lengthsFor(this.#frequencies));
	}

	get code(): PrefixCode {
		return this.#code;
	}

	update(symbol: number): void {
		this.#frequencies[symbol]! += 1;
		this.#left -= 1;
		if (this.#left > 0) return;
		this.#code = new PrefixCode(lengthsFor(this.#frequencies));
		this.#frequencies = this.#frequencies.map((frequency) => Math.floor(frequency / 2) + 1);
		this.#left = this.#period;
	}
}

/** §4.1 */
export function lengthsFor(frequencies: readonly number[]): number[] {
	const sorted = frequencies
		.map((frequency, symbol) => ({ frequency, symbol }))
		.sort((a, b) => a.frequency - b.frequency || a.symbol - b.symbol);
	interface Node {
		readonly frequency: number;
		readonly children: readonly Node[];
	}
	const leaves: Node[] = sorted.map(({ frequency }) => ({ frequency, children: [] }));
	const inner: Node[] = [];
	const lowest = (): Node => {
		const leaf = leaves[0];
		const node = inner[0];
		if (leaf && (!node || leaf.frequency <= node.frequency)) return leaves.shift()!;
		return inner.shift()!;
	};
	for (let k = 1; k < sorted.length; k++) {
		const first = lowest();
		const second = lowest();
		inner.push({ frequency: first.frequency + second.frequency, children: [first, second] });
	}
	const depths: number[] = [];
	const visit = (node: Node, depth: number): void => {
		if (node.children.length === 0) depths.push(depth);
		for (const child of node.children) visit(child, depth + 1);
	};
	visit(inner[0]!, 0);
	depths.sort((a, b) => b - a);
	const lengths: number[] = [];
	sorted.forEach(({ symbol }, at) => {
		lengths[symbol] = depths[at]!;
	});
	codewordsOf(lengths);
	return lengths;
}

/** A distance of a delta match. */
export interface Pair {
	readonly power: number;
	readonly raw: number;
}

/** §7: four recent values, of which the one just used cannot be named. */
export class RecentList<T> {
	readonly #list: T[];
	#justUsed = false;

	constructor(list: readonly T[]) {
		this.#list = [...list];
	}

	/** An item that is no match of this kind. */
	other(): void {
		this.#justUsed = false;
	}

	explicit(value: T): void {
		this.#list.unshift(value);
		this.#list.pop();
		this.#justUsed = true;
	}

	recent(index: number): T {
		const [value] = this.#list.splice(index + (this.#justUsed ? 1 : 0), 1);
		this.#list.unshift(value!);
		this.#justUsed = true;
		return value!;
	}

	/** What index 0, 1 or 2 would give now. */
	peek(index: number): T {
		return this.#list[index + (this.#justUsed ? 1 : 0)]!;
	}
}

/** All adaptive state of a chunk. */
export class Model {
	readonly main = new DecisionClass(16);
	readonly match = new DecisionClass(32);
	readonly lz = new DecisionClass(64);
	readonly lzRepeat = [new DecisionClass(64), new DecisionClass(64)] as const;
	readonly delta = new DecisionClass(64);
	readonly deltaRepeat = [new DecisionClass(64), new DecisionClass(64)] as const;
	readonly literals = new AdaptiveCode(256, 1024);
	readonly lengths = new AdaptiveCode(54, 512);
	readonly offsets: AdaptiveCode;
	readonly deltaOffsets: AdaptiveCode;
	readonly powers = new AdaptiveCode(8, 512);
	readonly recentLz = new RecentList<number>([1, 2, 3, 4]);
	readonly recentDelta = new RecentList<Pair>([1, 2, 3, 4].map((raw) => ({ power: 0, raw })));

	constructor(originalSize: number) {
		const slots = slotOf(OFFSET_SLOTS, originalSize - 1) + 1;
		this.offsets = new AdaptiveCode(slots, 1024);
		this.deltaOffsets = new AdaptiveCode(slots, 1024);
	}
}

/** §6: the bytes of a delta match. */
export function copyDelta(output: number[], { power, raw }: Pair, length: number): void {
	const span = 2 ** power;
	const offset = raw * span;
	for (let k = 0; k < length; k++) {
		const i = output.length;
		output.push((output[i - offset]! + output[i - span]! - output[i - span - offset]! + 256) & 255);
	}
}

/** §8, in place. */
export function filterX86(d: Uint8Array, decoding: boolean): void {
	const n = d.length;
	if (n <= 17) return;
	const view = new DataView(d.buffer, d.byteOffset, n);
	const lastUse = new Int32Array(65536).fill(-65536);
	let lastCode = -1024;
	let i = 1;
	while (i < n - 16) {
		const b0 = d[i]!;
		const b1 = d[i + 1]!;
		const b2 = d[i + 2]!;
		let limit = 1023;
		let op = 0;
		if (b0 === 0x48 || b0 === 0x4c) {
			if ((b2 & 7) === 5 && (b1 === 0x8d || (b1 === 0x8b && b0 === 0x48 && (b2 & 0xf0) === 0)))
				op = 3;
		} else if (b0 === 0xe8) {
			op = 1;
			limit = 511;
		} else if (b0 === 0xe9) {
			i += 5;
			continue;
		} else if (b0 === 0xf0) {
			if (b1 === 0x83 && b2 === 0x05) op = 3;
		} else if (b0 === 0xff) {
			if (b1 === 0x15) op = 2;
		}
		if (op === 0) {
			i += 1;
			continue;
		}
		const t = i + op;
		const translate = i - lastCode <= limit;
		if (decoding && translate) view.setUint32(t, view.getUint32(t, true) - i, true);
		const target = (i + view.getUint16(t, true)) % 65536;
		if (!decoding && translate) view.setUint32(t, view.getUint32(t, true) + i, true);
		const e = t + 3;
		if (e - lastUse[target]! <= 65535) lastCode = e;
		lastUse[target] = e;
		i = e + 1;
	}
}

/** Decodes an LZMS chunk by following lzms.md sentence by sentence. */
export function decodeLzmsPlainly(input: Uint8Array, originalSize: number): Uint8Array {
	// §1, §2
	if (input.length % 2 !== 0 || input.length < 4) throw new Error('§1: odd or too short');
	const words: number[] = [];
	for (let k = 0; k < input.length; k += 2) words.push(input[k]! + input[k + 1]! * 256);
	let fromFront = 0;
	const nextWord = (): number => {
		// The range coder is two words ahead of the bits it gives out.
		if (fromFront >= words.length + 2) throw new Error('§2: the front has ended');
		return words[fromFront++] ?? 0;
	};
	let fromBack = 0;
	const nextBit = (): Bit => {
		if (fromBack >= words.length * 16) throw new Error('§2: the back has ended');
		const word = words[words.length - 1 - (fromBack >> 4)]!;
		return ((word >> (15 - (fromBack++ & 15))) & 1) as Bit;
	};
	const nextBits = (count: number): number => {
		let value = 0;
		for (let k = 0; k < count; k++) value = value * 2 + nextBit();
		return value;
	};

	// §3
	let range = 0xffffffff;
	let code = nextWord() * 65536;
	code += nextWord();
	const decide = (decision: DecisionClass): Bit => {
		if (range < 65536) {
			range *= 65536;
			code = ((code * 65536) % 2 ** 32) + nextWord();
		}
		const bound = Math.floor(range / 64) * decision.probability();
		let bit: Bit = 0;
		if (code < bound) range = bound;
		else {
			bit = 1;
			range -= bound;
			code -= bound;
		}
		decision.update(bit);
		return bit;
	};
	const index = (classes: readonly [DecisionClass, DecisionClass]): number =>
		decide(classes[0]) === 0 ? 0 : decide(classes[1]) === 0 ? 1 : 2;
	const symbolOf = (adaptive: AdaptiveCode): number => {
		const symbol = adaptive.code.decode(nextBit);
		adaptive.update(symbol);
		return symbol;
	};
	const slotValue = (adaptive: AdaptiveCode, slots: Slots): number => {
		const slot = symbolOf(adaptive);
		return slots.base[slot]! + nextBits(slots.extra[slot]!);
	};

	// §6
	const model = new Model(originalSize);
	const output: number[] = [];
	while (output.length < originalSize) {
		if (decide(model.main) === 0) {
			output.push(symbolOf(model.literals));
			model.recentLz.other();
			model.recentDelta.other();
		} else if (decide(model.match) === 0) {
			let offset: number;
			if (decide(model.lz) === 0) {
				offset = slotValue(model.offsets, OFFSET_SLOTS);
				model.recentLz.explicit(offset);
			} else offset = model.recentLz.recent(index(model.lzRepeat));
			model.recentDelta.other();
			const length = slotValue(model.lengths, LENGTH_SLOTS);
			if (offset > output.length || length > originalSize - output.length)
				throw new Error('§6: impossible match');
			for (let k = 0; k < length; k++) output.push(output[output.length - offset]!);
		} else {
			let pair: Pair;
			if (decide(model.delta) === 0) {
				const power = symbolOf(model.powers);
				pair = { power, raw: slotValue(model.deltaOffsets, OFFSET_SLOTS) };
				model.recentDelta.explicit(pair);
			} else pair = model.recentDelta.recent(index(model.deltaRepeat));
			model.recentLz.other();
			const length = slotValue(model.lengths, LENGTH_SLOTS);
			const offset = pair.raw * 2 ** pair.power;
			if (offset >= 2 ** 32 || offset + 2 ** pair.power > output.length)
				throw new Error('§6: impossible delta distance');
			if (length > originalSize - output.length) throw new Error('§6: impossible delta length');
			copyDelta(output, pair, length);
		}
	}
	const bytes = Uint8Array.from(output);
	filterX86(bytes, true);
	return bytes;
}
