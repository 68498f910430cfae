/** Files that a lane opens by itself, blocking its thread. */
import fs from 'node:fs';
import { hostError } from '../base/errors.ts';
import { nodePath, pathText } from './host-fs.ts';
import type { SharedSource } from './source.ts';

/**
 * Opens a file for reading.
 *
 * @throws {InputError | HostError}
 */
export function openShared(path: string | Uint8Array): SharedSource & { kind: 'descriptor' } {
	const name = typeof path === 'string' ? path : pathText(path);
	const place = nodePath(name);
	try {
		// What became a FIFO meanwhile must not make the lane wait for a writer.
		const flags = fs.constants.O_RDONLY | (fs.constants.O_NONBLOCK ?? 0);
		return { kind: 'descriptor', fd: fs.openSync(place, flags), name };
	} catch (error) {
		throw hostError(`Cannot open "${name}"`, error, { path: name });
	}
}

/** Closes what `openShared` opened. */
export function closeShared(source: SharedSource & { kind: 'descriptor' }): void {
	fs.closeSync(source.fd);
}
