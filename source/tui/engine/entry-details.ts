/** Everything about one entry: attributes, times, content, streams, links, security. */

import { REPARSE_DATA_SIZE_MAX } from '../../base/limits.ts';
import { formatCount, formatHex, plural } from '../../base/print.ts';
import { filetimeToMs } from '../../bytes/filetime.ts';
import { isEmptyStream, type Sha1 } from '../../bytes/sha1.ts';
import { accessEntries, accessText, sidName } from '../../image/access-entries.ts';
import { Attribute } from '../../image/dentry.ts';
import type { OpenImage } from '../../image/open.ts';
import { pathOf } from '../../image/paths.ts';
import { parseLinkTarget, ReparseTag } from '../../image/reparse.ts';
import { summarizeDescriptor } from '../../image/security.ts';
import { parseTaggedItems, unixDataOf } from '../../image/tagged-items.ts';
import { type DentryPosition, ROOT } from '../../image/tree.ts';
import type { ContentReader } from '../../jobs/content-reader.ts';
import type { Blob } from '../../wim/resource.ts';
import type { Wim } from '../../wim/wim.ts';
import type { EntryDetails, EntryFact } from '../engine.ts';
import type { FactValue } from '../engine-views.ts';

const ATTRIBUTE_LETTERS: readonly (readonly [bit: number, word: string])[] = [
	[0x1, 'read-only'],
	[0x2, 'hidden'],
	[0x4, 'system'],
	[0x10, 'folder'],
	[0x20, 'archive'],
	[0x100, 'temporary'],
	[0x200, 'sparse'],
	[0x400, 'reparse point'],
	[0x800, 'compressed'],
	[0x1000, 'offline'],
	[0x2000, 'not indexed'],
	[0x4000, 'encrypted'],
];

/** Chunks up to this size take some tens of milliseconds at most to unpack; those of solid resources have 64 MiB. */
const QUICK_CHUNK_SIZE_MAX = 2 * 1024 * 1024;

/** Access entries shown. */
const ACCESS_SHOWN = 20;

const REPARSE_NAMES = new Map<number, string>(
	Object.entries(ReparseTag).map(([name, tag]) => [tag, name]),
);

function attributeWords(attributes: number): string {
	const words = ATTRIBUTE_LETTERS.filter(([bit]) => (attributes & bit) !== 0).map(
		([, word]) => word,
	);
	return words.length > 0 ? words.join(', ') : 'none';
}

/** Whole seconds as milliseconds since 1970; what no calendar holds as the number that is stored. */
function time(ticks: bigint): FactValue {
	if (ticks === 0n) return 'not set';
	const ms = filetimeToMs(ticks);
	return Number.isNaN(new Date(ms).getTime()) ? String(ticks) : Math.floor(ms / 1000) * 1000;
}

/** Digits of a SHA-1 in groups of eight. */
const grouped = (sha1: Sha1): string => sha1.replace(/(.{8})(?=.)/g, '$1 ');

function blobFacts(blob: Blob): EntryFact[] {
	const { resource, size, referenceCount } = blob;
	const share =
		resource.originalSize === 0 ? 100 : (100 * resource.storedSize) / resource.originalSize;
	const isSolid = resource.layout === 'solid';
	const chunks =
		resource.chunkSize > 0
			? `, ${formatCount(Math.ceil(resource.originalSize / resource.chunkSize))} chunks`
			: '';
	const part = resource.part.header.partCount > 1 ? `part ${resource.part.header.partNumber} ` : '';
	return [
		{ label: 'size', value: formatCount(size) },
		{
			label: 'packed',
			value: isSolid
				? `in a solid resource (${Math.round(share)}%)`
				: `${formatCount(resource.storedSize)} (${Math.round(share)}%)`,
		},
		{
			label: 'resource',
			value: `${part}@${formatHex(resource.offset)}${isSolid ? ` +${formatHex(blob.offsetInResource)}` : ''}${chunks}`,
		},
		{
			label: 'used',
			value: referenceCount === 1 ? 'once' : `${formatCount(referenceCount)} times in this file`,
		},
	];
}

function startsQuickly({ resource, defect }: Blob): boolean {
	const { chunkSize, originalSize } = resource;
	return defect === null && Math.min(chunkSize, originalSize) <= QUICK_CHUNK_SIZE_MAX;
}

async function linkTarget(
	wim: Wim,
	image: OpenImage,
	dentry: DentryPosition,
	contents: ContentReader,
	signal: AbortSignal | undefined,
): Promise<string | null> {
	const reparse = image.tree.reparse(dentry);
	const stream = image.tree.streams(dentry).find(({ type }) => type === 'reparse');
	if (!reparse || !stream || isEmptyStream(stream.sha1)) return null;
	const blob = wim.blobs.get(stream.sha1);
	if (!blob || blob.size > REPARSE_DATA_SIZE_MAX) return null;
	const data = await contents.read(blob, { start: 0, end: blob.size }, signal);
	const target = parseLinkTarget(reparse.tag, data);
	return target ? target.printName || target.substituteName : null;
}

