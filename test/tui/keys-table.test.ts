import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { keysTable } from '../../source/tui/keys/keys-table.ts';
import { root } from '../support/fixture.ts';

const file = path.join(root, 'README.md');

/** Tables may be aligned by whoever edits them. */
const unaligned = (text: string): string =>
	text.replace(/^\|.*\|$/gm, (row) =>
		row.replace(/ {2,}/g, ' ').replace(/-{3,}/g, '---').replaceAll(' --- ', '---'),
	);

test('the README shows the keys that the keymap has', () => {
	const readme = readFileSync(file, 'utf8');
	const table = keysTable().trim();
	if (process.env['UPDATE_GOLDEN'])
		writeFileSync(
			file,
			readme.replace(/^\| where +\| keys[^\n]*\n(?:\|[^\n]*\n)*/m, () => `${table}\n`),
		);
	assert.ok(
		unaligned(readFileSync(file, 'utf8')).includes(unaligned(table)),
		'The table of keys in README.md is stale (UPDATE_GOLDEN=1 rewrites it)',
	);
});
