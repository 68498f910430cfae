/** Between what the kernel says and what file systems are asked: names, attributes and times. Pure. */
import type { Span } from '../../bytes/span.ts';
import type { Infer } from '../../bytes/struct.ts';
import {
	type AttributeChange,
	FuseError,
	type NodeAttributes,
	type NodeId,
} from './file-system.ts';
import { type Attributes, type SetAttributesIn, SetBit } from './protocol.ts';

const NS = 1_000_000_000n;
export const PAGE_SIZE = 4096;

export const align8 = (size: number) => (size + 7) & ~7;

export function joined(one: Uint8Array, other: Uint8Array): Uint8Array {
	const bytes = new Uint8Array(one.length + other.length);
	bytes.set(one);
	bytes.set(other, one.length);
	return bytes;
}

/** The bytes before the next NUL, and where what follows begins. */
export function textAt(
	span: Span,
	at: number,
): { readonly bytes: Uint8Array; readonly end: number } {
	const end = span.bytes.indexOf(0, at);
	if (end < 0) throw new FuseError('EINVAL');
	return { bytes: span.bytes.subarray(at, end), end: end + 1 };
}

const secondsOf = (ns: bigint): bigint => (ns >= 0n ? ns / NS : -((-ns + NS - 1n) / NS));

export function encodable(node: NodeId, of: NodeAttributes): Infer<typeof Attributes> {
	const nanoseconds = (ns: bigint) => Number(ns - secondsOf(ns) * NS);
	return {
		inode: node,
		size: of.size,
		blocks: Math.ceil(of.size / 512),
		// Times before 1970 are negative seconds.
		accessSeconds: BigInt.asUintN(64, secondsOf(of.accessNs)),
		writeSeconds: BigInt.asUintN(64, secondsOf(of.writeNs)),
		changeSeconds: BigInt.asUintN(64, secondsOf(of.changeNs)),
		accessNanoseconds: nanoseconds(of.accessNs),
		writeNanoseconds: nanoseconds(of.writeNs),
		changeNanoseconds: nanoseconds(of.changeNs),
		mode: of.mode,
		linkCount: of.linkCount,
		uid: of.uid,
		gid: of.gid,
		rdev: of.rdev,
		blockSize: PAGE_SIZE,
		flags: 0,
	};
}

export function changeOf(asked: Infer<typeof SetAttributesIn>, nowNs: bigint): AttributeChange {
	const has = (bit: number) => (asked.valid & bit) !== 0;
	const time = (seconds: bigint, nanoseconds: number) =>
		BigInt.asIntN(64, seconds) * NS + BigInt(nanoseconds);
	return {
		...(has(SetBit.mode) && { mode: asked.mode }),
		...(has(SetBit.uid) && { uid: asked.uid }),
		...(has(SetBit.gid) && { gid: asked.gid }),
		...(has(SetBit.size) && { size: asked.size }),
		...(has(SetBit.accessTime) && { accessNs: time(asked.accessSeconds, asked.accessNanoseconds) }),
		...(has(SetBit.writeTime) && { writeNs: time(asked.writeSeconds, asked.writeNanoseconds) }),
		...(has(SetBit.accessNow) && { accessNs: nowNs }),
		...(has(SetBit.writeNow) && { writeNs: nowNs }),
	};
}
