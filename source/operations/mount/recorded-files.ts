/** A writable image that writes down what is changed, so that a kill of the serving process loses nothing. */

import { fromBase64, toBase64 } from '../../bytes/base64.ts';
import { encodeWtf8 } from '../../bytes/utf16.ts';
import {
	type AttributeChange,
	type FileSystem,
	type FolderName,
	FuseError,
	type NodeAttributes,
	type NodeId,
	type Owner,
	type Place,
	type Statistics,
	type WritableFileSystem,
	type XattrMode,
} from '../../host/fuse/file-system.ts';
import { ROOT_NODE } from '../../host/fuse/protocol.ts';
import type { Change, ChangeLog, LoggedChange } from './change-log.ts';
import { nameText } from './mount-view.ts';
import type { StagedFiles } from './staged-files.ts';

/** Numbers of the log by nodes. */
type Numbers = Map<NodeId, number>;

export interface RecorderOptions {
	readonly log: ChangeLog;
	/** FILETIME of now. */
	readonly now: () => bigint;
	/** Those that the log knows already, when it goes on. */
	readonly numbers: Numbers;
	/** Told once when a change could not be written down. */
	readonly failed: (error: unknown) => void;
}

export class RecordedFiles implements FileSystem, WritableFileSystem {
	readonly cacheSeconds: number;
	readonly #files: StagedFiles;
	readonly #options: RecorderOptions;
	readonly #numbers: Numbers;
	#lastNumber: number;
	/** A name of each node that the kernel was told of and the log does not know yet. */
	readonly #places = new Map<NodeId, Seen>();
	readonly #handles = new Map<number, NodeId>();
	readonly #staged = new Set<NodeId>();
	#isBroken = false;

	constructor(files: StagedFiles, options: RecorderOptions) {
		this.#files = files;
		this.#options = options;
		this.#numbers = options.numbers;
		this.#lastNumber = Math.max(ROOT_NODE, ...this.#numbers.values());
		this.#numbers.set(ROOT_NODE, ROOT_NODE);
		this.cacheSeconds = files.cacheSeconds;
	}

	get writable(): WritableFileSystem {
		return this;
	}

	#add(change: Change): void {
		if (this.#isBroken) return;
		try {
			this.#options.log.add(this.#options.now(), change);
		} catch (error) {
			this.#fail(error);
		}
	}

	#fail(error: unknown): void {
		if (this.#isBroken) return;
		this.#isBroken = true;
		this.#options.failed(error);
	}

	/** The number of a node in the log, which is told where the node lies; null for one that has no name any more. */
	#numberOf(node: NodeId): number | null {
		const number = this.#find(node);
		if (number === null && this.#hasName(node)) this.#fail(`Nobody knows where node ${node} lies`);
		return number;
	}

	#hasName(node: NodeId): boolean {
		return (orNull(() => this.#files.attributes(node))?.linkCount ?? 0) > 0;
	}

	/** Not any more for a stream, when its file was renamed: what nobody finds there must not be looked up there again. */
	#isAt(node: NodeId, { folder, name }: Seen): boolean {
		return orNull(() => this.#files.lookup(folder, encodeWtf8(name))) === node;
	}

	#find(node: NodeId): number | null {
		const known = this.#numbers.get(node);
		if (known !== undefined) return known;
		const place = this.#places.get(node);
		const folder = place === undefined ? null : this.#find(place.folder);
		if (place === undefined || folder === null || !this.#isAt(node, place)) return null;
		const number = this.#newNumber(node);
		this.#add({ type: 'look', node: number, folder, name: place.name });
		return number;
	}

	#newNumber(node: NodeId): number {
		this.#places.delete(node);
		this.#numbers.set(node, ++this.#lastNumber);
		return this.#lastNumber;
	}

	lookup(folder: NodeId, name: Uint8Array): NodeId | null {
		const node = this.#files.lookup(folder, name);
		if (node !== null) this.#see(node, folder, name);
		return node;
	}

	#see(node: NodeId, folder: NodeId, name: Uint8Array): void {
		if (!this.#numbers.has(node)) this.#places.set(node, { folder, name: nameText(name) });
	}

	attributes(node: NodeId): NodeAttributes {
		return this.#files.attributes(node);
	}

	entries(folder: NodeId): readonly FolderName[] {
		const names = this.#files.entries(folder);
		// The kernel may use what is listed without looking it up.
		for (const { name, node } of names) this.#see(node, folder, name);
		return names;
	}

	readLink(node: NodeId): Promise<Uint8Array> {
		return this.#files.readLink(node);
	}

	async open(node: NodeId, forWriting: boolean, truncate: boolean): Promise<number> {
		const handle = await this.#files.open(node, forWriting, truncate);
		if (forWriting) {
			this.#handles.set(handle, node);
			this.#noteStaged(node);
		}
		return handle;
	}

