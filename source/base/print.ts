/** Sizes, times and counts as text for people; scripts get plain numbers. */

const UNITS = ['K', 'M', 'G', 'T', 'P'] as const;

/** A size in units of 1024 with three significant digits: `92`, `1.4 K`, `158 K`, `5.1 M`. */
export function formatSize(bytes: number): string {
	if (bytes < 1024) return String(bytes);
	let value = bytes;
	let unit = -1;
	while (value >= 1023.5 && unit < UNITS.length - 1) {
		value /= 1024;
		unit++;
	}
	return `${value < 9.95 ? value.toFixed(1) : Math.round(value)} ${UNITS[unit]}`;
}

/** Digits in groups of three: `1,234,567`. Never localised. */
export function formatCount(count: number | bigint): string {
	return String(count).replace(/\B(?=(\d{3})+$)/g, ',');
}

/** A duration as `0:07`, `12:05` or `1:02:03`. */
export function formatDuration(ms: number): string {
	const seconds = Math.max(0, Math.round(ms / 1000));
	const two = (n: number) => String(n).padStart(2, '0');
	const minutes = Math.floor(seconds / 60);
	return minutes < 60
		? `${minutes}:${two(seconds % 60)}`
		: `${Math.floor(minutes / 60)}:${two(minutes % 60)}:${two(seconds % 60)}`;
}

/** An offset or flags in hexadecimal: `0x1d0`. */
export function formatHex(value: number, digits = 0): string {
	return `0x${value.toString(16).padStart(digits, '0')}`;
}

/** `1 file`, `2 files`. */
export function plural(count: number, one: string, many = `${one}s`): string {
	return `${formatCount(count)} ${count === 1 ? one : many}`;
}

const UNSAFE =
	/[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202f\u2060-\u206f\ufeff\ufff9-\ufffb]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;

/**
 * Makes text from images, paths and errors harmless for a terminal: control characters, bidi controls,
 * zero-width characters and lone surrogates become visible (`^[`, `<202E>`).
 */
export function printable(text: string): string {
	return text.replace(UNSAFE, (char) => {
		const code = char.charCodeAt(0);
		if (code < 32) return `^${String.fromCharCode(code + 64)}`;
		if (code === 127) return '^?';
		return `<${code.toString(16).toUpperCase().padStart(4, '0')}>`;
	});
}
