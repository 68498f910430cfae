import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { configFilePath, loadConfig } from '../../../source/tui/config/config-file.ts';
import { DEFAULT_CONFIG, readConfig } from '../../../source/tui/config/deck-config.ts';
import { JsonError, type JsonNode, parseJson } from '../../../source/tui/config/json-text.ts';
import { COMMANDS } from '../../../source/tui/keys/commands.ts';
import { createKeymap } from '../../../source/tui/keys/keymap.ts';
import { root } from '../../support/fixture.ts';
import { tempFolder } from '../../support/temp-tree.ts';

const read = (text: string) => readConfig(text, 'config.json', COMMANDS);

test('everything that may be set', () => {
	const { config, problems } = read(`{
	"keys": {"job.verify": ["F9", "^V"], "view.sizes": "B"},
	"colors": {"marked": "cyan", "folder": "default"},
	"color": 256, "symbols": "ascii", "scroll": "line", "dates": "utc",
	"remember": true, "slow": true, "readonly": true
}`);
	assert.deepEqual(problems, []);
	assert.deepEqual(config, {
		keys: { 'job.verify': ['f9', 'C-v'], 'view.sizes': ['B'] },
		colors: { marked: 'cyan', folder: 'default' },
		color: '256',
		symbols: 'ascii',
		scroll: 'line',
		utc: true,
		remember: true,
		slow: true,
		readonly: true,
	});
});

const PROBLEMS: readonly [text: string, problem: RegExp][] = [
	[
		'{"scroll": "line",}',
		/^config\.json:1:19: no comma may stand before the end; the file is ignored/,
	],
	['{\n\t"slow": true\n\t"utc": 1\n}', /:3:2: a comma or "}" is missing/],
	['{"a": tru}', /:1:7: "tru" is no value; texts need double quotes/],
	["{'a': 1}", /:1:2: a name in double quotes/],
	['{"slow" true}', /:1:9: a colon is missing after "slow"/],
	['{"slow": "x', /:1:10: this text has no closing quote/],
	['{"slow": "a\nb"}', /:1:10: this text does not end on its line/],
	['{"slow": "\\x"}', /:1:10: this text holds a wrong escape/],
	['{"slow": true', /:1:14: "}" is missing: the text ends here/],
	['{} {}', /:1:4: nothing more may follow/],
	['{"slow": true, "slow": false}', /:1:16: "slow" stands here twice/],
	['[]', /:1:1: the configuration is an object/],
	['{\n  "scrol": "line"\n}', /:2:3: there is no setting "scrol"; there are keys, colors/],
	['{"scroll": "fast"}', /:1:12: "scroll" is one of page, line/],
	['{"remember": "yes"}', /:1:14: "remember" is true or false/],
	['{"colors": {"cursor": "red"}}', /:1:13: there is no "cursor" to colour/],
	['{"colors": {"marked": "pink"}}', /:1:23: the colours are default, black/],
	['{"keys": {\n"no.such": "q"}}', /:2:1: there is no command "no.such"/],
	['{"keys": {"job.verify": "Hyper-V"}}', /:1:25: "Hyper-V" is no key/],
	['{"keys": {"job.verify": ["V", 7]}}', /:1:31: 7 is no key/],
	['{"keys": {"list.sort": "v"}}', /:1:11: v is bound to both "mark.range" and "list.sort"/],
	['{"keys": {"job.verify": "Y", "view.sizes": "Y"}}', /:1:\d+: Y is bound to both/],
	// Names that every object has are no settings.
	['{"toString": 1}', /:1:2: there is no setting "toString"/],
	['{"__proto__": {"slow": true}}', /:1:2: there is no setting "__proto__"/],
	['{"colors": {"marked": "constructor"}}', /:1:23: the colours are default, black/],
	['{"keys": {"valueOf": "q"}}', /:1:11: there is no command "valueOf"/],
	[`${'['.repeat(80)}`, /nested too deeply/],
];

