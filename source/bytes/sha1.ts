import { createHash, type Hash, hash } from 'node:crypto';
import { encodeHex } from './hex.ts';

/** A SHA-1 as 40 lower-case hexadecimal digits: the name of a blob. */
export type Sha1 = string;

/** "No blob": an empty stream. */
export const ZERO_SHA1: Sha1 = '0'.repeat(40);

/** The SHA-1 of nothing; a stream that names it is empty as well. */
export const EMPTY_SHA1: Sha1 = 'da39a3ee5e6b4b0d3255bfef95601890afd80709';
const EMPTY_SHA1_FIRST = 0xda;

export function sha1(bytes: Uint8Array): Sha1 {
	// In one call: an object for every small file takes longer than hashing it.
	return hash('sha1', bytes, 'hex');
}

export function sha1Hasher(): Hash {
	return createHash('sha1');
}

/** The 20 bytes at `at` as a name. */
export function sha1At(bytes: Uint8Array, at: number): Sha1 {
	return encodeHex(bytes.subarray(at, at + 20));
}

/** As `isEmptyStream`, for the 20 bytes at `at`. */
export function isEmptyStreamAt(view: DataView, at: number): boolean {
	const first = view.getUint8(at);
	if (first !== 0 && first !== EMPTY_SHA1_FIRST) return false;
	return isEmptyStream(sha1At(new Uint8Array(view.buffer, view.byteOffset), at));
}

export function isEmptyStream(name: Sha1): boolean {
	return name === ZERO_SHA1 || name === EMPTY_SHA1;
}
