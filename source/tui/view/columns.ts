/** Sizes, attributes and times as columns of a list. */

import { formatCount, formatSize } from '../../base/print.ts';
import type { FactValue } from '../engine-views.ts';
import { type Shown, safe } from '../parts/text.ts';

/** `5.1 M`, at most 6 columns. */
export function sizeText(bytes: number): Shown {
	return safe(formatSize(bytes));
}

/** `14.2G`: a size without its space, at most 5 columns. */
export function tightSize(bytes: number): Shown {
	const units = ['', 'K', 'M', 'G', 'T', 'P'];
	let value = bytes;
	let unit = 0;
	while (value >= 1023.5 && unit < units.length - 1) {
		value /= 1024;
		unit++;
	}
	const digits = unit === 0 || value >= 99.95 ? 0 : 1;
	return safe(`${value.toFixed(digits)}${units[unit]}`);
}

export function countText(count: number): Shown {
	return safe(formatCount(count));
}

const ATTRIBUTES: readonly [bit: number, letter: string][] = [
	[0x0001, 'R'],
	[0x0002, 'H'],
	[0x0004, 'S'],
	[0x0010, 'D'],
	[0x0020, 'A'],
	[0x0800, 'C'],
];

/** The six attributes that people look at: `RHS-A-`. */
export function attributesText(attributes: number): Shown {
	return safe(
		ATTRIBUTES.map(([bit, letter]) => ((attributes & bit) !== 0 ? letter : '-')).join(''),
	);
}

const two = (n: number): string => String(n).padStart(2, '0');

/** A time as `2024-05-07`, `2024-05-07 04:12` or `2024-05-07 04:12:31`; `-` where there is none. */
export function timeText(
	time: number | null,
	precision: 'day' | 'minute' | 'second',
	utc: boolean,
): Shown {
	if (time === null || Number.isNaN(time) || Math.abs(time) > 8.64e15) return safe('-');
	const date = new Date(time);
	const [year, month, day, hour, minute, second] = utc
		? [
				date.getUTCFullYear(),
				date.getUTCMonth(),
				date.getUTCDate(),
				date.getUTCHours(),
				date.getUTCMinutes(),
				date.getUTCSeconds(),
			]
		: [
				date.getFullYear(),
				date.getMonth(),
				date.getDate(),
				date.getHours(),
				date.getMinutes(),
				date.getSeconds(),
			];
	const days = `${String(year).padStart(4, '0')}-${two(month + 1)}-${two(day)}`;
	if (precision === 'day') return safe(days);
	const minutes = `${days} ${two(hour)}:${two(minute)}`;
	return safe(precision === 'minute' ? minutes : `${minutes}:${two(second)}`);
}

/** The value of a fact; times to the second. */
export function factText(value: FactValue, utc: boolean): string {
	return typeof value === 'string' ? value : timeText(value, 'second', utc);
}
