/** The entries of `dir`, as text lines and as JSON. */

import { encodeHex } from '../bytes/hex.ts';
import { type Sha1, ZERO_SHA1 } from '../bytes/sha1.ts';
import { compareNames } from '../bytes/upper-case.ts';
import {
	extendedAttributesOf,
	objectIdOf,
	parseTaggedItems,
	unixDataOf,
} from '../image/tagged-items.ts';
import type { DentryPosition, ImageTree, Stream } from '../image/tree.ts';
import type { Wim } from '../wim/wim.ts';
import {
	bitLabels,
	blobJson,
	blobLines,
	FILE_ATTRIBUTE_LABELS,
	isoTime,
	timeText,
} from './labels.ts';

/** The children of a directory with their names, in the order of names whatever the order in the file. */
function orderedChildren(
	tree: ImageTree,
	dentry: DentryPosition,
): {
	readonly first: DentryPosition;
	readonly names: readonly string[];
	readonly order: readonly number[] | null;
} {
	const first = tree.firstChild(dentry);
	const names: string[] = [];
	let ordered = true;
	for (let k = 0; k < tree.childCount(dentry); k++) {
		const name = tree.name(first + k);
		if (ordered && k > 0) ordered = compareNames(names[k - 1]!, name) <= 0;
		names.push(name);
	}
	if (ordered) return { first, names, order: null };
	const order = names.map((_, k) => k).sort((a, b) => compareNames(names[a]!, names[b]!));
	return { first, names, order };
}

export interface Entry {
	readonly dentry: DentryPosition;
	/** Beginning with a slash; the slash alone for the root. */
	readonly path: string;
}

/** A dentry and everything below it, parents first, siblings by name. */
export function* entriesBelow(tree: ImageTree, start: Entry): Generator<Entry, void, undefined> {
	const stack: Entry[] = [start];
	for (let entry = stack.pop(); entry !== undefined; entry = stack.pop()) {
		yield entry;
		if (tree.childCount(entry.dentry) === 0) continue;
		const prefix = entry.path === '/' ? '/' : `${entry.path}/`;
		const { first, names, order } = orderedChildren(tree, entry.dentry);
		for (let k = names.length - 1; k >= 0; k--) {
			const at = order === null ? k : order[k]!;
			stack.push({ dentry: first + at, path: prefix + names[at]! });
		}
	}
}

const STREAM_LABELS: Readonly<Record<Stream['type'], string>> = {
	data: 'Unnamed data stream',
	reparse: 'Reparse point stream',
	efs: 'Raw encrypted data stream',
	named: 'Named data stream',
};

/** The order in which streams are shown. */
const STREAM_ORDER: readonly Stream['type'][] = ['efs', 'reparse', 'data', 'named'];

/** Streams as text shows them: a directory has an unnamed one, and a reparse point's empty one is left out. */
function shownStreams(tree: ImageTree, inode: DentryPosition): readonly Stream[] {
	const streams = tree.streams(inode);
	const isSpecial = streams.some(({ type }) => type === 'reparse' || type === 'efs');
	const shown = isSpecial
		? streams.filter(({ type, sha1 }) => type !== 'data' || sha1 !== ZERO_SHA1)
		: streams.some(({ type }) => type === 'data')
			? streams
			: [{ type: 'data', name: '', sha1: ZERO_SHA1 } as const, ...streams];
	return [...shown].sort((a, b) => STREAM_ORDER.indexOf(a.type) - STREAM_ORDER.indexOf(b.type));
}

const blobOf = (wim: Wim, sha1: Sha1) => wim.blobs.get(sha1) ?? null;
const hex8 = (value: number) => `0x${value.toString(16).padStart(8, '0')}`;

/** The names of the four GUIDs of an object id. */
const OBJECT_ID_LABELS = ['Object ID', 'Birth Volume ID', 'Birth Object ID', 'Domain ID'];

