import { readdirSync } from 'node:fs';
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
const stream = run({ files, concurrency: 2, timeout: 600_000 });
stream.on('test:fail', () => {
	process.exitCode = 1;
});
stream.compose(new spec()).pipe(process.stdout);
