import { type Bit, PrefixCode } from './prefix-code.ts';

/** Decodes an XPRESS chunk by following xpress.md sentence by sentence. Slow. */
export function decodeXpressPlainly(input: Uint8Array, originalSize: number): Uint8Array {
	if (input.length < 256) throw new Error('§2.1: less than 256 bytes');

	// §2.1
	const lengths: number[] = [];
	for (let k = 0; k < 256; k++) {
		lengths[2 * k] = input[k]! & 15;
		lengths[2 * k + 1] = input[k]! >> 4;
	}
	if (lengths.every((length) => length === 0)) throw new Error('§2.2: empty code');
	const code = new PrefixCode(lengths);

	// §2.4, §2.5: words and raw bytes share one read pointer; 16 bits are always held.
	const held: Bit[] = [];
	let p = 256;
	const fetchWord = () => {
		const word = (input[p] ?? 0) + (input[p + 1] ?? 0) * 256;
		p += 2;
		for (let bit = 15; bit >= 0; bit--) held.push(((word >> bit) & 1) as Bit);
	};
	const nextBit = (): Bit => {
		if (held.length === 0) {
			fetchWord();
			fetchWord();
		}
		const bit = held.shift()!;
		if (held.length < 16) fetchWord();
		if (p * 8 - held.length > input.length * 8) throw new Error('§2.5: bits that do not exist');
		return bit;
	};
	const nextBits = (count: number): number => {
		let value = 0;
		for (let k = 0; k < count; k++) value = value * 2 + nextBit();
		return value;
	};
	const nextByte = (): number => {
		const byte = input[p++];
		if (byte === undefined) throw new Error('§2.5: a byte that does not exist');
		return byte;
	};

	// §2.3
	const output: number[] = [];
	while (output.length < originalSize) {
		const symbol = code.decode(nextBit);
		if (symbol < 256) {
			output.push(symbol);
			continue;
		}
		let length = (symbol & 15) + 3;
		if ((symbol & 15) === 15) {
			const byte = nextByte();
			length = byte + 15 + 3;
			if (byte === 255) {
				const word = nextByte() + nextByte() * 256;
				if (word < 15) throw new Error('§2.3: long form of a short length');
				length = word + 3;
			}
		}
		const bits = (symbol - 256) >> 4;
		const offset = 2 ** bits + nextBits(bits);
		if (offset > output.length) throw new Error('§2.3: offset too large');
		if (length > originalSize - output.length) throw new Error('§2.3: length too large');
		for (let k = 0; k < length; k++) output.push(output[output.length - offset]!);
	}
	return Uint8Array.from(output);
}
