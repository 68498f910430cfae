/** What a file system in user space offers; `serve.ts` speaks with the kernel for it. */
import { Errno, type ErrnoName } from './protocol.ts';

/** A file or folder, by a number of the file system's choosing; `ROOT_NODE` is the root. */
export type NodeId = number;

/** The kind bits of a mode. */
export const Kind = {
	mask: 0o170000,
	folder: 0o040000,
	file: 0o100000,
	link: 0o120000,
} as const;

export interface NodeAttributes {
	/** In bytes. */
	readonly size: number;
	/** Kind and permissions, as in `st_mode`. */
	readonly mode: number;
	readonly linkCount: number;
	readonly uid: number;
	readonly gid: number;
	/** In the kernel's 32-bit encoding. */
	readonly rdev: number;
	/** Nanoseconds since 1970. */
	readonly accessNs: bigint;
	readonly writeNs: bigint;
	readonly changeNs: bigint;
}

/** A name in a folder. */
export interface FolderName {
	readonly name: Uint8Array;
	readonly node: NodeId;
	/** Kind bits of the mode. */
	readonly kind: number;
}

/** What `chmod`, `chown`, `truncate` and `utimes` ask for; absent things stay. */
export interface AttributeChange {
	readonly mode?: number;
	readonly uid?: number;
	readonly gid?: number;
	readonly size?: number;
	/** Nanoseconds since 1970. */
	readonly accessNs?: bigint;
	readonly writeNs?: bigint;
}

export interface Statistics {
	/** Of 4 KiB. */
	readonly blocks: number;
	readonly freeBlocks: number;
	readonly files: number;
}

/** An answer that is no defect: the kernel hands its number to the program that asked. */
export class FuseError extends Error {
	readonly errno: number;

	constructor(name: ErrnoName) {
		super(name);
		this.errno = Errno[name];
	}
}

/**
 * A tree of files. Names are the bytes that programs use. Every method throws a `FuseError` for what a program did
 * wrong; any other error becomes EIO and is reported.
 */
export interface FileSystem {
	/** For how long the kernel may trust what it was told, in seconds. */
	readonly cacheSeconds: number;
	/** Null: there is no such name. */
	lookup(folder: NodeId, name: Uint8Array): NodeId | null;
	attributes(node: NodeId): NodeAttributes;
	/** All names, `.` and `..` left out, in a stable order. */
	entries(folder: NodeId): readonly FolderName[];
	readLink(node: NodeId): Promise<Uint8Array>;
	/** May read or write the whole file; the number is handed to the calls that follow. */
	open(node: NodeId, forWriting: boolean, truncate: boolean): Promise<number>;
	/** Fewer bytes than asked for only at the end. */
	read(handle: number, offset: number, size: number): Promise<Uint8Array>;
	release(handle: number): Promise<void>;
	xattrNames(node: NodeId): readonly Uint8Array[];
	/** Null: there is no such attribute. */
	xattr(node: NodeId, name: Uint8Array): Promise<Uint8Array | null>;
	statistics(): Statistics;
	/** The kernel no longer knows this node, however often it was looked up. */
	forget(node: NodeId): void;
	/** Absent where nothing can be changed. */
	readonly writable?: WritableFileSystem;
}

export interface WritableFileSystem {
	/** Makes a file, FIFO or device. */
	makeFile(folder: NodeId, name: Uint8Array, mode: number, rdev: number, owner: Owner): NodeId;
	makeFolder(folder: NodeId, name: Uint8Array, mode: number, owner: Owner): NodeId;
	makeSymbolicLink(folder: NodeId, name: Uint8Array, target: Uint8Array, owner: Owner): NodeId;
	link(node: NodeId, folder: NodeId, name: Uint8Array): void;
	unlink(folder: NodeId, name: Uint8Array): void;
	removeFolder(folder: NodeId, name: Uint8Array): void;
	rename(from: Place, to: Place, options: { readonly noReplace: boolean }): void;
	setAttributes(node: NodeId, change: AttributeChange): Promise<void>;
	write(handle: number, offset: number, bytes: Uint8Array): Promise<number>;
	setXattr(node: NodeId, name: Uint8Array, value: Uint8Array, mode: XattrMode): Promise<void>;
	removeXattr(node: NodeId, name: Uint8Array): void;
}

/** A name in a folder, whether it is taken or not. */
export interface Place {
	readonly folder: NodeId;
	readonly name: Uint8Array;
}

/** Who asks. */
export interface Owner {
	readonly uid: number;
	readonly gid: number;
}

export type XattrMode = 'any' | 'create' | 'replace';
