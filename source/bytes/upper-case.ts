/**
 * One-to-one upper-casing of 16-bit units, as NTFS and the registry compare names: simple mappings of the basic plane,
 * nothing that changes length, surrogates stay themselves (regf.md §7, wim.md §4.4).
 */

let table: Uint16Array | null = null;

function upperTable(): Uint16Array {
	if (table !== null) return table;
	table = new Uint16Array(0x1_0000);
	for (let unit = 0; unit < table.length; unit++) {
		const upper = String.fromCharCode(unit).toUpperCase();
		const code = upper.length === 1 ? upper.charCodeAt(0) : unit;
		// No unit beyond ASCII may become an ASCII one: a dotless i is not an i.
		table[unit] = unit >= 0x80 && code < 0x80 ? unit : code;
	}
	return table;
}

/** The name with every unit upper-cased by itself; equal for names that differ only by case. */
export function upperUnits(text: string): string {
	if (/^[\u0000-\u007f]*$/.test(text)) return text.toUpperCase();
	const upper = upperTable();
	let result = '';
	for (let k = 0; k < text.length; k++)
		result += String.fromCharCode(upper[text.charCodeAt(k)] ?? 0);
	return result;
}

/** Orders names ignoring case, and names that differ only by case by their units (wim.md §4.4). */
export function compareNames(a: string, b: string): number {
	const upper = upperTable();
	const shorter = Math.min(a.length, b.length);
	for (let k = 0; k < shorter; k++) {
		const order = (upper[a.charCodeAt(k)] ?? 0) - (upper[b.charCodeAt(k)] ?? 0);
		if (order !== 0) return order;
	}
	if (a.length !== b.length) return a.length - b.length;
	return a < b ? -1 : a > b ? 1 : 0;
}
