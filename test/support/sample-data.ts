import type { Random } from './prefix-code.ts';

/** Content of several kinds that compressors treat differently. */
export function sampleFiles(random: Random, size: number): Record<string, Uint8Array> {
	return {
		text: text(random, size),
		code: code(random, size),
		records: records(size),
		sound: sound(random, size),
		noise: Uint8Array.from({ length: size }, () => random(256)),
		zeros: new Uint8Array(size),
		one: Uint8Array.of(65),
	};
}

const WORDS = 'the quick brown fox jumps over a lazy dog while many images are being read'.split(
	' ',
);

function text(random: Random, size: number): Uint8Array {
	let result = '';
	while (result.length < size)
		result += WORDS[random(WORDS.length)]! + (random(9) === 0 ? '.\n' : ' ');
	return new Uint8Array(Buffer.from(result.slice(0, size)));
}

/** Bytes that look like x64 code: prologues, calls to a few targets, references relative to the instruction. */
function code(random: Random, size: number): Uint8Array {
	const bytes = new Uint8Array(size);
	const view = new DataView(bytes.buffer);
	let at = 0;
	while (at < size - 16) {
		switch (random(5)) {
			case 0:
				bytes[at] = 0xe8;
				view.setInt32(at + 1, random(40) * 1000 - at, true);
				at += 5;
				break;
			case 1:
				bytes.set([0x48, random(2) ? 0x8d : 0x8b, 0x05 + 8 * random(2)], at);
				view.setInt32(at + 3, 100_000 + random(60) * 8 - at, true);
				at += 7;
				break;
			case 2:
				bytes.set([0xff, 0x15], at);
				view.setInt32(at + 2, 90_000 + random(60) * 8 - at, true);
				at += 6;
				break;
			case 3:
				bytes.set([0xf0, 0x83, 0x05, random(256), random(256), 0, 0, 1], at);
				at += 8;
				break;
			default:
				bytes.set(
					[0x40 + random(16), 0x89, 0xc0 + random(64), 0x5d, 0xc3, 0xcc].slice(0, 1 + random(6)),
					at,
				);
				at += 1 + random(6);
		}
	}
	return bytes;
}

/** Structures whose fields grow step by step: food for delta matches. */
function records(size: number): Uint8Array {
	const bytes = new Uint8Array(size);
	const view = new DataView(bytes.buffer);
	for (let at = 0, k = 0; at + 12 <= size; at += 12, k++) {
		view.setUint32(at, 0x10000 + k * 24, true);
		view.setUint32(at + 4, k * k, true);
		view.setUint16(at + 8, k & 7, true);
	}
	return bytes;
}

function sound(random: Random, size: number): Uint8Array {
	const bytes = new Uint8Array(size);
	const view = new DataView(bytes.buffer);
	for (let at = 0; at + 2 <= size; at += 2)
		view.setInt16(
			at,
			Math.round(Math.sin(at / 300) * 9000 + Math.sin(at / 41) * 2000) + random(3),
			true,
		);
	return bytes;
}
