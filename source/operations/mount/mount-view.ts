/** What both kinds of mounted images share: how a file of an image looks to programs of this machine. */
import type { WimError } from '../../base/errors.ts';
import { FILETIME_OF_1970 } from '../../bytes/filetime.ts';
import { decodeWtf8, encodeWtf8 } from '../../bytes/utf16.ts';
import { FuseError, Kind, type NodeAttributes } from '../../host/fuse/file-system.ts';
import { moveIntoTree, posixTarget } from '../../host/links.ts';
import { nameFault } from '../../host/names.ts';
import { Attribute, REPARSE_NOT_FIXED } from '../../image/dentry.ts';
import { isLinkTag, parseLinkTarget } from '../../image/reparse.ts';
import type { UnixData } from '../../image/tagged-items.ts';
import type { Blob } from '../../wim/resource.ts';

/** How named streams can be reached: as extended attributes `user.NAME`, as `file:NAME`, or not at all. */
export type StreamsInterface = 'xattr' | 'windows' | 'none';

export interface MountView {
	/** The mounted folder, absolute: links that lead into the image lead there. */
	readonly folder: string;
	/** Whether absolute links of the image count from its root. */
	readonly rpFix: boolean;
	readonly unixData: boolean;
	readonly streams: StreamsInterface;
	/** Who owns files without Unix data. */
	readonly uid: number;
	readonly gid: number;
	/** The blob of a SHA-1; undefined when the WIM does not hold it. */
	readonly blob: (sha1: string) => Blob | undefined;
	/** Told of files that cannot be read. */
	readonly failed: (error: WimError) => void;
}

/** What decides how a file looks. */
export interface FileFacts {
	/** wim.md §4.10. */
	readonly attributes: number;
	/** 0 unless a reparse point. */
	readonly reparseTag: number;
	/** Of the unnamed stream, in bytes. */
	readonly size: number;
	readonly linkCount: number;
	/** Null without Unix data, or when they are not asked for. */
	readonly unix: UnixData | null;
	/** FILETIME. */
	readonly lastAccessTime: bigint;
	readonly lastWriteTime: bigint;
}

const SPECIAL_KINDS: ReadonlySet<number> = new Set([0o010000, 0o020000, 0o060000, 0o140000]);

/** The kind bits of the mode. */
export function kindOf({ attributes, reparseTag, unix }: Omit<FileFacts, 'size'>): number {
	if (attributes & Attribute.reparsePoint && isLinkTag(reparseTag)) return Kind.link;
	if (attributes & Attribute.directory) return Kind.folder;
	const kind = (unix?.mode ?? 0) & Kind.mask;
	return SPECIAL_KINDS.has(kind) ? kind : Kind.file;
}

export function nodeAttributes(facts: FileFacts, view: MountView): NodeAttributes {
	const { unix, attributes } = facts;
	const kind = kindOf(facts);
	const usual = kind !== Kind.folder && attributes & Attribute.readonly ? 0o555 : 0o777;
	const writeNs = nanoseconds(facts.lastWriteTime);
	return {
		size: kind === Kind.file ? facts.size : 0,
		mode: kind | (unix === null ? usual : unix.mode & 0o7777),
		linkCount: facts.linkCount,
		uid: unix?.uid ?? view.uid,
		gid: unix?.gid ?? view.gid,
		rdev: unix?.rdev ?? 0,
		accessNs: nanoseconds(facts.lastAccessTime),
		writeNs,
		changeNs: writeNs,
	};
}

/** FILETIME to nanoseconds since 1970; 0, which is "unknown", becomes 1970. */
function nanoseconds(ticks: bigint): bigint {
	return ticks === 0n ? 0n : (ticks - FILETIME_OF_1970) * 100n;
}

/** What a link leads to, as text of this machine. */
export function linkText(
	tag: number,
	reparseFlags: number,
	data: Uint8Array,
	view: MountView,
): Uint8Array {
	const stored = parseLinkTarget(tag, data);
	const link = stored === null ? null : posixTarget(stored);
	if (stored === null || link === null) throw new FuseError('EIO');
	const moves =
		view.rpFix && (reparseFlags & REPARSE_NOT_FIXED) === 0 && link.isAbsolute && !stored.isRelative;
	return encodeWtf8(moves ? moveIntoTree(link.text, view.folder) : link.text);
}

/** The name that programs use for a name of the image; null when they cannot. */
export function nameBytes(name: string): Uint8Array | null {
	return nameFault(name, 'posix') === null ? encodeWtf8(name) : null;
}

/** The inverse of `nameBytes`. */
export function nameText(bytes: Uint8Array): string {
	const text = decodeWtf8(bytes);
	if (text === null) throw new FuseError('EILSEQ');
	return text;
}

const PREFIX = 'user.';

/** The extended attribute of a named stream. */
export function xattrName(stream: string): Uint8Array | null {
	return stream.includes('\0') ? null : encodeWtf8(PREFIX + stream);
}

/** The stream that an extended attribute stands for; null for attributes of other kinds. */
export function streamOfXattr(bytes: Uint8Array): string | null {
	const text = decodeWtf8(bytes);
	return text?.startsWith(PREFIX) && text.length > PREFIX.length ? text.slice(PREFIX.length) : null;
}

/** `file:stream` cut in two; null when there is no colon in it. */
export function splitStreamName(name: string): { file: string; stream: string } | null {
	const at = name.indexOf(':');
	return at <= 0 || at === name.length - 1
		? null
		: { file: name.slice(0, at), stream: name.slice(at + 1) };
}
