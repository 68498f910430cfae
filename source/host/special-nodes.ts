/** Device nodes and FIFOs, which Node has no call for: `mknod` makes them. */

import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { HostError } from '../base/errors.ts';
import type { HostPath } from './host-path.ts';

/** The kind bits of `st_mode`. */
const MODE_KIND = 0o170000;

/** What `mknod` calls the kinds that it makes. */
const NODE_LETTERS: ReadonlyMap<number, string> = new Map([
	[0o010000, 'p'],
	[0o020000, 'c'],
	[0o060000, 'b'],
]);

const run = promisify(execFile);

/** Whether a mode is that of a socket, which `mknod` does not make. */
export function isSocket(mode: number): boolean {
	return (mode & MODE_KIND) === 0o140000;
}

/** One process a node: `mknod` takes no more, and nodes are few. */
export async function makeNode(target: HostPath, mode: number, rdev: number): Promise<void> {
	const kind = NODE_LETTERS.get(mode & MODE_KIND);
	if (kind === undefined)
		throw new HostError(`Cannot make a special file: its mode ${mode.toString(8)} names no kind`);
	if (typeof target !== 'string')
		throw new HostError('Cannot make a special file: its name holds an unpaired surrogate');
	const { major, minor } = splitDevice(rdev);
	const numbers = kind === 'p' ? [] : [String(major), String(minor)];
	try {
		await run('mknod', ['-m', (mode & 0o777).toString(8), '--', target, kind, ...numbers]);
	} catch (error) {
		const { code, stderr } = error as { code?: unknown; stderr?: string };
		if (code === 'ENOENT')
			throw new HostError(
				'Cannot make a special file: the program mknod is not installed',
				{},
				error,
			);
		const reason = (stderr ?? '').trim().split(': ').at(-1) || String(code);
		throw new HostError(`Cannot make special file "${target}": ${reason}`, { path: target }, error);
	}
}

/** Linux device numbers, 32-bit encoding: minor low 8 bits, major 12 bits from bit 8, minor rest from bit 20. */
export function splitDevice(rdev: number): { major: number; minor: number } {
	return { major: (rdev >>> 8) & 0xfff, minor: (rdev & 0xff) | ((rdev >>> 12) & 0xfff00) };
}
