import '../../support/production.ts';

import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { test } from 'node:test';
import { Box, render, Text } from 'ink';
import { createElement } from 'react';
import { fit, linesOf, type Shown, safe } from '../../../source/tui/parts/text.ts';
import { createTheme } from '../../../source/tui/parts/theme.ts';
import { paintAsInk, paintFast } from '../../../source/tui/screens/fast-output.ts';
import { composeFrame, type PlacedText } from '../../../source/tui/terminal/compose.ts';
import { randomSource } from '../../support/random.ts';
import { HeadlessTerminal } from '../../support/terminal.ts';

const COLUMNS = 60;
const ROWS = 12;
const theme = createTheme('unicode', '16');
const NAMES = [
	'afd.sys',
	'日本語.txt',
	'ÄÖÜ.dll',
	'e\u0301te\u0301',
	'│─░',
	'👩.png',
	'한글',
	'evil\x1b[2J',
];

interface Placed extends PlacedText {
	readonly width: number;
	readonly height: number;
}

/** Texts as the deck places them: lines that fill their box, some styled; dialogs cut in whole characters. */
function randomTexts(random: (below: number) => number): Placed[] {
	const styles = [theme.cursor, theme.damaged, theme.folder, (text: Shown) => text];
	return Array.from({ length: 1 + random(5) }, () => {
		const width = 4 + random(30);
		const height = 1 + random(5);
		const lines = Array.from({ length: height }, () =>
			styles[random(4)]!(
				fit(safe(`${NAMES[random(NAMES.length)]} ${NAMES[random(NAMES.length)]}`), width),
			),
		);
		return {
			x: random(COLUMNS - width),
			y: random(ROWS - height),
			width,
			height,
			text: linesOf(lines),
		};
	});
}

/** What Ink hands over for these texts. */
async function inkFrame(texts: readonly Placed[]): Promise<string> {
	let frame = '';
	const stream = Object.assign(new EventEmitter(), {
		columns: COLUMNS,
		rows: ROWS,
		isTTY: true,
		write: (text: string) => {
			if (!text.startsWith('\x1b[?25') && text !== '') frame = text;
			return true;
		},
	});
	const instance = render(
		createElement(
			Box,
			{ width: COLUMNS, height: ROWS },
			texts.map(({ x, y, text, ...size }) =>
				createElement(
					Box,
					{ key: `${x},${y},${text}`, position: 'absolute', marginLeft: x, marginTop: y, ...size },
					createElement(Text, { wrap: 'truncate' }, text),
				),
			),
		),
		{
			stdout: stream as unknown as NodeJS.WriteStream,
			debug: true,
			patchConsole: false,
			exitOnCtrlC: false,
		},
	);
	const drawn = frame;
	instance.unmount();
	return drawn;
}

async function cellsOf(frame: string): Promise<unknown[]> {
	const terminal = new HeadlessTerminal(COLUMNS, ROWS);
	terminal.write(frame.replaceAll('\n', '\r\n'));
	await terminal.drawn();
	return Array.from({ length: ROWS }, (_, y) => terminal.cells(y));
}

test('frames put together by us are those that Ink paints, cell by cell', async () => {
	const random = randomSource(11);
	for (let round = 0; round < 150; round++) {
		const texts = randomTexts(random).filter((text, i, all) =>
			// Where a wide character is half covered, Ink leaves half of it; that is no model.
			all.slice(0, i).every((below) => !overlaps(text, below) || isNarrow(below)),
		);
		paintAsInk();
		const wanted = await cellsOf(await inkFrame(texts));
		paintFast();
		const fast = await inkFrame(texts);
		paintAsInk();
		assert.deepEqual(await cellsOf(fast), wanted, `round ${round}, through Ink`);
		assert.equal(
			composeFrame(texts, COLUMNS, ROWS).join('\n'),
			fast,
			`round ${round}, without Ink`,
		);
	}
});

const overlaps = (a: Placed, b: Placed): boolean =>
	a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;

const isNarrow = ({ text }: Placed): boolean => !/[日한👩]/u.test(text);

test('a wide character that a dialog covers by half becomes a blank', () => {
	const frame = composeFrame(
		[
			{ x: 0, y: 0, text: '日本語日本語' },
			{ x: 3, y: 0, text: 'box' },
		],
		20,
		1,
	);
	assert.deepEqual(frame, ['日 box日本語']);
});

test('what reaches beyond the screen is left out', () => {
	const frame = composeFrame([{ x: 5, y: 1, text: 'abcdef\nghi\njkl' }], 8, 3);
	assert.deepEqual(frame, ['', '     abc', '     ghi']);
});
