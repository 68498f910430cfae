/** Files that a lane opens by itself, blocking its thread. */
import fs from 'node:fs';
import { hostError } from '../base/errors.ts';
import type { SharedSource } from './source.ts';

/**
 * Opens a file for reading.
 *
 * @throws {InputError | HostError}
 */
export function openShared(path: string | Uint8Array): SharedSource & { kind: 'descriptor' } {
	const place =
		typeof path === 'string' ? path : Buffer.from(path.buffer, path.byteOffset, path.length);
	const name = String(place);
	try {
		return { kind: 'descriptor', fd: fs.openSync(place, 'r'), name };
	} catch (error) {
		throw hostError(`Cannot open "${name}"`, error, { path: name });
	}
}

/** Closes what `openShared` opened. */
export function closeShared(source: SharedSource & { kind: 'descriptor' }): void {
	fs.closeSync(source.fd);
}
