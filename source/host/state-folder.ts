/**
 * The folder where a program keeps what it remembers between runs: private to the user, never needed. In
 * recovery environments it is often read-only or absent, so nothing here throws for that.
 */

import { constants } from 'node:fs';
import { type FileHandle, mkdir, open, readdir, rename, rm, stat, unlink } from 'node:fs/promises';
import path from 'node:path';
import { homeFolder } from '../base/home-folder.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** Where state belongs on this platform: below XDG_STATE_HOME, or where the system wants it. */
export function stateFolderPath(
	environment: Environment = process.env,
	platform: NodeJS.Platform = process.platform,
): string {
	const xdg = environment['XDG_STATE_HOME'];
	// The XDG specification says that a relative path is to be ignored.
	if (xdg !== undefined && path.isAbsolute(xdg)) return path.join(xdg, 'wimdeck');
	const home = homeFolder(environment);
	if (platform === 'win32') {
		const local = environment['LOCALAPPDATA'] ?? path.join(home, 'AppData', 'Local');
		return path.join(local, 'wimdeck');
	}
	if (platform === 'darwin') return path.join(home, 'Library', 'Application Support', 'wimdeck');
	return path.join(home, '.local', 'state', 'wimdeck');
}

/** A file of the state folder, open for writing. */
export class StateFile {
	readonly #handle: FileHandle;
	/** Bytes appended so far. */
	size = 0;

	constructor(handle: FileHandle) {
		this.#handle = handle;
	}

	async append(text: string): Promise<void> {
		const bytes = Buffer.from(text);
		await this.#handle.write(bytes, 0, bytes.length, this.size);
		this.size += bytes.length;
	}

	/** Puts text at the beginning, in one write, filled up with blanks to `width` bytes. */
	async overwrite(text: string, width: number): Promise<void> {
		const bytes = Buffer.alloc(width, 0x20);
		bytes.write(text, 'utf8');
		await this.#handle.write(bytes, 0, width, 0);
	}

	close(): Promise<void> {
		return this.#handle.close();
	}
}

/** One by one: `recursive` never comes back below /proc (Node 20.20). */
async function makeFolders(folder: string): Promise<void> {
	const above = path.dirname(folder);
	if (above !== folder && !(await stat(above).catch(() => null))) await makeFolders(above);
	await mkdir(folder, { mode: 0o700 }).catch((error: NodeJS.ErrnoException) => {
		// Another process may have made it just now.
		if (error.code !== 'EEXIST') throw error;
	});
}

/** A flat folder of small private files. */
export class StateFolder {
	readonly path: string;

	private constructor(folder: string) {
		this.path = folder;
	}

	/** Opens the folder, making it when it is absent; null when it cannot be used. */
	static async open(folder: string): Promise<StateFolder | null> {
		try {
			await makeFolders(folder);
			return (await stat(folder)).isDirectory() ? new StateFolder(folder) : null;
		} catch {
			return null;
		}
	}

	/** Names of the files in it; none when it cannot be read. */
	async names(): Promise<readonly string[]> {
		return readdir(this.path).catch(() => []);
	}

	/** A new file, or null when the name is taken or the folder cannot be written. */
	async create(name: string): Promise<StateFile | null> {
		const { O_CREAT, O_EXCL, O_WRONLY } = constants;
		try {
			const handle = await open(path.join(this.path, name), O_CREAT | O_EXCL | O_WRONLY, 0o600);
			return new StateFile(handle);
		} catch {
			return null;
		}
	}

	/** The text of a file, at most `limit` bytes of it; null when there is none. */
	async read(name: string, limit: number): Promise<string | null> {
		let handle: FileHandle | null = null;
		try {
			handle = await open(path.join(this.path, name), 'r');
			const { size } = await handle.stat();
			const bytes = Buffer.alloc(Math.min(size, limit));
			const { bytesRead } = await handle.read(bytes, 0, bytes.length, 0);
			return bytes.toString('utf8', 0, bytesRead);
		} catch {
			return null;
		} finally {
			await handle?.close().catch(() => {});
		}
	}

	/** In bytes; null when there is no such file. */
	async sizeOf(name: string): Promise<number | null> {
		try {
			return (await stat(path.join(this.path, name))).size;
		} catch {
			return null;
		}
	}

	/** Milliseconds since 1970 of the last write; null when there is no such file. */
	async writtenAt(name: string): Promise<number | null> {
		try {
			return (await stat(path.join(this.path, name))).mtimeMs;
		} catch {
			return null;
		}
	}

	/** Size and time of the last write, as a text to compare; '' when there is no such file. */
	async stamp(name: string): Promise<string> {
		try {
			const { size, mtimeMs } = await stat(path.join(this.path, name));
			return `${size}@${mtimeMs}`;
		} catch {
			return '';
		}
	}

	/** Replaces a file whole: written beside it and renamed. False when that cannot be done. */
	async replace(name: string, text: string): Promise<boolean> {
		const temporary = path.join(this.path, `${name}.new-${process.pid}`);
		try {
			const handle = await open(temporary, 'w', 0o600);
			try {
				await handle.writeFile(text);
			} finally {
				await handle.close();
			}
			await rename(temporary, path.join(this.path, name));
			return true;
		} catch {
			await rm(temporary, { force: true }).catch(() => {});
			return false;
		}
	}

	/** Gives a file another name; where that cannot be done, it keeps its own. */
	async rename(name: string, to: string): Promise<void> {
		await rename(path.join(this.path, name), path.join(this.path, to)).catch(() => {});
	}

	async remove(name: string): Promise<void> {
		await unlink(path.join(this.path, name)).catch(() => {});
	}
}