	/** Writes down which staged file a node has, once. */
	#noteStaged(node: NodeId): void {
		if (this.#staged.has(node)) return;
		const file = this.#files.stagedNumber(node);
		if (file === null) return;
		this.#staged.add(node);
		const number = this.#numberOf(node);
		if (number !== null) this.#add({ type: 'staged', node: number, file });
	}

	read(handle: number, offset: number, size: number): Promise<Uint8Array> {
		return this.#files.read(handle, offset, size);
	}

	release(handle: number): Promise<void> {
		this.#handles.delete(handle);
		return this.#files.release(handle);
	}

	xattrNames(node: NodeId): readonly Uint8Array[] {
		return this.#files.xattrNames(node);
	}

	xattr(node: NodeId, name: Uint8Array): Promise<Uint8Array | null> {
		return this.#files.xattr(node, name);
	}

	statistics(): Statistics {
		return this.#files.statistics();
	}

	/** Its place is kept: other names that the kernel still holds may be those of files below it. */
	forget(node: NodeId): void {
		this.#files.forget(node);
	}

	#made(type: 'file' | 'folder' | 'link', node: NodeId, place: Place, facts: MadeFacts): NodeId {
		const folder = this.#numberOf(place.folder);
		if (folder === null) return node;
		const { mode, rdev, owner, target } = facts;
		const name = nameText(place.name);
		const text = toBase64(target);
		const number = this.#newNumber(node);
		this.#add({ type, node: number, folder, name, mode, rdev, ...owner, target: text });
		return node;
	}

	makeFile(folder: NodeId, name: Uint8Array, mode: number, rdev: number, owner: Owner): NodeId {
		const node = this.#files.makeFile(folder, name, mode, rdev, owner);
		return this.#made('file', node, { folder, name }, { mode, rdev, owner, target: NOTHING });
	}

	makeFolder(folder: NodeId, name: Uint8Array, mode: number, owner: Owner): NodeId {
		const node = this.#files.makeFolder(folder, name, mode, owner);
		return this.#made('folder', node, { folder, name }, { mode, rdev: 0, owner, target: NOTHING });
	}

	makeSymbolicLink(folder: NodeId, name: Uint8Array, target: Uint8Array, owner: Owner): NodeId {
		const node = this.#files.makeSymbolicLink(folder, name, target, owner);
		return this.#made('link', node, { folder, name }, { mode: 0, rdev: 0, owner, target });
	}

	link(node: NodeId, folder: NodeId, name: Uint8Array): void {
		this.#files.link(node, folder, name);
		const [number, parent] = [this.#numberOf(node), this.#numberOf(folder)];
		if (number !== null && parent !== null)
			this.#add({ type: 'name', node: number, folder: parent, name: nameText(name) });
	}

	unlink(folder: NodeId, name: Uint8Array): void {
		this.#remove('unlink', { folder, name }, () => this.#files.unlink(folder, name));
	}

	removeFolder(folder: NodeId, name: Uint8Array): void {
		this.#remove('rmdir', { folder, name }, () => this.#files.removeFolder(folder, name));
	}

	#remove(type: 'unlink' | 'rmdir', { folder, name }: Place, act: () => void): void {
		this.#loseName({ folder, name });
		act();
		const number = this.#numberOf(folder);
		if (number !== null) this.#add({ type, folder: number, name: nameText(name) });
	}

	/** A name is about to go: a file that another name or a program keeps has to be known by then. */
	#loseName({ folder, name }: Place): void {
		const node = this.#files.lookup(folder, name);
		if (node !== null) this.#numberOf(node);
	}

	rename(from: Place, to: Place, options: { readonly noReplace: boolean }): void {
		const node = this.#files.lookup(from.folder, from.name);
		this.#loseName(to);
		this.#files.rename(from, to, options);
		const [folder, toFolder] = [this.#numberOf(from.folder), this.#numberOf(to.folder)];
		const [name, toName] = [nameText(from.name), nameText(to.name)];
		if (folder !== null && toFolder !== null)
			this.#add({ type: 'rename', folder, name, toFolder, toName });
		if (node !== null && this.#places.has(node))
			this.#places.set(node, { folder: to.folder, name: nameText(to.name) });
	}

	async setAttributes(node: NodeId, change: AttributeChange): Promise<void> {
		await this.#files.setAttributes(node, change);
		this.#noteStaged(node);
		const { mode, uid, gid, accessNs, writeNs } = change;
		const kept = {
			...(mode === undefined ? {} : { mode }),
			...(uid === undefined ? {} : { uid }),
			...(gid === undefined ? {} : { gid }),
			...(accessNs === undefined ? {} : { access: String(accessNs) }),
			...(writeNs === undefined ? {} : { write: String(writeNs) }),
		};
		const number = Object.keys(kept).length === 0 ? null : this.#numberOf(node);
		if (number !== null) this.#add({ type: 'attributes', node: number, ...kept });
	}

	async write(handle: number, offset: number, bytes: Uint8Array): Promise<number> {
		const written = await this.#files.write(handle, offset, bytes);
		const node = this.#handles.get(handle);
		if (node !== undefined) this.#noteStaged(node);
		return written;
	}

	async setXattr(
		node: NodeId,
		name: Uint8Array,
		value: Uint8Array,
		mode: XattrMode,
	): Promise<void> {
		await this.#files.setXattr(node, name, value, mode);
		this.#addXattr(node, name, toBase64(value));
	}

	removeXattr(node: NodeId, name: Uint8Array): void {
		this.#files.removeXattr(node, name);
		this.#addXattr(node, name, null);
	}

	#addXattr(node: NodeId, name: Uint8Array, value: string | null): void {
		const number = this.#numberOf(node);
		if (number !== null) this.#add({ type: 'xattr', node: number, name: nameText(name), value });
	}
}

