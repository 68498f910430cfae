import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { root } from '../support/fixture.ts';
import { oracle, runOracle } from '../support/oracles.ts';
import { listTree, tempFolder } from '../support/temp-tree.ts';
import { Tmux } from '../support/tmux.ts';

const PROGRAM = path.join(root, 'dist', 'wimdeck.js');
const SIZES: readonly (readonly [columns: number, rows: number])[] = [
	[80, 24],
	[40, 10],
];

const wimlib = (...args: readonly string[]): string => runOracle('wimlib-imagex', ...args);

/** Image names as the other program lists them. */
const namesIn = (file: string): readonly string[] =>
	[...wimlib('info', file).matchAll(/^Name: +(.*)$/gm)].map(([, name]) => name ?? '');

/** Types over what a field holds. */
async function retype(terminal: Tmux, text: string): Promise<void> {
	await terminal.press('C-u');
	terminal.type(text);
}

for (const [columns, rows] of SIZES)
	test(
		`a WIM's whole life by keys at ${columns}x${rows}, checked by wimlib`,
		oracle('tmux', 'wimlib-imagex'),
		async (t) => {
			const folder = tempFolder(t);
			const at = (name: string) => path.join(folder, name);
			mkdirSync(at('src/sub'), { recursive: true });
			writeFileSync(at('src/noise.bin'), randomBytes(2_500_000));
			writeFileSync(at('src/text.txt'), 'some text\n'.repeat(5000));
			writeFileSync(at('src/sub/small'), 'small');
			mkdirSync(at('more'));
			writeFileSync(at('more/other.txt'), 'other text\n'.repeat(100));
			using terminal = new Tmux({
				columns,
				rows,
				command: [process.execPath, PROGRAM, folder],
				env: { LC_ALL: 'C.UTF-8', TERM: 'xterm-256color', XDG_STATE_HOME: at('state') },
			});
			await terminal.until(/no \.wim/);
			await terminal.press('c');
			await terminal.until(/Capture a folder/);
			await retype(terminal, at('src'));
			await terminal.press('Down');
			await retype(terminal, at('a.wim'));
			await terminal.until(/as image 1/);
			await terminal.press('C-x');
			await terminal.until(/verify a\.wim: 3 blobs/);
			await terminal.until(/> a\.wim/);
			await terminal.press('Enter');
			await terminal.until(/1: \\(\s|$)/m);

			await terminal.press('1');
			await terminal.until(/\[1 Images\]|a\.wim {2}images/);
			await terminal.press('c');
			await terminal.until(/Capture a folder/);
			await retype(terminal, at('more'));
			await terminal.press('Down', 'Down', 'Down');
			await retype(terminal, 'Second');
			await terminal.until(/as image 2/);
			await terminal.press('C-x');
			await terminal.until(/verify a\.wim: 4 blobs/);
			assert.deepEqual(namesIn(at('a.wim')), ['src', 'Second']);
			wimlib('verify', at('a.wim'));

			await terminal.press('e');
			await terminal.until(/Export 1 image/);
			await retype(terminal, at('out.esd'));
			await terminal.press('Down', 'Down', 'Down', 'Left', 'Left', 'Left');
			await terminal.until(/LZMS solid \(/);
			await terminal.press('C-x');
			await terminal.until(/verify out\.esd: 3 blobs/);
			assert.deepEqual(namesIn(at('out.esd')), ['src']);
			assert.match(wimlib('info', at('out.esd')), /Compression: +LZMS/);
			assert.match(wimlib('info', at('out.esd'), '--blobs'), /SOLID/);
			wimlib('verify', at('out.esd'));
			wimlib('apply', at('out.esd'), '1', at('applied'));
			assert.deepEqual(listTree(at('applied')), listTree(at('src')));

			await terminal.press('S');
			await terminal.until(/Split into/);
			await retype(terminal, at('p.swm'));
			await terminal.press('Down');
			await retype(terminal, '1');
			await terminal.until(/parts: p\.swm/);
			await terminal.press('C-x');
			await terminal.until(/verify p\.swm: 4 blobs/);
			assert.ok(readdirSync(folder).filter((name) => /^p\d*\.swm$/.test(name)).length > 1);
			wimlib('verify', at('p.swm'), `--ref=${at('p*.swm')}`);

			await terminal.press('j', 'D');
			await terminal.until(/Delete 1 image/);
			await terminal.press('C-x');
			await terminal.until(/Keep \]/);
			await terminal.press('Right', 'Enter');
			await terminal.until(/delete a\.wim #2: /);
			assert.deepEqual(namesIn(at('a.wim')), ['src']);
			await terminal.press('Z');
			await terminal.until(/Take back the last/);
			await terminal.press('C-x');
			await terminal.until(/Keep it \]/);
			await terminal.press('Right', 'Enter');
			await terminal.until(/undo a\.wim: back to 2 images/);
			assert.deepEqual(namesIn(at('a.wim')), ['src', 'Second']);

			await terminal.press('O');
			await terminal.until(/Optimize: write/);
			await terminal.press('Right', 'Right', 'C-x');
			await terminal.until(/verify a\.wim: 4 blobs[\s\S]*/);
			await terminal.press('P');
			await terminal.until(/Properties of image/);
			await retype(terminal, 'Renamed');
			await terminal.press('C-x');
			await terminal.until(/edit properties of a\.wim: done/);
			assert.equal(namesIn(at('a.wim')).filter((name) => name === 'Renamed').length, 1);
			assert.match(wimlib('info', at('a.wim')), /Compression: +XPRESS/);
			wimlib('verify', at('a.wim'));
			await terminal.press('q');
			const screen = await terminal.until(/END/);
			assert.match(screen, /EXIT=0/);
		},
	);
