/** Kinds of content that the compressors meet, each made from a seed. */
export const CONTENT_KINDS = [
	'random',
	'text',
	'zeros',
	'repeated',
	'code',
	'tables',
	'sound',
	'mixed',
] as const;
export type ContentKind = (typeof CONTENT_KINDS)[number];

/** Numbers below a limit, the same for the same seed. */
export type Dice = (limit: number) => number;

/** A small generator of pseudo-random numbers (xorshift32). */
export function dice(seed: number): Dice {
	let state = (seed * 2_654_435_761 + 88_675_123) >>> 0 || 1;
	return (limit) => {
		state ^= state << 13;
		state ^= state >>> 17;
		state ^= state << 5;
		state >>>= 0;
		return Math.floor((state / 2 ** 32) * limit);
	};
}

/** This many bytes of one kind of content. */
export function content(kind: ContentKind, size: number, seed: number): Uint8Array {
	const bytes = new Uint8Array(size);
	FILLERS[kind](bytes, dice(seed));
	return bytes;
}

type Filler = (bytes: Uint8Array, roll: Dice) => void;

const FILLERS: Readonly<Record<ContentKind, Filler>> = {
	random: (bytes, roll) => {
		for (let i = 0; i < bytes.length; i++) bytes[i] = roll(256);
	},
	text: fillText,
	zeros: () => {},
	repeated: (bytes, roll) => {
		const period = 1 + roll(300);
		for (let i = 0; i < bytes.length; i++) {
			bytes[i] = i < period ? roll(256) : bytes[i - period]!;
			if (roll(5000) === 0) bytes[i] = roll(256);
		}
	},
	code: fillCode,
	tables: fillTables,
	sound: fillSound,
	mixed: fillMixed,
};

function fillText(bytes: Uint8Array, roll: Dice): void {
	const words = Array.from({ length: 200 }, () => {
		const letters = Array.from({ length: 1 + roll(9) }, () => 97 + roll(26));
		return String.fromCharCode(...letters);
	});
	let line = '';
	for (let at = 0; at < bytes.length; at++) {
		if (line === '') line = `${words[roll(roll(200) + 1)]}${roll(12) === 0 ? '.\n' : ' '}`;
		bytes[at] = line.charCodeAt(0);
		line = line.slice(1);
	}
}

/** Opcodes with 32-bit displacements to a few targets, among other bytes that come again and again. */
function fillCode(bytes: Uint8Array, roll: Dice): void {
	const opcodes = [
		[0xe8],
		[0xe8],
		[0xff, 0x15],
		[0x48, 0x8d, 0x05],
		[0x4c, 0x8d, 0x0d],
		[0x48, 0x8b, 0x0d],
		[0xf0, 0x83, 0x05],
		[0xe9],
	];
	const targets = Array.from({ length: 40 }, () => roll(bytes.length + 1));
	const view = new DataView(bytes.buffer);
	let at = 0;
	while (at + 16 < bytes.length) {
		for (let i = roll(12); i > 0 && at + 16 < bytes.length; i--)
			bytes[at++] = [0x8b, 0x45, 0x89, 0x24, 0x83, 0xec, 0x0f, 0x74][roll(8)]!;
		for (const byte of opcodes[roll(opcodes.length)]!) bytes[at++] = byte;
		if (at + 4 > bytes.length) break;
		view.setUint32(at, (targets[roll(40)]! - at) >>> 0, true);
		at += 4;
	}
}

/** Records of numbers that grow by steps. */
function fillTables(bytes: Uint8Array, roll: Dice): void {
	const view = new DataView(bytes.buffer);
	let at = 0;
	while (at < bytes.length) {
		const width = 2 ** (1 + roll(5));
		const step = roll(3) === 0 ? 1 : roll(5000);
		let value = roll(2 ** 31);
		for (let count = 5 + roll(200); count > 0 && at + width + 4 < bytes.length; count--) {
			if (width >= 4) view.setUint32(at, value >>> 0, true);
			else view.setUint16(at, value & 0xffff, true);
			value += step;
			at += width;
		}
		for (let i = 0; i < width + 4 && at < bytes.length; i++) bytes[at++] = roll(256);
	}
}

/** 16-bit samples of two tones and a little noise. */
function fillSound(bytes: Uint8Array, roll: Dice): void {
	const view = new DataView(bytes.buffer);
	const one = 0.001 + roll(1000) / 20_000;
	const two = 0.001 + roll(1000) / 5000;
	for (let at = 0; at + 2 <= bytes.length; at += 2) {
		const sample = 8000 * Math.sin(at * one) + 3000 * Math.sin(at * two) + roll(8);
		view.setInt16(at, Math.round(sample), true);
	}
}

function fillMixed(bytes: Uint8Array, roll: Dice): void {
	const kinds = CONTENT_KINDS.filter((kind) => kind !== 'mixed');
	let at = 0;
	while (at < bytes.length) {
		const size = Math.min(1 + roll(20_000), bytes.length - at);
		const source = at > 0 && roll(4) === 0 ? roll(at) : -1;
		if (source >= 0) bytes.copyWithin(at, source, Math.min(source + size, at));
		else bytes.set(content(kinds[roll(kinds.length)]!, size, roll(2 ** 31)), at);
		at += size;
	}
}
