import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { keysTable } from '../../source/tui/keys/keys-table.ts';
import { root } from '../support/fixture.ts';

test('the README shows the keys that the keymap has', () => {
	const readme = readFileSync(path.join(root, 'README.md'), 'utf8');
	assert.ok(
		readme.includes(keysTable()),
		`The table of keys in README.md is stale; it should be:\n${keysTable()}`,
	);
});