/** The block of one file for `dir --detailed`. */
export function detailedText(
	wim: Wim,
	tree: ImageTree,
	{ dentry, path }: Entry,
	show: (text: string) => string,
): string {
	const inode = tree.inode(dentry);
	const lines: string[] = ['-'.repeat(76)];
	const put = (label: string, value: string | number) =>
		lines.push(`${label.padEnd(20)}= ${value}`);
	put('Full Path', `"${show(path)}"`);
	put('Short Name', `"${show(tree.shortName(dentry))}"`);
	const attributes = tree.attributes(inode);
	put('Attributes', hex8(attributes));
	for (const label of bitLabels(attributes, FILE_ATTRIBUTE_LABELS))
		lines.push(`    FILE_ATTRIBUTE_${label} is set`);
	const securityId = tree.securityId(inode);
	const descriptor = securityId === null ? null : tree.security.descriptors[securityId];
	if (descriptor) put('Security Descriptor', encodeHex(descriptor));
	put('Creation Time', timeText(tree.creationTime(inode)));
	put('Last Write Time', timeText(tree.lastWriteTime(inode)));
	put('Last Access Time', timeText(tree.lastAccessTime(inode)));
	const reparse = tree.reparse(inode);
	if (reparse !== null) put('Reparse Tag', hex8(reparse.tag));
	put('Link Group ID', `0x${tree.linkGroup(inode).toString(16).padStart(16, '0')}`);
	put('Link Count', tree.linksOf(dentry).length);
	const { items } = parseTaggedItems(tree.tail(inode));
	const objectId = objectIdOf(items);
	if (objectId !== null)
		for (const [k, label] of OBJECT_ID_LABELS.entries())
			if (objectId.length >= 16 * k + 16)
				put(label, `0x${encodeHex(objectId.subarray(16 * k, 16 * k + 16))}`);
	const unix = unixDataOf(items);
	if (unix !== null)
		put(
			'UNIX Data',
			`uid:${unix.uid} gid:${unix.gid} mode:0${unix.mode.toString(8)} rdev:0x${unix.rdev.toString(16)}`,
		);
	for (const { type, name, sha1 } of shownStreams(tree, inode)) {
		lines.push(`\t${STREAM_LABELS[type]}${type === 'named' ? ` "${show(name)}"` : ''}:`);
		const empty = sha1 === ZERO_SHA1;
		lines.push(...blobLines(empty ? null : sha1, empty ? null : blobOf(wim, sha1)), '');
	}
	return `${lines.join('\n')}\n`;
}

function streamJson(wim: Wim, { type, name, sha1 }: Stream): Readonly<Record<string, unknown>> {
	const blob = sha1 === ZERO_SHA1 ? null : blobOf(wim, sha1);
	return {
		type,
		name,
		sha1: sha1 === ZERO_SHA1 ? null : sha1,
		size: sha1 === ZERO_SHA1 ? 0 : (blob?.size ?? null),
		blob: blob === null ? null : blobJson(blob),
	};
}

const decoder = new TextDecoder();

/** One entry as stable JSON keys. */
export function entryJson(
	wim: Wim,
	tree: ImageTree,
	{ dentry, path }: Entry,
	detailed: boolean,
): Readonly<Record<string, unknown>> {
	const inode = tree.inode(dentry);
	const attributes = tree.attributes(inode);
	const sha1 = tree.dataSha1(inode);
	const reparse = tree.reparse(inode);
	const brief = {
		path,
		type: reparse !== null ? 'reparse' : tree.isDirectory(inode) ? 'directory' : 'file',
		attributes,
		size: sha1 === ZERO_SHA1 ? 0 : (blobOf(wim, sha1)?.size ?? null),
		sha1: sha1 === ZERO_SHA1 ? null : sha1,
		lastWriteTime: isoTime(tree.lastWriteTime(inode)),
	};
	if (!detailed) return brief;
	const { items } = parseTaggedItems(tree.tail(inode));
	const objectId = objectIdOf(items);
	const { attributes: extended } = extendedAttributesOf(items);
	const securityId = tree.securityId(inode);
	const descriptor = securityId === null ? null : tree.security.descriptors[securityId];
	return {
		...brief,
		shortName: tree.shortName(dentry),
		attributeNames: bitLabels(attributes, FILE_ATTRIBUTE_LABELS),
		creationTime: isoTime(tree.creationTime(inode)),
		lastAccessTime: isoTime(tree.lastAccessTime(inode)),
		securityDescriptor: descriptor ? encodeHex(descriptor) : null,
		reparseTag: reparse?.tag ?? null,
		linkGroup: `0x${tree.linkGroup(inode).toString(16)}`,
		linkCount: tree.linksOf(dentry).length,
		objectId: objectId === null ? null : encodeHex(objectId),
		unix: unixDataOf(items),
		extendedAttributes: extended.map(({ name, value }) => ({
			name,
			value: encodeHex(value),
			text: decoder.decode(value),
		})),
		streams: tree.streams(inode).map((stream) => streamJson(wim, stream)),
	};
}
