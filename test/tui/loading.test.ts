import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { fixture, root } from '../support/fixture.ts';
import { oracle } from '../support/oracles.ts';
import { Patience } from '../support/patience.ts';
import { Pty } from '../support/pty.ts';

// V8 writes down which scripts a process has loaded; the bundler marks what it took from where.

const PROGRAM = path.join(root, 'dist', 'wimdeck.js');
const WIM = path.join(fixture('vectors'), 'v02.wim');
const PACKAGE = /^\/\/ node_modules\/(ink|react|react-reconciler|yoga-layout)\//gm;

/** Packages of the screen among the scripts that a run loaded. */
function screenPackages(folder: string): string[] {
	const found = new Set<string>();
	for (const name of readdirSync(folder)) {
		if (!name.startsWith('coverage-')) continue;
		const { result } = JSON.parse(readFileSync(path.join(folder, name), 'utf8')) as {
			result: { url: string }[];
		};
		for (const { url } of result)
			if (url.startsWith('file:'))
				for (const [, what] of readFileSync(fileURLToPath(url), 'utf8').matchAll(PACKAGE))
					found.add(what ?? '');
	}
	return [...found].sort();
}

function inFolder<T>(action: (folder: string) => T): T {
	const folder = mkdtempSync(path.join(os.tmpdir(), 'wimdeck-'));
	const remove = () => rmSync(folder, { recursive: true, force: true });
	let result: T;
	try {
		result = action(folder);
	} catch (error) {
		remove();
		throw error;
	}
	if (result instanceof Promise) return result.finally(remove) as T;
	remove();
	return result;
}

const COMMANDS: readonly (readonly string[])[] = [
	['--help'],
	['--version'],
	['help', 'capture'],
	['info', WIM],
	['dir', WIM, '1'],
	['verify', WIM],
	['info', WIM, '--json'],
	['jobs'],
	['explain', '3'],
	[WIM],
];

for (const words of COMMANDS)
	test(`wimdeck ${words.map((word) => path.basename(word)).join(' ')}, without a terminal, loads neither Ink nor React`, () =>
		inFolder((folder) => {
			spawnSync(process.execPath, [PROGRAM, ...words], {
				env: { ...process.env, NODE_V8_COVERAGE: folder, XDG_STATE_HOME: folder },
				stdio: ['pipe', 'ignore', 'ignore'],
			});
			assert.ok(readdirSync(folder).some((name) => name.startsWith('coverage-')));
			assert.deepEqual(screenPackages(folder), []);
		}));

/** Writes down what was loaded until now. */
const TELLING = `--import=data:text/javascript,${encodeURIComponent(
	'import v8 from "node:v8"; process.on("SIGUSR2", () => v8.takeCoverage())',
)}`;

test('the deck loads them, so that the tests above can fail', oracle('script'), () =>
	inFolder(async (folder) => {
		using pty = new Pty({
			command: [process.execPath, PROGRAM, WIM],
			env: { NODE_V8_COVERAGE: folder, NODE_OPTIONS: TELLING, XDG_STATE_HOME: folder },
		});
		await pty.until(/2 Files/);
		// The first frames are drawn without Ink; nothing on the screen tells when it has come.
		const patience = new Patience(30_000);
		let loaded: readonly string[] = [];
		while (!loaded.includes('ink') && !patience.isOver) {
			process.kill(pty.pid, 'SIGUSR2');
			await pause(100);
			try {
				loaded = screenPackages(folder);
			} catch {
				// It is being written.
			}
		}
		pty.type('q');
		assert.equal(await pty.ended, 0);
		assert.deepEqual(screenPackages(folder), ['ink', 'react', 'react-reconciler', 'yoga-layout']);
	}),
);
