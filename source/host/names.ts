/**
 * Which names of an image may meet this machine (wim.md §11.4). An image can hold any sequence of
 * 16-bit units; nothing here trusts that the parser dropped the worst of them.
 */

import { encodeWtf8 } from '../bytes/utf16.ts';

/** What the target makes of names. */
export type NameRules = 'posix' | 'windows';

/** Most file systems of Unix take 255 bytes a name; 255 units can need 765. */
export const NAME_BYTES_MAX = 255;

/** Windows and NTFS take 255 units a name. */
const NAME_UNITS_MAX = 255;

const FORBIDDEN: Readonly<Record<NameRules, RegExp>> = {
	posix: /[/\u0000]/g,
	windows: /[\u0000-\u001f/\\:*?"<>|]/g,
};

/** Names that stand for devices on Windows, with any extension and any blanks before it. */
const RESERVED = /^(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³]|conin\$|conout\$)[ ]*(\.|:|$)/i;

/** Why a name cannot be used as one component of a path, as the end of a sentence; null when it can. */
export function nameFault(name: string, rules: NameRules): string | null {
	if (name === '') return 'it is empty';
	if (name === '.' || name === '..') return 'it stands for a folder';
	const bad = new RegExp(FORBIDDEN[rules].source).exec(name);
	if (bad) return `it holds ${describeUnit(bad[0])}`;
	if (rules === 'windows') {
		if (RESERVED.test(name)) return 'it names a device of Windows';
		if (/[. ]$/.test(name)) return 'it ends in a dot or a blank';
		if (name.length > NAME_UNITS_MAX) return `it has more than ${NAME_UNITS_MAX} units`;
		return null;
	}
	// Almost every name is short, and no unit needs more than three bytes.
	const size = name.length * 3 <= NAME_BYTES_MAX ? 0 : byteLength(name);
	return size > NAME_BYTES_MAX ? `it has ${size} bytes, more than ${NAME_BYTES_MAX}` : null;
}

/**
 * A usable name for one that `nameFault` refuses: what is forbidden is replaced, and the number
 * keeps different names different (as `wimlib-imagex --include-invalid-names` does it).
 */
export function replacementName(name: string, rules: NameRules, number: number): string {
	const substitute = rules === 'posix' ? '?' : '\ufffd';
	const tail = ` (invalid filename #${number})`;
	let head = name.replace(FORBIDDEN[rules], substitute);
	if (rules === 'windows') head = head.slice(0, NAME_UNITS_MAX - tail.length);
	else head = shorten(head, NAME_BYTES_MAX - tail.length);
	return head + tail;
}

/** Cuts a name to `size` bytes without splitting a character. */
function shorten(name: string, size: number): string {
	if (byteLength(name) <= size) return name;
	let kept = '';
	let used = 0;
	for (const char of name) {
		used += byteLength(char);
		if (used > size) break;
		kept += char;
	}
	return kept;
}

function byteLength(name: string): number {
	return encodeWtf8(name).length;
}

function describeUnit(char: string): string {
	return char < ' ' ? `the character ${char.charCodeAt(0)}` : `the character "${char}"`;
}

/** How a file system compares names, so that twins are found before they collide. */
export interface NameFolding {
	readonly ignoresCase: boolean;
	/** Composed and decomposed forms of a letter are one name (macOS). */
	readonly normalises: boolean;
}

/** What two names must differ in to be two names on such a file system. */
export function foldName(name: string, folding: NameFolding): string {
	const form = folding.normalises ? name.normalize('NFD') : name;
	// Upper case first: some letters have one upper and two lower forms (σ and ς, k and the Kelvin sign).
	return folding.ignoresCase ? form.toUpperCase().toLowerCase() : form;
}

/**
 * Whether an image's name can be the name of the folder that holds it: harmless on every system,
 * because the folder may be copied to one that is stricter.
 */
export function isHarmlessName(name: string): boolean {
	return nameFault(name, 'windows') === null && nameFault(name, 'posix') === null;
}
