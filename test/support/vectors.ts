/** The test vectors of xpress.md §6, lzx.md §11 and lzms.md §12. */

function fromHex(text: string): Uint8Array {
	return new Uint8Array(Buffer.from(text.replace(/\s/g, ''), 'hex'));
}

/** 830 bytes of text, the plain form of the three chunks below. */
export const SAMPLE = new Uint8Array(
	Buffer.from(
		Array.from({ length: 20 }, (_, i) => `line ${i} of the sample text\n`).join('') +
			'x'.repeat(300),
	),
);

const XPRESS_LENGTHS = `
	10:6 32:4 48:6 49:3 50:6 51:6 52:6 53:6 54:6 55:6 56:6 57:6 97:6 101:4 102:6 104:6
	105:6 108:5 109:6 110:6 111:6 112:6 115:5 116:5 120:5 256:5 271:5 322:5 335:3 399:3`;

export const XPRESS_VECTOR = makeXpressVector();

function makeXpressVector(): Uint8Array {
	const lengths = new Uint8Array(256);
	for (const pair of XPRESS_LENGTHS.trim().split(/\s+/)) {
		const [symbol = 0, length = 0] = pair.split(':').map(Number);
		lengths[symbol >> 1]! |= symbol % 2 === 0 ? length : length * 16;
	}
	const rest = fromHex(`
		7e875ebb72dfe9d23cdafc79a41d95f3a0d6036b9a580707d6c807b46607a935
		078dad0707686e07542007100c09084138080401081484085810088141088406
		083a1d080300d00000ff2801`);
	return Uint8Array.from([...lengths, ...rest]);
}

export const LZX_VECTOR = fromHex(`
	332000e20000000040234300663fbe876cf640b350e483989700f5f700a40000
	000000684480fb09fe7aaf03bedf00980000000019009199f000cb0ddf8f7ebf
	b7352a1d3b312fd9a7baf3ba95e5b82e9fbe93c6e5898902a6482a5459936895
	787088809890a9a0fbd8001e`);

export const LZMS_VECTOR = fromHex(`
	1f00d34e555859eb6ce479c174b200000000d1f0d0c4c7b4888f690f1fd31a3e
	a62d7c4c4bf89876f031ade063dac073011fc3e6b038ec0d6bc3d6b034ec0c2b
	c3c660990a7478657420656c706d61732065687420666f203020656e696c`);

/** E8 translation in the decoding direction, before and after. */
export const E8_VECTOR = [
	fromHex(
		'90e810000000e8fdffffff00e8001bb700e8f0ffffff909090909090909090909090e8100000009090909090',
	),
	fromHex(
		'90e80f000000e8fd1ab70000e8001bb700e8f01ab700909090909090909090909090e8100000009090909090',
	),
] as const;

/** The x86 filter of LZMS in the encoding direction, before and after. */
export const X86_VECTOR = [
	fromHex(`
		e8909090e8bf000000909090e8b7000000909090e8130100009090909090488d
		05010000009090904c8b0501000000909090ff15020000009090e990e8909090
		9090f0830509000000909090909090e8e8730000009090909090909090909090`),
	fromHex(`
		e8909090e8bf000000909090e8b7000000909090e8270100009090909090488d
		051f0000009090904c8b0501000000909090ff15340000009090e990e8909090
		9090f083054b000000909090909090e837740000009090909090909090909090`),
] as const;
