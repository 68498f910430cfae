import assert from 'node:assert/strict';
import { type ChildProcessByStdio, spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { test } from 'node:test';
import { HostError, InputError } from '../../source/base/errors.ts';
import { FileSource } from '../../source/storage/file-source.ts';
import { MemorySource } from '../../source/storage/memory-source.ts';
import { COPY_SIZE } from '../../source/storage/output.ts';
import {
	EditedFile,
	freeSpace,
	NewFile,
	requireSpace,
	temporaryPath,
} from '../../source/storage/output-file.ts';
import { lockPath, WriteLock } from '../../source/storage/write-lock.ts';
import { dice } from '../support/contents.ts';
import { tempFolder } from '../support/temp-tree.ts';

const bytes = (text: string) => new TextEncoder().encode(text);

test('a link that leads to where no file is yet stays a link', async (t) => {
	const folder = tempFolder(t);
	const at = (name: string) => path.join(folder, name);
	fs.mkdirSync(at('disk'));
	fs.symlinkSync('disk', at('other'));
	fs.symlinkSync('other/next', at('first'));
	fs.symlinkSync('../new.wim', at('disk/next'));
	{
		await using file = await NewFile.create(at('first'));
		await file.append(bytes('contents'));
		await file.commit();
	}
	assert.equal(fs.readFileSync(at('new.wim'), 'utf8'), 'contents');
	assert.equal(fs.readlinkSync(at('first')), 'other/next');
	assert.equal(fs.readlinkSync(at('disk/next')), '../new.wim');
	fs.symlinkSync('nowhere/new.wim', at('lost'));
	await assert.rejects(NewFile.create(at('lost')), InputError);
	fs.symlinkSync('circle', at('circle'));
	await assert.rejects(NewFile.create(at('circle')), HostError);
	assert.deepEqual(fs.readdirSync(folder).sort(), [
		'circle',
		'disk',
		'first',
		'lost',
		'new.wim',
		'other',
	]);
});

test('a new file appears only with its commit, and takes the mode of what it replaces', async (t) => {
	const folder = tempFolder(t);
	const target = path.join(folder, 'a.wim');
	fs.writeFileSync(target, 'old', { mode: 0o640 });
	{
		await using file = await NewFile.create(target);
		await file.append(bytes('new contents'));
		assert.equal(fs.readFileSync(target, 'utf8'), 'old');
		await file.writeAt(0, bytes('NEW'));
		const back = new Uint8Array(5);
		await file.readAt(2, back);
		assert.deepEqual(back, bytes('W con'));
		await file.commit();
	}
	assert.equal(fs.readFileSync(target, 'utf8'), 'NEW contents');
	assert.equal(fs.statSync(target).mode & 0o777, 0o640);
	assert.deepEqual(fs.readdirSync(folder), ['a.wim']);
});

test('a new file that is given up leaves nothing and the old one as it was', async (t) => {
	const folder = tempFolder(t);
	const target = path.join(folder, 'a.wim');
	fs.writeFileSync(target, 'old');
	{
		await using file = await NewFile.create(target);
		await file.append(bytes('new'));
	}
	assert.equal(fs.readFileSync(target, 'utf8'), 'old');
	assert.deepEqual(fs.readdirSync(folder), ['a.wim']);
});

test('copies, appended bytes and changes of both stand where they belong', async (t) => {
	const folder = tempFolder(t);
	const roll = dice(11);
	const whole = new Uint8Array(3 * COPY_SIZE + 12_345).map((_, k) => (k * 31 + (k >> 11)) & 255);
	const source = new MemorySource('memory', whole);
	for (let round = 0; round < 4; round++) {
		const target = path.join(folder, `${round}.wim`);
		const model = new Uint8Array(8 * COPY_SIZE);
		await using file = await NewFile.create(target);
		let size = 0;
		for (let step = 0; step < 40 && size < 6 * COPY_SIZE; step++) {
			const from = roll(whole.length);
			const length = [100, 5000, 1 << 19, COPY_SIZE][roll(4)] ?? 0;
			if (roll(3) > 0) {
				const got = await file.copy(source, from, length);
				assert.equal(got, Math.min(length, whole.length - from));
				model.set(whole.subarray(from, from + got), size);
				size += got;
			} else {
				await file.append(whole.subarray(from, from + length));
				model.set(whole.subarray(from, from + length), size);
				size += Math.min(length, whole.length - from);
			}
			if (roll(4) === 0 && size > 8) {
				const at = roll(size - 8);
				await file.writeAt(at, bytes('changed!'));
				model.set(bytes('changed!'), at);
			}
			if (roll(6) === 0) {
				size -= roll(Math.min(size, 9000) + 1);
				file.rewind(size);
			}
			assert.equal(file.position, size);
		}
		await file.commit();
		assert.ok(fs.readFileSync(target).equals(model.subarray(0, size)), `round ${round}`);
	}
});

test('a copy from a source that ends says how much there was', async (t) => {
	await using file = await NewFile.create(path.join(tempFolder(t), 'a.wim'));
	const source = new MemorySource('memory', new Uint8Array(COPY_SIZE));
	const rest = COPY_SIZE - (1 << 18);
	assert.equal(await file.copy(source, COPY_SIZE - 7, 100), 7);
	assert.equal(await file.copy(source, 1 << 18, COPY_SIZE), rest);
	assert.equal(await file.copy(source, COPY_SIZE, COPY_SIZE), 0);
	assert.equal(file.position, 7 + rest);
});

test('a sync that failed on the way fails the one at the end, unless what was appended is dropped', async (t) => {
	const folder = tempFolder(t);
	const large = new Uint8Array(33 << 20).fill(7);
	const failure = Object.assign(new Error('EIO: i/o error, fdatasync'), { code: 'EIO' });
	for (const isDropped of [false, true]) {
		const target = path.join(folder, `${isDropped}.wim`);
		await using file = await NewFile.create(target);
		const failing = t.mock.method(file.handle, 'datasync', () => Promise.reject(failure));
		await file.append(large);
		await file.flush();
		assert.ok(failing.mock.callCount() > 0, 'some of it was to be synced on the way');
		failing.mock.restore();
		if (isDropped) {
			await file.abandon(0);
			await file.append(bytes('whole'));
			await file.commit();
			assert.equal(fs.readFileSync(target, 'utf8'), 'whole');
		} else {
			await assert.rejects(
				file.commit(),
				/Cannot write .*the device reports a read or write error/,
			);
			assert.equal(fs.existsSync(target), false);
		}
	}
});

test('of several files two are brought to the disk on their way at a time, and each gets its turn', async (t) => {
	const folder = tempFolder(t);
	const piece = new Uint8Array(16 << 20).fill(7);
	const underWay: (() => void)[] = [];
	let most = 0;
	const files = [];
	for (const name of ['a.wim', 'b.wim', 'c.wim', 'd.wim']) {
		const file = await NewFile.create(path.join(folder, name));
		const sync = t.mock.method(file.handle, 'datasync', async () => {
			await new Promise<void>((resolve) => {
				underWay.push(resolve);
				most = Math.max(most, underWay.length);
			});
		});
		files.push({ file, sync });
	}
	for (const { file } of files) await file.append(piece);
	for (let turn = 0; turn < files.length; turn++) {
		assert.deepEqual(
			files.map(({ sync }) => sync.mock.callCount()),
			files.map((_, k) => (k <= turn + 1 ? 1 : 0)),
		);
		underWay.shift()?.();
		await new Promise((resolve) => setImmediate(resolve));
	}
	assert.equal(most, 2);
	for (const { file, sync } of files) {
		sync.mock.restore();
		await file.commit();
		await file[Symbol.asyncDispose]();
	}
	assert.deepEqual(fs.readFileSync(path.join(folder, 'c.wim')).length, piece.length);
});

test('contents that the system copies stand behind what is in front, in a file of its own mode', async (t) => {
	const folder = tempFolder(t);
	const target = path.join(folder, 'a.wim');
	fs.writeFileSync(target, 'old', { mode: 0o640 });
	const whole = new Uint8Array(100_000).map((_, k) => (k * 7 + (k >> 8)) & 255);
	const original = path.join(folder, 'source.wim');
	fs.writeFileSync(original, whole, { mode: 0o444 });
	await using source = await FileSource.open(original);
	{
		await using file = await NewFile.create(target);
		await file.append(bytes('new header'));
		assert.equal(await file.adopt(source, 90_000, () => {}), true);
		assert.equal(file.position, 90_000);
		file.rewind(50_000);
		await file.append(bytes('tables'));
		// Now there is something that would be lost.
		assert.equal(await file.adopt(source, 90_000, () => {}), false);
		await file.writeAt(4, bytes('H'));
		await file.commit();
	}
	const expected = Buffer.concat([
		bytes('new Header'),
		whole.subarray(10, 50_000),
		bytes('tables'),
	]);
	assert.ok(fs.readFileSync(target).equals(expected));
	assert.equal(fs.statSync(target).mode & 0o777, 0o640);
});

test('a source whose name means another file by now is not copied by name', async (t) => {
	const folder = tempFolder(t);
	const original = path.join(folder, 'source.wim');
	fs.writeFileSync(original, 'the one that was opened');
	await using source = await FileSource.open(original);
	fs.renameSync(original, path.join(folder, 'elsewhere.wim'));
	fs.writeFileSync(original, 'another one of any size');
	await using file = await NewFile.create(path.join(folder, 'a.wim'));
	await file.append(bytes('new'));
	assert.equal(await file.adopt(source, 20, () => {}), false);
	assert.equal(file.position, 3);
	assert.equal(await file.copy(source, 3, 20), 20);
	await file.commit();
	assert.equal(fs.readFileSync(path.join(folder, 'a.wim'), 'utf8'), 'new one that was opened');
});

test('bytes behind a rewind are written over and cut off', async (t) => {
	const target = path.join(tempFolder(t), 'a.wim');
	await using file = await NewFile.create(target);
	const big = new Uint8Array(3 << 20).fill(1);
	await file.append(big);
	await file.append(bytes('tail'));
	file.rewind(big.length + 2);
	await file.append(bytes('x'));
	file.rewind(10);
	await file.append(bytes('end'));
	assert.equal(file.position, 13);
	await file.commit();
	assert.deepEqual([...fs.readFileSync(target)], [...new Uint8Array(10).fill(1), ...bytes('end')]);
});

test('a link to a file stays a link when the file is replaced', async (t) => {
	const folder = tempFolder(t);
	fs.mkdirSync(path.join(folder, 'real'));
	fs.writeFileSync(path.join(folder, 'real/a.wim'), 'old');
	fs.symlinkSync('real/a.wim', path.join(folder, 'link.wim'));
	await using file = await NewFile.create(path.join(folder, 'link.wim'));
	await file.append(bytes('new'));
	await file.commit();
	assert.equal(fs.readFileSync(path.join(folder, 'real/a.wim'), 'utf8'), 'new');
	assert.ok(fs.lstatSync(path.join(folder, 'link.wim')).isSymbolicLink());
});

test('a second writer is refused and told who the first one is', async (t) => {
	const target = path.join(tempFolder(t), 'a.wim');
	fs.writeFileSync(target, 'old');
	await using _file = await EditedFile.open(target);
	await assert.rejects(NewFile.create(target), (error) => {
		assert.ok(error instanceof HostError);
		assert.match(error.message, new RegExp(`being written by process ${process.pid} `));
		return error.facts.hint !== undefined;
	});
});

test('the lock and the temporary file of a killed run are taken over', async (t) => {
	const target = path.join(tempFolder(t), 'a.wim');
	const child = spawnSync(process.execPath, ['-e', '']);
	const host = os.hostname();
	for (const owner of [
		JSON.stringify({ pid: child.pid, started: '1', host, id: 'x' }),
		// As the first version wrote it.
		JSON.stringify({ pid: child.pid, started: '1', host }),
		// The same number, but another start: a later process.
		JSON.stringify({ pid: process.pid, started: '1', host, id: 'y' }),
		'',
	]) {
		leaveLock(lockPath(target), owner);
		fs.writeFileSync(temporaryPath(target), 'half');
		fs.writeFileSync(`${lockPath(target)}.${child.pid}+0`, owner);
		leaveLock(`${lockPath(target)}.after-0123456789abcdef`, owner);
		await using file = await NewFile.create(target);
		await file.append(bytes('whole'));
		await file.commit();
		assert.equal(fs.readFileSync(target, 'utf8'), 'whole');
	}
	assert.deepEqual(fs.readdirSync(path.dirname(target)), ['a.wim']);
});

/** A lock that nobody has given back for a minute. */
function leaveLock(file: string, text: string): void {
	fs.writeFileSync(file, text);
	fs.utimesSync(file, new Date(), new Date(Date.now() - 60_000));
}

test('a lock whose text is still to come is respected', async (t) => {
	const target = path.join(tempFolder(t), 'a.wim');
	fs.writeFileSync(lockPath(target), '');
	await assert.rejects(WriteLock.take(target), /being written by another writer/);
	assert.deepEqual(fs.readdirSync(path.dirname(target)), [path.basename(lockPath(target))]);
});

test('of many takers of a stale lock one wins, in one process and in many', async (t) => {
	const folder = tempFolder(t);
	for (let round = 0; round < 25; round++) {
		const target = path.join(folder, `${round}.wim`);
		leaveLock(lockPath(target), round % 2 ? '' : DEAD);
		const results = await Promise.allSettled(
			Array.from({ length: 12 }, () => WriteLock.take(target)),
		);
		const won = results.filter((result) => result.status === 'fulfilled');
		assert.equal(won.length, 1, `round ${round}`);
		for (const result of results) {
			if (result.status === 'rejected') assert.match(result.reason.message, /being written by/);
		}
		await won[0]?.value[Symbol.asyncDispose]();
	}
	assert.deepEqual(fs.readdirSync(folder), []);

	const target = path.join(folder, 'a.wim');
	leaveLock(lockPath(target), DEAD);
	const takers = await Promise.all(Array.from({ length: 6 }, () => startTaker(target)));
	for (const taker of takers) taker.stdin.write('go\n');
	const answers = await Promise.all(takers.map((taker) => once(taker.stdout, 'data')));
	for (const taker of takers) taker.stdin.end();
	await Promise.all(takers.map((taker) => once(taker, 'close')));
	assert.deepEqual(answers.map(String).sort(), [...Array(5).fill('refused'), 'won']);
	assert.deepEqual(fs.readdirSync(folder), [path.basename(lockPath(target))]);
});

const DEAD = JSON.stringify({ pid: 2 ** 22 + 1, started: '1', host: os.hostname(), id: 'dead' });

/** A process that takes the lock as soon as it is told, says how it went, and keeps the lock until its input ends. */
async function startTaker(target: string): Promise<ChildProcessByStdio<Writable, Readable, null>> {
	const module = new URL('../../source/storage/write-lock.js', import.meta.url).href;
	const script = `
		const { WriteLock } = await import(${JSON.stringify(module)});
		process.stdout.write('ready');
		process.stdin.once('data', async () => {
			const answer = await WriteLock.take(${JSON.stringify(target)}).then(() => 'won', () => 'refused');
			process.stdout.write(answer);
		});`;
	const taker = spawn(process.execPath, ['--input-type=module', '-e', script], {
		stdio: ['pipe', 'pipe', 'inherit'],
	});
	await once(taker.stdout, 'data');
	return taker;
}

test('a guard left by a killed taker does not keep the next one out', async (t) => {
	const folder = tempFolder(t);
	const target = path.join(folder, 'a.wim');
	const name = createHash('sha1').update(DEAD).digest('hex').slice(0, 16);
	const guard = `${lockPath(target)}.after-${name}`;
	leaveLock(lockPath(target), DEAD);
	leaveLock(guard, DEAD);
	leaveLock(`${guard}.after-${name}`, DEAD);
	await using _lock = await WriteLock.take(target);
	assert.deepEqual(fs.readdirSync(folder), [path.basename(lockPath(target))]);
});

test('a lock held on another machine is respected', async (t) => {
	const target = path.join(tempFolder(t), 'a.wim');
	fs.writeFileSync(lockPath(target), JSON.stringify({ pid: 1, started: null, host: 'elsewhere' }));
	await assert.rejects(WriteLock.take(target), /process 1 on elsewhere/);
});

test('a folder that is not there and a folder as target are input errors', async (t) => {
	const folder = tempFolder(t);
	await assert.rejects(NewFile.create(path.join(folder, 'no/a.wim')), InputError);
	await assert.rejects(NewFile.create(folder), InputError);
	await assert.rejects(EditedFile.open(path.join(folder, 'no.wim')), InputError);
	assert.deepEqual(fs.readdirSync(folder), []);
});

test('space that is not there is refused before anything is written', async (t) => {
	const target = path.join(tempFolder(t), 'a.wim');
	const free = await freeSpace(target);
	requireSpace(target, 1, free);
	requireSpace(target, 2 ** 60, null);
	assert.throws(() => requireSpace(target, 2 ** 60, free), HostError);
});

test('pieces of any size, rewinds and writes in the middle give what a plain buffer gives', async (t) => {
	const target = path.join(tempFolder(t), 'a.wim');
	const roll = dice(5);
	await using file = await NewFile.create(target);
	const model = new Uint8Array(32 << 20);
	let end = 0;
	const some = (size: number) => new Uint8Array(size).fill(1 + roll(255));
	for (let step = 0; step < 400; step++) {
		const kind = roll(10);
		if (kind === 0) {
			end = Math.max(0, end - roll(3 << 20));
			file.rewind(end);
		} else if (kind < 3 && end > 0) {
			const at = roll(end);
			const piece = some(Math.min(1 + roll(5000), end - at));
			await file.writeAt(at, piece);
			model.set(piece, at);
		} else if (kind === 3 && end > 0) {
			const at = roll(end);
			const back = new Uint8Array(Math.min(2 << 20, end - at));
			await file.readAt(at, back);
			assert.deepEqual(back, model.slice(at, at + back.length));
		} else {
			const piece = some(Math.min(roll(kind === 4 ? 3 << 20 : 200_000), model.length - end));
			await file.append(piece);
			model.set(piece, end);
			end += piece.length;
		}
		assert.equal(file.position, end);
	}
	await file.commit();
	assert.ok(Buffer.compare(fs.readFileSync(target), model.subarray(0, end)) === 0);
});
