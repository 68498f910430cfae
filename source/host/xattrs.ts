/**
 * Extended attributes, which Node cannot reach: read and set in batches through `getfattr` and
 * `setfattr` (Debian's package `attr`), one process for a whole tree, never one a file.
 *
 * The text both programs speak: a line `# file: PATH`, then lines `NAME=0sBASE64`, then an empty
 * line; in PATH and NAME the bytes `\`, `=`, newline and carriage return are written `\ooo`.
 */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { lstatSync } from 'node:fs';
import path from 'node:path';
import readline from 'node:readline';
import { CanceledError, HostError } from '../base/errors.ts';
import type { Run } from '../base/run.ts';
import { decodeWtf8, encodeWtf8 } from '../bytes/utf16.ts';

export interface Xattr {
	/** With its namespace: `user.note`. */
	readonly name: string;
	readonly value: Uint8Array;
}

/** Whether a name is one of Unix, which has a namespace; others came from Windows. */
export function isUnixXattr(name: string): boolean {
	return /^(user|trusted|security|system)\./.test(name);
}

/** Attributes by path inside a tree: `/` is the root, then `/a/b`. Only files that have some. */
export type XattrIndex = ReadonlyMap<string, readonly Xattr[]>;

/** Why nothing could be read or set, as a sentence for a warning. */
export interface XattrsLeftOut {
	readonly leftOut: string;
}

/** How getfattr says that a value is larger than 64 KiB: the system call ends there. */
const E2BIG = ': Argument list too long';

/**
 * Reads the extended attributes of everything below `root`, or of the single file there, links included, never
 * following them.
 *
 * @param name one attribute to ask for (needed where a file system does not list it); null for all that are listed
 * @param tooLarge told of attributes that are listed, but longer than the system call takes
 */
export async function readXattrs(
	root: string,
	name: string | null,
	run: Run,
	tooLarge: (line: string) => void = () => {},
): Promise<XattrIndex | XattrsLeftOut> {
	const which = name === null ? ['--dump', '-m', '-'] : ['-n', name];
	const isFolder = lstatSync(root).isDirectory();
	const start = isFolder ? '.' : `./${path.basename(root)}`;
	const args = ['-R', '-P', '-h', '-e', 'base64', ...which, '--', start];
	const child = spawn('getfattr', args, {
		cwd: isFolder ? root : path.dirname(root),
		env: { ...process.env, LC_ALL: 'C' },
		stdio: ['ignore', 'pipe', 'pipe'],
		signal: run.signal,
	});
	const parser = new DumpParser(isFolder ? null : path.basename(root));
	const ended = endOf(child);
	child.stdout.on('data', (bytes: Uint8Array) => parser.add(bytes));
	// Where a name is asked for, every file without it brings a line.
	readline.createInterface(child.stderr).on('line', (line) => {
		if (line.endsWith(E2BIG)) tooLarge(line.slice(0, -E2BIG.length).replace(/^\.\//, ''));
	});
	const error = await ended;
	return error ? notRun('getfattr', error) : parser.finish();
}

/**
 * Sets extended attributes on files that exist, links themselves included.
 *
 * @param items paths relative to `root` without a leading separator
 * @returns one line for each attribute that the system refused, or why nothing was set
 */
export async function setXattrs(
	root: string,
	items: Iterable<{ readonly path: string; readonly xattrs: readonly Xattr[] }>,
	run: Run,
): Promise<{ readonly refused: readonly string[] } | XattrsLeftOut> {
	const child = spawn('setfattr', ['-h', '--restore=-'], {
		cwd: root,
		stdio: ['pipe', 'ignore', 'pipe'],
		signal: run.signal,
	});
	const ended = endOf(child);
	const messages: Uint8Array[] = [];
	child.stderr.on('data', (bytes: Uint8Array) => messages.push(bytes));
	// When setfattr ends early its messages say why, not EPIPE.
	child.stdin.on('error', () => {});
	for (const { path, xattrs } of items) {
		const text = [`# file: ./${escapeDump(path)}`];
		for (const { name, value } of xattrs)
			text.push(`${escapeDump(name)}=0s${Buffer.from(value).toString('base64')}`);
		if (!child.stdin.write(Buffer.from(`${text.join('\n')}\n\n`, 'latin1')))
			await Promise.race([once(child.stdin, 'drain'), ended]);
	}
	child.stdin.end();
	const error = await ended;
	if (error) return notRun('setfattr', error);
	const refused = Buffer.concat(messages).toString('utf8').split('\n').filter(Boolean);
	return { refused: refused.map((line) => line.replace(/^setfattr: (\.\/)?/, '')) };
}

/** Waits for the end of a program; what kept it from running is the result. */
function endOf(child: ChildProcess): Promise<Error | null> {
	return new Promise((resolve) => {
		child.once('error', resolve);
		child.once('close', () => resolve(null));
	});
}

/** @throws {CanceledError} when it was stopped */
function notRun(tool: string, error: Error): XattrsLeftOut {
	if (error.name === 'AbortError') throw new CanceledError();
	if ((error as NodeJS.ErrnoException).code !== 'ENOENT')
		throw new HostError(`Cannot run ${tool}: ${error.message}`, {}, error);
	return {
		leftOut: `Extended attributes are left out: the program ${tool} is not installed (package attr)`,
	};
}

/** Text to the byte string of a dump, held in latin1: a path's bytes with the special ones as `\ooo`. */
function escapeDump(text: string): string {
	return Buffer.from(encodeWtf8(text))
		.toString('latin1')
		.replace(/[\\=\n\r]/g, (char) => `\\${char.charCodeAt(0).toString(8).padStart(3, '0')}`);
}

/** The inverse; null when the bytes are no UTF-8. */
function unescapeDump(text: string): string | null {
	const raw = text.replace(/\\([0-7]{3})/g, (_, octal) => String.fromCharCode(parseInt(octal, 8)));
	return decodeWtf8(Buffer.from(raw, 'latin1'));
}

/** Takes the output of `getfattr --dump -e base64` piece by piece. */
export class DumpParser {
	readonly #index = new Map<string, Xattr[]>();
	#rest = '';
	#path: string | null = null;
	readonly #single: string | null;

	/** @param single the name of the only file asked for, which then stands for the root */
	constructor(single: string | null = null) {
		this.#single = single;
	}

	add(bytes: Uint8Array): void {
		const lines = (this.#rest + Buffer.from(bytes).toString('latin1')).split('\n');
		this.#rest = lines.pop() ?? '';
		for (const line of lines) this.#line(line);
	}

	finish(): XattrIndex {
		this.#line(this.#rest);
		return this.#index;
	}

	#line(line: string): void {
		if (line.startsWith('# file: ')) {
			const path = unescapeDump(line.slice(8))?.replace(/^\.\//, '') ?? null;
			const isRoot = path === '.' || path === this.#single;
			this.#path = path === null ? null : isRoot ? '/' : `/${path}`;
		}
		if (this.#path === null || line === '' || line.startsWith('#')) return;
		const equals = line.indexOf('=');
		const name = unescapeDump(equals < 0 ? line : line.slice(0, equals));
		if (name === null) return;
		const text = equals < 0 ? '' : line.slice(equals + 1);
		const value = Uint8Array.from(
			Buffer.from(text.startsWith('0s') ? text.slice(2) : '', 'base64'),
		);
		const xattrs = this.#index.get(this.#path);
		if (xattrs) xattrs.push({ name, value });
		else this.#index.set(this.#path, [{ name, value }]);
	}
}
