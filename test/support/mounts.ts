/** Images that tests mount, change and leave behind. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
	closeSync,
	existsSync,
	ftruncateSync,
	linkSync,
	lstatSync,
	lutimesSync,
	mkdirSync,
	openSync,
	renameSync,
	rmdirSync,
	symlinkSync,
	unlinkSync,
	utimesSync,
	writeFileSync,
	writeSync,
} from 'node:fs';
import path from 'node:path';
import type { TestContext } from 'node:test';
import { root } from './fixture.ts';
import { oracle, runOracle } from './oracles.ts';
import { listTree, subfolder, tempFolder } from './temp-tree.ts';

export const PROGRAM = path.join(root, 'dist', 'wimdeck.js');

/** Runs wimdeck to its end; its journal goes nowhere. */
export function wimdeck(...words: readonly string[]) {
	const { status, stdout, stderr } = spawnSync(process.execPath, [PROGRAM, ...words], {
		encoding: 'utf8',
		env: { ...process.env, XDG_STATE_HOME: '/dev/null/nowhere' },
	});
	return { code: status, out: stdout, err: stderr };
}

/** Whether this machine lets us mount anything at all. */
export function canMount(): boolean {
	if (process.getuid?.() !== 0 || !existsSync('/dev/fuse')) return false;
	return spawnSync('unshare', ['-m', 'mount', '-t', 'tmpfs', 'tmpfs', '/mnt']).status === 0;
}

export const needs = canMount()
	? oracle('wimlib-imagex', '7zz')
	: { skip: 'mounting is not allowed' };

/** A folder with what images hold; binary, text, sparse, empty, links. */
export function makeSource(parent: string): string {
	const source = subfolder(parent, 'source');
	const file = (name: string, bytes: Uint8Array | string) => {
		mkdirSync(path.dirname(path.join(source, name)), { recursive: true });
		writeFileSync(path.join(source, name), bytes);
	};
	file('readme.txt', 'Hello\n');
	file('Windows/System32/large.dll', Buffer.alloc(700_000, 'some text that repeats '));
	file('Windows/System32/kernel32.dll', Buffer.alloc(70_000, 7));
	file('Windows/empty.ini', '');
	file('Users/ünïcode ☃/file.txt', 'snow');
	linkSync(path.join(source, 'readme.txt'), path.join(source, 'Users/second name.txt'));
	symlinkSync('Windows/System32', path.join(source, 'short cut'));
	symlinkSync('nowhere', path.join(source, 'dangling'));
	mkdirSync(path.join(source, 'hollow'));
	utimesSync(path.join(source, 'Windows/empty.ini'), 981_173_106, 981_173_106);
	lutimesSync(path.join(source, 'dangling'), 981_173_106, 981_173_106);
	return source;
}

export interface Mounted {
	readonly folder: string;
	readonly wim: string;
}

/** A folder for the test, in which nothing stays mounted. */
export function workFolder(t: TestContext): string {
	let parent = '';
	// Hooks run in the order of their making: this one before the folder goes.
	t.after(() => {
		while (spawnSync('umount', ['-f', '-l', path.join(parent, 'mounted')]).status === 0);
	});
	parent = tempFolder(t);
	return parent;
}

/** A source in a work folder, and the WIM that wimlib captured of it. */
export function captured(t: TestContext, ...words: readonly string[]) {
	const parent = workFolder(t);
	const source = makeSource(parent);
	const wim = path.join(parent, 't.wim');
	runOracle('wimlib-imagex', 'capture', source, wim, ...words);
	return { parent, source, wim };
}

/** Mounts on the folder `mounted` beside the WIM. */
export function mount(verb: 'mount' | 'mountrw', wim: string, ...more: string[]): Mounted {
	const folder = subfolder(path.dirname(wim), 'mounted');
	const result = wimdeck(verb, wim, '1', folder, ...more);
	assert.deepEqual([result.code, result.err], [0, '']);
	return { folder, wim };
}

/** The tree without its root, whose times and links belong to the place. */
export const treeOf = (folder: string, times = true) => listTree(folder, { times }).slice(1);

export function isSymbolicLink(name: string): boolean {
	try {
		return lstatSync(name).isSymbolicLink();
	} catch {
		return false;
	}
}

/** One random change, made to both folders alike; what both refuse in the same way counts too. */
export function change(random: (limit: number) => number, folders: readonly string[]): void {
	const names = ['a', 'b', 'c', 'd/a', 'd/b', 'e', 'e/a', 'Windows', 'Windows/x', 'readme.txt'];
	const one = names[random(names.length)] ?? '';
	const two = names[random(names.length)] ?? '';
	const bytes = Buffer.alloc(random(40_000), `${random(1000)} `);
	const at = random(50_000);
	const kind = random(10);
	const isLink = isSymbolicLink(path.join(folders[0] ?? '', one));
	const act = (folder: string): string => {
		const [first, second] = [path.join(folder, one), path.join(folder, two)];
		try {
			if (kind <= 2) writeFileSync(first, bytes);
			else if (kind === 3) mkdirSync(first);
			else if (kind === 4) unlinkSync(first);
			else if (kind === 5) rmdirSync(first);
			else if (kind === 6) renameSync(first, second);
			// A link of a link cannot be stored: wim.md §4.8.
			else if (kind === 7 && !isLink) linkSync(first, second);
			else if (kind === 8) symlinkSync(one, second);
			else {
				const fd = openSync(first, 'r+');
				writeSync(fd, bytes, 0, bytes.length, at);
				ftruncateSync(fd, Math.floor(at / 2));
				closeSync(fd);
			}
			return 'done';
		} catch (error) {
			return (error as NodeJS.ErrnoException).code ?? '';
		}
	};
	const [here = '', there = ''] = folders.map(act);
	assert.equal(there, here, `${kind} ${one} ${two}`);
}

export interface MountsJson {
	readonly mounts: readonly {
		readonly folder: string;
		readonly wim: string;
		readonly image: { readonly index: number; readonly name: string } | null;
		readonly isWritable: boolean;
		readonly isChanged: boolean | null;
		readonly pid: number | null;
		readonly state: string;
	}[];
}
