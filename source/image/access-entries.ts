/** The entries of the access list of a self-relative SECURITY_DESCRIPTOR ([MS-DTYP] 2.4.6, 2.4.5, 2.4.4), for people. */

import { sidAt } from './security.ts';

export interface AccessEntry {
	/** `allow`, `deny`, or the number of a rarer type. */
	readonly kind: string;
	/** `S-1-5-18`, or empty where the entry holds none that can be read. */
	readonly sid: string;
	readonly mask: number;
	/** As stored: 1 files inherit, 2 folders inherit, 4 not further, 8 inheriting only, 16 inherited. */
	readonly flags: number;
}

/** More entries than any list of 64 KiB holds. */
const ENTRIES_MAX = 8192;

/** Entries in their order; what does not fit the bytes ends the list. */
export function accessEntries(bytes: Uint8Array): readonly AccessEntry[] {
	if (bytes.length < 20 || bytes[0] !== 1) return [];
	const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
	const list = view.getUint32(16, true);
	if (list === 0 || list + 8 > bytes.length) return [];
	const end = Math.min(bytes.length, list + view.getUint16(list + 2, true));
	const count = Math.min(ENTRIES_MAX, view.getUint16(list + 4, true));
	const entries: AccessEntry[] = [];
	let at = list + 8;
	for (let i = 0; i < count && at + 8 <= end; i++) {
		const type = view.getUint8(at);
		const size = view.getUint16(at + 2, true);
		if (size < 8 || at + size > end) break;
		const hasSid = type <= 2 && size >= 16;
		entries.push({
			kind: type === 0 ? 'allow' : type === 1 ? 'deny' : `type ${type}`,
			sid: hasSid ? (sidAt(bytes.subarray(0, at + size), view, at + 8) ?? '') : '',
			mask: view.getUint32(at + 4, true),
			flags: view.getUint8(at + 1),
		});
		at += size;
	}
	return entries;
}

/** Well-known SIDs ([MS-DTYP] 2.4.2.4). */
const NAMES: Readonly<Record<string, string>> = {
	'S-1-1-0': 'Everyone',
	'S-1-3-0': 'CREATOR OWNER',
	'S-1-3-1': 'CREATOR GROUP',
	'S-1-3-4': 'OWNER RIGHTS',
	'S-1-5-11': 'Authenticated Users',
	'S-1-5-18': 'SYSTEM',
	'S-1-5-19': 'LOCAL SERVICE',
	'S-1-5-20': 'NETWORK SERVICE',
	'S-1-5-32-544': 'Administrators',
	'S-1-5-32-545': 'Users',
	'S-1-5-32-546': 'Guests',
	'S-1-5-32-547': 'Power Users',
	'S-1-15-2-1': 'ALL APPLICATION PACKAGES',
	'S-1-15-2-2': 'ALL RESTRICTED APPLICATION PACKAGES',
	'S-1-5-80-956008885-3418522649-1831038044-1853292631-2271478464': 'TrustedInstaller',
};

/** The name of a well-known SID, else the SID itself. */
export const sidName = (sid: string): string => NAMES[sid] ?? sid;

const RIGHTS: Readonly<Record<number, string>> = {
	2032127: 'full control',
	268435456: 'full control',
	1245631: 'modify',
	1179817: 'read and execute',
	[0xa0000000]: 'read and execute',
	1179785: 'read',
	[0x80000000]: 'read',
	1180086: 'write',
	1179958: 'write',
	1180095: 'read, write and execute',
};

/** `allow SYSTEM: full control (files, folders)`. */
export function accessText({ kind, sid, mask, flags }: AccessEntry): string {
	const inherits = [
		...(flags & 1 ? ['files'] : []),
		...(flags & 2 ? ['folders'] : []),
		...(flags & 8 ? ['below only'] : []),
		...(flags & 16 ? ['inherited'] : []),
	];
	const right = RIGHTS[mask] ?? `0x${mask.toString(16)}`;
	const how = inherits.length === 0 ? '' : ` (${inherits.join(', ')})`;
	return `${kind} ${sid === '' ? '?' : sidName(sid)}: ${right}${how}`;
}
