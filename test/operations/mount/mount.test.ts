import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
	closeSync,
	copyFileSync,
	openSync,
	readdirSync,
	readFileSync,
	unlinkSync,
	writeFileSync,
	writeSync,
} from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { dice } from '../../support/contents.ts';
import { root } from '../../support/fixture.ts';
import {
	captured,
	change,
	type MountsJson,
	makeSource,
	mount,
	needs,
	PROGRAM,
	treeOf,
	wimdeck,
	workFolder,
} from '../../support/mounts.ts';
import { runOracle } from '../../support/oracles.ts';
import { listTree, subfolder } from '../../support/temp-tree.ts';

for (const [name, options] of [
	['none', ['--compress=none']],
	['XPRESS', ['--compress=xpress']],
	['LZX', ['--compress=lzx', '--check']],
	['LZMS', ['--compress=lzms']],
	['solid', ['--solid', '--solid-chunk-size=256K']],
	['pipable', ['--pipable']],
] as const)
	test(`a mounted image is the captured tree: ${name}`, needs, (t) => {
		const { source, wim } = captured(t, ...options);
		const { folder } = mount('mount', wim);
		assert.deepEqual(treeOf(folder), treeOf(source));
		assert.throws(() => writeFileSync(path.join(folder, 'new'), 'x'), { code: 'EROFS' });
		assert.deepEqual(wimdeck('unmount', folder), {
			code: 0,
			out: `Unmounted ${folder}\n`,
			err: '',
		});
		assert.deepEqual(readdirSync(folder), []);
	});

test(
	'a split image is mounted from its first part, and Unix data count when asked for',
	needs,
	(t) => {
		const parent = workFolder(t);
		const source = makeSource(parent);
		writeFileSync(path.join(source, 'noise'), Buffer.from(Array.from({ length: 90_000 }, dice(5))));
		spawnSync('chmod', ['640', path.join(source, 'noise')]);
		spawnSync('chown', ['1:2', path.join(source, 'noise')]);
		spawnSync('mkfifo', [path.join(source, 'pipe')]);
		const wim = path.join(parent, 't.wim');
		runOracle('wimlib-imagex', 'capture', source, wim, '--unix-data', '--compress=none');
		const part = path.join(parent, 't.swm');
		runOracle('wimlib-imagex', 'split', wim, part, '0.3');
		const { folder } = mount('mount', part, '--unix-data');
		const unix = { unixData: true, times: true };
		assert.deepEqual(listTree(folder, unix).slice(1), listTree(source, unix).slice(1));
	},
);

test('a damaged file answers with an error, and all others can be read', needs, (t) => {
	const parent = workFolder(t);
	const wim = path.join(parent, 't.wim');
	copyFileSync(path.join(root, 'fixtures/demo/damaged.wim'), wim);
	const { folder } = mount('mount', wim);
	const report = wimdeck('verify', wim, '--json');
	const hit = new Set(
		(JSON.parse(report.out.trim().split('\n').at(-1) ?? '') as VerifyJson).result.faults.flatMap(
			({ files = [] }) => files.filter(({ image }) => image === 1).map((use) => use.path),
		),
	);
	const unreadable: string[] = [];
	const visit = (below: string) => {
		for (const entry of readdirSync(path.join(folder, below), { withFileTypes: true })) {
			const inside = `${below}/${entry.name}`;
			if (entry.isDirectory()) visit(inside);
			else if (entry.isFile())
				try {
					readFileSync(path.join(folder, inside));
				} catch (error) {
					assert.equal((error as NodeJS.ErrnoException).code, 'EIO');
					unreadable.push(inside);
				}
		}
	};
	visit('');
	assert.ok(hit.size > 0);
	assert.deepEqual(unreadable.sort(), [...hit].sort());
});

interface VerifyJson {
	readonly result: {
		readonly faults: readonly {
			readonly files?: readonly { readonly image: number; readonly path: string }[];
		}[];
	};
}

