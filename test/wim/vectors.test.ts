import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { encodeHex } from '../../source/bytes/hex.ts';
import { sha1, ZERO_SHA1 } from '../../source/bytes/sha1.ts';
import { Span } from '../../source/bytes/span.ts';
import { openImage } from '../../source/image/open.ts';
import { pathOf } from '../../source/image/paths.ts';
import { parseTaggedItems } from '../../source/image/tagged-items.ts';
import type { ImageTree } from '../../source/image/tree.ts';
import { FileSource } from '../../source/storage/file-source.ts';
import { MemorySource } from '../../source/storage/memory-source.ts';
import type { Source } from '../../source/storage/source.ts';
import { parseBlobEntries } from '../../source/wim/blob-entries.ts';
import { readWholeResource } from '../../source/wim/read-resource.ts';
import { openWim, type Wim } from '../../source/wim/wim.ts';
import { formatXml } from '../../source/wim/xml-element.ts';
import { fixture } from '../support/fixture.ts';

interface ExpectedEntry {
	path: string;
	attributes: number;
	creationTime: string;
	lastAccessTime: string;
	lastWriteTime: string;
	mainHash: string | null;
	extraStreams?: { name: string; hash: string | null }[];
	taggedItems?: { tag: number; data: string }[];
	reparseTag?: number;
	reparseReserved?: number;
	reparseFlags?: number;
	shortName?: string;
	linkGroup?: number | string;
	securityId?: number;
}

interface ExpectedResource {
	size: number;
	flags: number;
	offset: number;
	original: number;
}

interface Expected {
	fileSize: number;
	header: {
		magic: string;
		version: number;
		flags: number;
		chunkSize: number;
		guid: string;
		part: number;
		totalParts: number;
		imageCount: number;
		bootIndex: number;
		blobTable: ExpectedResource;
		xml: ExpectedResource;
		bootMetadata: ExpectedResource;
		integrity: ExpectedResource;
	};
	blobTable: (ExpectedResource & {
		part: number;
		refCount: number;
		sha1: string;
	})[];
	xml: string;
	images?: {
		metadataSha1: string;
		metadataSize: number;
		securityDescriptors: string[];
		entries: ExpectedEntry[];
	}[];
	blobSizes?: Record<string, number>;
	needs?: string[];
}

const vectors = JSON.parse(readFileSync(fixture('vectors/vectors.json'), 'utf8')) as Record<
	string,
	Expected
>;

/** Gives one byte at a time, as the slowest source could. */
class SlowSource implements Source {
	readonly name: string;
	readonly size: number;
	private readonly bytes: Uint8Array;
	constructor(name: string, bytes: Uint8Array) {
		this.name = name;
		this.size = bytes.length;
		this.bytes = bytes;
	}
	async read(offset: number, into: Uint8Array): Promise<number> {
		for (let k = 0; k < into.length; k++) {
			const byte = this.bytes[offset + k];
			if (byte === undefined) return k;
			into[k] = byte;
		}
		return into.length;
	}
	share(): null {
		return null;
	}
	async [Symbol.asyncDispose](): Promise<void> {}
}

const hashOrNull = (hash: string) => (hash === ZERO_SHA1 ? null : hash);

function readEntry(tree: ImageTree, dentry: number): ExpectedEntry {
	const { mainHash, extra } = tree.rawStreams(dentry);
	const { items } = parseTaggedItems(tree.tail(dentry));
	const entry: ExpectedEntry = {
		path: pathOf(tree, dentry),
		attributes: tree.attributes(dentry),
		creationTime: String(tree.creationTime(dentry)),
		lastAccessTime: String(tree.lastAccessTime(dentry)),
		lastWriteTime: String(tree.lastWriteTime(dentry)),
		mainHash: hashOrNull(mainHash),
	};
	if (extra.length > 0)
		entry.extraStreams = extra.map((e) => ({
			name: e.name,
			hash: hashOrNull(e.sha1),
		}));
	if (items.length > 0)
		entry.taggedItems = items.map(({ tag, data }) => ({
			tag,
			data: encodeHex(data),
		}));
	const reparse = tree.reparse(dentry);
	if (reparse) {
		entry.reparseTag = reparse.tag;
		if (reparse.reserved !== 0) entry.reparseReserved = reparse.reserved;
		if (reparse.flags !== 0) entry.reparseFlags = reparse.flags;
	} else if (tree.linkGroup(dentry) !== 0n) entry.linkGroup = Number(tree.linkGroup(dentry));
	if (tree.shortName(dentry) !== '') entry.shortName = tree.shortName(dentry);
	const securityId = tree.securityId(dentry);
	if (securityId !== null) entry.securityId = securityId;
	return entry;
}

