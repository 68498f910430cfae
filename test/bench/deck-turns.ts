/** How long keys may have to wait while the deck works on large images: npm run bench -- --only=deck */

import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { createEngine } from '../../source/tui/engine/create-engine.ts';
import { DeckOnTerminal } from '../support/deck.ts';
import { writeLargeWim } from '../support/large-wim.ts';
import { processorMs } from './longest-turn.ts';
import { makeMetadata } from './tree.ts';

/** Two images of 300 folders with 999 files each, and two of one folder with 300,000. */
function writeImages(wim: string): void {
	const shapes = [
		{ folderCount: 300, filesPerFolder: 999 },
		{ folderCount: 1, filesPerFolder: 300_000 },
	];
	writeLargeWim(wim, {
		size: 5e9,
		blobCount: 1000,
		images: shapes.flatMap((shape, k) =>
			[0, 1].map((salt) => ({
				metadata: makeMetadata({ ...shape, salt }),
				name: `image ${2 * k + salt + 1}`,
			})),
		),
	});
}

/** Keys, and what shows that all they asked for is there. */
type Step = readonly [what: string, keys: readonly string[], shows: RegExp];

const FLAT = 'amd64_microsoft-windows-component_31bf3856ad364e35_10.0.26100.1_none_0';

const STEPS: readonly Step[] = [
	['read an image of 300,000 files', ['g', 'enter'], /name\^ 300/],
	['find *5.dll in it', ['f', '*5.dll', 'enter'], /name\^ \d\d,\d{3}/],
	['size by folder', ['-', '%'], /FOLDER/],
	['difference of two such images', ['q', '1', '='], /Compare two images/],
	['(compare)', ['\x18'], /Differences\] 1 -> 2: [\s\S]*\+\d/],
	['all differences in one list', ['t'], /file_with/],
	['filter them', ['/', '77.dll', 'enter'], /77\.dll/],
	['one folder of 300,000 files', ['esc', 'q', '1', 'j', 'j', 'enter'], /name\^ 1\b/],
	['(enter it)', ['enter'], /name\^ 300,000/],
	['sort it by size', ['s', 's'], /sizev 300,000/],
	['filter it', ['/', '4321', 'enter'], /\/\d+ of 300,000/],
	['complete a path in it', ['esc', 'p', `\\${FLAT}\\file_with_long_name_0_29`, '\t'], /GO TO/],
	['go to a path in it', ['9.dll', 'enter'], /0_299\.dll/],
	// The long path leaves no room for the number of the image in the title.
	['the same path in the next image', [']'], />4 image 4/],
	['difference of two such folders', ['1', '='], /Compare two images/],
	['(compare)', ['\x18'], /Differences\] 4 -> 3: [\s\S]*\+\d/],
	['enter it', ['enter'], /file_with/],
];

/** What the clock of the main thread says: its processor time, which others on the machine do not stretch. */
const clock = (): number => processorMs() ?? performance.now();

const NAMED: ReadonlySet<string> = new Set(['enter', 'esc']);

/** Milliseconds of work in one turn of the event loop, the most since it was asked last. */
class LongestTurn {
	#last = clock();
	#longest = 0;
	#isOn = true;

	constructor() {
		const look = (): void => {
			const now = clock();
			this.#longest = Math.max(this.#longest, now - this.#last);
			this.#last = now;
			if (this.#isOn) setImmediate(look);
		};
		look();
	}

	take(): number {
		const longest = this.#longest;
		this.#longest = 0;
		this.#last = clock();
		return longest;
	}

	end(): void {
		this.#isOn = false;
	}
}

/** Prints a table. */
export async function benchDeckTurns(): Promise<void> {
	const folder = mkdtempSync(path.join(os.tmpdir(), 'wimdeck-turns-'));
	const wim = path.join(folder, 'large.wim');
	process.env['XDG_STATE_HOME'] = '/dev/null/nowhere';
	try {
		writeImages(wim);
		const engine = await createEngine();
		const deck = await DeckOnTerminal.open(engine, { path: wim });
		await deck.until(/image 4/);
		const turns = new LongestTurn();
		process.stdout.write(
			'\n| the deck, 300,000 files | until shown, ms | longest turn, ms of processor time |\n|---|---:|---:|\n',
		);
		for (const [what, keys, shows] of STEPS) {
			turns.take();
			const began = performance.now();
			// As they are typed: one after the other.
			for (const key of keys)
				for (const one of key.length > 1 && !NAMED.has(key) ? key : [key]) await deck.press(one);
			await deck.terminal.until((screen) => shows.test(screen), 60_000);
			await deck.quiet();
			const ms = performance.now() - began;
			process.stdout.write(`| ${what} | ${ms.toFixed(0)} | ${turns.take().toFixed(0)} |\n`);
		}
		turns.end();
		deck.close();
		await engine.close();
	} finally {
		rmSync(folder, { recursive: true, force: true });
	}
}
