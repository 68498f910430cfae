/**
 * NTFS volumes in a device or a file. They are mounted through ntfs-3g for as long as a job needs them, so that
 * `capture /dev/sda2 x.wim` and `apply x.wim 1 /dev/sda2` do what they do in wimlib.
 */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rmdir } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { HostError, hostError } from '../base/errors.ts';
import { hostFs } from '../storage/host-fs.ts';
import { unmountFolder } from './fuse/device.ts';

/** What stands at +3 in the boot sector of every NTFS volume. */
const OEM_NAME = 'NTFS    ';
const OEM_OFFSET = 3;

/** How often we look whether a mount is there, in ms; it takes some 20 of them. */
const LOOK_MS = 5;

/** Whether a device or a file holds an NTFS volume; false for what cannot be read. */
export async function isNtfsVolume(place: string): Promise<boolean> {
	try {
		const stat = await hostFs.stat(place);
		if (!stat.isFile() && !stat.isBlockDevice()) return false;
		await using handle = await hostFs.open(place, 'r');
		const start = new Uint8Array(OEM_OFFSET + OEM_NAME.length);
		const { bytesRead } = await handle.read(start, 0, start.length, 0);
		const name = String.fromCharCode(...start.subarray(OEM_OFFSET));
		return bytesRead === start.length && name === OEM_NAME;
	} catch {
		return false;
	}
}

/** A volume while it is mounted. */
export interface MountedVolume extends AsyncDisposable {
	/** Its root. Unmounting waits until everything is on the volume. */
	readonly folder: string;
}

const HINT = 'Mount the volume with ntfs-3g yourself, and name the folder.';

/**
 * Mounts a volume on a new folder of its own.
 *
 * @throws {HostError} when there is no ntfs-3g, or it refuses: a volume in use, hibernated, damaged
 */
export async function mountNtfsVolume(volume: string, writable: boolean): Promise<MountedVolume> {
	const attempt = `Cannot mount the NTFS volume "${volume}"`;
	const folder = await mkdtemp(path.join(os.tmpdir(), 'wimdeck-volume-'));
	const before = (await hostFs.stat(folder)).dev;
	// Named streams of any size are files in this mode. It stays our child, so that its end can be waited for: only then
	// everything is written. Ctrl+C must not reach it before us.
	const options = `streams_interface=windows,no_detach${writable ? '' : ',ro'}`;
	const child = spawn('ntfs-3g', ['-o', options, path.resolve(volume), folder], {
		stdio: ['ignore', 'ignore', 'pipe'],
		detached: true,
	});
	let told = '';
	child.stderr?.on('data', (bytes) => {
		told += String(bytes);
	});
	const ended = endOf(child);
	try {
		const isOver = ended.then(() => true);
		while ((await hostFs.stat(folder)).dev === before)
			if (await Promise.race([isOver, sleep(LOOK_MS, false)])) {
				const [reason = 'ntfs-3g refused'] = told.trim().split('\n');
				throw new HostError(`${attempt}: ${reason.replace(/\.$/, '')}`, {
					path: volume,
					hint: HINT,
				});
			}
	} catch (error) {
		await rmdir(folder).catch(() => {});
		const isMissing = (error as NodeJS.ErrnoException).code === 'ENOENT';
		if (!isMissing) throw hostError(attempt, error, { path: volume });
		throw new HostError(
			`${attempt}: there is no ntfs-3g`,
			{ path: volume, hint: 'Install ntfs-3g, or mount the volume otherwise and name the folder.' },
			error,
		);
	}
	return {
		folder,
		async [Symbol.asyncDispose]() {
			await unmount(folder, volume);
			await ended;
			await rmdir(folder);
		},
	};
}

/** Resolves when a process has ended, fails when there was none. */
async function endOf(child: ChildProcess): Promise<void> {
	await once(child, 'close');
}

async function unmount(folder: string, volume: string): Promise<void> {
	try {
		await unmountFolder(folder, false);
	} catch (refusal) {
		// Who is not root may unmount what is theirs.
		const child = spawn('fusermount', ['-u', folder], { stdio: 'ignore' });
		const isDone = await once(child, 'close').then(
			([code]) => code === 0,
			() => false,
		);
		if (isDone) return;
		throw new HostError(
			`Cannot unmount the NTFS volume "${volume}" from "${folder}"`,
			{ path: volume, hint: `Close what uses it, then run: umount ${folder}` },
			refusal,
		);
	}
}
