import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { root } from '../support/fixture.ts';
import { claiming } from '../support/huge-claims.ts';
import { writeManyFiles } from '../support/many-files.ts';
import { tempFolder } from '../support/temp-tree.ts';

const PROGRAM = path.join(root, 'dist', 'wimdeck.js');
const WATCH = fileURLToPath(new URL('../support/peak-memory.js', import.meta.url));
const MIB = 1 << 20;

/** The most memory that a run has, in bytes, on two lanes. */
function peakOf(args: readonly string[], note: string, code = 0): number {
	const { status, stderr } = spawnSync(
		process.execPath,
		// With little room for what lives short, less depends on when garbage is collected.
		['--max-semi-space-size=1', '--import', WATCH, PROGRAM, ...args, '--quiet', '--threads=2'],
		{ encoding: 'utf8', env: { ...process.env, WIMDECK_PEAK_MEMORY: note } },
	);
	assert.equal(status, code, stderr);
	return Number(readFileSync(note, 'utf8'));
}

/**
 * How much more memory the second run takes than the first; `limit` is enough. When garbage is collected is for the machine
 * to decide and can only add to it, so a difference that is too large is measured again.
 */
function growth(small: () => number, large: () => number, limit: number): number {
	let least = Number.POSITIVE_INFINITY;
	for (let attempt = 0; attempt < 3 && least > limit; attempt++)
		least = Math.min(least, large() - small());
	return least;
}

function manyFiles(folder: string, files: number): string {
	const file = path.join(folder, `${files}.wim`);
	writeManyFiles(file, { files, contents: (files * 3) / 4, filesPerFolder: 100, seed: 5 });
	return file;
}

function growsLittle(t: TestContext, verb: 'verify' | 'apply', counts: readonly [number, number]) {
	const folder = tempFolder(t);
	const [few, many] = counts.map((count) => manyFiles(folder, count));
	const target = path.join(folder, 'target');
	const run = (file = '') => {
		rmSync(target, { recursive: true, force: true });
		const args = verb === 'apply' ? [file, '1', target] : [file];
		return peakOf([verb, ...args], path.join(folder, 'note'));
	};
	// An object for every file, its name and its contents would take 1,500. Both are enough for lanes to start.
	const limit = 1000 * (counts[1] - counts[0]);
	const grown = growth(
		() => run(few),
		() => run(many),
		limit,
	);
	assert.ok(grown <= limit, `${(grown / (counts[1] - counts[0])).toFixed(0)} bytes a file`);
}

test('verify takes less than 1000 bytes of memory for each further file', (t) =>
	growsLittle(t, 'verify', [22_000, 82_000]));

test('apply takes less than 1000 bytes of memory for each further file', (t) =>
	growsLittle(t, 'apply', [20_000, 44_000]));

test('the memory of verify and apply does not grow with the size of a file', (t) => {
	const folder = tempFolder(t);
	const note = path.join(folder, 'note');
	const wimOf = (mib: number) => {
		const tree = path.join(folder, `${mib}`);
		mkdirSync(tree);
		writeFileSync(path.join(tree, 'file'), 'a beginning');
		truncateSync(path.join(tree, 'file'), mib * MIB);
		const file = path.join(folder, `${mib}.wim`);
		peakOf(['capture', tree, file, '--compress=fast'], note);
		return file;
	};
	const [small, large] = [wimOf(32), wimOf(320)];
	const target = path.join(folder, 'target');
	for (const verb of ['verify', 'apply']) {
		const run = (file: string) => {
			rmSync(target, { recursive: true, force: true });
			return peakOf([verb, file, ...(verb === 'apply' ? [target] : [])], note);
		};
		const limit = 64 * MIB;
		const grown = growth(
			() => run(small),
			() => run(large),
			limit,
		);
		assert.ok(grown <= limit, `${verb}: ${(grown / MIB).toFixed(0)} MiB more`);
	}
});

test('a damaged chunk that claims a GiB takes the memory of what was decoded of it', async (t) => {
	const file = await claiming(t, {
		compression: 'lzms',
		count: 2,
		chunkSize: 2 ** 30,
		storedSize: 3000,
	});
	const at = (name: string) => path.join(path.dirname(file), name);
	for (const args of [
		['verify', file],
		['apply', file, '1', at('applied')],
		['salvage', file, at('saved')],
		['salvage', file, '--to-wim', at('saved.wim')],
		['repair', file, '--output', at('new.wim')],
	]) {
		const peak = peakOf(args, at('peak'), 3);
		assert.ok(peak < 300 * MIB, `${args[0]} took ${Math.round(peak / MIB)} MiB`);
	}
});
