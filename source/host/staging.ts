/**
 * A private folder for contents that are being written until they are committed: one file a stream. It carries its
 * owner in its name, so that the next run finds what a killed one left.
 */
import { statfsSync } from 'node:fs';
import { type FileHandle, mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { hostError } from '../base/errors.ts';
import { isAlive } from './process-identity.ts';

const MARK = '.wimdeck-staging-';

/** A file of the folder, open for reading and writing. */
export class StagedFile {
	readonly path: string;
	/** Tells it from the others of its folder. */
	readonly number: number;
	/** In bytes. */
	size = 0;
	readonly #handle: FileHandle;

	constructor(file: string, number: number, handle: FileHandle) {
		this.path = file;
		this.number = number;
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
	/** Whether it outlives its owner: nobody has decided yet what becomes of what it holds. */
	isKept = false;
	#last = 0;

	private constructor(folder: string) {
		this.path = folder;
	}

	/**
	 * Makes a folder below `parent`, or takes one over whose owner is gone.
	 *
	 * @param choose handed those whose owner is gone; gives the one to be taken over, or null
	 * @throws {HostError | InputError}
	 */
	static async create(
		parent: string,
		choose: (abandoned: readonly string[]) => Promise<string | null>,
	): Promise<StagingFolder> {
		try {
			const known = await choose(await abandonedStaging(parent));
			const folder = new StagingFolder(await makeOwn(parent, known));
			for (const name of await readdir(folder.path))
				folder.#last = Math.max(folder.#last, Number(name) || 0);
			return folder;
		} catch (error) {
			throw hostError(`Cannot keep changes in "${parent}"`, error, {
				path: parent,
				hint: 'Name another folder with --staging-dir.',
			});
		}
	}

	async create(): Promise<StagedFile> {
		const number = ++this.#last;
		const file = path.join(this.path, String(number));
		return new StagedFile(file, number, await open(file, 'wx+', 0o600));
	}

	/** A file that an earlier owner of the folder made; null when it is gone. */
	async reopen(number: number): Promise<{ file: StagedFile; writeTimeMs: number } | null> {
		const name = path.join(this.path, String(number));
		const handle = await open(name, 'r+').catch((error: NodeJS.ErrnoException) => {
			if (error.code !== 'ENOENT') throw error;
			return null;
		});
		if (handle === null) return null;
		const file = new StagedFile(name, number, handle);
		const { size, mtimeMs } = await handle.stat();
		file.size = size;
		return { file, writeTimeMs: mtimeMs };
	}

	async [Symbol.asyncDispose](): Promise<void> {
		if (!this.isKept) await rm(this.path, { recursive: true, force: true });
	}
}

/** A folder with the number of this process in its name: a new one, or one that is there. */
async function makeOwn(parent: string, known: string | null): Promise<string> {
	for (let attempt = 0; ; attempt++) {
		const folder = path.join(parent, `${MARK}${process.pid}${attempt === 0 ? '' : `-${attempt}`}`);
		if (folder === known) return folder;
		try {
			await mkdir(folder, { mode: 0o700 });
			// An empty folder gives way.
			if (known !== null) await rename(known, folder);
			return folder;
		} catch (error) {
			// An earlier process had our number, and left something.
			if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
		}
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
	const pid = Number.parseInt(name.slice(MARK.length), 10);
	return pid !== process.pid && Number.isSafeInteger(pid) && isAlive({ pid, started: null });
}

/** Bytes that this user may still write to the file system of a folder. */
export function freeBytes(folder: string): number {
	const { bavail, bsize } = statfsSync(folder);
	return bavail * bsize;
}
