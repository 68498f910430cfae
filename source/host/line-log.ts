/** A file of lines that grows: what was written stays when the process is killed. */
import { closeSync, openSync, readFileSync, rmSync, truncateSync, writeSync } from 'node:fs';

/**
 * Reads the lines of a log. A last one that was cut off is cut away.
 *
 * @returns null when there is no such file
 * @throws what `node:fs` throws: the file is there, and may hold something
 */
export function readLines(file: string): readonly string[] | null {
	try {
		const bytes = readFileSync(file);
		const end = bytes.lastIndexOf(0x0a) + 1;
		if (end < bytes.length) truncateSync(file, end);
		return bytes.toString('utf8', 0, end).split('\n').slice(0, -1);
	} catch (error) {
		if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
		return null;
	}
}

export class LineLog {
	readonly #file: string;
	#fd: number | null;

	/** @param file made, or lengthened when it is there */
	constructor(file: string) {
		this.#file = file;
		this.#fd = openSync(file, 'a', 0o600);
	}

	/** @throws what `node:fs` throws; nothing is written any more then */
	add(line: string): void {
		if (this.#fd === null) return;
		try {
			const bytes = Buffer.from(`${line}\n`);
			// A disk that is nearly full takes some of them, and says why with the rest.
			for (let done = 0; done < bytes.length; ) done += writeSync(this.#fd, bytes, done);
		} catch (error) {
			this.close();
			throw error;
		}
	}

	close(): void {
		if (this.#fd !== null) closeSync(this.#fd);
		this.#fd = null;
	}

	/** @throws what `node:fs` throws */
	remove(): void {
		this.close();
		rmSync(this.#file, { force: true });
	}
}
