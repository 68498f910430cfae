/**
 * The messages that Linux exchanges with a file system in user space through `/dev/fuse`, protocol 7.31. Source: the
 * kernel's documented user interface (`linux/fuse.h` and fuse(4)); checked against Linux 6.18. A request is an
 * `InHeader`, the struct of its operation, and for some a name or data behind it; an answer is an `OutHeader` and its
 * struct. All integers have the byte order of the machine: Node runs on little-endian ones only.
 */
import { pattern64, struct, u16, u32, u64 } from '../../bytes/struct.ts';

export const FUSE_MAJOR = 7;
/** What we speak; a newer kernel follows. */
export const FUSE_MINOR = 31;

/** Bytes of a write that the kernel may send in one request. */
export const WRITE_SIZE_MAX = 1 << 20;

/** The node that the kernel starts from. */
export const ROOT_NODE = 1;

export const Operation = {
	lookup: 1,
	forget: 2,
	getAttributes: 3,
	setAttributes: 4,
	readLink: 5,
	symbolicLink: 6,
	makeNode: 8,
	makeFolder: 9,
	unlink: 10,
	removeFolder: 11,
	rename: 12,
	link: 13,
	open: 14,
	read: 15,
	write: 16,
	statistics: 17,
	release: 18,
	sync: 20,
	setXattr: 21,
	getXattr: 22,
	listXattrs: 23,
	removeXattr: 24,
	flush: 25,
	init: 26,
	openFolder: 27,
	readFolder: 28,
	releaseFolder: 29,
	syncFolder: 30,
	access: 34,
	create: 35,
	interrupt: 36,
	destroy: 38,
	batchForget: 42,
	allocate: 43,
	readFolderPlus: 44,
	rename2: 45,
} as const;

/** Numbers of Linux that answers carry, negated. */
export const Errno = {
	EPERM: 1,
	ENOENT: 2,
	EIO: 5,
	EBADF: 9,
	EACCES: 13,
	EBUSY: 16,
	EEXIST: 17,
	ENOTDIR: 20,
	EISDIR: 21,
	EINVAL: 22,
	EFBIG: 27,
	ENOSPC: 28,
	EROFS: 30,
	ERANGE: 34,
	ENAMETOOLONG: 36,
	ENOSYS: 38,
	ENOTEMPTY: 39,
	ENODATA: 61,
	EILSEQ: 84,
	EOPNOTSUPP: 95,
} as const;
export type ErrnoName = keyof typeof Errno;

/** Bits of `InitOut.flags`. */
export const InitFlag = {
	asyncRead: 1 << 0,
	atomicTruncate: 1 << 3,
	bigWrites: 1 << 5,
	readFolderPlus: 1 << 13,
	readFolderPlusAuto: 1 << 14,
	parallelFolders: 1 << 18,
	maxPages: 1 << 22,
	cacheSymbolicLinks: 1 << 23,
} as const;

/** Bits of `OpenOut.openFlags`. */
export const OpenFlag = { directIo: 1 << 0, keepCache: 1 << 1 } as const;

/** Bits of `SetAttributesIn.valid`. */
export const SetBit = {
	mode: 1 << 0,
	uid: 1 << 1,
	gid: 1 << 2,
	size: 1 << 3,
	accessTime: 1 << 4,
	writeTime: 1 << 5,
	handle: 1 << 6,
	accessNow: 1 << 7,
	writeNow: 1 << 8,
} as const;

/** Bits of `Rename2In.flags`. */
export const RenameFlag = { noReplace: 1 << 0, exchange: 1 << 1 } as const;

/** Bits of `SetXattrIn.flags`. */
export const XattrFlag = { create: 1, replace: 2 } as const;

export const InHeader = struct('FUSE request', {
	size: u32,
	operation: u32,
	/** Answers repeat it. */
	unique: pattern64,
	node: u64,
	uid: u32,
	gid: u32,
	pid: u32,
	extensionSize: u16,
	padding: u16,
});

export const OutHeader = struct('FUSE answer', {
	size: u32,
	/** 0, or an `Errno` negated (two's complement). */
	error: u32,
	unique: pattern64,
});

const attributes = {
	inode: u64,
	size: u64,
	blocks: u64,
	accessSeconds: pattern64,
	writeSeconds: pattern64,
	changeSeconds: pattern64,
	accessNanoseconds: u32,
	writeNanoseconds: u32,
	changeNanoseconds: u32,
	mode: u32,
	linkCount: u32,
	uid: u32,
	gid: u32,
	rdev: u32,
	blockSize: u32,
	flags: u32,
} as const;
export const Attributes = struct('FUSE attributes', attributes);

