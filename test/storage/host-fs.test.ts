import assert from 'node:assert/strict';
import { readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { hostFs, nodePath, pathText } from '../../source/storage/host-fs.ts';
import { tempFolder } from '../support/temp-tree.ts';

/** "café" as Latin-1 has it, and what of UTF-8 is forbidden: too long, surrogates, beyond the end, cut off. */
const NAMES: readonly (readonly [bytes: string, text: string])[] = [
	['63 61 66 e9', 'caf\udce9'],
	['63 61 66 c3 a9', 'café'],
	['c0 80', '\udcc0\udc80'],
	['ed a0 80', '\udced\udca0\udc80'],
	['ed b2 80', '\udced\udcb2\udc80'],
	['f4 90 80 80', '\udcf4\udc90\udc80\udc80'],
	['f0 9f 98 80 80', '\u{1f600}\udc80'],
	['e2 82', '\udce2\udc82'],
	['ef bf bd', '\ufffd'],
];

for (const [bytes, text] of NAMES)
	test(`the name ${bytes} has a text of its own`, () => {
		const name = Buffer.from(bytes.replaceAll(' ', ''), 'hex');
		assert.equal(pathText(name), text);
		assert.deepEqual(Buffer.from(nodePath(text)), name);
	});

test('any bytes come back from their text, also through JSON', () => {
	fc.assert(
		fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
			const text = JSON.parse(JSON.stringify(pathText(bytes))) as string;
			assert.deepEqual(new Uint8Array(Buffer.from(nodePath(text))), bytes);
		}),
	);
});

test('a file whose name is no UTF-8 is listed, read, renamed and removed', async (t) => {
	const folder = tempFolder(t);
	const given = Buffer.concat([Buffer.from(`${folder}/`), Buffer.from([0x61, 0xe9, 0xff])]);
	writeFileSync(given, 'content');
	const [name = ''] = await hostFs.readdir(folder);
	assert.equal(name, 'a\udce9\udcff');
	assert.deepEqual(await hostFs.entries(folder), [{ name, isFolder: false, isLink: false }]);
	const file = path.join(folder, name);
	assert.equal(await hostFs.realpath(file), file);
	assert.equal(await hostFs.readFile(file, 'utf8'), 'content');
	await hostFs.rename(file, `${file}2`);
	assert.deepEqual(readdirSync(folder, { encoding: 'buffer' }), [
		Buffer.from([0x61, 0xe9, 0xff, 0x32]),
	]);
	await hostFs.rm(`${file}2`);
	assert.deepEqual(readdirSync(folder), []);
});
