/** The other end of a mount's control file. */
import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import path from 'node:path';
import { hostError } from '../../base/errors.ts';
import { CONTROL_NAME } from './control-file.ts';

/** What the kernel says of a mount whose process is gone. */
const DEAD: ReadonlySet<string> = new Set(['ENOTCONN', 'ECONNABORTED']);

/**
 * Gives an order and hands out the lines of the answer. A read-only mount takes none, and answers all the same.
 *
 * @param order null only asks what is mounted
 * @returns false when the process that served the folder is gone
 * @throws {HostError} when this user may not
 */
export async function giveOrder(
	folder: string,
	order: object | null,
	line: (value: unknown) => void,
): Promise<boolean> {
	const file = path.join(folder, CONTROL_NAME);
	const attempt = `Cannot ${order === null ? 'look at' : 'unmount'} "${folder}"`;
	let handle: FileHandle;
	let takesOrders = order !== null;
	try {
		const mode = takesOrders ? constants.O_RDWR : constants.O_RDONLY;
		handle = await open(file, mode).catch((error: NodeJS.ErrnoException) => {
			if (error.code !== 'EROFS') throw error;
			takesOrders = false;
			return open(file, constants.O_RDONLY);
		});
	} catch (error) {
		if (DEAD.has((error as NodeJS.ErrnoException).code ?? '')) return false;
		throw hostError(attempt, error, { path: folder });
	}
	try {
		if (takesOrders) await handle.write(`${JSON.stringify(order)}\n`);
		let text = '';
		const bytes = Buffer.alloc(1 << 16);
		for (;;) {
			const { bytesRead } = await handle.read(bytes, 0, bytes.length, null);
			if (bytesRead === 0) return true;
			text += bytes.toString('utf8', 0, bytesRead);
			const lines = text.split('\n');
			text = lines.pop() ?? '';
			for (const each of lines) line(JSON.parse(each));
		}
	} catch (error) {
		if (DEAD.has((error as NodeJS.ErrnoException).code ?? '')) return false;
		throw hostError(attempt, error, { path: folder });
	} finally {
		await handle.close().catch(() => {});
	}
}
