/** The 64-bit Marvin hash with the seed of registry logs, 0x82EF4D887A4E55C5 (regf.md §11). */
export function marvin64(bytes: Uint8Array): bigint {
	let low = 0x7a4e_55c5;
	let high = 0x82ef_4d88 | 0;
	const mix = () => {
		high ^= low;
		low = (low << 20) | (low >>> 12);
		low = (low + high) | 0;
		high = (high << 9) | (high >>> 23);
		high ^= low;
		low = (low << 27) | (low >>> 5);
		low = (low + high) | 0;
		high = (high << 19) | (high >>> 13);
	};
	const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
	const whole = bytes.length & ~3;
	for (let at = 0; at < whole; at += 4) {
		low = (low + view.getUint32(at, true)) | 0;
		mix();
	}
	let rest = 0x80;
	for (let at = bytes.length - 1; at >= whole; at--) rest = (rest << 8) | (bytes[at] ?? 0);
	low = (low + rest) | 0;
	mix();
	mix();
	return (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0);
}
