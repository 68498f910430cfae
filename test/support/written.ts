import { createHash, randomFillSync } from 'node:crypto';
import {
	linkSync,
	lutimesSync,
	mkdirSync,
	mkdtempSync,
	rmSync,
	symlinkSync,
	utimesSync,
	writeFileSync,
} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { METADATA_SIZE_MAX } from '../../source/base/limits.ts';
import { ZERO_SHA1 } from '../../source/bytes/sha1.ts';
import { decodeUtf16 } from '../../source/bytes/utf16.ts';
import type { Compression } from '../../source/codec/compression.ts';
import { exchangeSeparators } from '../../source/host/links.ts';
import { openImage } from '../../source/image/open.ts';
import { pathOf } from '../../source/image/paths.ts';
import { parseLinkTarget } from '../../source/image/reparse.ts';
import type { CaptureOptions, ImageOptions } from '../../source/operations/capture/capture.ts';
import type { ExportOptions } from '../../source/operations/rewrite/export.ts';
import { selectImages } from '../../source/operations/rewrite/rebuild.ts';
import {
	type CompressionRequest,
	USUAL_COMPRESSION,
} from '../../source/operations/rewrite/write-options.ts';
import { wrongCounts } from '../../source/operations/verify/verify-table.ts';
import { InlineEncoder } from '../../source/pool/tasks/encode.ts';
import { readWholeResource } from '../../source/wim/read-resource.ts';
import { openWim, type Wim } from '../../source/wim/wim.ts';
import { testRun } from './test-run.ts';

/** Compresses on the thread of the test. */
export const tools = { encoder: new InlineEncoder(), pool: null };

export function imageOptions(name: string, more: Partial<ImageOptions> = {}): ImageOptions {
	return {
		name,
		description: '',
		properties: [],
		boot: false,
		tree: {
			rules: { exclusions: [], exceptions: [] },
			dereference: false,
			unixData: false,
			acls: 'store',
		},
		rpFix: false,
		updateOf: null,
		deltaFrom: [],
		wimBoot: false,
		...more,
	};
}

export function captureOptions(name: string, more: Partial<CaptureOptions> = {}): CaptureOptions {
	return {
		image: imageOptions(name),
		compression: USUAL_COMPRESSION,
		integrity: false,
		pipable: null,
		dryRun: false,
		...more,
	};
}

/** An export of everything without any wish. */
export const USUAL_EXPORT: ExportOptions = {
	images: ['all'],
	name: null,
	description: null,
	boot: false,
	references: [],
	compression: USUAL_COMPRESSION,
	recompress: false,
	wimBoot: false,
	rebuild: false,
	replace: false,
	pipable: null,
	integrity: null,
	dryRun: false,
};

/** A compression as the command line would ask for it. */
export function compressed(
	type: Compression,
	more: Partial<CompressionRequest> & { level?: number } = {},
): CompressionRequest {
	const { level = 20, ...rest } = more;
	return { ...USUAL_COMPRESSION, compress: { type, level }, ...rest };
}

/** One thing in a random tree. Names and parents that do not fit are passed over. */
export interface TreeItem {
	readonly kind: 'file' | 'folder' | 'link' | 'twin';
	/** Chooses among the folders so far. */
	readonly parent: number;
	readonly name: string;
	/** Chooses contents; equal seeds and sizes make equal files. */
	readonly seed: number;
	readonly size: number;
}

const name = fc.oneof(
	fc.constantFrom('a', 'A', 'b.txt', 'B.TXT', 'ö', 'c d', '𝄞.x', 'long'.repeat(20)),
	fc
		.string({ minLength: 1, maxLength: 8 })
		.filter((text) => !/[/\0\\]/.test(text) && !/^\.{1,2}$/.test(text)),
);

/** Random trees of a few dozen things, small and large, random and repetitive. */
export const treeItems: fc.Arbitrary<TreeItem[]> = fc.array(
	fc.record({
		kind: fc.constantFrom('file', 'file', 'file', 'folder', 'link', 'twin'),
		parent: fc.nat(30),
		name,
		seed: fc.nat(6),
		size: fc.oneof(
			fc.nat(40),
			fc.constantFrom(0, 4096, 32768, 32769, 65536, 100_000),
			fc.nat(200_000),
		),
	}),
	{ maxLength: 25 },
);

/** Half of it repeats, half of it does not. */
export function contentsOf(seed: number, size: number): Uint8Array {
	const bytes = new Uint8Array(size);
	let state = seed + 1;
	for (let k = 0; k < size; k++) {
		if ((k >> 12) % 2 === 0 && seed % 3 !== 0) state = (state * 1103515245 + 12345) & 0x7fffffff;
		bytes[k] = seed % 3 === 0 ? (k % (7 + seed)) + 65 : state >> 16;
	}
	return bytes;
}

