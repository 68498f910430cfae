/**
 * Decides what extracting puts where: every name judged, every file in its role, and what the target
 * cannot hold counted, before anything is written.
 */

import { HostError, InputError, WimError } from '../../base/errors.ts';
import { breathe, type Run } from '../../base/run.ts';
import { isEmptyStream, type Sha1, ZERO_SHA1 } from '../../bytes/sha1.ts';
import { foldName, type NameFolding, nameFault, replacementName } from '../../host/names.ts';
import { isUnixXattr } from '../../host/xattrs.ts';
import { Attribute } from '../../image/dentry.ts';
import { pathOf } from '../../image/paths.ts';
import { isLinkTag } from '../../image/reparse.ts';
import {
	extendedAttributesOf,
	objectIdOf,
	parseTaggedItems,
	type UnixData,
	unixDataOf,
} from '../../image/tagged-items.ts';
import { type DentryPosition, type ImageTree, ROOT, type Stream } from '../../image/tree.ts';
import type { ExtractBlob, ExtractSource } from './extract-data.ts';
import {
	type ExtractItem,
	ExtractItems,
	HardLinkList,
	ItemList,
	ItemsByBlob,
} from './extract-items.ts';
import { LossCounter, type LossOptions } from './extract-losses.ts';

/** A dentry to extract, and where. */
export interface ExtractRoot {
	readonly dentry: DentryPosition;
	/** Components of the path below the target, not yet judged; none for the target itself. */
	readonly names: readonly string[];
	/** False: the folder alone, to hold something chosen below it. */
	readonly withChildren: boolean;
}

export interface PlanOptions extends LossOptions {
	/** Extract refused names under others instead of leaving them behind. */
	readonly includeInvalidNames: boolean;
}

/** The role of everything chosen. Each name stands in exactly one list. */
export interface ExtractPlan {
	/** Everything that stands in a list. */
	readonly items: ExtractItems;
	/** Parents before children. */
	readonly folders: ItemList;
	/** Files without contents. */
	readonly emptyFiles: ItemList;
	/** FIFOs, sockets, devices; only with Unix data. */
	readonly specials: ItemList;
	/** Files with contents, under the first of their names, by what they hold. */
	readonly files: ItemsByBlob;
	readonly hardLinks: HardLinkList;
	/** Symbolic links and junctions, by the blob of their reparse data. */
	readonly links: ItemsByBlob;
	/** What stays behind although it was chosen, each with its reason. */
	readonly problems: readonly WimError[];
	/** What the target cannot hold or the options leave out: one sentence a feature, with a count. */
	readonly losses: readonly string[];
	/** Files with a security descriptor. */
	readonly descriptorCount: number;
	/** Original bytes of all files, each counted once however many have the same contents. */
	readonly blobBytes: number;
	/** Bytes that the files will occupy on the disk, sparse ones left out. */
	readonly fileBytes: number;
	readonly nameCount: number;
}

/** Longest stretch without a turn for the event loop. */
const SLICE_MS = 8;

/** What nearly every file system gives out at once. */
const BLOCK_SIZE = 4096;

const SPECIAL_KINDS: ReadonlySet<number> = new Set([0o010000, 0o020000, 0o060000, 0o140000]);

/** The Unix data of a dentry when it has some. */
export function unixDataAt(tree: ImageTree, dentry: DentryPosition): UnixData | null {
	const tail = tree.tail(dentry);
	return tail.length < 24 ? null : unixDataOf(parseTaggedItems(tail).items);
}

/** Whether these Unix data describe a FIFO, a socket or a device. */
export function isSpecial(unix: UnixData): boolean {
	return SPECIAL_KINDS.has(unix.mode & 0o170000);
}

/**
 * Decides where everything below `roots` goes. Looks at every dentry once, in slices.
 *
 * @param keepsNtfs the target is an NTFS volume: reparse points stay what they are (`restore-ntfs.ts`)
 */
export async function planExtract(
	source: ExtractSource,
	roots: readonly ExtractRoot[],
	folding: NameFolding,
	options: PlanOptions,
	run: Run,
	keepsNtfs = false,
): Promise<ExtractPlan> {
	await source.tree.groupLinks(() => breathe(run));
	await breathe(run);
	const planner = new Planner(source, folding, options, keepsNtfs);
	let sliceStart = run.clock.elapsed();
	let steps = 0;
	for (const _ of planner.walk(roots)) {
		if (++steps % 64 !== 0 || run.clock.elapsed() - sliceStart < SLICE_MS) continue;
		await breathe(run);
		sliceStart = run.clock.elapsed();
	}
	return planner.finish();
}

