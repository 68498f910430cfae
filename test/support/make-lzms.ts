import {
	type AdaptiveCode,
	copyDelta,
	type DecisionClass,
	filterX86,
	LENGTH_SLOTS,
	Model,
	OFFSET_SLOTS,
	type Pair,
	type Slots,
	slotOf,
} from './oracle-lzms.ts';
import type { Bit, Random } from './prefix-code.ts';

/** Writes LZMS chunks by lzms.md §10, to order: not to compress, but to reach every corner of the format. */

export interface LzmsChunk {
	readonly stored: Uint8Array;
	readonly original: Uint8Array;
}

/** §10.1 */
class RangeEncoder {
	readonly words: number[] = [];
	#low = 0;
	#range = 0xffffffff;
	#cache = 0;
	#pending = 1;
	#first = true;

	bit(bit: Bit, probability: number): void {
		if (this.#range < 65536) {
			this.#range *= 65536;
			this.#shiftLow();
		}
		const bound = Math.floor(this.#range / 64) * probability;
		if (bit === 0) this.#range = bound;
		else {
			this.#low += bound;
			this.#range -= bound;
		}
	}

	finish(): void {
		for (let k = 0; k < 4; k++) this.#shiftLow();
	}

	#shiftLow(): void {
		if (this.#low < 0xffff0000 || this.#low >= 2 ** 32) {
			const carry = Math.floor(this.#low / 2 ** 32);
			if (!this.#first) this.words.push((this.#cache + carry) & 0xffff);
			this.#first = false;
			for (; this.#pending > 1; this.#pending--) this.words.push((0xffff + carry) & 0xffff);
			this.#pending = 0;
			this.#cache = Math.floor(this.#low / 65536) & 0xffff;
		}
		this.#pending += 1;
		this.#low = (this.#low % 65536) * 65536;
	}
}

type LzItem =
	| { readonly kind: 'lz'; readonly offset: number; readonly length: number }
	| { readonly kind: 'lz-recent'; readonly index: number; readonly length: number };
type DeltaItem =
	| ({ readonly kind: 'delta'; readonly length: number } & Pair)
	| { readonly kind: 'delta-recent'; readonly index: number; readonly length: number };
/** What to write; distances that are not possible yet become literals. */
export type LzmsItem = { readonly kind: 'literal'; readonly byte: number } | LzItem | DeltaItem;

/** Writes one chunk, item by item. */
export class LzmsWriter {
	readonly output: number[] = [];
	readonly #originalSize: number;
	readonly #model: Model;
	readonly #front = new RangeEncoder();
	readonly #back: Bit[] = [];

	constructor(originalSize: number) {
		this.#originalSize = originalSize;
		this.#model = new Model(originalSize);
	}

	/** Writes the item, cut to the room that is left; a literal 0 instead if its distance is not possible here. */
	put(item: LzmsItem): void {
		if (item.kind === 'literal') this.#literal(item.byte);
		else if (item.kind === 'lz' || item.kind === 'lz-recent') this.#lz(item);
		else this.#delta(item);
	}

	/** Writes a delta match whose distance is not possible; nothing can follow. */
	putBrokenDelta({ power, raw }: Pair): void {
		this.#decide(this.#model.main, 1);
		this.#decide(this.#model.match, 1);
		this.#decide(this.#model.delta, 0);
		this.#symbol(this.#model.powers, power);
		this.#value(this.#model.deltaOffsets, OFFSET_SLOTS, raw);
		this.#length(this.#originalSize);
	}

	#lz(item: LzItem): void {
		const model = this.#model;
		const offset = item.kind === 'lz' ? item.offset : model.recentLz.peek(item.index);
		if (offset > this.output.length) {
			this.#literal(0);
			return;
		}
		this.#decide(model.main, 1);
		this.#decide(model.match, 0);
		if (item.kind === 'lz') {
			this.#decide(model.lz, 0);
			this.#value(model.offsets, OFFSET_SLOTS, offset);
			model.recentLz.explicit(offset);
		} else {
			this.#decide(model.lz, 1);
			this.#index(model.lzRepeat, item.index);
			model.recentLz.recent(item.index);
		}
		model.recentDelta.other();
		const length = this.#length(item.length);
		for (let k = 0; k < length; k++) this.output.push(this.output[this.output.length - offset]!);
	}

	#delta(item: DeltaItem): void {
		const model = this.#model;
		const pair = item.kind === 'delta' ? item : model.recentDelta.peek(item.index);
		if ((pair.raw + 1) * 2 ** pair.power > this.output.length) {
			this.#literal(0);
			return;
		}
		this.#decide(model.main, 1);
		this.#decide(model.match, 1);
		if (item.kind === 'delta') {
			this.#decide(model.delta, 0);
			this.#symbol(model.powers, item.power);
			this.#value(model.deltaOffsets, OFFSET_SLOTS, item.raw);
			model.recentDelta.explicit({ power: item.power, raw: item.raw });
		} else {
			this.#decide(model.delta, 1);
			this.#index(model.deltaRepeat, item.index);
			model.recentDelta.recent(item.index);
		}
		model.recentLz.other();
		copyDelta(this.output, pair, this.#length(item.length));
	}

	#length(wanted: number): number {
		const length = Math.min(wanted, this.#originalSize - this.output.length);
		this.#value(this.#model.lengths, LENGTH_SLOTS, length);
		return length;
	}

	finish(): LzmsChunk {
		this.#front.finish();
		const { words } = this.#front;
		const back = [...this.#back];
		while (back.length % 16 !== 0) back.push(0);
		const backWords: number[] = [];
		for (let k = 0; k < back.length; k += 16)
			backWords.unshift(Number.parseInt(back.slice(k, k + 16).join(''), 2));
		const stored = [...words, ...backWords].flatMap((word) => [word & 255, word >> 8]);
		const original = Uint8Array.from(this.output);
		filterX86(original, true);
		return { stored: Uint8Array.from(stored), original };
	}

	#literal(byte: number): void {
		this.#decide(this.#model.main, 0);
		this.#symbol(this.#model.literals, byte);
		this.#model.recentLz.other();
		this.#model.recentDelta.other();
		this.output.push(byte);
	}

	#decide(decision: DecisionClass, bit: Bit): void {
		this.#front.bit(bit, decision.probability());
		decision.update(bit);
	}

	#index(classes: readonly [DecisionClass, DecisionClass], index: number): void {
		this.#decide(classes[0], index === 0 ? 0 : 1);
		if (index > 0) this.#decide(classes[1], index === 1 ? 0 : 1);
	}