test(
	'random changes of a mounted image are those of a folder, and committed as such',
	needs,
	(t) => {
		const parent = workFolder(t);
		const source = makeSource(parent);
		unlinkSync(path.join(source, 'Users/second name.txt'));
		const wim = path.join(parent, 't.wim');
		runOracle('wimlib-imagex', 'capture', source, wim);
		const { folder } = mount('mountrw', wim);
		const random = dice(11);
		for (let k = 0; k < 400; k++) change(random, [source, folder]);
		assert.deepEqual(treeOf(folder, false), treeOf(source, false));
		const second = wimdeck('append', source, wim);
		assert.equal(second.code, 8, 'the lock is held');
		const before = listTree(folder, { times: true }).slice(1);
		assert.equal(wimdeck('unmount', folder, '--commit').code, 0);
		runOracle('wimlib-imagex', 'verify', wim);
		runOracle('7zz', 't', wim);
		const applied = subfolder(parent, 'applied');
		runOracle('wimlib-imagex', 'apply', wim, '1', applied);
		assert.deepEqual(treeOf(applied, false), treeOf(source, false));
		assert.deepEqual(listTree(applied, { times: true }).slice(1), before);
	},
);

test(
	'without --commit the WIM stays as it was, and with --new-image the image does',
	needs,
	(t) => {
		const { parent, wim } = captured(t, 'The name');
		const bytes = readFileSync(wim);
		const first = mount('mountrw', wim, `--staging-dir=${parent}`);
		writeFileSync(path.join(first.folder, 'readme.txt'), 'changed');
		const dropped = wimdeck('unmount', first.folder);
		assert.match(dropped.out, /discarded/);
		assert.deepEqual(readFileSync(wim), bytes);
		assert.deepEqual(
			readdirSync(parent).filter((name) => name.includes('staging') || name.includes('lock')),
			[],
		);
		const { folder } = mount('mountrw', wim);
		writeFileSync(path.join(folder, 'readme.txt'), 'changed');
		assert.equal(wimdeck('unmount', folder, '--commit', '--new-image', '--check').code, 0);
		runOracle('wimlib-imagex', 'verify', wim);
		const [one, two] = ['1', '2'].map((index) =>
			runOracle('wimlib-imagex', 'extract', wim, index, '/readme.txt', '--to-stdout'),
		);
		assert.deepEqual([one, two], ['Hello\n', 'changed']);
		assert.match(runOracle('wimlib-imagex', 'info', wim, '1'), /Name: +The name\n/);
		assert.match(runOracle('wimlib-imagex', 'info', wim), /Integrity info/);
	},
);

test('named streams are extended attributes, or files behind a colon', needs, (t) => {
	const { wim } = captured(t);
	const { folder } = mount('mountrw', wim, '--streams-interface=windows');
	writeFileSync(path.join(folder, 'readme.txt:note'), 'a stream');
	assert.equal(wimdeck('unmount', folder, '--commit').code, 0);
	assert.match(
		runOracle('wimlib-imagex', 'dir', wim, '1', '--detailed', '--path=/readme.txt'),
		/Named data stream "note"/,
	);
	mount('mount', wim);
	const python = 'import os,sys; f=sys.argv[1]; print(os.listxattr(f), os.getxattr(f,"user.note"))';
	const read = spawnSync('python3', ['-c', python, path.join(folder, 'readme.txt')], {
		encoding: 'utf8',
	});
	if (read.error) t.diagnostic('python3 is missing: attributes were not read');
	else assert.equal(read.stdout, "['user.note'] b'a stream'\n");
	assert.equal(readFileSync(path.join(folder, 'readme.txt'), 'utf8'), 'Hello\n');
});

test(
	'what is mounted is listed, with its changes, and also when its process is gone',
	needs,
	(t) => {
		const parent = workFolder(t);
		const wim = path.join(parent, 'a file.wim');
		runOracle('wimlib-imagex', 'capture', makeSource(parent), wim, 'The name');
		const { folder } = mount('mountrw', wim);
		const listed = () => {
			const { mounts } = JSON.parse(wimdeck('mount', '--json').out) as MountsJson;
			return mounts.filter((each) => each.folder === folder);
		};
		const [before] = listed();
		const { pid } = before ?? {};
		const facts = { folder, wim, image: { index: 1, name: 'The name' }, isWritable: true, pid };
		assert.deepEqual([before], [{ ...facts, isChanged: false, state: 'served' }]);
		writeFileSync(path.join(folder, 'new'), 'x');
		assert.deepEqual(listed(), [{ ...facts, isChanged: true, state: 'served' }]);
		assert.match(
			wimdeck('mount').out,
			/^WIM: +.*a file\.wim\nImage: +1 "The name"\nWritable: +yes, changed, not committed\nStatus: +ok$/m,
		);
		process.kill(pid ?? 0, 'SIGKILL');
		while (listed()[0]?.state === 'served');
		assert.deepEqual(listed(), [
			{ ...facts, image: null, isChanged: null, pid: null, state: 'dead' },
		]);
		wimdeck('unmount', folder);
		assert.deepEqual(listed(), []);
		// Options of its own say that something was to be mounted.
		assert.match(wimdeck('mount', '--check').err, /needs WIM/);
	},
);

