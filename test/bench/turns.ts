/** The longest turn of the main thread while verify and apply run, by format: npm run bench -- FOLDER --only=turns */
import { spawnSync } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { root } from '../support/fixture.ts';

const PROGRAM = path.join(root, 'dist', 'wimdeck.js');
const WATCH = fileURLToPath(new URL('./longest-turn.js', import.meta.url));

/** Fast levels: what is measured is the reading. */
const FORMATS: Readonly<Record<string, readonly string[]>> = {
	none: ['--compress=none'],
	XPRESS: ['--compress=XPRESS:20'],
	LZX: ['--compress=LZX:20'],
	LZMS: ['--compress=LZMS:20'],
	solid: ['--solid', '--solid-compress=LZMS:20'],
};

/** The longest turn of a run, as `longest-turn.ts` writes it. */
function longestTurn(args: readonly string[], note: string): string {
	const { status, stderr } = spawnSync(
		process.execPath,
		['--import', WATCH, PROGRAM, ...args, '--quiet'],
		{ encoding: 'utf8', env: { ...process.env, WIMDECK_LONGEST_TURN: note } },
	);
	if (status !== 0) throw new Error(`wimdeck ${args.join(' ')} ended with ${status}: ${stderr}`);
	return readFileSync(note, 'utf8');
}

/** Prints a table; what it makes below `work` is gone afterwards. */
export function benchTurns(work: string, corpus: string): void {
	const file = path.join(work, 'turns.wim');
	const target = path.join(work, 'turns');
	const note = path.join(work, 'longest-turn');
	process.stdout.write(
		'\n| longest turn in ms (of processor time) | verify | apply |\n|---|---:|---:|\n',
	);
	try {
		for (const [format, how] of Object.entries(FORMATS)) {
			rmSync(file, { force: true });
			longestTurn(['capture', corpus, file, ...how], note);
			const verify = longestTurn(['verify', file], note);
			rmSync(target, { recursive: true, force: true });
			const apply = longestTurn(['apply', file, '1', target], note);
			process.stdout.write(`| ${format} | ${verify} | ${apply} |\n`);
		}
	} finally {
		for (const one of [file, target, note]) rmSync(one, { recursive: true, force: true });
	}
}
