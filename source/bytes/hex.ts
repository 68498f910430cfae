/** Lower-case hexadecimal. */
export function encodeHex(bytes: Uint8Array): string {
	return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex');
}

export function decodeHex(hex: string): Uint8Array {
	return new Uint8Array(Buffer.from(hex, 'hex'));
}

/** Puts what digits say into bytes, many times over. */
export function hexWriter(bytes: Uint8Array): (at: number, hex: string) => void {
	const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
	return (at, hex) => {
		buffer.write(hex, at, 'hex');
	};
}
