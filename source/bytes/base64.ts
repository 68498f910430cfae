/** Bytes as base64 text. */
export function toBase64(bytes: Uint8Array): string {
	return Buffer.from(bytes).toString('base64');
}

/** Decodes base64 text that the program itself carries or wrote. */
export function fromBase64(text: string): Uint8Array {
	return new Uint8Array(Buffer.from(text, 'base64'));
}
