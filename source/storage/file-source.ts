import type { FileHandle } from 'node:fs/promises';
import { FormatError, hostError, InputError } from '../base/errors.ts';
import { hostFs as fs } from './host-fs.ts';
import type { SharedSource, Source } from './source.ts';

/** A file, opened for reading only. */
export class FileSource implements Source {
	readonly name: string;
	readonly size: number;
	private readonly handle: FileHandle;

	private constructor(name: string, size: number, handle: FileHandle) {
		this.name = name;
		this.size = size;
		this.handle = handle;
	}

	/**
	 * @throws {InputError} when it is not there, or is a folder
	 * @throws {HostError} when the machine refuses
	 */
	static async open(path: string): Promise<FileSource> {
		let handle: FileHandle;
		try {
			// Opening a FIFO must not wait for a writer: it is refused anyway.
			handle = await fs.open(path, fs.constants.O_RDONLY | (fs.constants.O_NONBLOCK ?? 0));
		} catch (error) {
			throw hostError(`Cannot open "${path}"`, error, { path });
		}
		try {
			const stat = await handle.stat();
			if (stat.isDirectory())
				throw new InputError(`Cannot open "${path}": it is a folder`, {
					path,
					hint: 'Name a .wim, .swm or .esd file.',
				});
			if (stat.isFIFO() || stat.isSocket() || stat.isCharacterDevice())
				throw new FormatError(`Cannot open "${path}": it is not a regular file`, {
					path,
					hint: 'To read a pipable WIM from a pipe, name it "-" and pass it as standard input.',
				});
			const size = stat.isBlockDevice() ? await deviceSize(handle) : stat.size;
			return new FileSource(path, size, handle);
		} catch (error) {
			await handle.close();
			throw hostError(`Cannot open "${path}"`, error, { path });
		}
	}

	async read(offset: number, into: Uint8Array): Promise<number> {
		let done = 0;
		while (done < into.length) {
			let count: number;
			try {
				const rest = into.length - done;
				({ bytesRead: count } = await this.handle.read(into, done, rest, offset + done));
			} catch (error) {
				throw hostError(`Cannot read "${this.name}"`, error, {
					path: this.name,
					offset: offset + done,
				});
			}
			if (count === 0) break;
			done += count;
		}
		return done;
	}

	async copyTo(path: string, onBegun: () => void): Promise<boolean> {
		// A copy is made by name, and the name may mean another file by now.
		const isSame = async () => {
			const [mine, named] = await Promise.all([this.handle.stat(), fs.stat(this.name)]);
			return mine.isFile() && mine.ino === named.ino && mine.dev === named.dev;
		};
		try {
			if (!(await isSame())) return false;
			const copied = fs.copyFile(this.name, path, fs.constants.COPYFILE_FICLONE);
			onBegun();
			await copied;
			return await isSame();
		} catch {
			return false;
		}
	}

	share(): SharedSource {
		return { kind: 'descriptor', fd: this.handle.fd, name: this.name };
	}

	async [Symbol.asyncDispose](): Promise<void> {
		await this.handle.close();
	}
}

/** A block device reports size 0: finds the end by doubling, then halving. */
async function deviceSize(handle: FileHandle): Promise<number> {
	const one = new Uint8Array(1);
	const has = async (at: number) => {
		const result = await handle.read(one, 0, 1, at).catch(() => null);
		return result?.bytesRead === 1;
	};
	let low = 0;
	let high = 1;
	while (await has(high - 1)) {
		low = high;
		high *= 2;
	}
	while (low + 1 < high) {
		const middle = Math.floor((low + high) / 2);
		if (await has(middle - 1)) low = middle;
		else high = middle;
	}
	return low;
}