export const EntryOut = struct('FUSE entry', {
	node: u64,
	generation: u64,
	entrySeconds: u64,
	attributeSeconds: u64,
	entryNanoseconds: u32,
	attributeNanoseconds: u32,
	attributes: Attributes,
});

export const AttributesOut = struct('FUSE attributes answer', {
	seconds: u64,
	nanoseconds: u32,
	padding: u32,
	attributes: Attributes,
});

export const SetAttributesIn = struct('FUSE set attributes', {
	valid: u32,
	padding: u32,
	handle: u64,
	size: u64,
	lockOwner: pattern64,
	accessSeconds: pattern64,
	writeSeconds: pattern64,
	changeSeconds: pattern64,
	accessNanoseconds: u32,
	writeNanoseconds: u32,
	changeNanoseconds: u32,
	mode: u32,
	unused: u32,
	uid: u32,
	gid: u32,
	unused2: u32,
});

/** The older kernels' message ends after `flags`. */
export const InitIn = struct('FUSE init', {
	major: u32,
	minor: u32,
	maxReadahead: u32,
	flags: u32,
});

export const InitOut = struct('FUSE init answer', {
	major: u32,
	minor: u32,
	maxReadahead: u32,
	flags: u32,
	maxBackground: u16,
	congestionThreshold: u16,
	maxWrite: u32,
	/** Granularity of times, in ns. */
	timeGranularity: u32,
	maxPages: u16,
	mapAlignment: u16,
	flags2: u32,
	unused: pattern64,
	unused2: pattern64,
	unused3: pattern64,
	unused4: u32,
});

export const OpenIn = struct('FUSE open', { flags: u32, openFlags: u32 });
export const OpenOut = struct('FUSE open answer', { handle: u64, openFlags: u32, padding: u32 });
export const ReadIn = struct('FUSE read', {
	handle: u64,
	offset: u64,
	size: u32,
	readFlags: u32,
	lockOwner: pattern64,
	flags: u32,
	padding: u32,
});
/** The data follow. */
export const WriteIn = struct('FUSE write', {
	handle: u64,
	offset: u64,
	size: u32,
	writeFlags: u32,
	lockOwner: pattern64,
	flags: u32,
	padding: u32,
});
export const WriteOut = struct('FUSE write answer', { size: u32, padding: u32 });
export const ReleaseIn = struct('FUSE release', {
	handle: u64,
	flags: u32,
	releaseFlags: u32,
	lockOwner: pattern64,
});
export const ForgetIn = struct('FUSE forget', { lookups: u64 });
export const BatchForgetIn = struct('FUSE batch forget', { count: u32, padding: u32 });
export const ForgetOne = struct('FUSE forget entry', { node: u64, lookups: u64 });
/** The name follows. */
export const CreateIn = struct('FUSE create', {
	flags: u32,
	mode: u32,
	umask: u32,
	openFlags: u32,
});
/** The name follows. */
export const MakeNodeIn = struct('FUSE mknod', { mode: u32, rdev: u32, umask: u32, padding: u32 });
/** The name follows. */
export const MakeFolderIn = struct('FUSE mkdir', { mode: u32, umask: u32 });
/** The old and the new name follow. */
export const RenameIn = struct('FUSE rename', { folder: u64 });
/** The old and the new name follow. */
export const Rename2In = struct('FUSE rename2', { folder: u64, flags: u32, padding: u32 });
/** The new name follows. */
export const LinkIn = struct('FUSE link', { node: u64 });
/** The name follows, and then the value. */
export const SetXattrIn = struct('FUSE setxattr', { size: u32, flags: u32 });
/** The name follows. */
export const GetXattrIn = struct('FUSE getxattr', { size: u32, padding: u32 });
export const GetXattrOut = struct('FUSE getxattr answer', { size: u32, padding: u32 });
export const AllocateIn = struct('FUSE fallocate', {
	handle: u64,
	offset: u64,
	size: u64,
	mode: u32,
	padding: u32,
});

export const StatisticsOut = struct('FUSE statfs answer', {
	blocks: u64,
	freeBlocks: u64,
	availableBlocks: u64,
	files: u64,
	freeFiles: u64,
	blockSize: u32,
	nameSizeMax: u32,
	fragmentSize: u32,
	padding: u32,
	spare: pattern64,
	spare2: pattern64,
	spare3: pattern64,
});

/** The name follows, padded to 8 bytes. */
export const FolderEntry = struct('FUSE folder entry', {
	inode: u64,
	/** What the next call is to begin with. */
	next: u64,
	nameSize: u32,
	/** The kind bits of the mode, shifted down by 12. */
	kind: u32,
});