	#bits(value: number, count: number): void {
		for (let bit = count - 1; bit >= 0; bit--)
			this.#back.push((Math.floor(value / 2 ** bit) & 1) as Bit);
	}

	#symbol(adaptive: AdaptiveCode, symbol: number): void {
		const { bits, length } = adaptive.code.codeword(symbol);
		this.#bits(bits, length);
		adaptive.update(symbol);
	}

	#value(adaptive: AdaptiveCode, slots: Slots, value: number): void {
		const slot = slotOf(slots, value);
		this.#symbol(adaptive, slot);
		this.#bits(value - slots.base[slot]!, slots.extra[slot]!);
	}
}

const CODE = [
	0x48, 0x8d, 0x05, 0x4c, 0x8b, 0x0d, 0xe8, 0xe9, 0xf0, 0x83, 0x05, 0xff, 0x15, 0, 1, 0x7f,
];

/** A chunk of random items: literals, all kinds of matches, and much that looks like x86 code. */
export function makeRandomLzms(originalSize: number, random: Random): LzmsChunk {
	const writer = new LzmsWriter(originalSize);
	const literalShare = random(8);
	const longest = [3, 30, 300, 5000][random(4)]!;
	while (writer.output.length < originalSize) {
		const at = writer.output.length;
		const length = 1 + random(longest);
		if (at < 2 || random(10) < literalShare) {
			writer.put({
				kind: 'literal',
				byte: random(3) > 0 ? CODE[random(CODE.length)]! : random(256),
			});
			continue;
		}
		const far = random(3) === 0 ? at : Math.min(at, 60);
		switch (random(4)) {
			case 0:
				writer.put({ kind: 'lz', offset: 1 + random(far), length });
				break;
			case 1:
				writer.put({ kind: 'lz-recent', index: random(3), length });
				break;
			case 2: {
				const power = random(8);
				writer.put({ kind: 'delta', power, raw: 1 + random(Math.max(1, far >> power)), length });
				break;
			}
			default:
				writer.put({ kind: 'delta-recent', index: random(3), length });
		}
	}
	return writer.finish();
}
