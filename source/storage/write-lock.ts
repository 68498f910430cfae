/**
 * Keeps a second writer away from a file: an exclusive lock file beside it with the owner's process id and start time
 * (Node has no `flock`; product.md §7). Readers never look at it. A lock whose owner is gone is taken over.
 */
import fs from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { HostError, hostError } from '../base/errors.ts';

interface Owner {
	readonly pid: number;
	/** When the process began, in the machine's own unit; null where the system does not tell. */
	readonly started: string | null;
	readonly host: string;
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
		const mine: Owner = {
			pid: process.pid,
			started: await startOf(process.pid),
			host: os.hostname(),
		};
		for (let attempt = 0; attempt < 8; attempt++) {
			try {
				if (await place(file, JSON.stringify(mine), attempt)) {
					await removeAsides(file);
					return new WriteLock(target);
				}
			} catch (error) {
				throw hostError(`Cannot write "${target}"`, error, { path: target });
			}
			const owner = await readOwner(file);
			if (owner !== null && (await isAlive(owner))) throw inUse(target, owner, file);
			await takeAway(file, owner, attempt);
		}
		throw inUse(target, null, file);
	}

	async [Symbol.asyncDispose](): Promise<void> {
		await fs.rm(lockPath(this.target), { force: true });
	}
}

function inUse(target: string, owner: Owner | null, file: string): HostError {
	const who = owner === null ? 'another writer' : `process ${owner.pid} on ${owner.host}`;
	return new HostError(`Cannot write "${target}": it is being written by ${who}`, {
		path: target,
		hint: `Wait until it is done; if no such process exists, delete "${file}".`,
	});
}

/** Makes the lock file with its text in one step; false when there is one. */
async function place(file: string, text: string, attempt: number): Promise<boolean> {
	const aside = `${file}.${process.pid}+${attempt}`;
	try {
		await fs.writeFile(aside, text);
		await fs.link(aside, file);
		return true;
	} catch (error) {
		const code = (error as NodeJS.ErrnoException).code ?? '';
		// EEXIST: somebody has it. ENOENT: the owner of the lock tidied up in between.
		if (code === 'EEXIST' || code === 'ENOENT') return missingFolder(file, error);
		if (!['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK'].includes(code)) throw error;
		// No hard links here: the text follows a moment after the name.
		return await fs.writeFile(file, text, { flag: 'wx' }).then(
			() => true,
			(second: NodeJS.ErrnoException) => {
				if (second.code !== 'EEXIST') throw second;
				return false;
			},
		);
	} finally {
		await fs.rm(aside, { force: true });
	}
}

/** Files that killed processes made on the way to the lock. */
async function removeAsides(file: string): Promise<void> {
	const folder = path.dirname(file);
	const prefix = `${path.basename(file)}.`;
	for (const name of await fs.readdir(folder).catch(() => [])) {
		const pid = name.startsWith(prefix)
			? /^(\d+)[+-]\d+$/.exec(name.slice(prefix.length))?.[1]
			: null;
		if (pid === undefined || pid === null) continue;
		const owner = { pid: Number(pid), started: null, host: os.hostname() };
		if (!(await isAlive(owner))) await fs.rm(path.join(folder, name), { force: true });
	}
}

async function missingFolder(file: string, error: unknown): Promise<false> {
	const folder = await fs.stat(path.dirname(file)).catch(() => null);
	if (folder === null) throw error;
	return false;
}

/** Removes a stale lock, unless somebody replaced it in the meantime: renaming succeeds for one of several. */
async function takeAway(file: string, seen: Owner | null, attempt: number): Promise<void> {
	const aside = `${file}.${process.pid}-${attempt}`;
	try {
		await fs.rename(file, aside);
	} catch {
		return;
	}
	const taken = await readOwner(aside);
	const isSame = JSON.stringify(taken) === JSON.stringify(seen);
	if (!isSame) await fs.link(aside, file).catch(() => {});
	await fs.rm(aside, { force: true });
}

/** Null for a file that says nothing: its writer was stopped between making and filling it. */
async function readOwner(file: string): Promise<Owner | null> {
	try {
		const owner = JSON.parse(await fs.readFile(file, 'utf8')) as Partial<Owner> | null;
		if (typeof owner?.pid !== 'number') return null;
		return { pid: owner.pid, started: owner.started ?? null, host: String(owner.host) };
	} catch {
		return null;
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

/** Field 22 of /proc/PID/stat, which tells a process from a later one with the same number. */
async function startOf(pid: number): Promise<string | null> {
	try {
		const stat = await fs.readFile(`/proc/${pid}/stat`, 'latin1');
		const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
		return fields[0] === 'Z' ? 'ended' : (fields[19] ?? null);
	} catch {
		return null;
	}
}
