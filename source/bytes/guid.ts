import { decodeHex, encodeHex } from './hex.ts';

/** A GUID as Windows prints it: the first three groups are little-endian numbers. */
export function formatGuid(bytes: Uint8Array): string {
	const order = [3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15];
	const hex = encodeHex(Uint8Array.from(order, (k) => bytes[k] ?? 0));
	return [
		hex.slice(0, 8),
		hex.slice(8, 12),
		hex.slice(12, 16),
		hex.slice(16, 20),
		hex.slice(20),
	].join('-');
}

/** The bytes of a GUID in the order they are stored, as hexadecimal (what wimlib-imagex prints). */
export function formatGuidBytes(bytes: Uint8Array): string {
	return encodeHex(bytes);
}

export function parseGuidBytes(hex: string): Uint8Array | null {
	return /^[0-9a-f]{32}$/i.test(hex) ? decodeHex(hex) : null;
}