async function compare(wim: Wim, expected: Expected): Promise<void> {
	const { header } = wim;
	const h = expected.header;
	assert.deepEqual(
		{
			version: header.version,
			flags: header.flags,
			chunkSize: header.chunkSize,
			guid: encodeHex(header.guid),
			part: header.partNumber,
			totalParts: header.partCount,
			imageCount: header.imageCount,
			bootIndex: header.bootIndex,
		},
		{
			version: h.version,
			flags: h.flags,
			chunkSize: h.chunkSize,
			guid: h.guid,
			part: h.part,
			totalParts: h.totalParts,
			imageCount: h.imageCount,
			bootIndex: h.bootIndex,
		},
	);
	for (const field of ['blobTable', 'xml', 'bootMetadata', 'integrity'] as const) {
		const { storedSize, flags, offset, originalSize } = header[field];
		assert.deepEqual({ size: storedSize, flags, offset, original: originalSize }, h[field]);
	}
	const entries = [...wim.first.entries].map((e) => ({
		size: e.storedSize,
		flags: e.flags,
		offset: e.offset,
		original: e.originalSize,
		part: e.partNumber,
		refCount: e.referenceCount,
		sha1: e.sha1,
	}));
	assert.deepEqual(entries, expected.blobTable);
	assert.equal(formatXml(wim.xml.root), expected.xml.trimEnd());
	assert.deepEqual(wim.warnings, []);
	for (const [k, image] of (expected.images ?? []).entries()) {
		const found = wim.images[k];
		assert.ok(found);
		assert.equal(found.metadata.sha1, image.metadataSha1);
		assert.equal(found.metadata.size, image.metadataSize);
		const { tree } = await openImage(wim, found);
		assert.deepEqual(tree.warnings, []);
		assert.deepEqual(tree.security.descriptors.map(encodeHex), image.securityDescriptors);
		const got = Array.from({ length: tree.count }, (_, dentry) => readEntry(tree, dentry));
		const byPath = (a: ExpectedEntry, b: ExpectedEntry) => (a.path < b.path ? -1 : 1);
		assert.deepEqual(
			got.sort(byPath),
			image.entries
				.map((entry) => ({ ...entry, path: entry.path.replaceAll('\\', '/') }))
				.sort(byPath),
		);
	}
	for (const [name, size] of Object.entries(expected.blobSizes ?? {})) {
		const blob = wim.blob(name);
		assert.equal(blob.size, size);
		const end = blob.offsetInResource + blob.size;
		const bytes = await readWholeResource(blob.resource, 1 << 20, blob.offsetInResource, end);
		assert.equal(sha1(bytes), name);
	}
}

for (const [name, expected] of Object.entries(vectors)) {
	const file = fixture(`vectors/${name}`);
	const references = (expected.needs ?? []).map((need) => path.join(path.dirname(file), need));
	const sources: Record<string, () => Promise<Source>> = {
		file: () => FileSource.open(file),
		memory: async () => new MemorySource(name, readFileSync(file)),
		'a slow source': async () => new SlowSource(name, readFileSync(file)),
	};
	for (const [kind, open] of Object.entries(sources))
		test(`${name} read from ${kind} gives the full expected reading`, async () => {
			await using wim = await openWim(await open(), { references });
			await compare(wim, expected);
		});
}

test('the entries of a blob table keep absurd numbers absurd', () => {
	const bytes = new Uint8Array(50).fill(0xff);
	const [entry] = parseBlobEntries(new Span(bytes, 'x'));
	assert.ok(entry && entry.offset > Number.MAX_SAFE_INTEGER);
});
