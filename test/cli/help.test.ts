import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { VERB_NAMES } from '../../source/cli/commands.ts';
import { HANDLERS } from '../../source/cli/handlers.ts';
import { commandsTable, exitCodesTable, helpText, verbHelp } from '../../source/cli/help.ts';
import {
	isOtherTool,
	OTHER_TOOLS,
	otherToolHelp,
	otherToolsTable,
} from '../../source/cli/other-tools.ts';
import { cli } from '../support/cli.ts';
import { root } from '../support/fixture.ts';
import { assertGolden } from '../support/golden.ts';

test('help reads as it did', () => {
	assertGolden('cli/help', helpText());
	for (const verb of ['info', 'extract', 'capture', 'update'] as const)
		assertGolden(`cli/help-${verb}`, verbHelp(verb));
});

test('help fits 80 columns', () => {
	const others = Object.keys(OTHER_TOOLS).filter(isOtherTool).map(otherToolHelp);
	for (const text of [helpText(), ...VERB_NAMES.map(verbHelp), ...others]) {
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

test('commands of other tools lead to those that do the same here', async () => {
	for (const [tool, { name, commands }] of Object.entries(OTHER_TOOLS)) {
		const { code, out } = await cli(['help', tool]);
		assert.equal(code, 0);
		for (const { theirs, ours } of commands) {
			// What it leads to exists.
			const [, verb = ''] = ours.split(' ');
			assert.ok((VERB_NAMES as readonly string[]).includes(verb), ours);
			for (const word of theirs) {
				assert.ok(out.includes(word), word);
				const failed = await cli([word.toUpperCase(), '/ImageFile:nowhere.wim']);
				assert.equal(failed.code, 2);
				assert.ok(failed.err.includes(`What ${name} calls so is here: `) || tool === 'imagex');
				assert.ok(failed.err.includes(`here: wimdeck ${verb} `), failed.err);
			}
		}
	}
	const { err } = await cli(['/Image:C:\\x', '/Add-Driver']);
	assert.match(err, /wimdeck help dism/);
	assert.equal((await cli(['/?'])).out, helpText());
});

test('help shows every verb, and each has its code', async () => {
	for (const verb of VERB_NAMES) {
		assert.ok(helpText().includes(`\n  ${verb} `), verb);
		assert.equal(typeof (await HANDLERS[verb]()), 'function', verb);
	}
});

/** A table of Markdown without the padding that formatters add. */
const unpadded = (table: string) =>
	table
		.split('\n')
		.map((line) => line.replace(/ *\| */g, '|').replace(/-{3,}/g, '---'))
		.join('\n');

/** The table of the README that begins with this heading. */
function tableOf(readme: string, heading: string): string {
	const lines = readme.split('\n');
	const first = lines.findIndex((line) => unpadded(line).startsWith(heading));
	assert.ok(first >= 0, `README.md has no table that begins with ${heading}`);
	const end = lines.findIndex((line, k) => k > first && !line.startsWith('|'));
	return lines.slice(first, end).join('\n');
}

test('the README shows the tables that the code makes (UPDATE_GOLDEN=1 puts them there)', () => {
	const file = path.join(root, 'README.md');
	let readme = readFileSync(file, 'utf8');
	for (const [heading, table] of [
		['|command|', commandsTable()],
		['|code|meaning|', exitCodesTable()],
		['|tool|its command|', otherToolsTable()],
	] as const) {
		const shown = tableOf(readme, heading);
		if (unpadded(shown) === unpadded(table)) continue;
		assert.ok(
			process.env['UPDATE_GOLDEN'],
			`A table in README.md is stale; it should be:\n${table}`,
		);
		readme = readme.replace(shown, () => table);
		writeFileSync(file, readme);
	}
});

test('no line of the README stands there twice', () => {
	const lines = readFileSync(path.join(root, 'README.md'), 'utf8').split('\n');
	// Tables of figures may share their headings and sums.
	const telling = lines.filter((line) => line.length > 30 && /^[^|]|`/.test(line));
	const seen = new Set<string>();
	const twice = telling.filter((line) => seen.size === seen.add(line).size);
	assert.deepEqual(twice, []);
});
