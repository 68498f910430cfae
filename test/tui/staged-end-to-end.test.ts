import assert from 'node:assert/strict';
import { copyFileSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { fixture, root } from '../support/fixture.ts';
import { oracle, runOracle } from '../support/oracles.ts';
import { tempFolder } from '../support/temp-tree.ts';
import { Tmux } from '../support/tmux.ts';

const PROGRAM = path.join(root, 'dist', 'wimdeck.js');

test(
	'changes staged with real keys are committed in one step',
	oracle('tmux', 'wimlib-imagex'),
	async (t) => {
		const folder = tempFolder(t);
		const wim = path.join(folder, 'edited.wim');
		copyFileSync(fixture('vectors/v02.wim'), wim);
		writeFileSync(path.join(folder, 'added.txt'), 'added');
		mkdirSync(path.join(folder, 'tree', 'deep'), { recursive: true });
		writeFileSync(path.join(folder, 'tree', 'deep', 'leaf.txt'), 'leaf');
		const names = (image = '1'): string[] =>
			runOracle('wimlib-imagex', 'dir', wim, image)
				.split('\n')
				.filter((line) => line.startsWith('/') && line !== '/');
		const before = names();
		const top = before.filter((name) => name.lastIndexOf('/') === 0).map((name) => name.slice(1));
		const [gone = '', old = ''] = top;
		assert.ok(gone !== '' && old !== '', String(before));
		using terminal = new Tmux({
			command: [process.execPath, PROGRAM, wim],
			// Jobs of others would speak in the status row as well.
			env: {
				LC_ALL: 'C.UTF-8',
				TERM: 'xterm-256color',
				XDG_STATE_HOME: path.join(folder, 'state'),
				XDG_CONFIG_HOME: path.join(folder, 'config'),
			},
		});
		await terminal.until(/2 Two/);
		await terminal.press('g', 'Enter');
		await terminal.until(/\[2 Files\] 1: \\/);
		const goTo = async (name: string): Promise<void> => {
			await terminal.press('/');
			terminal.type(`=${name}`);
			await terminal.press('Enter');
			await terminal.until(/1 of \d+/);
			await terminal.press('Escape');
			// Until the filter is gone: a key right behind ESC would be taken for Alt and that key.
			await terminal.until(/name\^ \d+\s*$/m);
		};
		await goTo(gone);
		await terminal.press('D');
		await terminal.until(/1 staged/);
		await goTo(old);
		await terminal.press('r');
		await terminal.until(/Rename or move/);
		await terminal.press('C-u');
		terminal.type('renamed');
		await terminal.press('C-x');
		await terminal.until(/2 staged/);
		for (const [i, source] of ['added.txt', 'tree'].entries()) {
			await terminal.press('a');
			await terminal.until(/Add a file or folder/);
			await terminal.press('C-u');
			terminal.type(path.join(folder, source));
			await terminal.press('C-x');
			await terminal.until(new RegExp(`${i + 3} staged`));
		}
		const beforeSecond = names('2');
		await terminal.press(']');
		await terminal.until(/\[2 Files\] 2: \\/);
		await terminal.press('a');
		await terminal.until(/Add a file or folder/);
		await terminal.press('C-u');
		terminal.type(path.join(folder, 'added.txt'));
		await terminal.press('C-x');
		await terminal.until(/5 staged/);
		// Leaving now would lose them: it asks, and the safe answer stays.
		await terminal.press('q');
		await terminal.until(/5 staged changes not committed/);
		await terminal.press('Enter');
		await terminal.until(/\[2 Files\]/);
		assert.deepEqual(names(), before);
		await terminal.press('C');
		await terminal.until(/\[Staged\] 2 images/);
		await terminal.press('c');
		await terminal.until(/Commit 5 staged changes/);
		await terminal.press('C-x');
		await terminal.until(/Committed 5 changes of 2 images/);
		await terminal.press('q');
		await terminal.until(/EXIT=0/);
		const expected = [
			...before
				.filter((name) => name !== `/${gone}` && !name.startsWith(`/${gone}/`))
				.map((name) =>
					`${name}/`.startsWith(`/${old}/`) ? `/renamed${name.slice(old.length + 1)}` : name,
				),
			'/added.txt',
			'/tree',
			'/tree/deep',
			'/tree/deep/leaf.txt',
		];
		assert.deepEqual(names().sort(), expected.sort());
		assert.deepEqual(names('2').sort(), [...beforeSecond, '/added.txt'].sort());
		runOracle('wimlib-imagex', 'verify', wim);
	},
);

test('a deck that is killed leaves what was staged to the next', oracle('tmux'), async (t) => {
	const folder = tempFolder(t);
	const wim = path.join(folder, 'edited.wim');
	copyFileSync(fixture('vectors/v02.wim'), wim);
	const options = {
		command: [process.execPath, PROGRAM, wim],
		env: {
			LC_ALL: 'C.UTF-8',
			TERM: 'xterm-256color',
			XDG_STATE_HOME: path.join(folder, 'state'),
			XDG_CONFIG_HOME: path.join(folder, 'config'),
		},
	};
	{
		using first = new Tmux(options);
		await first.until(/Images/);
		await first.press('g', 'Enter');
		await first.until(/\[2 Files\] 1: \\/);
		await first.press('D');
		await first.until(/1 staged/);
		const state = path.join(folder, 'state', 'wimdeck');
		while (!readdirSync(state).some((name) => /^staged-\w+\.json$/.test(name)))
			await new Promise((resolve) => setTimeout(resolve, 20));
		process.kill(first.pids('wimdeck.js')[0]!, 'SIGKILL');
		await first.until(/EXIT=137/);
	}
	using second = new Tmux(options);
	await second.until(/1 staged change of an earlier deck taken up/);
	await second.press('C');
	await second.until(/\[Staged\] image 1 {2}\+0 -1/);
	await second.press('D', 'Right', 'Right', 'Enter');
	await second.until(/\[2 Files\]|\[1 Images\]/);
	await second.press('q');
	await second.until(/EXIT=0/);
});
