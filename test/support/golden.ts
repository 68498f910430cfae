/** Compares text with a file of fixtures/screens; UPDATE_GOLDEN=1 rewrites it, and its diff is read like code. */

import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

// Compiled to dist/test/support: the checkout is three folders up.
const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../../..');

const readOr = (file: string, otherwise: string): string => {
	try {
		return readFileSync(file, 'utf8');
	} catch {
		return otherwise;
	}
};

/** @param name path below fixtures/screens without its ending */
export function assertGolden(name: string, text: string): void {
	const file = path.join(root, 'fixtures', 'screens', `${name}.txt`);
	const actual = `${text
		.split('\n')
		.map((line) => line.trimEnd())
		.join('\n')}\n`;
	if (process.env.UPDATE_GOLDEN) {
		mkdirSync(path.dirname(file), { recursive: true });
		writeFileSync(file, actual);
		return;
	}
	const expected = readOr(file, '');
	assert.ok(
		expected === actual,
		`${name} differs from fixtures/screens/${name}.txt (UPDATE_GOLDEN=1 rewrites it)\n--- expected\n${expected}\n--- actual\n${actual}`,
	);
}
