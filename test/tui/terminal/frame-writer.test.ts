import assert from 'node:assert/strict';
import { test } from 'node:test';
import { blank, fit, type Shown, safe, shown } from '../../../source/tui/parts/text.ts';
import { createTheme } from '../../../source/tui/parts/theme.ts';
import { FrameWriter } from '../../../source/tui/terminal/frame-writer.ts';
import { randomSource } from '../../support/random.ts';
import { HeadlessTerminal } from '../../support/terminal.ts';

const theme = createTheme('unicode', '16');

const WORDS = [
	'Windows',
	'System32',
	'afd.sys',
	'日本語.txt',
	'ÄÖÜ.dll',
	'e\u0301te\u0301',
	'ไทยภาษา',
	'👨\u200d👩.png',
	'🇩🇪',
	'❤\ufe0f.jpg',
	'한글',
	'कि',
	'evil\x1b]0;title\x07',
	'\u0301start',
	'end\u0600',
	'\u{e0041}tag',
	'░▒▓█',
];

function randomLine(random: (below: number) => number, columns: number): Shown {
	let line = safe('');
	const words = 1 + random(5);
	for (let i = 0; i < words; i++) {
		const word = fit(safe(WORDS[random(WORDS.length)]!), 1 + random(20));
		const styles = [theme.cursor, theme.damaged, theme.marked, (s: Shown) => s];
		line = shown`${line}${styles[random(4)]!(word)}`;
	}
	return random(3) === 0 ? fit(stripped(line), columns) : cutTo(line, columns);
}

const stripped = (text: Shown): Shown => safe(text.replace(/\x1b\[[\d;]*m/g, ''));
const cutTo = (text: Shown, columns: number): Shown =>
	stripped(text).length > columns / 2 ? fit(stripped(text), columns - 1) : text;

/** An output that takes everything at once and remembers it. */
const recorder =
	(written: string[]) =>
	(text: string, done?: () => void): void => {
		written.push(text);
		done?.();
	};

/** What the terminal shows when the frame alone is drawn on an empty screen, each row by itself. */
async function drawnAlone(frame: string, columns: number, rows: number): Promise<string> {
	const terminal = new HeadlessTerminal(columns, rows);
	const writer = new FrameWriter(terminal, { minGapMs: 0, ackAfter: 0 });
	writer.stream.write(frame);
	await terminal.drawn();
	return terminal.text();
}

for (const answers of [true, false]) {
	test(`random frames leave the last frame on the screen, ${answers ? 'with' : 'without'} answers`, async () => {
		const columns = 60;
		const rows = 12;
		const random = randomSource(answers ? 7 : 8);
		const terminal = new HeadlessTerminal(columns, rows);
		const writer = new FrameWriter(terminal, { minGapMs: 0, ackAfter: 200, ackMs: 1 });
		if (answers) terminal.onAnswer((text) => text.includes('\x1b[0n') && writer.ack());
		for (let i = 0; i < 300; i++) {
			const frame = Array.from({ length: 1 + random(rows) }, () =>
				randomLine(random, columns),
			).join('\n');
			writer.hurry();
			writer.stream.write(frame);
			if (random(10) === 0) writer.repaint();
			if (random(3) !== 0) continue; // often many frames replace each other
			await writer.settled(5000);
			await terminal.drawn();
			assert.equal(terminal.text(), await drawnAlone(frame, columns, rows), `frame ${i}`);
		}
		writer.stop();
	});
}

test('the same frame twice sends nothing', async () => {
	const terminal = new HeadlessTerminal();
	const writer = new FrameWriter(terminal, { minGapMs: 0 });
	writer.stream.write('one\ntwo');
	await terminal.drawn();
	const { bytes } = terminal;
	writer.hurry();
	writer.stream.write('one\ntwo');
	await terminal.drawn();
	assert.equal(terminal.bytes, bytes);
});

test('a digit that changes in the middle of a row costs one short movement', async () => {
	const terminal = new HeadlessTerminal();
	const writer = new FrameWriter(terminal, { minGapMs: 0 });
	const row = (n: number): string =>
		`1 verify  install.wim   [####......]  ${n}%   402 MB/s  0:1${n}`;
	writer.stream.write(row(1));
	await writer.settled(1000);
	const { bytes } = terminal;
	writer.hurry();
	writer.stream.write(row(2));
	await terminal.drawn();
	assert.ok(terminal.bytes - bytes <= 20, `${terminal.bytes - bytes} bytes`);
	assert.equal(terminal.lines()[0], row(2));
});

test('a frame without a key waits its turn, and frames that come meanwhile replace it', async () => {
	const written: string[] = [];
	const writer = new FrameWriter(
		{ columns: 20, rows: 5, write: recorder(written) },
		{ minGapMs: 50 },
	);
	writer.stream.write('first');
	writer.stream.write('second');
	writer.stream.write('third');
	assert.equal(written.length, 1);
	await new Promise((resolve) => setTimeout(resolve, 80));
	assert.equal(written.length, 2);
	assert.ok(written[1]?.includes('thi') && !written[1].includes('second'));
	writer.hurry();
	writer.stream.write('at once');
	assert.equal(written.length, 3);
});

test('a full row at the right edge is not followed by an erase', async () => {
	const terminal = new HeadlessTerminal(20, 3);
	const writer = new FrameWriter(terminal, { minGapMs: 0 });
	const full = 'x'.repeat(20);
	writer.stream.write(`${full}\n${full}`);
	await terminal.drawn();
	assert.equal(terminal.text(), `${full}\n${full}\n`);
	assert.ok(!terminal.sent.includes('\x1b[K'));
});

test('a terminal that never answers is asked three times and then no more', async () => {
	const written: string[] = [];
	const writer = new FrameWriter(
		{ columns: 80, rows: 5, write: recorder(written) },
		{ minGapMs: 0, ackAfter: 10, ackMs: 1 },
	);
	for (let i = 0; i < 8; i++) {
		writer.hurry();
		writer.stream.write(String(i).repeat(40));
		await writer.settled(1000);
	}
	assert.equal(written.filter((text) => text.includes('\x1b[5n')).length, 3);
	assert.ok(written.at(-1)?.includes('7'));
});

test('a stopped writer sends nothing, and paints everything when it goes on', async () => {
	const terminal = new HeadlessTerminal(20, 3);
	const writer = new FrameWriter(terminal, { minGapMs: 0 });
	writer.stream.write('before');
	await writer.settled(1000);
	writer.stop();
	const { bytes } = terminal;
	writer.stream.write('meanwhile');
	assert.equal(terminal.bytes, bytes);
	writer.resume();
	await terminal.drawn();
	assert.equal(terminal.lines()[0], 'meanwhile');
});

test('rows of hostile names keep the columns behind them in place', async () => {
	const terminal = new HeadlessTerminal(60, WORDS.length);
	const writer = new FrameWriter(terminal, { minGapMs: 0 });
	writer.stream.write(WORDS.map((word) => `${fit(safe(word), 30)}|${blank(3)}end`).join('\n'));
	await terminal.drawn();
	for (let y = 0; y < WORDS.length; y++) {
		const bar = terminal.cells(y).find(({ text }) => text === '|');
		assert.equal(bar?.x, 30, JSON.stringify(WORDS[y]));
	}
	assert.deepEqual(terminal.events, { titles: [], bells: [], copies: [] });
});
