/** FILETIME: ticks of 100 ns since 1601-01-01 UTC, as a bigint because a double loses digits. */

/** Ticks from 1601 to 1970. */
export const FILETIME_OF_1970 = 116_444_736_000_000_000n;

const TICKS_PER_MS = 10_000n;

/** Milliseconds since 1970, for show only: loses digits. */
export function filetimeToMs(ticks: bigint): number {
	return Number(ticks - FILETIME_OF_1970) / 10_000;
}

/**
 * What `utimes` and its kin take so that the file gets this time to the microsecond (until 2106, where doubles become
 * coarser), and to what a double can hold (0.24 microseconds) where libuv keeps nanoseconds (observed with Node 22.23).
 * Before, it kept microseconds, cutting towards 1970 (1.46, Node 20), so where the nearest double lies on the wrong side
 * of a microsecond its neighbour is taken. A time before 1970 goes as text, because Node takes a negative number for "now";
 * it is cut off the other way round, so that there newer versions of Node may be off by 1.5 microseconds.
 */
export function utimesArgument(ticks: bigint): number | string {
	const since1970 = ticks - FILETIME_OF_1970;
	const microseconds = Number(
		since1970 / 10n - (since1970 < 0n && since1970 % 10n !== 0n ? 1n : 0n),
	);
	if (microseconds < 0) return String((microseconds - 0.5) / 1e6);
	const nearest = Number(since1970) / 1e7;
	for (const seconds of [nearest, nearest + 2 ** -22, nearest - 2 ** -22])
		if (
			Math.floor(seconds * 1e6) === microseconds &&
			Math.floor((seconds % 1) * 1e6) === microseconds % 1e6
		)
			return seconds;
	return (microseconds + 0.5) / 1e6;
}

/** From nanoseconds since 1970 (`stat` with `bigint`); below one tick is cut off. Clamped to the range of FILETIME. */
export function filetimeFromNs(ns: bigint): bigint {
	const ticks = (ns >= 0n ? ns : ns - 99n) / 100n + FILETIME_OF_1970;
	return ticks < 0n ? 0n : ticks;
}

export function filetimeFromMs(ms: number): bigint {
	return BigInt(Math.round(ms)) * TICKS_PER_MS + FILETIME_OF_1970;
}

/** `2024-05-14 04:12:31` in UTC; `-` for 0 and for what no calendar holds. */
export function formatFiletime(ticks: bigint): string {
	if (ticks === 0n) return '-';
	const date = new Date(filetimeToMs(ticks));
	if (Number.isNaN(date.getTime())) return '-';
	return date.toISOString().slice(0, 19).replace('T', ' ');
}