for (const [text, problem] of PROBLEMS)
	test(`a configuration is told what is wrong: ${text.slice(0, 40).replaceAll('\n', ' ')}`, () => {
		const { config, problems } = read(text);
		assert.equal(problems.length, 1, problems.join('\n'));
		assert.match(problems[0] ?? '', problem);
		assert.deepEqual({ ...config, keys: {} }, DEFAULT_CONFIG);
	});

test('what is right counts although something else is wrong', () => {
	const { config, problems } = read(
		'{"scroll": "line", "nope": 1, "keys": {"list.sort": "v", "job.verify": "Y"}}',
	);
	assert.equal(problems.length, 2);
	assert.equal(config.scroll, 'line');
	assert.deepEqual(config.keys, { 'job.verify': ['Y'] });
	const keymap = createKeymap(COMMANDS, { keys: config.keys, isReadonly: false, canSuspend: true });
	assert.deepEqual(keymap.problems, []);
	assert.equal(keymap.byContext.get('images')?.get('Y')?.id, 'job.verify');
});

const plain = (node: JsonNode): unknown => {
	if (node.kind === 'array') return (node.value as JsonNode[]).map(plain);
	if (node.kind !== 'object') return node.value;
	const members = node.value as readonly { key: string; node: JsonNode }[];
	return Object.fromEntries(members.map(({ key, node: inner }) => [key, plain(inner)]));
};

test('what JSON.parse reads is read the same, however it is written', () => {
	fc.assert(
		fc.property(fc.json({ maxDepth: 6 }), fc.constantFrom('', ' ', '\t', 2), (json, indent) => {
			const text = JSON.stringify(JSON.parse(json), null, indent);
			assert.deepEqual(plain(parseJson(text)), JSON.parse(text));
		}),
	);
});

test('what JSON.parse refuses is refused with a place inside the text', () => {
	fc.assert(
		fc.property(
			fc.json({ maxDepth: 3 }),
			fc.nat(),
			fc.constantFrom('', ',', '"', '}', 'x', '['),
			(json, at, put) => {
				const cut = at % (json.length + 1);
				const text = json.slice(0, cut) + put + json.slice(cut + 1);
				let isFine = true;
				try {
					JSON.parse(text);
				} catch {
					isFine = false;
				}
				try {
					parseJson(text);
					assert.ok(isFine, text);
				} catch (error) {
					if (!(error instanceof JsonError)) throw error;
					// A name twice is JSON, but no configuration.
					assert.ok(!isFine || /twice/.test(error.message), text);
					assert.ok(error.at >= 0 && error.at <= text.length);
				}
			},
		),
	);
});

const PLACES: readonly [
	platform: NodeJS.Platform,
	env: Record<string, string>,
	expected: string,
][] = [
	['linux', { HOME: '/home/u' }, '/home/u/.config/wimdeck/config.json'],
	['linux', { HOME: '/home/u', XDG_CONFIG_HOME: '/etc/u' }, '/etc/u/wimdeck/config.json'],
	[
		'linux',
		{ HOME: '/home/u', XDG_CONFIG_HOME: 'relative' },
		'/home/u/.config/wimdeck/config.json',
	],
	['darwin', { HOME: '/Users/u' }, '/Users/u/Library/Application Support/wimdeck/config.json'],
	['win32', { HOME: '/c', APPDATA: '/c/AppData' }, '/c/AppData/wimdeck/config.json'],
];

for (const [platform, env, expected] of PLACES)
	test(`the configuration of ${platform} lies at ${expected}`, () => {
		assert.equal(configFilePath(env, platform), path.normalize(expected));
	});

test('an absent file is silent, one that was asked for is not', async (t) => {
	const file = path.join(tempFolder(t), 'none.json');
	const { problems } = await loadConfig(file, COMMANDS);
	assert.match(problems[0] ?? '', /Cannot read the configuration/);
	writeFileSync(file, '{"dates": "utc"}');
	assert.equal((await loadConfig(file, COMMANDS)).config.utc, true);
});

test('the example in the README is a configuration without problems', () => {
	const example = /```json\n(\{[^`]*"keys"[^`]*)```/.exec(
		readFileSync(path.join(root, 'README.md'), 'utf8'),
	);
	assert.ok(example?.[1]);
	assert.deepEqual(read(example[1]).problems, []);
});
