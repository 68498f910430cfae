/** Turns a folder of this machine into the tree of an image, with the contents that are to be stored for it. */
import { HostError, InputError } from '../../base/errors.ts';
import { INLINE_WORK_MAX, NAME_UNITS_MAX } from '../../base/limits.ts';
import type { Run } from '../../base/run.ts';
import { ZERO_SHA1 } from '../../bytes/sha1.ts';
import { forFs, hostPathText } from '../../host/host-path.ts';
import { relocateIntoImage, windowsTarget } from '../../host/links.ts';
import { type NtfsFacts, type NtfsIndex, readNtfsFacts } from '../../host/ntfs.ts';
import { type ScanEntry, scanTree, type TreeScan } from '../../host/scan.ts';
import { readXattrs, type Xattr, type XattrIndex } from '../../host/xattrs.ts';
import { Attribute, REPARSE_NOT_FIXED } from '../../image/dentry.ts';
import {
	addNode,
	DescriptorTable,
	type EditNode,
	type EditStream,
	EditTree,
	type Inode,
	newInode,
} from '../../image/edit-tree.ts';
import { type ExclusionRules, isExcluded } from '../../image/patterns.ts';
import { encodeLinkTarget, ReparseTag } from '../../image/reparse.ts';
import {
	encodeExtendedAttributes,
	encodeTaggedItems,
	encodeUnixData,
	ItemTag,
	type TaggedItem,
} from '../../image/tagged-items.ts';
import { BytesContent, type Content, FileContent } from '../../storage/content.ts';

/** How a folder is looked at. */
export interface CaptureTreeOptions {
	readonly rules: ExclusionRules;
	/** Store what symbolic links lead to. */
	readonly dereference: boolean;
	/** Store owner, mode, special files and extended attributes. */
	readonly unixData: boolean;
	readonly acls: 'store' | 'skip' | 'strict';
	/** Make absolute link targets that lead into the folder relative to the image root. */
	readonly rpFix: boolean;
	/** Files that are left out wherever they lie, as real absolute paths: the WIM that is written first. */
	readonly ownFiles: ReadonlySet<string>;
}

/** What trees have in common that are put together into one image. */
export class CaptureShare {
	readonly security: DescriptorTable;
	/** For `ScanOptions.linkGroups`. */
	readonly linkGroups = new Map<string, number>();
	/** Files with several names that were met already, by the number of their group. */
	readonly inodes = new Map<number, Inode>();

	readonly #expect: (bytes: number) => void;
	#foundBytes = 0;
	#toldBytes = 0;

	/** @param expect told, while a scan goes on, how many bytes of files there are at least */
	constructor(
		expect: (bytes: number) => void = () => {},
		security: DescriptorTable = new DescriptorTable(),
	) {
		this.#expect = expect;
		this.security = security;
	}

