/**
 * Which process wrote something, in a way that a recycled process id cannot fake: on Linux the id together
 * with the boot and the kernel's start time of the process; elsewhere the id alone.
 */

import { readFile } from 'node:fs/promises';

export interface ProcessIdentity {
	readonly pid: number;
	/** Kernel start time and boot id; null where the system does not tell. */
	readonly started: string | null;
}

async function startOf(pid: number): Promise<string | null> {
	try {
		const [stat, boot] = await Promise.all([
			readFile(`/proc/${pid}/stat`, 'latin1'),
			readFile('/proc/sys/kernel/random/boot_id', 'latin1'),
		]);
		// The second field is the program's name in parentheses, which may hold anything; field 22 is the start.
		const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
		const [state, start] = [fields[0], fields[19]];
		if (start === undefined || state === 'Z') return null;
		return `${boot.trim()}/${start}`;
	} catch {
		return null;
	}
}

/** Whether a process has ended and only waits for its parent to notice: signals reach it all the same. */
async function isZombie(pid: number): Promise<boolean> {
	const stat = await readFile(`/proc/${pid}/stat`, 'latin1').catch(() => '');
	return stat.slice(stat.lastIndexOf(')') + 2).startsWith('Z');
}

/** The running process. */
export function ownIdentity(): Promise<ProcessIdentity> {
	return identityOf(process.pid);
}

/** The process that has this id now. */
export async function identityOf(pid: number): Promise<ProcessIdentity> {
	return { pid, started: await startOf(pid) };
}

/** Whether the process that an identity was taken of is still there. */
export async function isAlive(identity: ProcessIdentity): Promise<boolean> {
	if (identity.started !== null) return (await startOf(identity.pid)) === identity.started;
	try {
		process.kill(identity.pid, 0);
		return !(await isZombie(identity.pid));
	} catch (error) {
		return (error as NodeJS.ErrnoException).code === 'EPERM';
	}
}
