/** What becomes of changes when the process that serves a mounted image is killed. */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import {
	accessSync,
	closeSync,
	constants,
	existsSync,
	openSync,
	readdirSync,
	readFileSync,
	renameSync,
	statSync,
	unlinkSync,
	writeFileSync,
	writeSync,
} from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { giveOrder } from '../../../source/host/fuse/control-client.ts';
import { dice } from '../../support/contents.ts';
import {
	captured,
	change,
	type MountsJson,
	mount,
	needs,
	PROGRAM,
	treeOf,
	wimdeck,
} from '../../support/mounts.ts';
import { runOracle } from '../../support/oracles.ts';
import { listTree, subfolder } from '../../support/temp-tree.ts';

/** What makes the kernel forget, where this machine lets us. */
const DROP_CACHES = '/proc/sys/vm/drop_caches';

function isWritable(file: string): boolean {
	try {
		accessSync(file, constants.W_OK);
		return true;
	} catch {
		return false;
	}
}

const forgetful = isWritable(DROP_CACHES) ? needs : { skip: 'caches cannot be dropped' };

const stagingIn = (folder: string) =>
	readdirSync(folder).filter((name) => name.includes('staging'));

/** Kills the process that serves a folder, and waits until it is gone. */
async function killServer(folder: string): Promise<void> {
	const of = (mounts: MountsJson['mounts']) => mounts.find((each) => each.folder === folder);
	const listed = () => of((JSON.parse(wimdeck('mount', '--json').out) as MountsJson).mounts);
	const pid = listed()?.pid;
	// A number of 0 would be this process and all of its group.
	assert.ok(pid, 'a process serves the folder');
	process.kill(pid, 'SIGKILL');
	while (listed()?.state === 'served');
}

test(
	'when the serving process is killed the WIM is whole, and the next run cleans up',
	needs,
	async (t) => {
		const { parent, wim } = captured(t);
		const bytes = readFileSync(wim);
		const folder = subfolder(parent, 'mounted');
		const words = [PROGRAM, 'mountrw', wim, '1', folder, '--foreground', '--ready'];
		const child = spawn(process.execPath, words, { stdio: ['ignore', 'ignore', 'ignore', 'pipe'] });
		await new Promise((resolve) => child.stdio[3]?.once('data', resolve));
		writeFileSync(path.join(folder, 'readme.txt'), 'changed');
		const ended = new Promise((resolve) => child.once('close', resolve));
		child.kill('SIGKILL');
		await ended;
		assert.throws(() => statSync(path.join(folder, 'readme.txt')), { code: 'ENOTCONN' });
		const result = wimdeck('unmount', folder, '--commit');
		assert.deepEqual([result.code, result.out], [8, '']);
		assert.match(result.err, /^wimdeck: Cannot commit what was changed .* has ended\n/);
		assert.equal(wimdeck('unmount', folder).code, 2, 'it is unmounted');
		assert.deepEqual(readFileSync(wim), bytes);
		assert.match(wimdeck('mountrw', wim, '1', folder).err, /a killed mount left are here again/);
		assert.equal(readFileSync(path.join(folder, 'readme.txt'), 'utf8'), 'changed');
		assert.equal(stagingIn(parent).length, 1);
		assert.equal(wimdeck('unmount', folder).code, 0);
		assert.deepEqual(stagingIn(parent), [], 'dropped, as ever without --commit');
		// A mount that nothing was changed in leaves nothing worth keeping.
		await killServer(mount('mountrw', wim).folder);
		wimdeck('unmount', folder);
		mount('mountrw', wim);
		assert.equal(stagingIn(parent).length, 1);
	},
);

test(
	'changes of a mount that is killed again and again come back, and are committed as those of a folder',
	needs,
	async (t) => {
		const { parent, source, wim } = captured(t);
		const { folder } = mount('mountrw', wim);
		const random = dice(5);
		for (let round = 0; round < 4; round++) {
			for (let k = 0; k < 100; k++) change(random, [source, folder]);
			await killServer(folder);
			assert.equal(wimdeck('unmount', folder).code, 0);
			assert.equal(wimdeck('mountrw', wim, '1', folder).code, 0);
			assert.deepEqual(treeOf(folder, false), treeOf(source, false), `round ${round}`);
		}
		assert.equal(wimdeck('unmount', folder, '--commit').code, 0);
		assert.deepEqual(stagingIn(parent), []);
		runOracle('wimlib-imagex', 'verify', wim);
		const applied = subfolder(parent, 'applied');
		runOracle('wimlib-imagex', 'apply', wim, '1', applied);
		assert.deepEqual(treeOf(applied, false), treeOf(source, false));
	},
);