class Planner {
	readonly #source: ExtractSource;
	readonly #tree: ImageTree;
	readonly #folding: NameFolding;
	readonly #options: PlanOptions;
	readonly #keepsNtfs: boolean;
	readonly #items: ExtractItems;
	readonly #folders: ItemList;
	readonly #emptyFiles: ItemList;
	readonly #specials: ItemList;
	readonly #files: ItemsByBlob;
	readonly #hardLinks: HardLinkList;
	readonly #links: ItemsByBlob;
	readonly #problems: WimError[] = [];
	/** First names by inode, of files that have several. */
	readonly #firstNames = new Map<DentryPosition, number>();
	/** Inodes that stay behind with all their names. */
	readonly #lost = new Set<DentryPosition>();
	readonly #losses: LossCounter;
	/** Replacements of refused names on the way to what was chosen. */
	readonly #rootNames = new Map<string, string>();
	#renamed = 0;
	#nameCount = 0;
	#fileBytes = 0;

	constructor(
		source: ExtractSource,
		folding: NameFolding,
		options: PlanOptions,
		keepsNtfs: boolean,
	) {
		this.#keepsNtfs = keepsNtfs;
		this.#source = source;
		this.#tree = source.tree;
		this.#folding = folding;
		this.#options = options;
		this.#losses = new LossCounter(options, keepsNtfs);
		const items = new ExtractItems(source.tree);
		this.#items = items;
		this.#folders = new ItemList(items);
		this.#emptyFiles = new ItemList(items);
		this.#specials = new ItemList(items);
		this.#files = new ItemsByBlob(items);
		this.#hardLinks = new HardLinkList(items);
		this.#links = new ItemsByBlob(items);
	}

