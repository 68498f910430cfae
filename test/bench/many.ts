/**
 * Memory of reading verbs on an image of 300,000 files with 225,000 different contents, and the longest turn of the event
 * loop meanwhile: npm run bench -- --only=memory
 */
import { spawnSync } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { root } from '../support/fixture.ts';
import { WINDOWS_LIKE, writeManyFiles } from '../support/many-files.ts';
import { measure } from './measure.ts';

const PROGRAM = path.join(root, 'dist', 'wimdeck.js');
const WATCH = fileURLToPath(new URL('./longest-turn.js', import.meta.url));

/** Prints a table; what it makes below `work` is gone afterwards. */
export async function benchMany(work: string): Promise<void> {
	const file = path.join(work, 'many.wim');
	const target = path.join(work, 'many');
	const turns = path.join(work, 'longest-turn');
	const hasReference = spawnSync('wimlib-imagex', ['--version']).status === 0;
	const verbs: Readonly<Record<string, readonly string[]>> = {
		info: ['info', file],
		dir: ['dir', file, '1'],
		verify: ['verify', file],
		'apply --dry-run': ['apply', file, '1', target, '--dry-run'],
		apply: ['apply', file, '1', target],
	};
	try {
		writeManyFiles(file, WINDOWS_LIKE);
		process.stdout.write(
			`\n| ${WINDOWS_LIKE.files} files, ${WINDOWS_LIKE.contents} contents | ours MB | ref MB | ours CPU s | ref CPU s | longest turn ms (of processor time) |\n|---|---:|---:|---:|---:|---:|\n`,
		);
		for (const [verb, args] of Object.entries(verbs)) {
			process.env['WIMDECK_LONGEST_TURN'] = turns;
			rmSync(target, { recursive: true, force: true });
			const ours = await measure(process.execPath, [
				'--import',
				WATCH,
				PROGRAM,
				...args,
				'--quiet',
			]);
			rmSync(target, { recursive: true, force: true });
			const canCompare = hasReference && !args.includes('--dry-run');
			const theirs = canCompare ? await measure('wimlib-imagex', args) : null;
			const cells = [
				verb,
				ours.peakMb.toFixed(0),
				theirs?.peakMb.toFixed(0) ?? '',
				(ours.cpuMs / 1000).toFixed(2),
				theirs === null ? '' : (theirs.cpuMs / 1000).toFixed(2),
				readFileSync(turns, 'utf8'),
			];
			process.stdout.write(`| ${cells.join(' | ')} |\n`);
		}
	} finally {
		for (const one of [file, target, turns]) rmSync(one, { recursive: true, force: true });
	}
}
