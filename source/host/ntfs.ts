/**
 * What an NTFS volume keeps about a file beyond Unix, as an ntfs-3g mount offers it through extended
 * attributes `system.ntfs_*` (ntfs-3g(8), observed with 2022.10.3): they are not listed, so each is
 * asked for by name, once for the whole tree. Named streams are the listed attributes `user.*`
 * (mount option `streams_interface=xattr`, the default), where the system call ends at 64 KiB a
 * stream; or (`streams_interface=windows`) files `PATH:NAME`, whose names `ntfs.streams.list` tells.
 */

import { spawnSync } from 'node:child_process';
import { lstatSync, statfsSync } from 'node:fs';
import path from 'node:path';
import { HostError, hostError } from '../base/errors.ts';
import { plural } from '../base/print.ts';
import type { Run } from '../base/run.ts';
import { decodeWtf8, encodeWtf8 } from '../bytes/utf16.ts';
import { readXattrs, type Xattr } from './xattrs.ts';

export interface NtfsFacts {
	/** File attributes (wim.md §4.10). */
	readonly attributes: number | null;
	/** Self-relative. */
	readonly securityDescriptor: Uint8Array | null;
	readonly shortName: string | null;
	readonly reparse: {
		readonly tag: number;
		readonly reserved: number;
		readonly data: Uint8Array;
	} | null;
	/** 16 to 64 bytes. */
	readonly objectId: Uint8Array | null;
	/** FILETIME. */
	readonly times: {
		readonly creation: bigint;
		readonly write: bigint;
		readonly access: bigint;
	} | null;
	readonly extendedAttributes: readonly {
		readonly flags: number;
		readonly name: string;
		readonly value: Uint8Array;
	}[];
	readonly streams: readonly { readonly name: string; readonly value: Uint8Array }[];
	/** Streams that are to be read as files of their own. */
	readonly streamFiles: readonly {
		readonly name: string;
		readonly path: string;
		/** In bytes. */
		readonly size: number;
	}[];
}

/** By path inside the tree: `/` is the root, then `/a/b`. */
export type NtfsIndex = ReadonlyMap<string, NtfsFacts>;

/** A file of which NTFS says nothing. */
export const NO_NTFS_FACTS: NtfsFacts = {
	attributes: null,
	securityDescriptor: null,
	shortName: null,
	reparse: null,
	objectId: null,
	times: null,
	extendedAttributes: [],
	streams: [],
	streamFiles: [],
};

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** `f_type` of every FUSE mount. */
const FUSE_MAGIC = 0x6573_5546;

const SYSTEM = {
	attributes: 'system.ntfs_attrib_be',
	securityDescriptor: 'system.ntfs_acl',
	shortName: 'system.ntfs_dos_name',
	reparse: 'system.ntfs_reparse_data',
	objectId: 'system.ntfs_object_id',
	times: 'system.ntfs_times_be',
	extendedAttributes: 'system.ntfs_ea',
	streamFiles: 'ntfs.streams.list',
} as const;

const STREAM_PREFIX = 'user.';

/** Largest stream that the system call for extended attributes takes. */
export const STREAM_SIZE_MAX = 65_536;

/** Whether a folder lies on an ntfs-3g mount, where what `ntfsXattrs` gives can be set. */
export function isNtfsMount(folder: string): boolean {
	return statfsSync(folder).type === FUSE_MAGIC && answers(folder, SYSTEM.attributes);
}

/** Whether an ntfs-3g mount shows named streams as files `PATH:NAME`. */
export function showsStreamsAsFiles(folder: string): boolean {
	return answers(folder, SYSTEM.streamFiles);
}

function answers(folder: string, name: string): boolean {
	const args = ['-h', '--only-values', '-n', name, '--', folder];
	return spawnSync('getfattr', args, { stdio: 'ignore' }).status === 0;
}