/** What is asked of something that may be gone. */
function orNull<T>(ask: () => T): T | null {
	try {
		return ask();
	} catch (error) {
		if (error instanceof FuseError) return null;
		throw error;
	}
}

/** Where a node was seen. */
interface Seen {
	readonly folder: NodeId;
	readonly name: string;
}

interface MadeFacts {
	readonly mode: number;
	readonly rdev: number;
	readonly owner: Owner;
	readonly target: Uint8Array;
}

const NOTHING = new Uint8Array(0);

/**
 * Makes logged changes again.
 *
 * @param numbers gets the numbers of the log by nodes, for going on with it
 * @param at told the time of each change before it is made
 * @throws when the image is not the one that was changed
 */
export async function playBack(
	files: StagedFiles,
	changes: readonly LoggedChange[],
	numbers: Numbers,
	at: (time: bigint) => void,
): Promise<void> {
	const nodes = new Map<number, NodeId>([[ROOT_NODE, ROOT_NODE]]);
	const nodeOf = (number: number): NodeId => {
		const node = nodes.get(number);
		if (node === undefined) throw new Error(`Nothing has the number ${number}`);
		return node;
	};
	for (const { time, change } of changes) {
		at(time);
		await makeAgain(files, change, nodes, nodeOf);
	}
	for (const [number, node] of nodes) numbers.set(node, number);
}

async function makeAgain(
	files: StagedFiles,
	change: Change,
	nodes: Map<number, NodeId>,
	nodeOf: (number: number) => NodeId,
): Promise<void> {
	switch (change.type) {
		case 'look': {
			const node = files.lookup(nodeOf(change.folder), encodeWtf8(change.name));
			if (node === null) throw new Error(`There is no "${change.name}"`);
			nodes.set(change.node, node);
			return;
		}
		case 'file':
		case 'folder':
		case 'link': {
			const { type, mode, rdev, uid, gid } = change;
			const [folder, name, owner] = [nodeOf(change.folder), encodeWtf8(change.name), { uid, gid }];
			const target = fromBase64(change.target);
			nodes.set(
				change.node,
				type === 'file'
					? files.makeFile(folder, name, mode, rdev, owner)
					: type === 'folder'
						? files.makeFolder(folder, name, mode, owner)
						: files.makeSymbolicLink(folder, name, target, owner),
			);
			return;
		}
		case 'name':
			return files.link(nodeOf(change.node), nodeOf(change.folder), encodeWtf8(change.name));
		case 'unlink':
			return files.unlink(nodeOf(change.folder), encodeWtf8(change.name));
		case 'rmdir':
			return files.removeFolder(nodeOf(change.folder), encodeWtf8(change.name));
		case 'rename': {
			const from = { folder: nodeOf(change.folder), name: encodeWtf8(change.name) };
			const to = { folder: nodeOf(change.toFolder), name: encodeWtf8(change.toName) };
			return files.rename(from, to, { noReplace: false });
		}
		case 'attributes': {
			const { mode, uid, gid, access, write } = change;
			return files.setAttributes(nodeOf(change.node), {
				...(mode === undefined ? {} : { mode }),
				...(uid === undefined ? {} : { uid }),
				...(gid === undefined ? {} : { gid }),
				...(access === undefined ? {} : { accessNs: BigInt(access) }),
				...(write === undefined ? {} : { writeNs: BigInt(write) }),
			});
		}
		case 'xattr': {
			const [node, name] = [nodeOf(change.node), encodeWtf8(change.name)];
			if (change.value === null) return files.removeXattr(node, name);
			return files.setXattr(node, name, fromBase64(change.value), 'any');
		}
		case 'staged':
			return files.takeStaged(nodeOf(change.node), change.file);
	}
}
