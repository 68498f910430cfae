/**
 * A private folder for contents that are being written until they are committed: one file a stream. It carries its
 * owner in its name, so that the next run finds what a killed one left.
 */
import { statfsSync } from 'node:fs';
import { type FileHandle, mkdir, open, readdir, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { hostError } from '../base/errors.ts';
import { isAlive } from './process-identity.ts';

const MARK = '.wimdeck-staging-';

/** A file of the folder, open for reading and writing. */
export class StagedFile {
	readonly path: string;
	/** In bytes. */
	size = 0;
	readonly #handle: FileHandle;

	constructor(file: string, handle: FileHandle) {
		this.path = file;
		this.#handle = handle;
	}

	async read(offset: number, size: number): Promise<Uint8Array> {
		const bytes = new Uint8Array(Math.max(0, Math.min(size, this.size - offset)));
		let at = 0;
		while (at < bytes.length) {
			const { bytesRead } = await this.#handle.read(bytes, at, bytes.length - at, offset + at);
			if (bytesRead === 0) break;
			at += bytesRead;
		}
		return bytes.subarray(0, at);
	}

	/** @throws what `node:fs` throws, as ENOSPC */
	async write(offset: number, bytes: Uint8Array): Promise<void> {
		let at = 0;
		while (at < bytes.length) {
			const { bytesWritten } = await this.#handle.write(bytes, at, bytes.length - at, offset + at);
			at += bytesWritten;
		}
		this.size = Math.max(this.size, offset + bytes.length);
	}

	async truncate(size: number): Promise<void> {
		await this.#handle.truncate(size);
		this.size = size;
	}

	async remove(): Promise<void> {
		await this.#handle.close();
		await rm(this.path, { force: true });
	}
}

export class StagingFolder implements AsyncDisposable {
	readonly path: string;
	#last = 0;

	private constructor(folder: string) {
		this.path = folder;
	}

	/**
	 * Makes a folder below `parent`, and removes those whose owner is gone.
	 *
	 * @throws {HostError | InputError}
	 */
	static async create(parent: string): Promise<StagingFolder> {
		const folder = path.join(parent, `${MARK}${process.pid}`);
		try {
			for (const left of await abandonedStaging(parent)) await removeStaging(left);
			await mkdir(folder, { mode: 0o700 });
		} catch (error) {
			throw hostError(`Cannot keep changes in "${parent}"`, error, {
				path: parent,
				hint: 'Name another folder with --staging-dir.',
			});
		}
		return new StagingFolder(folder);
	}

	async create(): Promise<StagedFile> {
		const file = path.join(this.path, String(++this.#last));
		return new StagedFile(file, await open(file, 'wx+', 0o600));
	}

	async [Symbol.asyncDispose](): Promise<void> {
		await rm(this.path, { recursive: true, force: true });
	}
}

/**
 * Staging folders below `parent` whose owner is gone.
 *
 * @throws what `node:fs` throws
 */
export async function abandonedStaging(parent: string): Promise<readonly string[]> {
	const found: string[] = [];
	for (const name of await readdir(parent))
		if (name.startsWith(MARK) && !(await isOwned(name))) found.push(path.join(parent, name));
	return found;
}

/** Bytes of the files in a staging folder. */
export async function stagingSize(folder: string): Promise<number> {
	let size = 0;
	for (const name of await readdir(folder).catch(() => []))
		size += (await stat(path.join(folder, name)).catch(() => null))?.size ?? 0;
	return size;
}

export async function removeStaging(folder: string): Promise<void> {
	await rm(folder, { recursive: true, force: true });
}

/** Whether the process that made a staging folder is there still; an id that was given out anew keeps it. */
async function isOwned(name: string): Promise<boolean> {
	const pid = Number(name.slice(MARK.length));
	return pid !== process.pid && Number.isSafeInteger(pid) && isAlive({ pid, started: null });
}

/** Bytes that this user may still write to the file system of a folder. */
export function freeBytes(folder: string): number {
	const { bavail, bsize } = statfsSync(folder);
	return bavail * bsize;
}
