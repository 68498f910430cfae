/** What becomes of the names whose contents are not whole, in a WIM that must be valid all the same. */
import { NAME_UNITS_MAX } from '../../base/limits.ts';
import { isEmptyStream, type Sha1, ZERO_SHA1 } from '../../bytes/sha1.ts';
import { Attribute, NO_SECURITY } from '../../image/dentry.ts';
import {
	addNode,
	type EditNode,
	type EditStream,
	type EditTree,
	type Inode,
	isDirectory,
	newInode,
	removeNode,
	streamsOf,
} from '../../image/edit-tree.ts';

/**
 * `mark`: what can be read stands under the name with `.partial` behind it, zeros for what is lost, and where nothing can
 * be read a note stands under the name with `.lost` behind it. `omit`: such files are left out.
 */
export type LostPolicy = 'mark' | 'omit';

/** How much of some contents can be had. */
export type Fate = 'whole' | 'partial' | 'lost';

/** Ends the names of files of which only a part could be read; the rest of them is zeros. */
export const PARTIAL_SUFFIX = '.partial';
/** Ends the names of files that hold nothing but a note on what is lost. */
export const LOST_SUFFIX = '.lost';

/** What is to be stored for the marked names: the streams get the SHA-1 of what is stored. */
export interface Marks {
	/** By the SHA-1 of the contents as they were. */
	readonly partial: Map<Sha1, EditStream[]>;
	readonly lost: Map<Sha1, EditStream[]>;
	/** False when the tree is as it was. */
	isChanged: boolean;
}

/** Marks or leaves out every file of a tree whose contents are not whole. */
export function markLost(tree: EditTree, fateOf: (sha1: Sha1) => Fate, policy: LostPolicy): Marks {
	const marks: Marks = { partial: new Map(), lost: new Map(), isChanged: false };
	const marker = new Marker(marks, fateOf);
	const suffixes = new Map<Inode, string>();
	for (const inode of tree.inodes()) {
		const isWhole = streamsOf(inode).every(({ sha1 }) => marker.fate(sha1) === 'whole');
		if (isWhole) continue;
		marks.isChanged = true;
		const fate = marker.mainFate(inode);
		if (policy === 'omit') {
			inode.named = inode.named.filter(({ sha1 }) => marker.fate(sha1) === 'whole');
			if (fate !== 'whole') suffixes.set(inode, '');
			continue;
		}
		marker.markNamed(inode);
		if (fate !== 'whole') suffixes.set(inode, marker.markMain(inode, fate));
	}
	if (suffixes.size === 0) return marks;
	const names = new FreeNames();
	for (const node of [...tree.nodes()]) {
		const suffix = suffixes.get(node.inode);
		if (suffix === '') removeNode(node);
		else if (suffix !== undefined) names.rename(node, suffix);
	}
	return marks;
}

class Marker {
	readonly #marks: Marks;
	readonly #fateOf: (sha1: Sha1) => Fate;

	constructor(marks: Marks, fateOf: (sha1: Sha1) => Fate) {
		this.#marks = marks;
		this.#fateOf = fateOf;
	}

	fate(sha1: Sha1): Fate {
		return isEmptyStream(sha1) ? 'whole' : this.#fateOf(sha1);
	}

	/** Of what makes the file what it is: its contents, or its reparse data. */
	mainFate(inode: Inode): Fate {
		const reparse = inode.reparse === null ? 'whole' : this.fate(inode.reparse.sha1);
		if (reparse !== 'whole') return 'lost';
		const data = inode.data === null ? 'whole' : this.fate(inode.data.sha1);
		// A part of an encrypted file is of no use: nobody can read it.
		return data === 'partial' && inode.attributes & Attribute.encrypted ? 'lost' : data;
	}

