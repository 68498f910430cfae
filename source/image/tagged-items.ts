/** Tagged items behind the names of a dentry: object id, extended attributes, Unix data (wim.md §4.5). */
import { decodeWtf8, encodeWtf8 } from '../bytes/utf16.ts';
import { align8 } from './dentry.ts';

export const ItemTag = {
	objectId: 0x0000_0001,
	extendedAttributes: 0x0000_0002,
	unixData: 0x337d_d873,
	/** wimlib 1.11 to 1.12; read only. */
	oldLinuxXattrs: 0x337d_d874,
} as const;

export interface TaggedItem {
	readonly tag: number;
	readonly data: Uint8Array;
}

export interface TaggedItems {
	readonly items: readonly TaggedItem[];
	/** Bytes at the end that are no item; kept when a dentry is copied. */
	readonly rest: Uint8Array;
}

/** Reads the tail of a dentry; what is malformed ends up in `rest`. */
export function parseTaggedItems(tail: Uint8Array): TaggedItems {
	const view = new DataView(tail.buffer, tail.byteOffset, tail.byteLength);
	const items: TaggedItem[] = [];
	let at = 0;
	while (at + 8 <= tail.length) {
		const size = view.getUint32(at + 4, true);
		if (size > tail.length - at - 8) break;
		items.push({
			tag: view.getUint32(at, true),
			data: tail.subarray(at + 8, at + 8 + size),
		});
		at = Math.min(tail.length, at + 8 + align8(size));
	}
	return { items, rest: tail.subarray(at) };
}

/** The stored form, each item padded to 8. */
export function encodeTaggedItems({ items, rest }: TaggedItems): Uint8Array {
	const size = items.reduce((sum, { data }) => sum + 8 + align8(data.length), rest.length);
	const bytes = new Uint8Array(size);
	const view = new DataView(bytes.buffer);
	let at = 0;
	for (const { tag, data } of items) {
		view.setUint32(at, tag, true);
		view.setUint32(at + 4, data.length, true);
		bytes.set(data, at + 8);
		at += 8 + align8(data.length);
	}
	bytes.set(rest, at);
	return bytes;
}

/** Owner and mode of a file captured on Unix. */
export interface UnixData {
	readonly uid: number;
	readonly gid: number;
	/** The full `st_mode`, type bits included. */
	readonly mode: number;
	/** The Linux device number in its 32-bit encoding. */
	readonly rdev: number;
}

export function unixDataOf(items: readonly TaggedItem[]): UnixData | null {
	const data = items.find(({ tag }) => tag === ItemTag.unixData)?.data;
	if (data === undefined || data.length < 16) return null;
	const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
	const [uid = 0, gid = 0, mode = 0, rdev = 0] = [0, 4, 8, 12].map((at) =>
		view.getUint32(at, true),
	);
	return { uid, gid, mode, rdev };
}

export function encodeUnixData(unix: UnixData): TaggedItem {
	const data = new Uint8Array(16);
	const view = new DataView(data.buffer);
	view.setUint32(0, unix.uid, true);
	view.setUint32(4, unix.gid, true);
	view.setUint32(8, unix.mode, true);
	view.setUint32(12, unix.rdev, true);
	return { tag: ItemTag.unixData, data };
}

/** The NTFS object id with whatever GUIDs follow it: 16 bytes or more. */
export function objectIdOf(items: readonly TaggedItem[]): Uint8Array | null {
	const data = items.find(({ tag }) => tag === ItemTag.objectId)?.data;
	return data === undefined || data.length < 16 ? null : data;
}

/** A Windows extended attribute, or a Linux one under its whole name with prefix. */
export interface ExtendedAttribute {
	readonly name: string;
	readonly value: Uint8Array;
	/** 0, or 0x80 = "need EA". */
	readonly flags: number;
}

/** From either form; entries behind a malformed one are lost, and `isWhole` says so. */
export function extendedAttributesOf(items: readonly TaggedItem[]): {
	readonly attributes: readonly ExtendedAttribute[];
	readonly isWhole: boolean;
} {
	const current = items.find(({ tag }) => tag === ItemTag.extendedAttributes)?.data;
	if (current !== undefined) return parseCurrent(current);
	const old = items.find(({ tag }) => tag === ItemTag.oldLinuxXattrs)?.data;
	if (old !== undefined) return parseOld(old);
	return { attributes: [], isWhole: true };
}

function parseCurrent(data: Uint8Array) {
	const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
	const attributes: ExtendedAttribute[] = [];
	let at = 0;
	while (at < data.length) {
		if (at + 5 > data.length) return { attributes, isWhole: false };
		const valueSize = view.getUint16(at, true);
		const nameSize = view.getUint8(at + 2);
		const flags = view.getUint8(at + 3);
		const end = at + 5 + nameSize + valueSize;
		const name = decodeWtf8(data.subarray(at + 4, at + 4 + nameSize));
		if (nameSize === 0 || end > data.length || name === null || data[at + 4 + nameSize] !== 0)
			return { attributes, isWhole: false };
		attributes.push({
			name,
			value: data.subarray(at + 5 + nameSize, end),
			flags,
		});
		at = end;
	}
	return { attributes, isWhole: true };
}

function parseOld(data: Uint8Array) {
	const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
	const attributes: ExtendedAttribute[] = [];
	let at = 0;
	while (at < data.length) {
		if (at + 8 > data.length) return { attributes, isWhole: false };
		const nameSize = view.getUint16(at, true);
		const valueSize = view.getUint32(at + 4, true);
		const end = at + 8 + nameSize + valueSize;
		const name = decodeWtf8(data.subarray(at + 8, at + 8 + nameSize));
		if (nameSize === 0 || end > data.length || name === null) return { attributes, isWhole: false };
		attributes.push({
			name,
			value: data.subarray(at + 8 + nameSize, end),
			flags: 0,
		});
		at += Math.ceil((8 + nameSize + valueSize) / 4) * 4;
	}
	return { attributes, isWhole: true };
}

/** The current form: entries back to back, unpadded. Names over 255 bytes and values over 65535 cannot be stored. */
export function encodeExtendedAttributes(attributes: readonly ExtendedAttribute[]): TaggedItem {
	const names = attributes.map(({ name }) => encodeWtf8(name));
	const size = attributes.reduce(
		(sum, { value }, k) => sum + 5 + (names[k]?.length ?? 0) + value.length,
		0,
	);
	const data = new Uint8Array(size);
	const view = new DataView(data.buffer);
	let at = 0;
	for (const [k, { value, flags }] of attributes.entries()) {
		const name = names[k] ?? new Uint8Array();
		view.setUint16(at, value.length, true);
		view.setUint8(at + 2, name.length);
		view.setUint8(at + 3, flags);
		data.set(name, at + 4);
		data.set(value, at + 5 + name.length);
		at += 5 + name.length + value.length;
	}
	return { tag: ItemTag.extendedAttributes, data };
}