/** Writes the tree to disk; every time stamp is one that both `utimes` and FILETIME hold. */
export function makeTree(folder: string, items: readonly TreeItem[]): void {
	const folders = [''];
	const files: string[] = [];
	const taken = new Set<string>();
	const time = (at: string, seed: number) => {
		const seconds = 1_600_000_000 + seed * 1000;
		lutimesSync(path.join(folder, at), seconds, seconds);
	};
	mkdirSync(folder, { recursive: true });
	for (const item of items) {
		const inside = `${folders[item.parent % folders.length]}/${item.name}`;
		if (taken.has(inside)) continue;
		taken.add(inside);
		const place = path.join(folder, inside);
		if (item.kind === 'folder') {
			mkdirSync(place);
			folders.push(inside);
		} else if (item.kind === 'file') {
			writeFileSync(place, contentsOf(item.seed, item.size));
			files.push(inside);
			time(inside, item.seed);
		} else if (item.kind === 'link') {
			symlinkSync(item.seed % 2 === 0 ? `../x/${item.name}` : `/nowhere/${item.seed}`, place);
			time(inside, item.seed);
		} else {
			const other = files[item.seed % Math.max(1, files.length)];
			if (other === undefined) taken.delete(inside);
			else linkSync(path.join(folder, other), place);
		}
	}
	for (const inside of folders) utimesSync(path.join(folder, inside), 1_500_000_000, 1_500_000_000);
}

/** The tree of an image as lines, in the form of `listTree`; every blob is read and hashed. */
export async function listImage(wim: Wim, index: number): Promise<string[]> {
	const image = wim.image(index);
	const { tree } = await openImage(wim, image);
	const rows: { key: Buffer[]; text: string }[] = [];
	const firstNames = new Map<number, string>();
	const order = [...Array(tree.count).keys()].map((dentry) => {
		const path = pathOf(tree, dentry);
		return {
			dentry,
			path,
			key: path
				.split('/')
				.filter(Boolean)
				.map((part) => Buffer.from(part)),
		};
	});
	order.sort((a, b) => compareKeys(a.key, b.key));
	for (const { dentry, path, key } of order) {
		const facts = [Buffer.from(path).toString('latin1')];
		if (tree.isDirectory(dentry)) facts.push('folder');
		else if (tree.isReparsePoint(dentry)) {
			const { tag = 0 } = tree.reparse(dentry) ?? {};
			const stream = tree.streams(dentry).find(({ type }) => type === 'reparse');
			const target = parseLinkTarget(tag, await readBlob(wim, stream?.sha1 ?? ZERO_SHA1));
			const text = exchangeSeparators(target?.printName.replace(/^C:/, '') ?? '?');
			facts.push('link', `-> ${Buffer.from(text).toString('latin1')}`);
		} else {
			const bytes = await readBlob(wim, tree.dataSha1(dentry));
			const digest = createHash('sha1').update(bytes).digest('hex');
			facts.push('file', String(bytes.length), digest.slice(0, 12));
			if (tree.linksOf(dentry).length > 1) {
				const first = firstNames.get(tree.inode(dentry)) ?? facts[0] ?? '';
				firstNames.set(tree.inode(dentry), first);
				facts.push(`= ${first}`);
			}
		}
		rows.push({ key, text: facts.join(' ') });
	}
	return rows.map(({ text }) => text);
}

function compareKeys(a: readonly Buffer[], b: readonly Buffer[]): number {
	for (let k = 0; k < Math.min(a.length, b.length); k++) {
		const order = Buffer.compare(a[k] ?? Buffer.alloc(0), b[k] ?? Buffer.alloc(0));
		if (order !== 0) return order;
	}
	return a.length - b.length;
}

async function readBlob(wim: Wim, sha1: string): Promise<Uint8Array> {
	if (sha1 === ZERO_SHA1) return new Uint8Array(0);
	const { resource, offsetInResource, size } = wim.blob(sha1);
	const isSolid = resource.layout === 'solid';
	const start = isSolid ? offsetInResource : 0;
	const bytes = await readWholeResource(resource, METADATA_SIZE_MAX, start, start + size);
	const digest = createHash('sha1').update(bytes).digest('hex');
	if (digest !== sha1) throw new Error(`Blob ${sha1} reads as ${digest}`);
	return bytes;
}

/** Opens a file and lists all its images. */
export async function listImages(file: string, ...references: string[]): Promise<string[][]> {
	await using wim = await openWim(file, { references });
	const lists: string[][] = [];
	for (const { index } of wim.images) lists.push(await listImage(wim, index));
	return lists;
}

/** What the blob table counts other than the images do; null when nothing. */
export async function miscount(target: string): Promise<string | null> {
	await using wim = await openWim(target);
	const { references } = await selectImages(wim, wim.images, testRun(), false);
	return (await wrongCounts(wim.first, references, testRun()))?.message ?? null;
}

/** Runs an action with an empty folder that is gone afterwards, as properties need one per case. */
export async function inFolder<T>(action: (folder: string) => Promise<T>): Promise<T> {
	const folder = mkdtempSync(path.join(os.tmpdir(), 'wimdeck-case-'));
	try {
		return await action(folder);
	} finally {
		rmSync(folder, { recursive: true, force: true });
	}
}

/** The text of the XML data of a file. */
export async function xmlOf(file: string): Promise<string> {
	await using wim = await openWim(file);
	return decodeUtf16(wim.xml.encode());
}

/** Bytes that nothing compresses. */
export function noise(size: number): Uint8Array {
	return randomFillSync(new Uint8Array(size));
}
