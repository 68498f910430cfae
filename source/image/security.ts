/** The security data at the beginning of a metadata resource (wim.md §4.2). Descriptors are opaque here. */
import type { Span } from '../bytes/span.ts';
import { align8 } from './dentry.ts';

export interface SecurityData {
	/** Self-relative SECURITY_DESCRIPTORs; dentries name them by position. Views of the metadata. */
	readonly descriptors: readonly Uint8Array[];
	/** With padding: where the root dentry begins. */
	readonly size: number;
}

/** @throws {FormatError} when lengths and counts do not fit the resource */
export function parseSecurityData(span: Span): SecurityData {
	span.need(0, 8, 'security data');
	const total = span.view.getUint32(0, true);
	const count = span.view.getUint32(4, true);
	const size = total === 0 ? 8 : align8(total);
	const fail = (at: number, why: string) => span.error(at, `Cannot read security data: ${why}`);
	if (size > span.size)
		throw fail(0, `it says it is ${total} bytes long, the metadata has ${span.size}`);
	if (total === 0 && count === 0) return { descriptors: [], size };
	if (size < 8 || 8 + 8 * count > size)
		throw fail(4, `${count} descriptors cannot fit into ${size} bytes`);
	const descriptors: Uint8Array[] = [];
	let at = 8 + 8 * count;
	for (let k = 0; k < count; k++) {
		const low = span.view.getUint32(8 + 8 * k, true);
		const high = span.view.getUint32(12 + 8 * k, true);
		if (high !== 0 || low > size - at)
			throw fail(8 + 8 * k, `descriptor ${k} reaches past the end of the security data`);
		descriptors.push(span.bytes.subarray(at, at + low));
		at += low;
	}
	return { descriptors, size };
}

/** What a descriptor holds, for people: owner and group as SIDs, and how many entries the lists have. */
export interface SecuritySummary {
	readonly owner: string | null;
	readonly group: string | null;
	/** Entries of the discretionary list; null when there is none. */
	readonly accessEntryCount: number | null;
	readonly auditEntryCount: number | null;
}

/** Reads the outline of a self-relative SECURITY_DESCRIPTOR; null when it is not one. */
export function summarizeDescriptor(bytes: Uint8Array): SecuritySummary | null {
	if (bytes.length < 20 || bytes[0] !== 1) return null;
	const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
	const [owner, group, sacl, dacl] = [4, 8, 12, 16].map((at) => view.getUint32(at, true));
	const count = (at: number | undefined) =>
		at === undefined || at === 0 || at + 8 > bytes.length ? null : view.getUint16(at + 4, true);
	return {
		owner: sidAt(bytes, view, owner ?? 0),
		group: sidAt(bytes, view, group ?? 0),
		accessEntryCount: count(dacl),
		auditEntryCount: count(sacl),
	};
}

/** The SID at an offset as text; null where there is none. */
export function sidAt(bytes: Uint8Array, view: DataView, at: number): string | null {
	if (at === 0 || at + 8 > bytes.length) return null;
	const count = bytes[at + 1] ?? 0;
	if (count > 15 || at + 8 + 4 * count > bytes.length) return null;
	const authority = view.getUint16(at + 2, false) * 0x1_0000_0000 + view.getUint32(at + 4, false);
	const parts = Array.from({ length: count }, (_, k) => view.getUint32(at + 8 + 4 * k, true));
	return ['S', bytes[at], authority, ...parts].join('-');
}
