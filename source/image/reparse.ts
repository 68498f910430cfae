/** Reparse data: the Windows reparse buffer without its first 8 bytes (wim.md §4.12). */
import { REPARSE_DATA_SIZE_MAX } from '../base/limits.ts';
import { decodeUtf16, encodeUtf16 } from '../bytes/utf16.ts';

/** Reparse tags that matter. */
export const ReparseTag = {
	mountPoint: 0xa000_0003,
	symbolicLink: 0xa000_000c,
	deduplication: 0x8000_0013,
	wof: 0x8000_0017,
	singleInstance: 0x8000_0007,
	wslSymbolicLink: 0xa000_001d,
} as const;

/** Whether reparse data of this tag are those of a symbolic link, or of a junction, which can become one. */
export function isLinkTag(tag: number): boolean {
	return tag === ReparseTag.symbolicLink || tag === ReparseTag.mountPoint;
}

/** The target of a symbolic link or junction, as Windows stores it. */
export interface LinkTarget {
	readonly kind: 'symbolic-link' | 'junction';
	/** What Windows follows: `\??\C:\x` or, relative, `..\x`. */
	readonly substituteName: string;
	/** What Windows shows. */
	readonly printName: string;
	readonly isRelative: boolean;
}

/** Reads the blob of a symbolic link or junction; null when it is another tag, or broken. */
export function parseLinkTarget(tag: number, data: Uint8Array): LinkTarget | null {
	const isLink = tag === ReparseTag.symbolicLink;
	const head = isLink ? 12 : 8;
	if ((!isLink && tag !== ReparseTag.mountPoint) || data.length < head) return null;
	if (data.length > REPARSE_DATA_SIZE_MAX) return null;
	const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
	const name = (at: number): string | null => {
		const offset = head + view.getUint16(at, true);
		const size = view.getUint16(at + 2, true);
		if (size % 2 !== 0 || offset + size > data.length) return null;
		return decodeUtf16(data.subarray(offset, offset + size));
	};
	const substituteName = name(0);
	const printName = name(4);
	if (substituteName === null || printName === null) return null;
	return {
		kind: isLink ? 'symbolic-link' : 'junction',
		substituteName,
		printName,
		isRelative: isLink && (view.getUint32(8, true) & 1) !== 0,
	};
}

/** The blob of a link: substitute name, NUL, print name, NUL; the lengths do not count the NULs. */
export function encodeLinkTarget(target: LinkTarget): Uint8Array {
	const substitute = encodeUtf16(target.substituteName);
	const print = encodeUtf16(target.printName);
	const isLink = target.kind === 'symbolic-link';
	const head = isLink ? 12 : 8;
	const data = new Uint8Array(head + substitute.length + 2 + print.length + 2);
	const view = new DataView(data.buffer);
	view.setUint16(0, 0, true);
	view.setUint16(2, substitute.length, true);
	view.setUint16(4, substitute.length + 2, true);
	view.setUint16(6, print.length, true);
	if (isLink) view.setUint32(8, target.isRelative ? 1 : 0, true);
	data.set(substitute, head);
	data.set(print, head + substitute.length + 2);
	return data;
}
