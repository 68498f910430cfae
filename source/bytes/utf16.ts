/** UTF-16LE text. Names are arbitrary 16-bit units: unpaired surrogates survive a round trip. */

/** Decodes units exactly as they stand; an odd last byte is ignored. */
export function decodeUtf16(bytes: Uint8Array): string {
	return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength & ~1).toString('utf16le');
}

export function encodeUtf16(text: string): Uint8Array {
	const buffer = Buffer.from(text, 'utf16le');
	return new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength);
}

/**
 * Text to bytes of a Unix file name: UTF-8 in which an unpaired surrogate is coded like any other
 * unit (ED A0..BF xx), so that every name has bytes of its own.
 */
export function encodeWtf8(text: string): Uint8Array {
	if (!/[\ud800-\udfff]/.test(text)) return new TextEncoder().encode(text);
	const bytes: number[] = [];
	for (const char of text) {
		const code = char.codePointAt(0)!;
		if (code < 0x80) bytes.push(code);
		else if (code < 0x800) bytes.push(0xc0 | (code >> 6), 0x80 | (code & 63));
		else if (code < 0x1_0000)
			bytes.push(0xe0 | (code >> 12), 0x80 | ((code >> 6) & 63), 0x80 | (code & 63));
		else
			bytes.push(
				0xf0 | (code >> 18),
				0x80 | ((code >> 12) & 63),
				0x80 | ((code >> 6) & 63),
				0x80 | (code & 63),
			);
	}
	return Uint8Array.from(bytes);
}

/** The inverse of `encodeWtf8`; null when the bytes are not (generalised) UTF-8. */
export function decodeWtf8(bytes: Uint8Array): string | null {
	try {
		return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
	} catch {
		return decodeSurrogates(bytes);
	}
}

function decodeSurrogates(bytes: Uint8Array): string | null {
	let text = '';
	for (let at = 0; at < bytes.length; ) {
		const first = bytes[at]!;
		const count =
			first < 0x80
				? 1
				: first >= 0xc2 && first < 0xe0
					? 2
					: first >= 0xe0 && first < 0xf0
						? 3
						: first >= 0xf0 && first < 0xf5
							? 4
							: 0;
		if (count === 0 || at + count > bytes.length) return null;
		let code = count === 1 ? first : first & (0xff >> (count + 1));
		for (let k = 1; k < count; k++) {
			const next = bytes[at + k]!;
			if ((next & 0xc0) !== 0x80) return null;
			code = (code << 6) | (next & 63);
		}
		if ((count === 3 && code < 0x800) || (count === 4 && (code < 0x1_0000 || code > 0x10_ffff)))
			return null;
		text += count === 4 ? String.fromCodePoint(code) : String.fromCharCode(code);
		at += count;
	}
	return text;
}
