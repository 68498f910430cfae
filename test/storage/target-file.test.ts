import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { HostError } from '../../source/base/errors.ts';
import { plainTarget, TargetFile } from '../../source/storage/target-file.ts';
import { tempFolder } from '../support/temp-tree.ts';

test('a target gets its bytes, mode and times', (t) => {
	const name = path.join(tempFolder(t), 'file');
	const times = [1_000_000_000.5, 1_500_000_000.25] as const;
	const file = TargetFile.create({ ...plainTarget(name), mode: 0o440, times });
	file.write(Buffer.from('hello '), 0);
	file.write(Buffer.from('world'), 6);
	file.finish();
	const stat = statSync(name);
	assert.equal(readFileSync(name, 'utf8'), 'hello world');
	assert.deepEqual([stat.mode & 0o777, stat.mtimeMs], [0o440, 1_500_000_000_250]);
	assert.equal(stat.atimeMs, 1_000_000_000_500);
});

test('a name that is taken is refused, be it a file, a folder or a link into nowhere', (t) => {
	const folder = tempFolder(t);
	writeFileSync(path.join(folder, 'file'), 'old');
	mkdirSync(path.join(folder, 'folder'));
	symlinkSync(path.join(folder, 'outside'), path.join(folder, 'link'));
	for (const name of ['file', 'folder', 'link'])
		assert.throws(
			() => TargetFile.create(plainTarget(path.join(folder, name))),
			(error) => {
				assert.ok(error instanceof HostError);
				assert.equal(error.facts.path, path.join(folder, name));
				assert.match(error.message, /^Cannot create ".*": it exists already$/);
				return true;
			},
		);
	assert.equal(readFileSync(path.join(folder, 'file'), 'utf8'), 'old');
	assert.equal(existsSync(path.join(folder, 'outside')), false);
	const missing = plainTarget(path.join(folder, 'gone', 'file'));
	assert.throws(() => TargetFile.create(missing), { code: 'host-refused' });
});

test('a link that took the place of a target is not followed', (t) => {
	const folder = tempFolder(t);
	writeFileSync(path.join(folder, 'victim'), 'old');
	symlinkSync('victim', path.join(folder, 'link'));
	assert.throws(() => TargetFile.reopen(plainTarget(path.join(folder, 'link'))), HostError);
});

test('a path of bytes that are no text works', { skip: process.platform !== 'linux' }, (t) => {
	const name = Buffer.concat([Buffer.from(`${tempFolder(t)}/`), Buffer.from([0xed, 0xa0, 0x80])]);
	const file = TargetFile.create(plainTarget(new Uint8Array(name)));
	file.write(Buffer.from('x'), 0);
	file.finish();
	assert.equal(readFileSync(name, 'utf8'), 'x');
});

test('zero blocks of a sparse target become holes, wherever the writes are cut', (t) => {
	const folder = tempFolder(t);
	const bytes = new Uint8Array(300_000);
	bytes.fill(7, 0, 100);
	bytes.fill(8, 131_072, 131_080);
	bytes[299_000] = 9;
	for (const [k, step] of [300_000, 65_536, 5_000].entries()) {
		const name = path.join(folder, `sparse ${k}`);
		const file = TargetFile.create({ ...plainTarget(name), isSparse: true });
		for (let at = 0; at < bytes.length; at += step) file.write(bytes.subarray(at, at + step), at);
		file.finish();
		assert.ok(readFileSync(name).equals(bytes), `steps of ${step}`);
		assert.ok(statSync(name).blocks * 512 < bytes.length / 4, `steps of ${step}`);
	}
	const name = path.join(folder, 'only zeros');
	const file = TargetFile.create({ ...plainTarget(name), isSparse: true });
	file.write(new Uint8Array(100_000), 0);
	file.finish();
	assert.deepEqual([statSync(name).size, statSync(name).blocks], [100_000, 0]);
});

test('a target that is given up leaves nothing', (t) => {
	const name = path.join(tempFolder(t), 'file');
	const file = TargetFile.create(plainTarget(name));
	file.write(Buffer.from('half'), 0);
	file.discard();
	assert.equal(existsSync(name), false);
	TargetFile.remove(plainTarget(name));
});