/**
 * Reads the NTFS side of the tree at `root`.
 *
 * @returns null when `root` does not lie on an ntfs-3g mount; the sentence why when the tool is missing
 */
export async function readNtfsFacts(
	root: string,
	run: Run,
): Promise<NtfsIndex | null | { readonly leftOut: string }> {
	// A link must not lead elsewhere.
	const folder = lstatSync(root).isDirectory() ? root : path.dirname(root);
	if (statfsSync(folder).type !== FUSE_MAGIC) return null;
	const attributes = await readXattrs(root, SYSTEM.attributes, run);
	if ('leftOut' in attributes) return attributes;
	if (attributes.size === 0) return null;
	const index = new Map<string, Mutable<NtfsFacts>>();
	const tooLarge: string[] = [];
	for (const name of [null, ...Object.values(SYSTEM)]) {
		const found =
			name === SYSTEM.attributes
				? attributes
				: await readXattrs(root, name, run, (line) => tooLarge.push(line));
		if ('leftOut' in found) return found;
		for (const [path, xattrs] of found) {
			const facts = index.get(path) ?? { ...NO_NTFS_FACTS, extendedAttributes: [], streams: [] };
			index.set(path, facts);
			takeXattrs(facts, xattrs);
			if (name === SYSTEM.streamFiles)
				facts.streamFiles = streamFiles(path, root, folder, xattrs[0]?.value, run);
		}
	}
	if (tooLarge.length > 0) run.report({ type: 'problem', error: unreadStreams(root, tooLarge) });
	return index;
}

/** @param list names with zero bytes between them */
function streamFiles(
	inside: string,
	root: string,
	folder: string,
	list: Uint8Array | undefined,
	run: Run,
): NtfsFacts['streamFiles'] {
	// `FOLDER/:NAME` is a stream of the folder, also of the one on which the volume is mounted.
	const place = inside !== '/' ? root + inside : root === folder ? `${root}/` : root;
	const names = (decodeWtf8(list ?? new Uint8Array(0)) ?? '').split('\0').filter(Boolean);
	return names.flatMap((name) => {
		const path = `${place}:${name}`;
		try {
			return [{ name, path, size: lstatSync(path).size }];
		} catch (error) {
			const why = hostError(`Cannot read the stream "${path}"`, error, { path });
			run.report({ type: 'problem', error: why });
			return [];
		}
	});
}

/** @param lines `PATH: user.NAME` of each stream */
function unreadStreams(root: string, lines: readonly string[]): HostError {
	const [first = ''] = lines;
	return new HostError(
		`Left out: ${plural(lines.length, 'named stream')} of more than ${STREAM_SIZE_MAX} bytes, first ${first.replace(': user.', ':')}`,
		{
			path: root,
			hint: 'Mount the volume with the option streams_interface=windows, which has no such limit.',
		},
	);
}

/** Adds what the attributes of one file say; what is malformed counts as absent. */
function takeXattrs(facts: Mutable<NtfsFacts>, xattrs: readonly Xattr[]): void {
	for (const { name, value } of xattrs) {
		const view = new DataView(value.buffer, value.byteOffset, value.length);
		if (name === SYSTEM.attributes && value.length >= 4) facts.attributes = view.getUint32(0);
		else if (name === SYSTEM.securityDescriptor) facts.securityDescriptor = value;
		else if (name === SYSTEM.shortName) facts.shortName = decodeWtf8(value);
		else if (name === SYSTEM.objectId && value.length >= 16) facts.objectId = value;
		else if (name === SYSTEM.reparse && value.length >= 8)
			facts.reparse = {
				tag: view.getUint32(0, true),
				reserved: view.getUint16(6, true),
				data: value.subarray(8),
			};
		else if (name === SYSTEM.times && value.length >= 24)
			facts.times = {
				creation: view.getBigUint64(0),
				write: view.getBigUint64(8),
				access: view.getBigUint64(16),
			};
		else if (name === SYSTEM.extendedAttributes) facts.extendedAttributes = parseEaList(value);
		else if (name.startsWith(STREAM_PREFIX))
			facts.streams = [...facts.streams, { name: name.slice(STREAM_PREFIX.length), value }];
	}
}

