import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { VERB_NAMES } from '../../source/cli/commands.ts';
import { commandsTable, exitCodesTable, helpText, verbHelp } from '../../source/cli/help.ts';
import { cli } from '../support/cli.ts';
import { root } from '../support/fixture.ts';
import { assertGolden } from '../support/golden.ts';

test('help reads as it did', () => {
	assertGolden('cli/help', helpText());
	for (const verb of ['info', 'extract', 'capture', 'update'] as const)
		assertGolden(`cli/help-${verb}`, verbHelp(verb));
});

test('help fits 80 columns', () => {
	for (const text of [helpText(), ...VERB_NAMES.map(verbHelp)]) {
		const wide = text
			.split('\n')
			.filter((line) => line.length > 79 && !line.startsWith('  wimdeck'));
		assert.deepEqual(wide, []);
	}
});

test('help is found by every way of asking', async () => {
	for (const argv of [['--help'], ['-h'], ['help']]) {
		const { code, out } = await cli(argv);
		assert.deepEqual({ code, out }, { code: 0, out: helpText() });
	}
	for (const argv of [
		['help', 'apply'],
		['apply', '--help'],
		['--help', 'apply', 'x'],
	]) {
		const { code, out } = await cli(argv);
		assert.deepEqual({ code, out }, { code: 0, out: verbHelp('apply') });
	}
	assert.match((await cli(['--version'])).out, /^wimdeck \d+\.\d+\.\d+ /);
	assert.equal((await cli(['--version', 'info'])).code, 0);
});

test('the README shows the tables that the code makes', () => {
	const readme = readFileSync(path.join(root, 'README.md'), 'utf8');
	assert.ok(
		readme.includes(commandsTable()),
		`The table of commands in README.md is stale; it should be:\n${commandsTable()}`,
	);
	assert.ok(
		readme.includes(exitCodesTable()),
		`The table of exit codes in README.md is stale; it should be:\n${exitCodesTable()}`,
	);
});