	/** Counts a file of that many bytes. */
	found(bytes: number): void {
		this.#foundBytes += bytes;
		if (this.#foundBytes < this.#toldBytes + INLINE_WORK_MAX) return;
		this.#toldBytes = this.#foundBytes;
		this.#expect(this.#foundBytes);
	}
}

/** A stream whose bytes are to be stored. */
export interface PendingStream {
	readonly stream: EditStream;
	readonly content: Content;
	readonly inode: Inode;
	/** The last component of a path, which decides the place in a solid resource. */
	readonly fileName: string;
}

/** A captured folder or file. */
export interface CapturedTree {
	readonly tree: EditTree;
	/** What to store; empty streams do not occur. */
	readonly pending: readonly PendingStream[];
	/** The root is a file: its inode is to be put under another name. */
	readonly isFile: boolean;
	/** The names in the tree, not counting the root. */
	readonly nameCount: number;
}

/**
 * Scans `source`.
 *
 * @param place `root` when it becomes the root of the image: a link is followed then; as any other entry it stays one
 * @throws {InputError} when it is not there
 */
export async function captureTree(
	source: string,
	options: CaptureTreeOptions,
	place: 'root' | 'entry',
	share: CaptureShare,
	run: Run,
): Promise<CapturedTree> {
	run.report({ type: 'phase', phase: 'scan', totalBytes: null });
	let own: ReadonlyMap<string, string> = new Map();
	const [target] = options.ownFiles;
	const isOwn = (path: string) => {
		const file = own.get(path);
		if (file !== undefined && file === target)
			run.report({ type: 'warning', message: 'Left out: the WIM that is written', path: file });
		return file !== undefined;
	};
	const scan = scanTree(
		source,
		{
			dereference: options.dereference,
			followRoot: place === 'root',
			linkGroups: share.linkGroups,
			keepSpecials: options.unixData,
			isExcluded: (path) => isOwn(path) || isExcluded(options.rules, path),
		},
		run,
	);
	own = insideOf(scan.rootPath, options.ownFiles);
	for await (const { from, to } of scan.slices())
		for (let k = from; k < to; k++) share.found(scan.entries[k]?.size ?? 0);
	const builder = new TreeBuilder(scan, options, share, run);
	const [root] = scan.entries;
	if (root === undefined) throw new InputError(`Cannot scan "${source}": it is gone`);
	await builder.readExtras();
	return builder.build();
}

/** Own files by where they lie in the tree, as `/a/b`. */
function insideOf(root: string, ownFiles: ReadonlySet<string>): ReadonlyMap<string, string> {
	const base = root.endsWith('/') ? root : `${root}/`;
	const inside = [...ownFiles].filter((file) => file.startsWith(base));
	return new Map(inside.map((file) => [file.slice(base.length - 1), file]));
}

class TreeBuilder {
	readonly #scan: TreeScan;
	readonly #options: CaptureTreeOptions;
	readonly #share: CaptureShare;
	readonly #run: Run;
	readonly #pending: PendingStream[] = [];
	#xattrs: XattrIndex = new Map();
	#ntfs: NtfsIndex = new Map();

	constructor(scan: TreeScan, options: CaptureTreeOptions, share: CaptureShare, run: Run) {
		this.#scan = scan;
		this.#options = options;
		this.#share = share;
		this.#run = run;
	}

