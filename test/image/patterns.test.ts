import assert from 'node:assert/strict';
import { test } from 'node:test';
import { InputError } from '../../source/base/errors.ts';
import { encodeUtf16 } from '../../source/bytes/utf16.ts';
import { defaultCaptureConfig, parseCaptureConfig } from '../../source/image/capture-config.ts';
import { Glob, isExcluded, matchesName, splitPath } from '../../source/image/patterns.ts';

const utf8 = (text: string) => new TextEncoder().encode(text);

function config(text: string, ignoreCase = false) {
	const warnings: string[] = [];
	const options = { ignoreCase, warn: (message: string) => warnings.push(message) };
	return { rules: parseCaptureConfig(utf8(text), 'test.ini', options), warnings };
}

test('wildcards match within one name', () => {
	for (const [pattern, name, expected] of [
		['*', '', true],
		['*.txt', 'a.txt', true],
		['*.txt', 'a.txt.bak', false],
		['a?c', 'abc', true],
		['a?c', 'ac', false],
		['a*b*c', 'a-b-b-c', true],
		['a*b*c', 'a-c-b', false],
		['', '', true],
		['', 'x', false],
		['***', 'anything', true],
		['[a]', '[a]', true],
	] as const)
		assert.equal(matchesName(pattern, name), expected, `${pattern} ${name}`);
});

test('a pattern full of stars stays fast on a long name', () => {
	assert.equal(matchesName(`${'*a'.repeat(50)}b`, 'a'.repeat(20_000)), false);
});

test('paths are cut at both separators', () => {
	assert.deepEqual(splitPath('\\a//b\\/c/'), ['a', 'b', 'c']);
	assert.deepEqual(splitPath('/'), []);
});

test('a glob is anchored at the root and fits component by component', () => {
	const glob = new Glob('/Win*/system32\\*.dll', true);
	assert.equal(glob.matches(['windows', 'SYSTEM32', 'a.DLL']), true);
	assert.equal(glob.matches(['windows', 'SYSTEM32', 'x', 'a.dll']), false);
	assert.equal(glob.reachesBelow(['Windows']), true);
	assert.equal(glob.covers(['WINDOWS', 'System32', 'a.dll', 'x']), true);
});

test('the default configuration leaves out what belongs to a running Windows', () => {
	const rules = defaultCaptureConfig({ ignoreCase: false, warn: assert.fail });
	for (const path of ['/hiberfil.sys', '/$Recycle.Bin/x', '/Windows/CSC/v2/y', '/$ntfs.log'])
		assert.equal(isExcluded(rules, path), true, path);
	for (const path of ['/', '/a/hiberfil.sys', '/Windows', '/Windows/csc', '/Windows/CSCx'])
		assert.equal(isExcluded(rules, path), false, path);
});

test('folders on the way to an exception stay, their other children do not', () => {
	const { rules } = config(
		'[ExclusionList]\n\\a\n*.tmp\n[ExclusionException]\n\\a\\keep\\x\n*.txt\n',
	);
	for (const [path, expected] of [
		['/a', false],
		['/a/keep', false],
		['/a/keep/x', false],
		['/a/keep/x/deep', false],
		['/a/keep/y', true],
		['/a/other', true],
		['/a/note.txt', false],
		['/z.tmp', true],
		['/q/z.tmp/inner', true],
		['/q/z', false],
	] as const)
		assert.equal(isExcluded(rules, path), expected, path);
});

test('a configuration may be UTF-16, with quotes, comments, drives and unknown sections', () => {
	const warnings: string[] = [];
	const text =
		'stray\r\n; comment\r\n[ExclusionList]\r\n"\\Program Files\\x"\r\n# c\r\nC:\\y\r\n[AlignmentList]\r\n*.z\r\n[CompressionExclusionList]\r\n*.mp3\r\n';
	const rules = parseCaptureConfig(encodeUtf16(`\ufeff${text}`), 'w.ini', {
		ignoreCase: true,
		warn: (message) => warnings.push(message),
	});
	assert.equal(isExcluded(rules, '/program files/X'), true);
	assert.equal(isExcluded(rules, '/Y/z'), true);
	assert.equal(isExcluded(rules, '/a.mp3'), false);
	assert.deepEqual(warnings, [
		'w.ini, line 1: ignored, it stands before any section',
		'w.ini, line 6: The drive letter of the pattern "C:\\y" is ignored',
		'w.ini, line 7: the section "[AlignmentList]" is ignored',
	]);
});

test('a relative pattern of several names is refused with its line', () => {
	for (const line of ['a\\b', 'C:name'])
		assert.throws(
			() => config(`[ExclusionList]\n${line}\n`),
			(error) =>
				error instanceof InputError &&
				error.message.startsWith('test.ini, line 2: ') &&
				error.facts.hint !== undefined,
		);
});
