import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Key, KeyDecoder } from '../../../source/tui/terminal/key-decoder.ts';

const nameOf = (key: Key): string =>
	'name' in key ? key.name : 'paste' in key ? `paste(${key.paste})` : 'ack';

/** Feeds chunks; `null` waits until the decoder gives up on what is unfinished. */
async function decode(chunks: readonly (string | null)[], escMs = 5): Promise<string[]> {
	const names: string[] = [];
	const decoder = new KeyDecoder((key) => names.push(nameOf(key)), escMs);
	for (const chunk of chunks) {
		if (chunk === null) await new Promise((resolve) => setTimeout(resolve, escMs * 4));
		else decoder.push(chunk);
	}
	decoder.close();
	return names;
}

const TABLE: readonly [what: string, chunks: readonly (string | null)[], keys: string[]][] = [
	['letters in one packet', ['jjG'], ['j', 'j', 'G']],
	[
		'space, enter, tab, backspace',
		[' \r\t\x7f\b\n'],
		['space', 'enter', 'tab', 'backspace', 'backspace', 'enter'],
	],
	['control letters', ['\x04\x15\x0c\x00'], ['C-d', 'C-u', 'C-l', 'C-space']],
	['arrows', ['\x1b[A\x1b[B\x1bOC\x1bOD'], ['up', 'down', 'right', 'left']],
	['an arrow split over packets', ['\x1b', '[', 'A'], ['up']],
	[
		'home and end of all kinds',
		['\x1b[H\x1b[F\x1b[1~\x1b[4~\x1b[7~\x1b[8~\x1bOH'],
		['home', 'end', 'home', 'end', 'home', 'end', 'home'],
	],
	[
		'function keys',
		['\x1bOP\x1b[11~\x1b[15~\x1b[24~\x1b[[A\x1b[[E'],
		['f1', 'f1', 'f5', 'f12', 'f1', 'f5'],
	],
	['shift tab', ['\x1b[Z'], ['S-tab']],
	['held modifiers', ['\x1b[1;5C\x1b[1;2A\x1b[3;3~'], ['C-right', 'S-up', 'A-delete']],
	['a lone escape', ['\x1b', null], ['esc']],
	['escape twice', ['\x1b\x1b', null], ['esc', 'esc']],
	['alt and a letter', ['\x1bx'], ['A-x']],
	['an unfinished sequence is swallowed', ['\x1b[1;', null, 'j'], ['j']],
	['an unknown sequence is swallowed', ['\x1b[?1;2c\x1b[<0;3;4Mj'], ['j']],
	['the status answer', ['\x1b[0nj'], ['ack', 'j']],
	['a paste', ['\x1b[200~rm -rf\r:q\x1b[201~j'], ['paste(rm -rf\r:q)', 'j']],
	['a paste split in its end', ['\x1b[200~ab\x1b[20', '1~j'], ['paste(ab)', 'j']],
	['letters beyond ASCII', ['äß日😀'], ['ä', 'ß', '日', '😀']],
	['keypad enter', ['\x1bOM'], ['enter']],
];

for (const [what, chunks, keys] of TABLE) {
	test(`keys: ${what}`, async () => {
		assert.deepEqual(await decode(chunks), keys);
	});
}

test('every table row gives the same keys byte by byte', async () => {
	for (const [what, chunks, keys] of TABLE) {
		const split = chunks.flatMap((chunk) => (chunk === null ? [null] : [...chunk]));
		// A pause after ESC would make it the Esc key, so only rows without alt and double escapes stay the same.
		if (/escape twice|alt/.test(what)) continue;
		assert.deepEqual(await decode(split, 50), keys, what);
	}
});

test('an endless sequence does not grow the buffer', async () => {
	assert.deepEqual(
		await decode([`\x1b[${'1;'.repeat(500)}`, null, 'j']).then((keys) => keys.at(-1)),
		'j',
	);
});