function securityFacts(image: OpenImage, dentry: DentryPosition): EntryFact[] {
	const id = image.tree.securityId(dentry);
	if (id === null) return [];
	const descriptor = image.tree.security.descriptors[id] ?? new Uint8Array(0);
	const summary = summarizeDescriptor(descriptor);
	if (summary === null) return [{ label: 'security', value: `id ${id}, not readable` }];
	const { owner, group, accessEntryCount } = summary;
	const list =
		accessEntryCount === null ? 'no access list' : plural(accessEntryCount, 'entry', 'entries');
	const entries = accessEntries(descriptor);
	return [
		{ label: 'security', value: `id ${id}, ${list}` },
		...(owner === null ? [] : [{ label: 'owner', value: sidName(owner) }]),
		...(group === null ? [] : [{ label: 'group', value: sidName(group) }]),
		...entries
			.slice(0, ACCESS_SHOWN)
			.map((entry, i) => ({ label: i === 0 ? 'access' : '', value: accessText(entry) })),
		...(entries.length > ACCESS_SHOWN
			? [{ label: '', value: `and ${entries.length - ACCESS_SHOWN} more` }]
			: []),
	];
}

function unixFacts(image: OpenImage, dentry: DentryPosition): EntryFact[] {
	const unix = unixDataOf(parseTaggedItems(image.tree.tail(dentry)).items);
	if (!unix) return [];
	return [
		{ label: 'unix', value: `${(unix.mode & 0o7777).toString(8)} uid ${unix.uid} gid ${unix.gid}` },
	];
}

/** @param usedBy other places of the same content, as far as they are known */
export async function entryDetails(
	wim: Wim,
	image: OpenImage,
	dentry: DentryPosition,
	usedBy: readonly string[],
	contents: ContentReader,
	signal?: AbortSignal,
): Promise<EntryDetails> {
	const { tree } = image;
	const attributes = tree.attributes(dentry);
	const isPlainFile = (attributes & (Attribute.directory | Attribute.reparsePoint)) === 0;
	const sha1 = tree.dataSha1(dentry);
	const hasContent = !isEmptyStream(sha1);
	const blob = hasContent ? wim.blobs.get(sha1) : undefined;
	const reparse = tree.reparse(dentry);
	const shortName = tree.shortName(dentry);
	const streams = tree.streams(dentry);
	const problems: string[] = [];
	if (hasContent && !blob) problems.push('Its content is not in the open parts');
	if (blob?.defect) problems.push(blob.defect);
	const facts: EntryFact[] = [
		...(blob
			? blobFacts(blob)
			: isPlainFile
				? [{ label: 'size', value: hasContent ? 'absent' : '0' }]
				: []),
		...(tree.isDirectory(dentry)
			? [{ label: 'holds', value: plural(tree.childCount(dentry), 'entry', 'entries') }]
			: []),
		{ label: 'attrs', value: attributeWords(attributes) },
		{ label: 'written', value: time(tree.lastWriteTime(dentry)) },
		{ label: 'created', value: time(tree.creationTime(dentry)) },
		{ label: 'accessed', value: time(tree.lastAccessTime(dentry)) },
		...(hasContent ? [{ label: 'sha1', value: grouped(sha1) }] : []),
		...(shortName === '' ? [] : [{ label: 'short', value: shortName }]),
		...(reparse
			? [
					{
						label: 'reparse',
						value: `${REPARSE_NAMES.get(reparse.tag) ?? 'tag'} ${formatHex(reparse.tag, 8)}`,
					},
				]
			: []),
		...securityFacts(image, dentry),
		...unixFacts(image, dentry),
	];
	return {
		name: dentry === ROOT ? '\\' : tree.name(dentry),
		path: pathOf(tree, dentry, '\\'),
		facts,
		target: reparse ? await linkTarget(wim, image, dentry, contents, signal) : null,
		otherNames: tree
			.linksOf(dentry)
			.filter((other) => other !== dentry)
			.map((other) => pathOf(tree, other, '\\')),
		usedBy,
		// What a reparse point says is stored like a stream, and is none.
		streamCount: streams.filter(({ type }) => type !== 'reparse').length,
		streams: streams
			.filter(({ type }) => type === 'named')
			.map(({ name, sha1: hash }) => ({ name, size: wim.blobs.get(hash)?.size ?? 0 })),
		problems,
		digest: hasContent ? sha1 : null,
		startsQuickly: blob !== undefined && startsQuickly(blob),
	};
}
