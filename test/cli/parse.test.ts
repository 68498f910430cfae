import assert from 'node:assert/strict';
import { symlinkSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { InputError } from '../../source/base/errors.ts';
import { isVerb, optionsOf, VERB_NAMES, verbSpec } from '../../source/cli/commands.ts';
import { OPTIONS, type OptionName, optionSpec } from '../../source/cli/options.ts';
import { parseInvocation, splitWords, verbOfProgram } from '../../source/cli/parse.ts';
import { taskOf } from '../../source/cli/run.ts';
import { parseCompression, parseSize } from '../../source/cli/values.ts';
import { tempFolder } from '../support/temp-tree.ts';

/** A line is split at blanks; `given|given|rest rest` is what the verb gets, `-` for what was left out. */
const ARGUMENTS: readonly (readonly [line: string, given: string])[] = [
	['info a.wim', 'a.wim|-|-|-|'],
	['info a.wim 2 New', 'a.wim|2|New|-|'],
	['info a.wim 2 New Desc', 'a.wim|2|New|Desc|'],
	['apply a.wim target', 'a.wim|-|target|'],
	['apply a.wim all target', 'a.wim|all|target|'],
	['apply - 1 target', '-|1|target|'],
	['salvage a.wim out', 'a.wim|-|out|'],
	['mount a.wim 3 dir', 'a.wim|3|dir|'],
	['extract a.wim 1', 'a.wim|1|'],
	['extract a.wim 1 /x @list', 'a.wim|1|/x @list'],
	['join out.wim a.swm', 'out.wim|a.swm|'],
	['join out.wim a.swm b.swm c.swm', 'out.wim|a.swm|b.swm c.swm'],
	['export a.wim 1 b.wim Name', 'a.wim|1|b.wim|Name|-|'],
	['split a.wim a.swm 10', 'a.wim|a.swm|10|'],
	['unmount dir', 'dir|'],
	['dir --path x a.wim', 'a.wim|-|'],
	['dir a.wim -- --odd', 'a.wim|--odd|'],
	['explain -1052638937', '-1052638937|'],
];

for (const [line, expected] of ARGUMENTS)
	test(`"${line}" is understood`, () => {
		const [verb = '', ...words] = line.split(' ');
		const invocation = parseInvocation(verb as 'info', splitWords(words));
		const given = invocation.given.map((word) => word ?? '-').join('|');
		assert.equal(`${given}|${invocation.rest.join(' ')}`, expected);
	});

const REFUSED: readonly (readonly [line: string, message: RegExp, hint: RegExp])[] = [
	['info', /needs WIM/, /Usage: wimdeck info WIM/],
	['apply a.wim', /needs TARGET/, /apply WIM \[IMAGE\] TARGET/],
	['info a b c d e', /no use for "e"/, /Usage/],
	['info a.wim --chek', /no option --chek/, /Did you mean --check\?/],
	['capture a b --compres=lzx', /no option --compres/, /--compress\?/],
	['verify a.wim --boot', /Command verify has no option --boot/, /./],
	['dir a.wim --path', /--path needs a value/, /--path=PATH/],
	['info a.wim --boot=1', /--boot takes no value/, /./],
	['capture a b --threads=many', /--threads: "many" is not a number/, /^$/],
	['capture a b --compress=zip', /no compression named "zip"/, /none, fast, maximum or recovery/],
	['capture a b --compress=lzz', /no compression named "lzz"/, /"lzx"/],
	['capture a b --chunk-size=3x', /--chunk-size: "3x" is not a size/, /128K/],
	['capture a b --image-property=X', /no NAME before "="/, /./],
	['apply a b --rpfix --norpfix', /contradict each other/, /Leave one of them out/],
	['extract a 1 x --no-globs --nullglob', /contradict each other/, /Leave one of them out/],
	['apply a b --no-acls --strict-acls', /contradict each other/, /Leave one of them out/],
	['verify a --progress=bars', /not one of its values/, /auto, plain, json, none/],
];

for (const [line, message, hint] of REFUSED)
	test(`"${line}" is refused with a sentence and a hint`, () => {
		const [verb = '', ...words] = line.split(' ');
		assert.throws(
			() => parseInvocation(verb as 'info', splitWords(words)),
			(error) => {
				assert.ok(error instanceof InputError);
				assert.match(error.message, message);
				assert.match(error.facts.hint ?? '', hint);
				return true;
			},
		);
	});

test('options stand anywhere, with and without an equals sign, and the last one wins', () => {
	const { options } = parseInvocation(
		'capture',
		splitWords([
			'--compress',
			'none',
			'src',
			'--threads=2',
			'-boot',
			'x.wim',
			'--compress=lzx:100',
		]),
	);
	assert.equal(options.text('compress'), 'lzx:100');
	assert.equal(options.text('threads'), '2');
	assert.ok(options.has('boot'));
});

test('repeatable options keep all their values in order', () => {
	const { options } = parseInvocation(
		'apply',
		splitWords(['a.swm', 'x', '--ref', 'b*.swm', '--ref=c.wim']),
	);
	assert.deepEqual(options.list('ref'), ['b*.swm', 'c.wim']);
});

/** What the option at the end of a line is understood as when its verb is known. */
const ABBREVIATED: readonly (readonly [line: string, name: OptionName, value: string | null])[] = [
	['dir a.wim --det', 'detailed', null],
	['dir a.wim -det', 'detailed', null],
	['dir a.wim --pa=/x', 'path', '/x'],
	['info a.wim --look', 'blobs', null],
	['info a.wim --nochec', 'no-check', null],
	['extract a.wim 1 --dest=out', 'dest-dir', 'out'],
	['extract a.wim 1 --no-g', 'no-globs', null],
	['capture a b --compres=lzx', 'compress', 'lzx'],
	['capture a b --solid', 'solid', null],
	['capture a b --solid-ch=1M', 'solid-chunk-size', '1M'],
	['apply a.wim b --norp', 'norpfix', null],
];

for (const [line, name, value] of ABBREVIATED)
	test(`"${line}" is --${name} cut short`, () => {
		const words = splitWords(line.split(' '));
		assert.deepEqual(words.options, [{ name, value }]);
		const [verb = '', ...rest] = line.split(' ');
		assert.ok(isVerb(verb));
		assert.deepEqual(splitWords(rest, verb).options, [{ name, value }]);
	});

test('a start that fits several options of the verb is refused with their names', () => {
	const rows = [
		['extract a.wim 1 --no-a', /may mean several/, /--no-acls, --no-attributes\.$/],
		['dir a.wim --zz', /no option --zz/, /--help/],
		['dir a.wim --com', /no option --com/, /./],
		['capture a b --=x', /no option --/, /./],
		['x.wim --asci', /no option --asci/, /--ascii/],
	] as const;
	for (const [line, message, hint] of rows)
		assert.throws(
			() => splitWords(line.split(' ')),
			(error) => {
				assert.ok(error instanceof InputError);
				assert.match(error.message, message);
				assert.match(error.facts.hint ?? '', hint);
				return true;
			},
		);
});

test('old spellings mean the same as the new ones', () => {
	const rows = [
		['lookup-table', 'blobs', 'info'],
		['nocheck', 'no-check', 'info'],
		['no-wildcards', 'no-globs', 'extract'],
	] as const;
	for (const [old, name, verb] of rows) {
		const words = splitWords(['a.wim', '1', `--${old}`]);
		assert.deepEqual(words.options, [{ name, value: null }]);
		assert.ok(parseInvocation(verb, words).options.has(name));
	}
});

test('the verb can be in the name of the program', () => {
	for (const verb of VERB_NAMES) assert.equal(verbOfProgram(`/usr/bin/wim${verb}`), verb);
	for (const program of ['/usr/bin/wimdeck', 'wimlib-imagex', '/x/dist/wimdeck.js', 'info'])
		assert.equal(verbOfProgram(program), null);
});

test('whatever the words are, the answer is an invocation or an InputError', () => {
	const word = fc.oneof(
		fc.constantFrom('--', '-', '--check', '--ref', '--threads=1', '-x', '', '--='),
		fc.string({ maxLength: 6 }),
	);
	fc.assert(
		fc.property(fc.constantFrom(...VERB_NAMES), fc.array(word, { maxLength: 8 }), (verb, words) => {
			try {
				const { given, rest } = parseInvocation(verb, splitWords(words));
				const single = verbSpec(verb).arguments.filter((spec) => !spec.many).length;
				assert.equal(given.length, single);
				for (const text of [...given, ...rest]) assert.ok(text === null || words.includes(text));
			} catch (error) {
				assert.ok(error instanceof InputError, String(error));
			}
		}),
	);
});

test('every option is taken by a verb or the deck, and no spelling is used twice', async () => {
	const { DECK_OPTIONS } = await import('../../source/cli/commands.ts');
	const used = new Set<OptionName>([...DECK_OPTIONS, ...VERB_NAMES.flatMap((v) => optionsOf(v))]);
	const names = Object.keys(OPTIONS) as OptionName[];
	assert.deepEqual(
		names.filter((name) => !used.has(name)),
		[],
	);
	const spellings = names.flatMap((name) => [name, ...(optionSpec(name).aliases ?? [])]);
	assert.equal(new Set(spellings).size, spellings.length);
	for (const verb of VERB_NAMES)
		assert.equal(new Set(optionsOf(verb)).size, optionsOf(verb).length, verb);
});

test('sizes and compressions are read in all their forms', () => {
	const sizes: readonly (readonly [string, number])[] = [
		['32768', 32768],
		['32K', 32768],
		['4MiB', 4194304],
		['1g', 1073741824],
		['0', 0],
	];
	for (const [text, value] of sizes) assert.equal(parseSize(text, 'x'), value);
	assert.deepEqual(parseCompression('MAXIMUM', 'x'), { type: 'lzx', level: null });
	assert.deepEqual(parseCompression('fast:20', 'x'), { type: 'xpress', level: 20 });
	assert.deepEqual(parseCompression('recovery:100', 'x'), { type: 'lzms', level: 100 });
	assert.throws(() => parseCompression('lzx:', 'x'), InputError);
	assert.throws(() => parseCompression('lzx:0', 'x'), InputError);
});

test('a file that cannot be looked at is opened by the deck, which says why it cannot be', async (t) => {
	const folder = tempFolder(t);
	const loop = path.join(folder, 'loop.wim');
	symlinkSync('loop.wim', loop);
	const task = await taskOf('wimdeck', [loop]);
	assert.equal(task.type, 'deck');
	assert.equal(task.type === 'deck' && task.path, loop);
	await assert.rejects(taskOf('wimdeck', [path.join(folder, 'none.wim')]), /no command or file/);
});
