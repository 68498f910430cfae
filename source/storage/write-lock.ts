/**
 * Keeps a second writer away from a file: an exclusive lock file beside it with the owner's process id and start time
 * (Node has no `flock`; product.md §7). Readers never look at it. A lock whose owner is gone is taken over.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { HostError, hostError } from '../base/errors.ts';
import { hostFs as fs } from './host-fs.ts';
import { removeFile } from './remove-file.ts';

interface Owner {
	readonly pid: number;
	/** When the process began, in the machine's own unit; null where the system does not tell. */
	readonly started: string | null;
	readonly host: string;
	/** Differs from that of every other lock. */
	readonly id: string;
}

const SUFFIX = '.wimdeck-lock';

/** The path of the lock file for a target. */
export function lockPath(target: string): string {
	return path.join(path.dirname(target), `.${path.basename(target)}${SUFFIX}`);
}

/** The right to write one file; disposing gives it back. */
export class WriteLock implements AsyncDisposable {
	readonly target: string;

	private constructor(target: string) {
		this.target = target;
	}

	/**
	 * @param target the file to be written; need not exist
	 * @throws {HostError} when another writer has it, or the folder cannot be written
	 */
	static async take(target: string): Promise<WriteLock> {
		const file = lockPath(target);
		const mine = JSON.stringify({
			pid: process.pid,
			started: ownStart(),
			host: os.hostname(),
			// It only has to be another one for each lock of a process.
			id: String(process.hrtime.bigint()),
		} satisfies Owner);
		try {
			for (let attempt = 0; attempt < 8; attempt++) {
				if (!(await place(file, mine))) {
					const found = await readLock(file);
					// Given back in between.
					if (found === null) continue;
					if (await isHeld(found)) throw inUse(target, found.owner, file);
					if (!(await takeOver(target, file, found, mine))) continue;
				}
				await removeLeftovers(file);
				return new WriteLock(target);
			}
		} catch (error) {
			if (error instanceof HostError) throw error;
			throw hostError(`Cannot write into the folder of "${target}"`, error, { path: target });
		}
		throw inUse(target, null, file);
	}

	async [Symbol.asyncDispose](): Promise<void> {
		await removeFile(lockPath(this.target));
	}
}

function inUse(target: string, owner: Owner | null, file: string): HostError {
	const who = owner === null ? 'another writer' : `process ${owner.pid} on ${owner.host}`;
	return new HostError(`Cannot write "${target}": it is being written by ${who}`, {
		path: target,
		hint: `Wait until it is done; if no such process exists, delete "${file}".`,
	});
}

/** Makes a lock file with its text in one step; false when there is one. */
async function place(file: string, text: string): Promise<boolean> {
	const aside = await writeAside(file, text);
	try {
		await fs.link(aside, file);
		return true;
	} catch (error) {
		const code = (error as NodeJS.ErrnoException).code ?? '';
		if (code === 'EEXIST') return false;
		if (!['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK'].includes(code)) throw error;
		// No hard links here: the text follows a moment after the name (see isHeld).
		return await writeWhole(file, text).then(
			() => true,
			(second: NodeJS.ErrnoException) => {
				if (second.code !== 'EEXIST') throw second;
				return false;
			},
		);
	} finally {
		await removeFile(aside);
	}
}

let asides = 0;

async function writeAside(file: string, text: string): Promise<string> {
	const aside = `${file}.${process.pid}+${asides++}`;
	try {
		await writeWhole(aside, text);
	} catch (error) {
		if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
		// An earlier process had our number.
		await removeFile(aside);
		await writeWhole(aside, text);
	}
	return aside;
}

/**
 * Replaces a stale lock by one with the text `mine`; false when the lock changed meanwhile, so that the caller looks
 * again. The right to replace this very lock, which no other ever equals (Owner.id), is a lock of its own: a guard,
 * named after it. So of many takers one can succeed, also when others looked at the lock long before they act. The
 * guard of a taker that was killed goes over in the same way, with a guard for the guard.
 */
async function takeOver(
	target: string,
	file: string,
	stale: FoundLock,
	mine: string,
): Promise<boolean> {
	const guard = `${file}.after-${stale.name}`;
	if (!(await place(guard, mine))) {
		const found = await readLock(guard);
		if (found === null) return false;
		if (await isHeld(found)) throw inUse(target, found.owner, file);
		if (!(await takeOver(target, guard, found, mine))) return false;
	}
	try {
		// Whoever had the guard before may have replaced the lock. While it is here nobody else does.
		if ((await readLock(file))?.name !== stale.name) return false;
		await replace(file, mine);
		return true;
	} finally {
		await removeFile(guard);
	}
}

