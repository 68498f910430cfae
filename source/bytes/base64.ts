/** Decodes base64 text that the program itself carries. */
export function fromBase64(text: string): Uint8Array {
	return new Uint8Array(Buffer.from(text, 'base64'));
}
