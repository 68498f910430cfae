import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';
import { fileURLToPath } from 'node:url';

// Runs every compiled *.test.js below this folder; arguments are substrings of the paths to run.
const root = path.dirname(fileURLToPath(import.meta.url));
const words = process.argv.slice(2);
const files = readdirSync(root, { recursive: true, encoding: 'utf8' })
	.filter((name) => name.endsWith('.test.js'))
	.filter((name) => words.length === 0 || words.some((word) => name.includes(word)))
	.map((name) => path.join(root, name))
	.sort();
if (files.length === 0) throw new Error(`No test file matches ${words.join(' ')}`);
// Tests leave nothing in the user's history, and read nothing of the user's settings.
const home = mkdtempSync(path.join(os.tmpdir(), 'wimdeck-test-home-'));
process.on('exit', () => rmSync(home, { recursive: true, force: true }));
process.env['XDG_STATE_HOME'] = path.join(home, 'state');
process.env['XDG_CONFIG_HOME'] = path.join(home, 'config');
const stream = run({ files, concurrency: 2, timeout: 600_000 });
stream.on('test:fail', () => {
	process.exitCode = 1;
});
stream.compose(new spec()).pipe(process.stdout);