	/** Makes the file one that holds what is left, or a note. @returns what its names end in */
	markMain(inode: Inode, fate: Fate): string {
		const former = inode.reparse !== null && this.fate(inode.reparse.sha1) !== 'whole';
		const sha1 = (former ? inode.reparse : inode.data)?.sha1 ?? ZERO_SHA1;
		const stream: EditStream = { name: '', sha1 };
		if (fate === 'lost') {
			inode.attributes &= ~(Attribute.reparsePoint | Attribute.directory | Attribute.encrypted);
			inode.reparse = null;
			inode.reparseTag = 0;
			inode.reparseReserved = 0;
			inode.reparseFlags = 0;
		}
		inode.data = stream;
		add(fate === 'lost' ? this.#marks.lost : this.#marks.partial, sha1, stream);
		return fate === 'lost' ? LOST_SUFFIX : PARTIAL_SUFFIX;
	}

	/** Named streams keep their file; their own names say what became of them. */
	markNamed(inode: Inode): void {
		inode.named = inode.named.map((stream) => {
			const fate = this.fate(stream.sha1);
			if (fate === 'whole') return stream;
			const suffix = fate === 'lost' ? LOST_SUFFIX : PARTIAL_SUFFIX;
			const marked: EditStream = { name: withSuffix(stream.name, suffix), sha1: stream.sha1 };
			add(fate === 'lost' ? this.#marks.lost : this.#marks.partial, stream.sha1, marked);
			return marked;
		});
	}
}

function add(to: Map<Sha1, EditStream[]>, sha1: Sha1, stream: EditStream): void {
	const streams = to.get(sha1);
	if (streams === undefined) to.set(sha1, [stream]);
	else streams.push(stream);
}

function withSuffix(name: string, suffix: string): string {
	return name.slice(0, NAME_UNITS_MAX - suffix.length) + suffix;
}

/** Gives nodes names that nothing else in their folder has, case aside. */
class FreeNames {
	readonly #taken = new Map<EditNode, Set<string>>();

	rename(node: EditNode, suffix: string): void {
		const { parent } = node;
		if (parent?.children == null) return;
		const taken = this.#takenIn(parent);
		const name = this.#free(taken, node.name, suffix);
		parent.children.delete(node.name);
		node.name = name;
		// The short name would still lead to contents that are not what they were.
		node.shortName = '';
		node.children = isDirectory(node.inode) ? node.children : null;
		parent.children.set(name, node);
		taken.add(name.toLowerCase());
	}

	#free(taken: ReadonlySet<string>, name: string, suffix: string): string {
		let free = withSuffix(name, suffix);
		for (let n = 2; taken.has(free.toLowerCase()); n++) free = withSuffix(name, ` (${n})${suffix}`);
		return free;
	}

	#takenIn(parent: EditNode): Set<string> {
		let taken = this.#taken.get(parent);
		if (taken === undefined) {
			taken = new Set([...(parent.children?.keys() ?? [])].map((name) => name.toLowerCase()));
			this.#taken.set(parent, taken);
		}
		return taken;
	}
}

/** Puts files without a name of their own into a folder below the root, which is made; gives their streams. */
export function addFolderOf(
	tree: EditTree,
	folder: string,
	names: readonly string[],
): readonly EditStream[] {
	if (names.length === 0) return [];
	const taken = new Set([...(tree.root.children?.keys() ?? [])].map((name) => name.toLowerCase()));
	let free = folder;
	for (let n = 2; taken.has(free.toLowerCase()); n++) free = `${folder} ${n}`;
	const parent = addNode(tree.root, free, '', timed(newInode(Attribute.directory), tree));
	return names.map((name) => {
		const inode = timed(newInode(Attribute.normal), tree);
		const stream: EditStream = { name: '', sha1: ZERO_SHA1 };
		inode.data = stream;
		addNode(parent, name, '', inode);
		return stream;
	});
}

/** Made files get the times of the root, so that the same damage gives the same file. */
function timed(inode: Inode, { root }: EditTree): Inode {
	const { creationTime, lastAccessTime, lastWriteTime } = root.inode;
	return Object.assign(inode, {
		creationTime,
		lastAccessTime,
		lastWriteTime,
		securityId: NO_SECURITY,
	});
}
