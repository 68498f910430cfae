/** What is mounted now, as `wimdeck mount` without words lists it. */
import { WimError } from '../../base/errors.ts';
import { giveOrder } from '../../host/fuse/control-client.ts';
import { listedMounts } from '../../host/fuse/device.ts';
import type { UnmountLine } from './unmount-order.ts';

export interface MountedImage {
	readonly folder: string;
	readonly wim: string;
	/** Null where the process that serves the folder does not say. */
	readonly image: { readonly index: number; readonly name: string } | null;
	readonly isWritable: boolean;
	/** Whether something was changed and not committed; null where nobody says. */
	readonly isChanged: boolean | null;
	/** Of the process that serves the folder. */
	readonly pid: number | null;
	/** `dead`: that process is gone, and every access fails. `closed`: this user may not ask. */
	readonly state: 'served' | 'dead' | 'closed';
}

/** All folders that show an image, in the order in which they were mounted. */
export async function listMounts(): Promise<readonly MountedImage[]> {
	const found: MountedImage[] = [];
	for (const { folder, source, isWritable } of await listedMounts()) {
		let image: MountedImage['image'] = null;
		let [pid, isChanged]: [number | null, boolean | null] = [null, null];
		let state: MountedImage['state'];
		try {
			const isAlive = await giveOrder(folder, null, (value) => {
				const line = value as UnmountLine;
				if (line.type === 'hello') {
					pid = line.pid;
					image = { index: line.index, name: line.name };
				} else if (line.type === 'done') isChanged = line.changes !== null;
			});
			state = isAlive ? 'served' : 'dead';
		} catch (error) {
			if (!(error instanceof WimError)) throw error;
			state = 'closed';
		}
		found.push({ folder, wim: source, image, isWritable, isChanged, pid, state });
	}
	return found;
}
