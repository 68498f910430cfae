/**
 * Colours and symbols, by meaning. Text is styled with SGR codes inside the line, so that a pane stays one
 * component. Colour never carries meaning alone: every state has its letter as well.
 */

import type { ColorLevel, SymbolLevel } from '../terminal/probe.ts';
import { asciiEscaped, asciiOnly, type Shown, safe } from './text.ts';

type Style = (text: Shown) => Shown;

export interface Theme {
	readonly symbols: SymbolLevel;
	readonly color: ColorLevel;
	/** The row under the cursor. */
	readonly cursor: Style;
	/** The cursor row of a pane that has no focus. */
	readonly idleCursor: Style;
	readonly title: Style;
	readonly focused: Style;
	readonly marked: Style;
	readonly damaged: Style;
	readonly warning: Style;
	readonly unreadable: Style;
	readonly done: Style;
	readonly folder: Style;
	readonly link: Style;
	readonly unavailable: Style;
	readonly strong: Style;
	/** A name from outside, for a list. */
	readonly name: (raw: string) => Shown;
	/** A name from outside where it must stay exact. */
	readonly exact: (raw: string) => Shown;
	/** The one-column line between two panes. */
	readonly divider: Shown;
	readonly box: Readonly<Record<BoxPart, Shown>>;
}

export type BoxPart =
	| 'topLeft'
	| 'topRight'
	| 'bottomLeft'
	| 'bottomRight'
	| 'horizontal'
	| 'vertical';

const BOX_LINES = '┌┐└┘─│';
const BOX_ASCII = '++++-|';

const boxOf = (parts: string): Theme['box'] => {
	const at = (i: number): Shown => parts[i] as Shown;
	return {
		topLeft: at(0),
		topRight: at(1),
		bottomLeft: at(2),
		bottomRight: at(3),
		horizontal: at(4),
		vertical: at(5),
	};
};

const sgr = (on: string, off: string): Style => {
	return (text) => (text === '' ? text : (`\x1b[${on}m${text}\x1b[${off}m` as Shown));
};

const plain: Style = (text) => text;

/** What may get another colour. */
export const COLOR_MEANINGS = [
	'marked',
	'damaged',
	'warning',
	'unreadable',
	'done',
	'folder',
	'link',
] as const;

/** The 16 colours of a terminal as SGR codes. */
export const COLOR_NAMES = {
	default: 39,
	black: 30,
	red: 31,
	green: 32,
	yellow: 33,
	blue: 34,
	magenta: 35,
	cyan: 36,
	white: 37,
	gray: 90,
	brightRed: 91,
	brightGreen: 92,
	brightYellow: 93,
	brightBlue: 94,
	brightMagenta: 95,
	brightCyan: 96,
	brightWhite: 97,
} as const;

export type ColorOverrides = Readonly<
	Partial<Record<(typeof COLOR_MEANINGS)[number], keyof typeof COLOR_NAMES>>
>;

/** Builds the theme of a terminal. */
export function createTheme(
	symbols: SymbolLevel,
	color: ColorLevel,
	colors: ColorOverrides = {},
): Theme {
	const mono = color === 'never';
	const ascii = symbols === 'ascii';
	const bold = sgr('1', '22');
	const reverse = sgr('7', '27');
	const ink = (meaning: (typeof COLOR_MEANINGS)[number], code: number): Style => {
		const own = colors[meaning];
		return mono ? plain : sgr(String(own ? COLOR_NAMES[own] : code), '39');
	};
	return {
		symbols,
		color,
		cursor: reverse,
		idleCursor: plain,
		title: plain,
		focused: mono ? reverse : sgr('1;7', '22;27'),
		marked: mono ? bold : ink('marked', 33),
		damaged: mono ? bold : ink('damaged', 91),
		warning: ink('warning', 33),
		unreadable: mono ? bold : ink('unreadable', 35),
		done: ink('done', 36),
		folder: ink('folder', 94),
		link: ink('link', 36),
		unavailable: mono ? plain : sgr('2', '22'),
		strong: bold,
		name: ascii ? (raw) => asciiOnly(safe(raw)) : safe,
		exact: ascii ? (raw) => asciiEscaped(safe(raw)) : safe,
		divider: (ascii ? '|' : '│') as Shown,
		box: boxOf(ascii ? BOX_ASCII : BOX_LINES),
	};
}
