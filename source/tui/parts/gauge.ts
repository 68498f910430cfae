import { type Shown, shown } from './text.ts';

/** A bar such as `[####....]`, `width` columns wide with its brackets; an unknown share shows an empty bar. */
export function gauge(share: number | null, width: number): Shown {
	const room = Math.max(0, width - 2);
	const full = share === null ? 0 : Math.min(room, Math.max(0, Math.floor(share * room)));
	return shown`[${'#'.repeat(full) as Shown}${'.'.repeat(room - full) as Shown}]`;
}

/** A share as three digits and a sign: ` 41%`; four columns. */
export function percent(share: number | null): Shown {
	if (share === null) return '   -' as Shown;
	// 100 is said only when nothing is left.
	const value = share >= 1 ? 100 : Math.min(99, Math.max(0, Math.floor(share * 100)));
	return `${String(value).padStart(3)}%` as Shown;
}
