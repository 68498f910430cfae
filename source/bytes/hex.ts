/** Lower-case hexadecimal. */
export function encodeHex(bytes: Uint8Array): string {
	return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex');
}

export function decodeHex(hex: string): Uint8Array {
	return new Uint8Array(Buffer.from(hex, 'hex'));
}