	/** Yields after every name. */
	*walk(roots: readonly ExtractRoot[]): Generator<void, void, undefined> {
		const placed = new Map<string, DentryPosition>();
		const pending: ExtractItem[] = [];
		for (const { dentry, names, withChildren } of roots) {
			const path = this.#rootPath(dentry, names);
			if (path === null) continue;
			const key = foldName(path, this.#folding);
			const other = placed.get(key);
			if (other !== undefined && other !== dentry) this.#collides(dentry, other, path);
			if (other !== undefined) continue;
			placed.set(key, dentry);
			const item = this.#items.addRoot(dentry, path);
			if (this.#place(item) && withChildren) pending.push(item);
			yield;
		}
		pending.reverse();
		for (let folder = pending.pop(); folder !== undefined; folder = pending.pop()) {
			const opened: ExtractItem[] = [];
			const taken = new Map<string, DentryPosition>();
			for (const child of this.#tree.children(folder.dentry)) {
				const item = this.#nameChild(folder, child, taken);
				if (item !== null && this.#place(item)) opened.push(item);
				yield;
			}
			for (let item = opened.pop(); item !== undefined; item = opened.pop()) pending.push(item);
		}
	}

	finish(): ExtractPlan {
		return {
			items: this.#items,
			folders: this.#folders,
			emptyFiles: this.#emptyFiles,
			specials: this.#specials,
			files: this.#files,
			hardLinks: this.#hardLinks,
			links: this.#links,
			problems: this.#problems,
			losses: this.#losses.sentences(),
			descriptorCount: this.#losses.descriptorCount,
			blobBytes: this.#files.totalSize,
			fileBytes: this.#fileBytes,
			nameCount: this.#nameCount,
		};
	}

	/** The path of a chosen dentry; null when one of its names cannot be used. */
	#rootPath(dentry: DentryPosition, names: readonly string[]): string | null {
		const usable: string[] = [];
		for (const name of names) {
			const fault = nameFault(name, 'posix');
			const other = this.#rootNames.get(name);
			if (fault === null) usable.push(name);
			else if (other !== undefined) usable.push(other);
			else if (this.#options.includeInvalidNames) {
				const replacement = replacementName(name, 'posix', ++this.#renamed);
				this.#rootNames.set(name, replacement);
				usable.push(replacement);
			} else {
				this.#refuseName(dentry, fault);
				return null;
			}
		}
		return usable.join('/');
	}

	/** Where a child goes, when its name may be used or can be replaced; null when it stays behind. */
	#nameChild(
		folder: ExtractItem,
		child: DentryPosition,
		taken: Map<string, DentryPosition>,
	): ExtractItem | null {
		let name = this.#tree.name(child);
		let key = foldName(name, this.#folding);
		let fault = nameFault(name, 'posix');
		const twin = fault === null ? taken.get(key) : undefined;
		if (twin !== undefined) fault = `this file system takes it for "${this.#tree.name(twin)}"`;
		const isRenamed = fault !== null;
		while (fault !== null) {
			if (!this.#options.includeInvalidNames) {
				this.#refuseName(child, fault);
				return null;
			}
			name = replacementName(this.#tree.name(child), 'posix', ++this.#renamed);
			key = foldName(name, this.#folding);
			fault = taken.has(key) ? 'it is taken' : null;
		}
		taken.set(key, child);
		if (name.includes('\\')) this.#losses.backslashNames++;
		return this.#items.addChild(folder, child, isRenamed ? name : null);
	}

	#refuseName(dentry: DentryPosition, fault: string): void {
		const path = pathOf(this.#tree, dentry);
		this.#problems.push(
			new HostError(`Cannot extract "${path}" under its name: ${fault}`, {
				path,
				hint: 'Pass --include-invalid-names to extract it under another name.',
			}),
		);
	}

	#collides(dentry: DentryPosition, other: DentryPosition, path: string): void {
		const [first, second] = [pathOf(this.#tree, other), pathOf(this.#tree, dentry)];
		this.#problems.push(
			new InputError(
				`Cannot extract "${second}": "${first}" is extracted to the same place, "${path}"`,
				{
					path: second,
					hint: 'Extract it into another folder, or pass --preserve-dir-structure.',
				},
			),
		);
	}

	/** Puts one name into its list; true when it is a folder whose children come too. */
	#place(item: ExtractItem): boolean {
		const tree = this.#tree;
		const { dentry } = item;
		if (dentry === ROOT || tree.isDirectory(dentry)) {
			this.#count(item, tree.streams(dentry));
			this.#folders.push(item.number);
			return true;
		}
		const inode = tree.inode(dentry);
		if (this.#lost.has(inode)) return false;
		const first = this.#firstNames.get(inode);
		if (first !== undefined) {
			this.#nameCount++;
			this.#hardLinks.push(item.number, first);
			return false;
		}
		try {
			this.#placeFile(item, tree.streams(dentry));
		} catch (error) {
			if (!(error instanceof WimError)) throw error;
			this.#problems.push(error);
			this.#lost.add(inode);
			return false;
		}
		if (tree.isLinked(dentry)) this.#firstNames.set(inode, item.number);
		return false;
	}

	/** @throws {WimError} when the file has to stay behind */
	#placeFile(item: ExtractItem, streams: readonly Stream[]): void {
		const { dentry } = item;
		const attributes = this.#tree.attributes(dentry);
		const unix = this.#options.unixData ? unixDataAt(this.#tree, dentry) : null;
		const tag = this.#tree.reparse(dentry)?.tag ?? 0;
		if (isLinkTag(tag) && !this.#keepsNtfs) {
			const blob = this.#need(item, streamOf(streams, 'reparse'));
			if (blob === null) throw this.#failed(item, 'its link has no target');
			this.#links.add(blob, item);
		} else if (attributes & Attribute.directory) this.#folders.push(item.number);
		else if (attributes & Attribute.encrypted)
			throw this.#failed(item, 'it is encrypted, which only Windows can restore');
		else if (unix !== null && isSpecial(unix)) this.#specials.push(item.number);
		else {
			const blob = this.#need(item, streamOf(streams, 'data'));
			if (blob === null) this.#emptyFiles.push(item.number);
			else {
				this.#files.add(blob, item);
				if (!(attributes & Attribute.sparse))
					this.#fileBytes += Math.ceil(blob.size / BLOCK_SIZE) * BLOCK_SIZE;
			}
		}
		this.#count(item, streams);
	}

	/** The blob of a stream; null when the stream is empty. */
	#need(item: ExtractItem, sha1: Sha1): ExtractBlob | null {
		return isEmptyStream(sha1)
			? null
			: this.#source.blob(sha1, () => pathOf(this.#tree, item.dentry));
	}

	#failed(item: ExtractItem, why: string): HostError {
		const path = pathOf(this.#tree, item.dentry);
		return new HostError(`Cannot extract "${path}": ${why}`, { path });
	}

	#count({ dentry }: ExtractItem, streams: readonly Stream[]): void {
		this.#nameCount++;
		const tree = this.#tree;
		const tag = tree.reparse(dentry)?.tag ?? null;
		const tail = tree.tail(dentry);
		const items = tail.length < 8 ? [] : parseTaggedItems(tail).items;
		this.#losses.add({
			attributes: tree.attributes(dentry),
			hasNamedStreams: streams.some(({ type }) => type === 'named'),
			hasDescriptor: tree.securityId(dentry) !== null,
			hasShortName: tree.shortName(dentry) !== '',
			hasObjectId: objectIdOf(items) !== null,
			hasUnixData: unixDataOf(items) !== null,
			hasExtendedAttributes: extendedAttributesOf(items).attributes.some(
				({ name }) => !this.#keepsNtfs || isUnixXattr(name),
			),
			hasOtherReparse: tag !== null && !isLinkTag(tag),
		});
	}
}

function streamOf(streams: readonly Stream[], type: Stream['type']): Sha1 {
	return streams.find((stream) => stream.type === type)?.sha1 ?? ZERO_SHA1;
}
