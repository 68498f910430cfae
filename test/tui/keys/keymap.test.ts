import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Command, Context } from '../../../source/tui/keys/command.ts';
import { COMMANDS } from '../../../source/tui/keys/commands.ts';
import { createKeymap, keyLabel } from '../../../source/tui/keys/keymap.ts';
import { matchingCommands } from '../../../source/tui/keys/palette.ts';
import { initialState } from '../../../source/tui/state/state.ts';

const options = { keys: {}, isReadonly: false, canSuspend: true };

const contexts = [...new Set(COMMANDS.flatMap(({ when }) => when))];
const boundIn = (context: Context): Command[] =>
	COMMANDS.filter(({ when }) => when.includes(context));

test('no two commands of a context have the same key', () => {
	const double: string[] = [];
	for (const context of contexts) {
		const seen = new Map<string, string>();
		for (const { id, keys } of boundIn(context))
			for (const key of keys) {
				if (seen.has(key)) double.push(`${context}: ${key} is ${seen.get(key)} and ${id}`);
				seen.set(key, id);
			}
	}
	assert.deepEqual(double, []);
});

test('every command has its own id, a title and a place', () => {
	assert.equal(new Set(COMMANDS.map(({ id }) => id)).size, COMMANDS.length);
	for (const { id, title, when } of COMMANDS) {
		assert.match(id, /^[a-z]+\.[a-zA-Z]+$/);
		assert.match(title, /^[A-Z]/);
		assert.ok(when.length > 0, id);
	}
});

test('a command without a key is in the palette', () => {
	const keymap = createKeymap(COMMANDS, options);
	const listed = new Set(
		matchingCommands(keymap, initialState({}, 80, 24, 0), 'palette', '').map(
			({ command }) => command.id,
		),
	);
	for (const { id, keys, group } of COMMANDS)
		assert.ok(keys.length > 0 || listed.has(id) || group === 'dialog', id);
});

test('every function key has a letter or another key beside it', () => {
	for (const { id, keys } of COMMANDS)
		if (keys.some((key) => /^f\d+$/.test(key)))
			assert.ok(
				keys.some((key) => !/^f\d+$/.test(key)),
				id,
			);
});

test('esc always has a second way', () => {
	for (const { id, keys } of COMMANDS)
		if (keys.includes('esc') && id !== 'app.escape') assert.ok(keys.length > 1, id);
});

test('keys that lines, terminals and multiplexers take are not used', () => {
	const forbidden =
		/^(C-s|C-q|C-h|C-i|C-m|C-j|C-\[|C-\]|C-\\|~|f11|f12|A-.*|S-(?!tab).*|C-(up|down|left|right))$/;
	const wrong = COMMANDS.flatMap(({ id, keys }) =>
		keys.filter((key) => forbidden.test(key)).map((key) => `${id}: ${key}`),
	);
	assert.deepEqual(wrong, []);
	// The prefixes of screen and tmux are only second ways outside text fields.
	for (const { id, keys, when } of COMMANDS)
		if (!when.includes('text')) assert.ok(!['C-a', 'C-b'].includes(keys[0] ?? ''), id);
});

test('a text context binds no printable key', () => {
	for (const context of ['text', 'line', 'form', 'help', 'palette'] as const)
		for (const { id, keys } of boundIn(context))
			for (const key of keys) assert.ok(key.length > 1, `${id}: ${key}`);
});

test('own bindings replace the built-in ones, and wrong ones are told', () => {
	const keymap = createKeymap(COMMANDS, {
		...options,
		keys: { 'job.verify': ['Y', 'f9'], 'no.such': ['q'], 'list.sort': ['v'] },
	});
	assert.equal(keymap.byContext.get('images')?.get('Y')?.id, 'job.verify');
	assert.equal(keymap.byContext.get('images')?.get('V'), undefined);
	assert.equal(keymap.problems.length, 2);
	assert.match(keymap.problems[0]!, /no command "no.such"/);
	assert.match(keymap.problems[1]!, /v is bound to both/);
});

test('readonly leaves out every command that writes', () => {
	const keymap = createKeymap(COMMANDS, { ...options, isReadonly: true });
	assert.ok(keymap.commands.every(({ writes }) => !writes));
});

test('keys are written as people write them', () => {
	assert.deepEqual(['C-d', 'f5', 'space', 'pagedown', 'j', 'S-tab'].map(keyLabel), [
		'^D',
		'F5',
		'Space',
		'PgDn',
		'j',
		'Shift-Tab',
	]);
});

test('an empty palette lists what can be done before what only moves, and not itself', () => {
	const keymap = createKeymap(COMMANDS, options);
	const state = { ...initialState({}, 80, 24, 0), recentCommands: ['app.palette', 'app.help'] };
	const found = matchingCommands(keymap, state, 'palette', '').map(({ command }) => command);
	assert.equal(found[0]?.id, 'app.help');
	assert.ok(found.every(({ id }) => id !== 'app.palette'));
	const here = found.filter(({ when }) => when.includes('global') || when.includes('list'));
	const firstMove = here.findIndex(({ group }) => group === 'move');
	assert.ok(firstMove > 0 && here.slice(firstMove).every(({ group }) => group === 'move'));
});

test('the palette puts beginnings before words before letters in order', () => {
	const keymap = createKeymap(COMMANDS, options);
	const state = { ...initialState({}, 80, 24, 0), view: 'deck' as const, focus: 'files' as const };
	const titles = matchingCommands(keymap, state, 'palette', 'ex').map(
		({ command }) => command.title,
	);
	assert.match(titles[0]!, /^Extract/);
	assert.ok(titles.indexOf('Next') > 1);
});