	/** What is read for the whole tree at once. */
	async readExtras(): Promise<void> {
		const { rootPath } = this.#scan;
		const leftOut = (message: string) =>
			this.#run.report({ type: 'warning', message, path: rootPath });
		const ntfs = await readNtfsFacts(rootPath, this.#run);
		if (ntfs !== null && 'leftOut' in ntfs) leftOut(ntfs.leftOut);
		else if (ntfs !== null) this.#ntfs = ntfs;
		if (this.#options.acls === 'strict' && ntfs !== null && 'leftOut' in ntfs)
			throw new HostError(`Cannot store the ACLs of "${rootPath}": ${ntfs.leftOut}`, {
				path: rootPath,
				hint: 'Capture without --strict-acls.',
			});
		if (!this.#options.unixData) return;
		const xattrs = await readXattrs(rootPath, null, this.#run);
		if ('leftOut' in xattrs) leftOut(xattrs.leftOut);
		else this.#xattrs = xattrs;
	}

	build(): CapturedTree {
		const { entries } = this.#scan;
		const nodes: (EditNode | null)[] = [];
		let tree: EditTree | null = null;
		let isFile = false;
		for (const [position, entry] of entries.entries()) {
			if (entry.parent < 0) {
				isFile = entry.kind !== 'directory';
				// A file stands below a root of its own until it is put where it belongs.
				tree = new EditTree(newInode(Attribute.directory), this.#share.security);
				const inode = this.#sharedInode(entry, position);
				if (isFile) addNode(tree.root, 'file', '', inode);
				else tree.root.inode = Object.assign(inode, { nameCount: 1 });
				nodes[position] = isFile ? null : tree.root;
				continue;
			}
			const parent = nodes[entry.parent] ?? null;
			nodes[position] = null;
			if (parent === null || tree === null || !this.#isStorable(entry, position)) continue;
			const inode = this.#sharedInode(entry, position);
			const shortName = this.#ntfsFacts(position)?.shortName ?? '';
			nodes[position] = addNode(parent, entry.name, shortName, inode);
		}
		if (tree === null) throw new InputError('There is nothing to capture');
		return { tree, pending: this.#pending, isFile, nameCount: entries.length - 1 };
	}

	#isStorable(entry: ScanEntry, position: number): boolean {
		if (entry.name.length <= NAME_UNITS_MAX) return true;
		const path = hostPathText(this.#scan.hostPathOf(position));
		this.#problem(`Cannot store "${path}": the name has ${entry.name.length} units`, path);
		return false;
	}

	#problem(message: string, path: string): void {
		const hint = `Shorten it to ${NAME_UNITS_MAX} units.`;
		this.#run.report({ type: 'problem', error: new InputError(message, { path, hint }) });
	}

	#ntfsFacts(position: number): NtfsFacts | null {
		return this.#ntfs.size === 0 ? null : (this.#ntfs.get(this.#scan.pathOf(position)) ?? null);
	}

	/** The inode that a further name of a file leads to, or a new one. */
	#sharedInode(entry: ScanEntry, position: number): Inode {
		const { inodes } = this.#share;
		const known = entry.linkGroup === 0 ? undefined : inodes.get(entry.linkGroup);
		if (known !== undefined) return known;
		const inode = this.#inode(entry, position);
		if (entry.linkGroup !== 0) inodes.set(entry.linkGroup, inode);
		return inode;
	}

	#inode(entry: ScanEntry, position: number): Inode {
		const inode = newInode(attributesOf(entry));
		inode.creationTime = entry.writeTime;
		inode.lastWriteTime = entry.writeTime;
		inode.lastAccessTime = entry.accessTime;
		const facts = this.#ntfsFacts(position);
		if (facts !== null) this.#applyNtfs(inode, entry, facts);
		else if (entry.linkTarget !== null) this.#applyLink(inode, entry);
		if (entry.kind === 'file' && entry.size > 0 && inode.data !== null) {
			const path = this.#scan.hostPathOf(position);
			const content = new FileContent({
				path: forFs(path),
				name: hostPathText(path),
				size: entry.size,
				writeTime: entry.writeTime,
				followsLinks: this.#options.dereference,
			});
			this.#pending.push({ stream: inode.data, content, inode, fileName: nameOf(path) });
		}
		const items = this.#items(entry, position, facts);
		if (items.length > 0) inode.tail = encodeTaggedItems({ items, rest: new Uint8Array(0) });
		return inode;
	}

	#store(inode: Inode, stream: EditStream | null, bytes: Uint8Array, name: string): void {
		if (stream === null || bytes.length === 0) return;
		const content = new BytesContent(name, bytes);
		this.#pending.push({ stream, content, inode, fileName: '' });
	}

	#applyLink(inode: Inode, entry: ScanEntry): void {
		const text = entry.linkTarget ?? '';
		const inside = this.#options.rpFix
			? relocateIntoImage(text, (path) => this.#scan.isRoot(path))
			: null;
		inode.reparseTag = ReparseTag.symbolicLink;
		inode.reparseFlags = inside === null ? REPARSE_NOT_FIXED : 0;
		const target = windowsTarget(inside ?? text);
		const data = encodeLinkTarget({ kind: 'symbolic-link', ...target });
		this.#store(inode, inode.reparse, data, `link to ${text}`);
	}

	#applyNtfs(inode: Inode, entry: ScanEntry, facts: NtfsFacts): void {
		if (facts.attributes !== null) {
			const reparse = facts.reparse === null ? 0 : Attribute.reparsePoint;
			const known = Attribute.directory | Attribute.reparsePoint;
			// What kind of thing it is, the scan and the reparse data decide.
			const kind = (inode.attributes & Attribute.directory) | reparse;
			Object.assign(inode, newInode((facts.attributes & ~known) | kind), {
				creationTime: inode.creationTime,
				lastWriteTime: inode.lastWriteTime,
				lastAccessTime: inode.lastAccessTime,
			});
		}
		if (facts.reparse !== null && inode.reparse !== null) {
			inode.reparseTag = facts.reparse.tag;
			inode.reparseReserved = facts.reparse.reserved;
			inode.reparseFlags = REPARSE_NOT_FIXED;
			this.#store(inode, inode.reparse, facts.reparse.data, 'reparse data');
		} else if (entry.linkTarget !== null) {
			// A link of Interix, which the mount shows as a link: it becomes one that Windows knows.
			Object.assign(inode, newInode(attributesOf(entry)), {
				creationTime: inode.creationTime,
				lastWriteTime: inode.lastWriteTime,
				lastAccessTime: inode.lastAccessTime,
			});
			this.#applyLink(inode, entry);
		}
		if (facts.times !== null) {
			inode.creationTime = facts.times.creation;
			inode.lastWriteTime = facts.times.write;
			inode.lastAccessTime = facts.times.access;
		}
		if (facts.securityDescriptor !== null && this.#options.acls !== 'skip')
			inode.securityId = this.#share.security.idOf(facts.securityDescriptor);
		inode.named = facts.streams.map(({ name, value }) => {
			const stream: EditStream = { name, sha1: ZERO_SHA1 };
			this.#store(inode, stream, value, `stream ${name}`);
			return stream;
		});
		for (const { name, path, size } of facts.streamFiles) {
			const stream: EditStream = { name, sha1: ZERO_SHA1 };
			inode.named = [...inode.named, stream];
			if (size === 0) continue;
			const file = { path, name: path, size, writeTime: null, followsLinks: false };
			this.#pending.push({ stream, content: new FileContent(file), inode, fileName: '' });
		}
	}

	#items(entry: ScanEntry, position: number, facts: NtfsFacts | null): TaggedItem[] {
		const items: TaggedItem[] = [];
		if (facts?.objectId) items.push({ tag: ItemTag.objectId, data: facts.objectId });
		const { mode, uid, gid, rdev } = entry;
		if (this.#options.unixData) items.push(encodeUnixData({ uid, gid, mode, rdev }));
		if (facts !== null && facts.extendedAttributes.length > 0)
			items.push(encodeExtendedAttributes(facts.extendedAttributes));
		else if (facts === null && this.#xattrs.size > 0) {
			const xattrs = this.#xattrs.get(this.#scan.pathOf(position)) ?? [];
			const storable = xattrs.filter((xattr) => this.#isStorableXattr(xattr, position));
			if (storable.length > 0)
				items.push(encodeExtendedAttributes(storable.map((xattr) => ({ ...xattr, flags: 0 }))));
		}
		return items;
	}

	#isStorableXattr({ name, value }: Xattr, position: number): boolean {
		if (name.startsWith('system.ntfs_')) return false;
		if (value.length <= 0xffff && new TextEncoder().encode(name).length <= 255) return true;
		const path = hostPathText(this.#scan.hostPathOf(position));
		const message = `The extended attribute "${name}" is left out: it is too large for the format`;
		this.#run.report({ type: 'warning', message, path });
		return false;
	}
}

function nameOf(path: string | Uint8Array): string {
	const text = hostPathText(path);
	return text.slice(text.lastIndexOf('/') + 1);
}

/** wim.md §4.10, from a Unix capture. */
function attributesOf(entry: ScanEntry): number {
	switch (entry.kind) {
		case 'directory':
			return Attribute.directory;
		case 'file':
			return entry.isSparse ? Attribute.sparse : Attribute.normal;
		case 'symlink':
			return Attribute.reparsePoint | (entry.linksToDirectory ? Attribute.directory : 0);
		default:
			return 0;
	}
}
