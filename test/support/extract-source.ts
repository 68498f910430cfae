import { DigestError, MissingError, type WimError } from '../../source/base/errors.ts';
import { type Sha1, sha1 } from '../../source/bytes/sha1.ts';
import { Span } from '../../source/bytes/span.ts';
import { Attribute } from '../../source/image/dentry.ts';
import {
	addNode,
	type EditNode,
	EditTree,
	type Inode,
	newInode,
} from '../../source/image/edit-tree.ts';
import { encodeTree } from '../../source/image/encode-tree.ts';
import { encodeLinkTarget, ReparseTag } from '../../source/image/reparse.ts';
import { encodeTaggedItems, type TaggedItem } from '../../source/image/tagged-items.ts';
import { ImageTree } from '../../source/image/tree.ts';
import type {
	BlobWriter,
	ExtractSource,
	FileTarget,
} from '../../source/operations/extract/extract-data.ts';
import { TargetFile } from '../../source/storage/target-file.ts';

/** A file of a test image; what is not given is as plain as can be. */
export interface TestFile {
	readonly contents?: string;
	/** Windows form of a link's target: `\??\C:\x`, or relative. */
	readonly link?: string;
	readonly isRelative?: boolean;
	/** Another reparse tag than that of symbolic links. */
	readonly tag?: number;
	readonly attributes?: number;
	readonly streams?: Readonly<Record<string, string>>;
	readonly shortName?: string;
	readonly descriptor?: Uint8Array;
	readonly items?: readonly TaggedItem[];
	/** Name this file again, or for the first time: equal marks are one file. */
	readonly mark?: string;
	/** The blob is not there, or is not what it should be. */
	readonly blob?: 'missing' | 'damaged';
}

/** Names to contents, files or folders. */
export interface TestFolder {
	readonly [name: string]: string | TestFile | TestFolder;
}

const FILE_KEYS = [
	'contents',
	'link',
	'attributes',
	'streams',
	'mark',
	'items',
	'blob',
	'descriptor',
];

function isFile(entry: TestFile | TestFolder): entry is TestFile {
	return FILE_KEYS.some((key) => key in entry);
}

/** An image in memory, whatever its names, and the writer that knows its blobs. */
export function testSource(folder: TestFolder): { source: ExtractSource; writer: BlobWriter } {
	const blobs = new Map<Sha1, Uint8Array>();
	const damaged = new Set<Sha1>();
	const marked = new Map<string, Inode>();
	const tree = new EditTree(newInode(Attribute.directory));
	const keep = (bytes: Uint8Array): Sha1 => {
		const name = sha1(bytes);
		if (bytes.length > 0) blobs.set(name, bytes);
		return name;
	};
	const makeFile = (file: TestFile): Inode => {
		const { contents = '', link, isRelative = false, tag = ReparseTag.symbolicLink } = file;
		const inode = newInode(
			(file.attributes ?? 0) | (link === undefined ? 0 : Attribute.reparsePoint),
		);
		const bytes = new TextEncoder().encode(contents);
		if (inode.data) inode.data.sha1 = keep(bytes);
		if (inode.data && file.blob === 'missing') blobs.delete(inode.data.sha1);
		if (inode.data && file.blob === 'damaged') damaged.add(inode.data.sha1);
		if (inode.reparse && link !== undefined) {
			inode.reparseTag = tag;
			const kind = tag === ReparseTag.mountPoint ? 'junction' : 'symbolic-link';
			inode.reparse.sha1 = keep(
				encodeLinkTarget({ kind, substituteName: link, printName: link, isRelative }),
			);
		}
		inode.named = Object.entries(file.streams ?? {}).map(([name, text]) => ({
			name,
			sha1: keep(new TextEncoder().encode(text)),
		}));
		if (file.descriptor) inode.securityId = tree.security.idOf(file.descriptor);
		if (file.items) inode.tail = encodeTaggedItems({ items: file.items, rest: new Uint8Array(0) });
		return inode;
	};
	const fill = (parent: EditNode, entries: TestFolder) => {
		for (const [name, entry] of Object.entries(entries)) {
			const file = typeof entry === 'string' ? { contents: entry } : entry;
			if (!isFile(file)) {
				fill(addNode(parent, name, '', newInode(Attribute.directory)), file);
				continue;
			}
			const inode = marked.get(file.mark ?? '') ?? makeFile(file);
			if (file.mark) marked.set(file.mark, inode);
			addNode(parent, name, file.shortName ?? '', inode);
		}
	};
	fill(tree.root, folder);
	const known = new Map([...blobs].map(([name, { length: size }]) => [name, { sha1: name, size }]));
	const source: ExtractSource = {
		tree: ImageTree.parse(new Span(encodeTree(tree), 'test image')),
		blob(name, pathOf) {
			const blob = known.get(name);
			if (blob) return blob;
			const path = pathOf();
			throw new MissingError(`Cannot extract "${path}": blob ${name} is not there`, { path });
		},
	};
	return { source, writer: memoryWriter(blobs, damaged) };
}

/** Writes blobs from memory the way lanes do: new files only, or nothing. */
function memoryWriter(
	blobs: ReadonlyMap<Sha1, Uint8Array>,
	damaged: ReadonlySet<Sha1>,
): BlobWriter {
	return {
		async write({ files, small, recoverData }, sink) {
			for (const { blob, files: targets } of files) {
				const error = damaged.has(blob.sha1)
					? new DigestError(`Cannot read blob ${blob.sha1}: chunk 0 is damaged`)
					: null;
				const isKept = error === null || recoverData;
				const refused = new Map<FileTarget, WimError>();
				for (const target of isKept ? targets : []) {
					const { path, times, isSparse } = target;
					try {
						const rest = { mode: null, owner: null };
						const file = TargetFile.create({ path, times, isSparse, ...rest });
						file.write(blobs.get(blob.sha1) ?? new Uint8Array(0), 0);
						file.finish();
					} catch (cause) {
						refused.set(target, cause as WimError);
					}
				}
				sink.fileWritten({ blob, error, isKept, refused });
			}
			for (const blob of small) sink.smallRead({ blob, error: null }, blobs.get(blob.sha1) ?? null);
		},
	};
}