test('a folder in use stays mounted with its changes, and says so', needs, (t) => {
	const { wim } = captured(t);
	const { folder } = mount('mountrw', wim);
	writeFileSync(path.join(folder, 'new'), 'x');
	const fd = openSync(path.join(folder, 'readme.txt'), 'r');
	assert.match(wimdeck('unmount', folder).err, /a program uses it; its changes are still there\n/);
	assert.equal(readFileSync(path.join(folder, 'new'), 'utf8'), 'x');
	assert.match(
		wimdeck('unmount', folder, '--commit').err,
		/a program uses it; the changes are part of the WIM already\n/,
	);
	closeSync(fd);
	assert.equal(wimdeck('unmount', folder).code, 0);
	assert.equal(runOracle('wimlib-imagex', 'extract', wim, '1', '/new', '--to-stdout'), 'x');
});

test('files that are open for writing hold a commit back until --force', needs, (t) => {
	const { wim } = captured(t);
	const { folder } = mount('mountrw', wim);
	const fd = openSync(path.join(folder, 'open'), 'w');
	writeSync(fd, 'written');
	const refused = wimdeck('unmount', folder, '--commit');
	assert.equal(refused.code, 8);
	assert.match(refused.err, /open for writing[\s\S]*--force/);
	writeSync(fd, ' on');
	assert.equal(wimdeck('unmount', folder, '--commit', '--force').code, 0);
	assert.throws(() => writeSync(fd, 'late'), { code: 'ENOTCONN' });
	assert.throws(() => closeSync(fd), { code: 'ENOTCONN' });
	assert.equal(
		runOracle('wimlib-imagex', 'extract', wim, '1', '/open', '--to-stdout'),
		'written on',
	);
});

test('how to commit is no order to drop changes', needs, (t) => {
	const parent = workFolder(t);
	const wim = path.join(parent, 't.wim');
	copyFileSync(path.join(root, 'fixtures/vectors/v02.wim'), wim);
	const { folder } = mount('mountrw', wim);
	writeFileSync(path.join(folder, 'new'), 'kept');
	for (const option of ['--check', '--rebuild', '--new-image']) {
		const { code, err } = wimdeck('unmount', folder, option);
		assert.deepEqual([code, /how to commit[\s\S]*Pass --commit too/.test(err)], [2, true], err);
	}
	assert.equal(readFileSync(path.join(folder, 'new'), 'utf8'), 'kept');
	assert.equal(wimdeck('unmount', folder, '--commit', '--check', '--rebuild').code, 0);
	assert.match(wimdeck('info', wim).out, /Integrity info/);
	// There is nothing to lose in a read-only one: as with wimlib-imagex they mean nothing there.
	const read = mount('mount', wim);
	assert.equal(readFileSync(path.join(read.folder, 'new'), 'utf8'), 'kept');
	assert.equal(wimdeck('unmount', read.folder, '--check', '--rebuild').code, 0);
});

test('what cannot be mounted or unmounted is said', needs, (t) => {
	const parent = workFolder(t);
	const wim = path.join(root, 'fixtures/demo/install.wim');
	const nowhere = wimdeck('mount', wim, '1', path.join(parent, 'nowhere'));
	assert.deepEqual([nowhere.code, /no such file or folder/.test(nowhere.err)], [2, true]);
	const file = path.join(parent, 'file');
	writeFileSync(file, '');
	assert.match(wimdeck('mount', wim, '1', file).err, /it is no folder/);
	assert.equal(wimdeck('mount', wim, '7', parent).code, 2);
	const none = wimdeck('unmount', parent);
	assert.deepEqual([none.code, /no image is mounted there/.test(none.err)], [2, true]);
	assert.equal(wimdeck('mount', wim, '1', parent, '--staging-dir=/tmp').code, 2);
	assert.equal(wimdeck('unmount', parent, '--rebuild').code, 2);
});

