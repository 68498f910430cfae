/** Names for contents whose own names are lost: the SHA-1, with an ending guessed from the first bytes. */

const ENDINGS: readonly (readonly [magic: string, ending: string])[] = [
	['4d5a', 'exe'],
	['7f454c46', 'elf'],
	['89504e470d0a1a0a', 'png'],
	['ffd8ff', 'jpg'],
	['474946383', 'gif'],
	['504b0304', 'zip'],
	['4d534346', 'cab'],
	['4d5357494d000000', 'wim'],
	['574c50574d000000', 'wim'],
	['25504446', 'pdf'],
	['d0cf11e0a1b11ae1', 'msi'],
	['72656766', 'hive'],
	['526172211a07', 'rar'],
	['377abcaf271c', '7z'],
	['1f8b', 'gz'],
	['fd377a585a00', 'xz'],
	['424d', 'bmp'],
	['00000100', 'ico'],
	['4f544630', 'otf'],
	['0001000000', 'ttf'],
	['52494646', 'riff'],
	['494433', 'mp3'],
	['456c6646696c6500', 'evtx'],
	['4d444d50', 'dmp'],
	['504d4343', 'grp'],
];

/** An ending without dot, guessed from the beginning of the contents; `bin` when nothing is known. */
export function guessEnding(head: Uint8Array): string {
	const hex = [...head.subarray(0, 16)].map((byte) => byte.toString(16).padStart(2, '0')).join('');
	for (const [magic, ending] of ENDINGS) if (hex.startsWith(magic)) return ending;
	if (hex.startsWith('fffe') || hex.startsWith('efbbbf')) return 'txt';
	if (hex.startsWith('3c3f786d6c')) return 'xml';
	if (
		head.length > 0 &&
		head.every((byte) => byte === 9 || byte === 10 || byte === 13 || (byte >= 32 && byte < 127))
	)
		return 'txt';
	return 'bin';
}
