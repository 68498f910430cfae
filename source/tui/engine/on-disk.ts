/** Whether the files of an open WIM are still what they were when they were opened. */

import { InputError, WimError } from '../../base/errors.ts';
import { FileSource } from '../../storage/file-source.ts';
import { type Stamp, stampOf } from '../../storage/file-stamp.ts';
import { HEADER_SIZE } from '../../wim/part-header.ts';
import type { OnDisk } from '../engine.ts';

interface OpenedFile {
	readonly stamp: Stamp;
	readonly header: string;
}

async function headerOf(path: string): Promise<string> {
	await using source = await FileSource.open(path);
	const bytes = new Uint8Array(HEADER_SIZE);
	const count = await source.read(0, bytes);
	return Buffer.from(bytes.subarray(0, count)).toString('hex');
}

export class FilesOnDisk {
	/** By name; null: it could not be looked at then, so that nothing can be said of it. */
	readonly #files: Map<string, OpenedFile | null>;

	private constructor(files: Map<string, OpenedFile | null>) {
		this.#files = files;
	}

	/** To be called as soon as they are open. */
	static async opened(paths: readonly string[]): Promise<FilesOnDisk> {
		const files = new Map<string, OpenedFile | null>();
		for (const path of paths) {
			const file = async () => ({ stamp: await stampOf(path), header: await headerOf(path) });
			files.set(path, await file().catch(() => null));
		}
		return new FilesOnDisk(files);
	}

	/** A new time alone is no change: whoever wrote nothing but it left the header. */
	async state(): Promise<OnDisk> {
		for (const [path, file] of this.#files) {
			const now = await stampOf(path).catch((error: WimError) => error);
			if (now instanceof InputError) return 'gone';
			if (file === null || now instanceof WimError) continue;
			const { stamp, header } = file;
			if (now.size === stamp.size && now.writeTime === stamp.writeTime) continue;
			const isSame = now.size === stamp.size && (await headerOf(path).catch(() => '')) === header;
			if (!isSame) return 'changed';
			this.#files.set(path, { stamp: now, header });
		}
		return 'same';
	}
}
