import nodePath from 'node:path';
import { hostError } from '../base/errors.ts';
import { hostFs as fs } from './host-fs.ts';

/** What tells whether a file is still what it was. */
export interface Stamp {
	/** Absolute. */
	readonly path: string;
	/** In bytes. */
	readonly size: number;
	/** Nanoseconds since 1970, as digits. */
	readonly writeTime: string;
}

/** @throws {InputError | HostError} when it is not there, or cannot be looked at */
export async function stampOf(path: string): Promise<Stamp> {
	try {
		const { size, mtimeNs } = await fs.stat(path, { bigint: true });
		return { path: nodePath.resolve(path), size: Number(size), writeTime: String(mtimeNs) };
	} catch (error) {
		throw hostError(`Cannot look at "${path}"`, error, { path });
	}
}

/** In bytes; null when there is nothing, or it cannot be looked at. */
export async function sizeOf(path: string): Promise<number | null> {
	return fs.stat(path).then(
		({ size }) => size,
		() => null,
	);
}
