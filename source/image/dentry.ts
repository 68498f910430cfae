/**
 * The fixed part of a dentry and of an extra stream entry (wim.md §4.3, §4.6). Where they stand in a metadata resource
 * is the business of `tree.ts`.
 */
import { byteRun, type Infer, pattern64, struct, u16, u32, u64 } from '../bytes/struct.ts';

/** File attributes (wim.md §4.10). */
export const Attribute = {
	readonly: 0x1,
	hidden: 0x2,
	system: 0x4,
	directory: 0x10,
	archive: 0x20,
	device: 0x40,
	normal: 0x80,
	temporary: 0x100,
	sparse: 0x200,
	reparsePoint: 0x400,
	compressed: 0x800,
	offline: 0x1000,
	notContentIndexed: 0x2000,
	encrypted: 0x4000,
	integrityStream: 0x8000,
	virtual: 0x1_0000,
	noScrubData: 0x2_0000,
	recallOnOpen: 0x4_0000,
	recallOnDataAccess: 0x40_0000,
} as const;

/** "No security descriptor". */
export const NO_SECURITY = 0xffff_ffff;

/** Bit 0 of the reparse flags: the link target was not made relative to the image root (wim.md §4.16). */
export const REPARSE_NOT_FIXED = 1;

/** The fixed part of a dentry: 102 bytes. */
export const Dentry = struct('dentry', {
	length: u64, //         +0x00  with names, padding and tagged items; without extra stream entries
	attributes: u32, //     +0x08  see Attribute
	securityId: u32, //     +0x0C  see NO_SECURITY
	subdirOffset: u64, //   +0x10  of the child list, from the start of the metadata resource; 0 = none
	unused1: pattern64, //  +0x18
	unused2: pattern64, //  +0x20
	creationTime: pattern64, //   +0x28  FILETIME
	lastAccessTime: pattern64, // +0x30
	lastWriteTime: pattern64, //  +0x38
	mainHash: byteRun(20), //     +0x40
	unknown: u32, //        +0x54  preserved
	/** With REPARSE_POINT: u32 tag, u16 reserved, u16 flags; without: the hard link group. */
	union: pattern64, //    +0x58
	streamCount: u16, //    +0x60  of extra stream entries
	shortNameSize: u16, //  +0x62  in bytes, without NUL
	nameSize: u16, //       +0x64  in bytes, without NUL
});
export type Dentry = Infer<typeof Dentry>;

/** The fixed part of an extra stream entry: 38 bytes. */
export const StreamEntry = struct('stream entry', {
	length: u64, //        +0x00  with name and padding
	reserved: pattern64, // +0x08
	sha1: byteRun(20), //  +0x10
	nameSize: u16, //      +0x24  in bytes, without NUL; 0 = unnamed
});
export type StreamEntry = Infer<typeof StreamEntry>;

/** Rounds up to a multiple of 8. */
export function align8(size: number): number {
	return Math.ceil(size / 8) * 8;
}
