/** Takes a mounted image away: tells the process that serves it what to do with its changes, and unmounts. */
import { setTimeout as delay } from 'node:timers/promises';
import { fromWire, HostError, InputError } from '../../base/errors.ts';
import { giveOrder } from '../../host/fuse/control-client.ts';
import { isWritableMount, mountedFolder, unmountFolder } from '../../host/fuse/device.ts';
import {
	identityOf,
	isAlive as isRunning,
	type ProcessIdentity,
} from '../../host/process-identity.ts';
import type { UnmountLine, UnmountOrder } from './unmount-order.ts';

export interface UnmountSummary {
	readonly folder: string;
	/** What became of changes; null where there were none. */
	readonly changes: 'committed' | 'discarded' | null;
	/** The process that served the folder had died: what was changed since is lost, the WIM is as it was. */
	readonly wasDead: boolean;
}

/** How long the serving process may take to put its things away once the folder is gone, in ms. */
const FAREWELL_MS = 10_000;
const LOOK_EVERY_MS = 20;

/**
 * Unmounts.
 *
 * @param tell handed what the serving process says while it commits
 * @throws {InputError} when nothing of ours is mounted there, or the order would drop changes it says how to keep
 * @throws {HostError} when the folder is in use; what was committed is, then. Also when a commit was asked for and the
 * serving process is dead: the folder is unmounted then
 */
export async function unmount(
	name: string,
	order: UnmountOrder,
	tell: (line: UnmountLine) => void,
): Promise<UnmountSummary> {
	const folder = await mountedFolder(name);
	if (folder === null)
		throw new InputError(`Cannot unmount "${name}": no image is mounted there`, {
			path: name,
			hint: 'List the mounts with "wimdeck mount".',
		});
	const isWritable = await isWritableMount(folder);
	if (isWritable && !order.commit && (order.rebuild || order.check))
		throw new InputError(
			'--check and --rebuild say how to commit; without --commit changes are lost',
			{
				path: folder,
				hint: 'Pass --commit too, or leave them out.',
			},
		);
	let changes: UnmountSummary['changes'] = null;
	let failure: Error | null = null;
	let isOver = false;
	const pids: number[] = [];
	const isAlive = await giveOrder(folder, order, (value) => {
		const line = value as UnmountLine;
		tell(line);
		if (line.type === 'hello') pids.push(line.pid);
		else if (line.type === 'failed') failure = fromWire(line.error);
		else if (line.type === 'done') [changes, isOver] = [line.changes, true];
	});
	if (failure !== null) throw failure;
	if (isAlive && !isOver)
		throw new HostError(`Cannot unmount "${folder}": the serving process gave no answer`, {
			path: folder,
			hint: 'See "wimdeck jobs", and try again.',
		});
	const [pid] = pids;
	const server = pid === undefined ? null : await identityOf(pid);
	await unmountFolder(folder, order.force).catch((error: unknown) => {
		throw stillThere(error, changes);
	});
	if (server !== null && !order.force) await waitForEnd(server);
	if (!isAlive && isWritable && order.commit)
		throw new HostError(
			`Cannot commit what was changed in "${folder}": the process that kept it has ended`,
			{
				path: folder,
				hint: 'The folder is unmounted and the WIM as it was. Mount the image with mountrw again: what was changed comes back.',
			},
		);
	return { folder, changes, wasDead: !isAlive };
}

/** The refusal, and what it means for changes: whoever ordered them away or into the WIM has to know. */
function stillThere(error: unknown, changes: UnmountSummary['changes']): unknown {
	if (!(error instanceof HostError) || changes === null) return error;
	const what =
		changes === 'committed'
			? 'the changes are part of the WIM already'
			: 'its changes are still there';
	return new HostError(`${error.message}; ${what}`, error.facts, error.cause);
}

/** The lock of the WIM and the staging files are gone once the process is. */
async function waitForEnd(server: ProcessIdentity): Promise<void> {
	for (let waited = 0; waited < FAREWELL_MS; waited += LOOK_EVERY_MS) {
		if (!(await isRunning(server))) return;
		await delay(LOOK_EVERY_MS);
	}
}