/** Makes a file that is not there yet, with its text or not at all. */
async function writeWhole(file: string, text: string): Promise<void> {
	try {
		await fs.writeFile(file, text, { flag: 'wx' });
	} catch (error) {
		if ((error as NodeJS.ErrnoException).code !== 'EEXIST') await removeFile(file);
		throw error;
	}
}

async function replace(file: string, text: string): Promise<void> {
	const aside = await writeAside(file, text);
	try {
		await fs.rename(aside, file);
	} catch (error) {
		await removeFile(aside);
		throw error;
	}
}

/**
 * Files that killed processes made on the way to this lock, which the caller holds: guards of earlier locks, which are
 * gone for good, and texts without a name.
 */
async function removeLeftovers(file: string): Promise<void> {
	const folder = path.dirname(file);
	const prefix = `${path.basename(file)}.`;
	for (const name of await fs.readdir(folder).catch(() => [])) {
		if (!name.startsWith(prefix)) continue;
		const leftover = path.join(folder, name);
		const pid = /\.(\d+)[+-]\d+$/.exec(name)?.[1];
		const found = pid === undefined ? await readLock(leftover) : null;
		const isInUse =
			pid === undefined
				? found === null || (await isHeld(found))
				: await isAlive({ pid: Number(pid), started: null, host: os.hostname(), id: '' });
		if (!isInUse) await removeFile(leftover);
	}
}

interface FoundLock {
	readonly file: string;
	/** Null for a file that says nothing: its writer is between making and filling it, or was stopped there. */
	readonly owner: Owner | null;
	/** When it was written, in milliseconds of the file system's clock. */
	readonly written: number;
	/** Tells this lock from all others that were or will be in its place. */
	readonly name: string;
}

/** Null when there is none. */
async function readLock(file: string): Promise<FoundLock | null> {
	try {
		const text = await fs.readFile(file, 'utf8');
		const { mtimeMs: written } = await fs.stat(file);
		const owner = parseOwner(text);
		const identity = owner?.id ? text : `${text} ${written}`;
		const digest = createHash('sha1').update(identity).digest('hex');
		return { file, owner, written, name: digest.slice(0, 16) };
	} catch (error) {
		if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
		throw error;
	}
}

function parseOwner(text: string): Owner | null {
	try {
		const owner = JSON.parse(text) as Partial<Owner> | null;
		if (typeof owner?.pid !== 'number') return null;
		const { pid, started = null, host, id = '' } = owner;
		return { pid, started, host: String(host), id };
	} catch {
		return null;
	}
}

/** A lock without text is given this long, in milliseconds, to get it. */
const FILL_TIME = 10_000;

async function isHeld({ file, owner, written }: FoundLock): Promise<boolean> {
	if (owner !== null) return await isAlive(owner);
	const aside = await writeAside(file, '');
	try {
		return Math.abs((await fs.stat(aside)).mtimeMs - written) < FILL_TIME;
	} finally {
		await removeFile(aside);
	}
}

/** The owner on another machine cannot be asked: it counts as alive. */
async function isAlive(owner: Owner): Promise<boolean> {
	if (owner.host !== os.hostname()) return true;
	try {
		process.kill(owner.pid, 0);
	} catch (error) {
		if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
	}
	const started = await startOf(owner.pid);
	return owner.started === null || started === null || started === owner.started;
}

async function startOf(pid: number): Promise<string | null> {
	try {
		return startIn(await fs.readFile(statPath(pid), 'latin1'));
	} catch {
		return null;
	}
}

/** That of this process, at once: /proc is no disk. */
function ownStart(): string | null {
	try {
		return startIn(readFileSync(statPath(process.pid), 'latin1'));
	} catch {
		return null;
	}
}

const statPath = (pid: number) => `/proc/${pid}/stat`;

/** Field 22 of /proc/PID/stat, which tells a process from a later one with the same number. */
function startIn(stat: string): string | null {
	const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
	return fields[0] === 'Z' ? 'ended' : (fields[19] ?? null);
}
