/** Well-known file formats: where a file may begin, and how long it is by its own word (wim.md §13.4 D). */

/** PE, ELF, PNG, ZIP, CAB, WIM, PDF, XML, and what else begins in a way that hardly comes up by chance. */
export function isFormatStart(bytes: Uint8Array, at: number): boolean {
	const a = bytes[at];
	const b = bytes[at + 1];
	const c = bytes[at + 2];
	const d = bytes[at + 3];
	switch (a) {
		case 0x4d:
			return (
				(b === 0x5a && d === 0) ||
				(b === 0x53 && ((c === 0x43 && d === 0x46) || (c === 0x57 && d === 0x49)))
			);
		case 0x7f:
			return b === 0x45 && c === 0x4c && d === 0x46;
		case 0x89:
			return b === 0x50 && c === 0x4e && d === 0x47;
		case 0x50:
			return b === 0x4b && c === 3 && d === 4;
		case 0x25:
			return b === 0x50 && c === 0x44 && d === 0x46;
		case 0x3c:
			return (b === 0x3f && c === 0x78 && d === 0x6d) || (b === 0x21 && (c === 0x44 || c === 0x2d));
		case 0xff:
			return (b === 0xfe && d === 0) || (b === 0xd8 && c === 0xff);
		case 0xef:
			return b === 0xbb && c === 0xbf;
		case 0x21:
			return b === 0x3c && c === 0x61 && d === 0x72;
		case 0x1f:
			return b === 0x8b && c === 8;
		case 0x23:
			return b === 0x21 || b === 0x20;
		case 0x72:
			return b === 0x65 && c === 0x67 && d === 0x66;
		case 0x30:
			// DER: catalogs and certificates.
			return b === 0x82 && bytes[at + 4] === 0x06;
		case 0xd0:
			return b === 0xcf && c === 0x11 && d === 0xe0;
		case 0x47:
			return b === 0x49 && c === 0x46 && d === 0x38;
		case 0x52:
			return b === 0x49 && c === 0x46 && d === 0x46;
		default:
			return false;
	}
}

/**
 * How long a file is by its own format: PE sections and certificate table, ELF section headers, CAB and RIFF sizes, the
 * outermost element of DER, the members of static libraries.
 *
 * @param head its first bytes
 * @param most what is there at all
 * @param bytesAt some bytes anywhere in the file, fewer at the end
 */
export function formatSizes(
	head: Uint8Array,
	most: number,
	bytesAt: (offset: number, size: number) => Uint8Array,
): number[] {
	const wordAt = (offset: number) => {
		const bytes = bytesAt(offset, 4);
		return bytes.length < 4
			? 0
			: new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0, true);
	};
	if (head.length < 64) return [];
	const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
	const sizes: number[] = [];
	const magic = view.getUint32(0, false);
	if (magic >>> 16 === 0x4d5a) sizes.push(...peSizes(view, wordAt));
	else if (magic === 0x7f45_4c46) sizes.push(elfSize(view));
	else if (magic === 0x4d53_4346) sizes.push(view.getUint32(8, true));
	else if (magic === 0x5249_4646) sizes.push(view.getUint32(4, true) + 8);
	else if (magic === 0x213c_6172) sizes.push(librarySize(bytesAt, most));
	else if (magic >>> 16 === 0x3082) sizes.push(4 + (magic & 0xffff));
	else if (magic >>> 16 === 0x3083) sizes.push(5 + (view.getUint32(1, false) & 0xff_ffff));
	return [...new Set(sizes)].filter((size) => size > 0 && size <= most);
}

function peSizes(view: DataView, wordAt: (offset: number) => number): number[] {
	const header = view.getUint32(0x3c, true);
	if (header + 24 > view.byteLength || view.getUint32(header, false) !== 0x5045_0000) return [];
	const sectionCount = view.getUint16(header + 6, true);
	const optionalSize = view.getUint16(header + 20, true);
	const sections = header + 24 + optionalSize;
	if (sections + sectionCount * 40 > view.byteLength) return [];
	let end = 0;
	for (let k = 0; k < sectionCount; k++) {
		const at = sections + k * 40;
		end = Math.max(end, view.getUint32(at + 16, true) + view.getUint32(at + 20, true));
	}
	const sizes = [end];
	const symbols = view.getUint32(header + 12, true);
	const symbolEnd = symbols === 0 ? 0 : symbols + view.getUint32(header + 16, true) * 18;
	// The table of strings behind the symbols begins with its own length.
	if (symbolEnd > 0) sizes.push(symbolEnd + wordAt(symbolEnd), symbolEnd, symbolEnd + 4);
	const isPlus = view.getUint16(header + 24, true) === 0x20b;
	const certificate = header + 24 + (isPlus ? 144 : 128);
	if (certificate + 8 <= sections && view.getUint32(certificate, true) > 0)
		sizes.unshift(view.getUint32(certificate, true) + view.getUint32(certificate + 4, true));
	return sizes;
}

const LIBRARY_MARK = '!<arch>\n';
const MEMBER_SIZE = 60;

/** Members of a static library follow each other at even offsets, each with its size in decimal digits. */
function librarySize(bytesAt: (offset: number, size: number) => Uint8Array, most: number): number {
	let end = LIBRARY_MARK.length;
	for (let at = end; at + MEMBER_SIZE <= most; at = end + (end % 2)) {
		const text = String.fromCharCode(...bytesAt(at, MEMBER_SIZE));
		const size = /^[\x20-\x7e]{48}(\d{1,10}) *`\n$/.exec(text)?.[1];
		if (size === undefined) break;
		end = at + MEMBER_SIZE + Number(size);
	}
	return end;
}

function elfSize(view: DataView): number {
	const isWide = view.getUint8(4) === 2;
	const at = isWide ? Number(view.getBigUint64(0x28, true)) : view.getUint32(0x20, true);
	const entrySize = view.getUint16(isWide ? 0x3a : 0x2e, true);
	const count = view.getUint16(isWide ? 0x3c : 0x30, true);
	return at + entrySize * count;
}
