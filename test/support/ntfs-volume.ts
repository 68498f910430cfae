import { spawnSync } from 'node:child_process';
import { closeSync, openSync, truncateSync } from 'node:fs';
import path from 'node:path';
import type { TestContext } from 'node:test';
import { subfolder, tempFolder } from './temp-tree.ts';

/** An NTFS volume in a file. */
export interface NtfsVolume {
	readonly file: string;
	/** Where it is mounted through ntfs-3g. */
	readonly mount: string;
	/** Afterwards the file is complete. */
	unmount(): void;
	/** What became a reparse point since the last mount answers with EIO until the next one. */
	remount(streams?: 'xattr' | 'windows'): void;
}

/**
 * A fresh NTFS volume, mounted; null (and the test skipped) where that is not possible.
 *
 * @param ignoresCase `Name` and `name` are one file, as Windows and most network shares have it
 * @param streams `windows` shows named streams as files `PATH:NAME`
 */
export function ntfsVolume(
	t: TestContext,
	ignoresCase = false,
	streams: 'xattr' | 'windows' = 'xattr',
): NtfsVolume | null {
	const driver = ignoresCase ? 'lowntfs-3g' : 'ntfs-3g';
	const options = ['-o', `streams_interface=${streams}${ignoresCase ? ',ignore_case' : ''}`];
	let mountedAt = '';
	const unmount = () => {
		if (mountedAt !== '') spawnSync('umount', [mountedAt]);
		mountedAt = '';
	};
	// Hooks run in the order in which they were added: unmount, then remove.
	t.after(unmount);
	const folder = tempFolder(t);
	const file = path.join(folder, 'volume');
	const mount = subfolder(folder, 'mount');
	closeSync(openSync(file, 'w'));
	truncateSync(file, 32 << 20);
	const made = spawnSync('mkntfs', ['-F', '-q', '-Q', file]);
	const mounted = made.status === 0 && spawnSync(driver, [...options, file, mount]).status === 0;
	if (!mounted) {
		t.skip(`${driver} cannot mount here`);
		return null;
	}
	mountedAt = mount;
	const remount = (as = streams) => {
		unmount();
		const other = options.map((option) => option.replace(streams, as));
		if (spawnSync(driver, [...other, file, mount]).status !== 0)
			throw new Error('Cannot mount again');
		mountedAt = mount;
	};
	return { file, mount, unmount, remount };
}
