import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { hostFs } from '../../source/storage/host-fs.ts';
import { findWims } from '../../source/tui/engine/host-files.ts';
import { openFile } from '../../source/tui/engine/open-wim-file.ts';
import type { FoundWim } from '../../source/tui/engine.ts';
import { fixture, root } from '../support/fixture.ts';
import { oracle } from '../support/oracles.ts';
import { tempFolder } from '../support/temp-tree.ts';
import { Tmux } from '../support/tmux.ts';

// Files of this machine whose names are no UTF-8: Latin-1 from an old file server.

const PROGRAM = path.join(root, 'dist', 'wimdeck.js');
const LATIN = process.platform === 'linux' ? {} : { skip: 'names are bytes on Linux' };
const NAME = 'caf\udce9.wim';

/** A folder with a folder and a WIM that are called so. */
async function latinFolder(t: TestContext): Promise<string> {
	const folder = tempFolder(t);
	const inside = Buffer.concat([Buffer.from(folder), Buffer.from('/d\xe9pot', 'latin1')]);
	mkdirSync(inside);
	copyFileSync(
		fixture('vectors/v02.wim'),
		Buffer.concat([inside, Buffer.from('/caf\xe9.wim', 'latin1')]),
	);
	return folder;
}

test('the deck finds and opens a file whose name and folder are no UTF-8', LATIN, async (t) => {
	const folder = await latinFolder(t);
	let found: readonly FoundWim[] = [];
	const { signal } = new AbortController();
	await findWims(
		folder,
		true,
		(batch) => {
			found = batch;
		},
		signal,
	);
	assert.deepEqual(
		found.map(({ path: file, problem, summary }) => [file, problem, summary?.imageCount]),
		[[path.join(folder, 'd\udce9pot', NAME), null, 2]],
	);
	const file = await openFile(found[0]!.path, []);
	assert.equal(file.images.length, 2);
	await file.close();
});

test('a command changes, checks and lists a file whose name is no UTF-8', LATIN, async (t) => {
	const folder = tempFolder(t);
	mkdirSync(path.join(folder, 'source'));
	writeFileSync(path.join(folder, 'source', 'a'), 'content');
	const script = [
		'set -e; w=$(printf "caf\\\\351.wim"); run() { "$NODE" "$PROGRAM" "$@"; }',
		'run capture source "$w" --quiet',
		'run append source "$w" Second --quiet',
		'run verify "$w" --quiet',
		'run optimize "$w" --quiet',
		'run info "$w" --json',
	].join('\n');
	const out = execFileSync('sh', ['-c', script], {
		cwd: folder,
		encoding: 'utf8',
		env: { ...process.env, NODE: process.execPath, PROGRAM, XDG_STATE_HOME: `${folder}/state` },
	});
	assert.equal((JSON.parse(out) as { images: unknown[] }).images.length, 2);
	assert.deepEqual((await hostFs.readdir(folder)).sort(), [NAME, 'source', 'state']);
	const { stdout } = spawnSync(process.execPath, [PROGRAM, 'jobs'], {
		encoding: 'utf8',
		env: { ...process.env, XDG_STATE_HOME: `${folder}/state` },
	});
	assert.match(stdout, /verify caf<DCE9>\.wim/);
});

test(
	'a folder whose name is no UTF-8 is refused as a source, and nothing is made',
	LATIN,
	async (t) => {
		const folder = await latinFolder(t);
		const { status, stderr } = spawnSync(
			'sh',
			['-c', '"$NODE" "$PROGRAM" capture "$(printf "d\\\\351pot")" new.wim'],
			{
				cwd: folder,
				encoding: 'utf8',
				env: { ...process.env, NODE: process.execPath, PROGRAM, XDG_STATE_HOME: `${folder}/state` },
			},
		);
		assert.equal(status, 2);
		assert.match(stderr, /Cannot scan "d<DCE9>pot": a name in its path is no UTF-8/);
		assert.ok(!readdirSync(folder).includes('new.wim'));
	},
);

test(
	'the start screen shows such a name without ambiguity; it is opened and checked from there',
	oracle('tmux'),
	async (t) => {
		using terminal = new Tmux({
			command: [process.execPath, PROGRAM, await latinFolder(t)],
			env: { LC_ALL: 'C.UTF-8', TERM: 'xterm-256color' },
		});
		await terminal.until(/d<DCE9>pot\/caf<DCE9>\.wim .* 2 /);
		await terminal.press('Enter');
		await terminal.until(/caf<DCE9>\.wim +WIM[\s\S]*2 Two/);
		await terminal.press('V');
		await terminal.until(/no damage/);
		await terminal.press('q');
		await terminal.until(/EXIT=0/);
	},
);