/** Runs `mount` in a mount namespace of its own that was prepared by shell commands, as a user without rights of root. */
function mountUnprivileged(parent: string, prepare: string) {
	const folder = subfolder(parent, 'folder');
	const wim = path.join(root, 'fixtures/demo/install.wim');
	const words = [process.execPath, PROGRAM, 'mount', wim, '1', folder];
	const plain = ['setpriv', '--bounding-set=-all', '--inh-caps=-all', ...words];
	const { status, stderr } = spawnSync(
		'unshare',
		['-m', 'sh', '-ec', `${prepare}\nexec "$@"`, 'sh', ...plain],
		{ cwd: parent, encoding: 'utf8', env: { ...process.env, XDG_STATE_HOME: '/dev/null/nowhere' } },
	);
	assert.deepEqual(readdirSync(folder), []);
	return { code: status, err: stderr };
}

test('who may not mount is told why, and what works instead', needs, (t) => {
	const parent = workFolder(t);
	const at = path.join(parent, 'folder');
	const closed = 'touch closed; chmod 0 closed; mount --bind closed /dev/fuse';
	assert.deepEqual(mountUnprivileged(parent, closed), {
		code: 8,
		err:
			`wimdeck: Cannot mount on "${at}": only root may use /dev/fuse here (EACCES)\n` +
			'  Run it as root, or use "wimdeck extract".\n',
	});
	const open = mountUnprivileged(parent, '');
	assert.equal(open.code, 8);
	assert.ok(open.err.startsWith(`wimdeck: Cannot mount on "${at}": mount: ${at}: `), open.err);
	assert.match(
		open.err,
		/\n {2}Mounting needs root: run it with sudo, or use "wimdeck extract"\.\n$/,
	);
	const missing =
		'touch null; mount --bind /dev/null null; mount -t tmpfs dev /dev; touch /dev/null; mount --bind null /dev/null';
	assert.deepEqual(mountUnprivileged(parent, missing), {
		code: 8,
		err:
			`wimdeck: Cannot mount on "${at}": this machine offers no /dev/fuse (ENOENT)\n` +
			// The kernel of this test has it, else it would be skipped.
			'  Make it with "mknod /dev/fuse c 10 229" (a container gets it with --device=/dev/fuse), or use "wimdeck extract".\n',
	});
});

/** As root, in a mount namespace of its own, with these commands before and behind `mount`. */
function mountPrivileged(parent: string, before: string, behind: string) {
	const folder = subfolder(parent, 'folder');
	const wim = path.join(root, 'fixtures/demo/install.wim');
	const program = `"${process.execPath}" "${PROGRAM}"`;
	const script = `${before}\n${program} mount "${wim}" 1 "${folder}"\n${behind}\n`;
	return spawnSync('unshare', ['-m', 'sh', '-ec', script, 'sh', folder], {
		cwd: parent,
		encoding: 'utf8',
		// Where nothing can be made.
		env: { ...process.env, XDG_STATE_HOME: '/proc/nowhere' },
	});
}

test('mounting needs no /dev/null', needs, (t) => {
	const bare =
		'touch fuse; mount --bind /dev/fuse fuse; mount -t tmpfs dev /dev; touch /dev/fuse; mount --bind fuse /dev/fuse';
	const { stdout, stderr, status } = mountPrivileged(
		workFolder(t),
		bare,
		'test ! -e /dev/null; ls "$1"; umount "$1"',
	);
	assert.equal(status, 0, stderr);
	assert.match(stdout, /^Mounted on [\s\S]*\nWindows$/m);
});

test('without mount(8) that is said, and what to do', needs, (t) => {
	const hidden = 'PATH=/nowhere';
	const { stderr, status } = mountPrivileged(workFolder(t), hidden, '');
	assert.equal(status, 8, stderr);
	assert.match(
		stderr,
		/: mount\(8\) is not on this machine \(ENOENT\)\n {2}Install it \(Debian: the package mount\), or use "wimdeck extract"\.\n$/,
	);
});