/** A list of FILE_FULL_EA_INFORMATION: u32 offset of the next, u8 flags, u8 name length, u16 value length, name, NUL, value. */
export function parseEaList(bytes: Uint8Array): NtfsFacts['extendedAttributes'] {
	const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
	const list: NtfsFacts['extendedAttributes'][number][] = [];
	for (let at = 0; at + 8 <= bytes.length; ) {
		const nameSize = view.getUint8(at + 5);
		const valueAt = at + 9 + nameSize;
		const valueSize = view.getUint16(at + 6, true);
		if (valueAt + valueSize > bytes.length) break;
		const name = decodeWtf8(bytes.subarray(at + 8, at + 8 + nameSize));
		if (name !== null)
			list.push({
				flags: view.getUint8(at + 4),
				name,
				value: bytes.subarray(valueAt, valueAt + valueSize),
			});
		const step = view.getUint32(at, true);
		if (step < 8) break;
		at += step;
	}
	return list;
}

/** The inverse of `parseEaList`; ntfs-3g wants the step behind the last entry too (observed with 2022.10.3). */
export function encodeEaList(list: NtfsFacts['extendedAttributes']): Uint8Array {
	const entries = list.map(({ flags, name, value }) => {
		const text = encodeWtf8(name);
		const entry = new Uint8Array((9 + text.length + value.length + 3) & ~3);
		const view = new DataView(entry.buffer);
		view.setUint32(0, entry.length, true);
		view.setUint8(4, flags);
		view.setUint8(5, text.length);
		view.setUint16(6, value.length, true);
		entry.set(text, 8);
		entry.set(value, 9 + text.length);
		return entry;
	});
	return Uint8Array.from(Buffer.concat(entries));
}

/** The inverse of reading: what to set on a file of an ntfs-3g mount, in the order in which it must be set. */
export function ntfsXattrs(facts: NtfsFacts): Xattr[] {
	const xattrs: Xattr[] = [];
	const add = (name: string, value: Uint8Array) => xattrs.push({ name, value });
	for (const { name, value } of facts.streams) add(STREAM_PREFIX + name, value);
	if (facts.reparse) {
		const { tag, reserved, data } = facts.reparse;
		const buffer = new Uint8Array(8 + data.length);
		const view = new DataView(buffer.buffer);
		view.setUint32(0, tag, true);
		// Tags that are not Microsoft's carry a GUID that the length does not count (wim.md §4.12).
		view.setUint16(4, tag >= 0x8000_0000 ? data.length : data.length - 16, true);
		view.setUint16(6, reserved, true);
		buffer.set(data, 8);
		add(SYSTEM.reparse, buffer);
	}
	if (facts.extendedAttributes.length > 0)
		add(SYSTEM.extendedAttributes, encodeEaList(facts.extendedAttributes));
	if (facts.objectId) add(SYSTEM.objectId, facts.objectId);
	if (facts.shortName) add(SYSTEM.shortName, encodeWtf8(facts.shortName));
	if (facts.securityDescriptor) add(SYSTEM.securityDescriptor, facts.securityDescriptor);
	if (facts.attributes !== null) {
		const value = new Uint8Array(4);
		new DataView(value.buffer).setUint32(0, facts.attributes);
		add(SYSTEM.attributes, value);
	}
	if (facts.times) {
		const value = new Uint8Array(24);
		const view = new DataView(value.buffer);
		view.setBigUint64(0, facts.times.creation);
		view.setBigUint64(8, facts.times.write);
		view.setBigUint64(16, facts.times.access);
		add(SYSTEM.times, value);
	}
	return xattrs;
}