test('attributes, streams, times and Unix data come back after a kill, too', needs, async (t) => {
	const { wim } = captured(t);
	const { folder } = mount('mountrw', wim, '--unix-data');
	const at = (name: string) => path.join(folder, name);
	const shell = (line: string) =>
		assert.equal(spawnSync('sh', ['-c', line], { cwd: folder }).status, 0, line);
	shell('mkfifo pipe && chown 3:4 pipe && chmod 640 readme.txt && mv Users People');
	shell('setfattr -n user.note -v text readme.txt && setfattr -n user.gone -v x readme.txt');
	shell('setfattr -x user.gone readme.txt && ln -s elsewhere link && rmdir hollow');
	shell('touch -d 2001-02-03T04:05:06Z Windows/empty.ini');
	// What is written through a name that goes while the file is open stays with the other name.
	const fd = openSync(at('People/second name.txt'), 'r+');
	unlinkSync(at('readme.txt'));
	writeSync(fd, 'HELLO');
	closeSync(fd);
	const facts = () => [
		...listTree(folder, { unixData: true, times: false }).slice(1),
		spawnSync('getfattr', ['-d', 'People/second name.txt'], { cwd: folder, encoding: 'utf8' })
			.stdout,
		statSync(at('Windows/empty.ini')).mtimeMs,
		readFileSync(at('People/second name.txt'), 'utf8'),
	];
	const before = facts();
	assert.equal(before.at(-1), 'HELLO\n');
	await killServer(folder);
	wimdeck('unmount', folder);
	const other = wimdeck('mountrw', wim, '1', folder);
	assert.match(other.err, /made with other options: they stay in their folder/);
	assert.equal(wimdeck('unmount', folder).code, 0);
	assert.equal(wimdeck('mountrw', wim, '1', folder, '--unix-data').code, 0);
	assert.deepEqual(facts(), before);
});

test(
	'changes of a killed mount wait for their image while that is another one',
	needs,
	async (t) => {
		const { parent, source, wim } = captured(t);
		runOracle('wimlib-imagex', 'append', source, wim, 'second');
		const { folder } = mount('mountrw', wim);
		writeFileSync(path.join(folder, 'new'), 'kept');
		await killServer(folder);
		assert.equal(wimdeck('unmount', folder).code, 0);
		const other = wimdeck('mountrw', wim, 'second', folder);
		assert.match(other.err, /a killed mount left are of another image or state of it/);
		assert.equal(existsSync(path.join(folder, 'new')), false);
		wimdeck('unmount', folder);
		// A mount that fails drops nothing.
		assert.notEqual(wimdeck('mountrw', wim, '1', path.join(parent, 'nowhere')).code, 0);
		assert.equal(wimdeck('mountrw', wim, '1', folder).code, 0);
		assert.equal(readFileSync(path.join(folder, 'new'), 'utf8'), 'kept');
	},
);

test(
	'what is written through a name that the kernel has forgotten comes back',
	forgetful,
	async (t) => {
		const { wim } = captured(t);
		const { folder } = mount('mountrw', wim);
		const at = (name: string) => path.join(folder, name);
		statSync(at('Users/second name.txt'));
		const fd = openSync(at('readme.txt'), 'r+');
		writeFileSync(DROP_CACHES, '2');
		writeSync(fd, 'HELLO');
		closeSync(fd);
		// A listing tells the kernel of a file without asking for its name.
		readdirSync(at('Windows'));
		writeFileSync(at('Windows/empty.ini'), 'full');
		await killServer(folder);
		wimdeck('unmount', folder);
		assert.equal(wimdeck('mountrw', wim, '1', folder).code, 0);
		assert.equal(readFileSync(at('readme.txt'), 'utf8'), 'HELLO\n');
		assert.equal(readFileSync(at('Windows/empty.ini'), 'utf8'), 'full');
	},
);

test(
	'a process that is killed after its commit leaves nothing to be made again',
	needs,
	async (t) => {
		const { parent, wim } = captured(t);
		const { folder } = mount('mountrw', wim);
		writeFileSync(path.join(folder, 'new'), 'committed');
		const order = { commit: true, force: false, check: false, rebuild: false, asNewImage: true };
		const lines: unknown[] = [];
		await giveOrder(folder, order, (line) => lines.push(line));
		assert.deepEqual(lines.at(-1), { type: 'done', changes: 'committed' });
		await killServer(folder);
		wimdeck('unmount', folder);
		const again = wimdeck('mountrw', wim, '1', folder);
		assert.deepEqual([again.code, again.err], [0, '']);
		assert.equal(existsSync(path.join(folder, 'new')), false);
		assert.equal(stagingIn(parent).length, 1);
		wimdeck('unmount', folder);
		wimdeck('mount', wim, '2', folder);
		assert.equal(readFileSync(path.join(folder, 'new'), 'utf8'), 'committed');
	},
);

test(
	'a stream whose file is renamed while it is open does not keep other changes from coming back',
	needs,
	async (t) => {
		const { wim } = captured(t);
		const words = ['--streams-interface', 'windows'];
		const { folder } = mount('mountrw', wim, ...words);
		const at = (name: string) => path.join(folder, name);
		writeFileSync(at('readme.txt:note'), 'one');
		assert.equal(wimdeck('unmount', folder, '--commit').code, 0);
		assert.equal(wimdeck('mountrw', wim, '1', folder, ...words).code, 0);
		const fd = openSync(at('readme.txt:note'), 'r+');
		renameSync(at('readme.txt'), at('renamed'));
		writeSync(fd, 'two');
		closeSync(fd);
		await killServer(folder);
		wimdeck('unmount', folder);
		const again = wimdeck('mountrw', wim, '1', folder, ...words);
		assert.equal(again.code, 0, again.err);
		assert.equal(readFileSync(at('renamed'), 'utf8'), 'Hello\n');
	},
);
