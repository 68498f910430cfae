/** The contents of a mounted image while they are changed: staging files in front of the blobs of the WIM. */
import { HostError, MissingError } from '../../base/errors.ts';
import { isEmptyStream, ZERO_SHA1 } from '../../bytes/sha1.ts';
import { FuseError } from '../../host/fuse/file-system.ts';
import type { StagedFile, StagingFolder } from '../../host/staging.ts';
import type { EditStream } from '../../image/edit-tree.ts';
import { type Content, FileContent } from '../../storage/content.ts';
import type { BlobReader } from './blob-reader.ts';
import type { MountView } from './mount-view.ts';

export interface StagedContentsOptions {
	readonly view: Pick<MountView, 'blob'>;
	readonly reader: BlobReader;
	readonly staging: StagingFolder;
}

/** Bytes copied at once from a blob to its staging file. */
const COPY_SIZE = 1 << 20;

export class StagedContents {
	readonly #options: StagedContentsOptions;
	/** A stream that is being copied out is there already, so that it is copied once. */
	readonly #files = new Map<EditStream, Promise<StagedFile>>();
	readonly #ready = new Map<EditStream, StagedFile>();

	constructor(options: StagedContentsOptions) {
		this.#options = options;
	}

	/** Of a stream, in bytes. */
	size(stream: EditStream): number {
		const staged = this.#ready.get(stream);
		if (staged !== undefined) return staged.size;
		return isEmptyStream(stream.sha1) ? 0 : (this.#options.view.blob(stream.sha1)?.size ?? 0);
	}

	/** Fewer bytes than asked for only at the end. */
	async read(stream: EditStream, offset: number, size: number): Promise<Uint8Array> {
		const staged = await this.#files.get(stream);
		return staged?.read(offset, size) ?? this.#stored(stream, offset, size);
	}

	async write(stream: EditStream, offset: number, bytes: Uint8Array): Promise<void> {
		await changing(async () => (await this.#stage(stream, Infinity)).write(offset, bytes));
	}

	/** Cuts a stream, or fills it up with zeros. */
	async resize(stream: EditStream, size: number): Promise<void> {
		await changing(async () => (await this.#stage(stream, size)).truncate(size));
	}

	/** The number of the staging file of a stream; null when it has none. */
	stagedNumber(stream: EditStream): number | null {
		return this.#ready.get(stream)?.number ?? null;
	}

	/**
	 * Takes a file that an earlier process staged for the contents of a stream.
	 *
	 * @returns when it was written last, in ms since 1970; null when it is gone, as after its stream
	 */
	async use(stream: EditStream, number: number): Promise<number | null> {
		const found = await this.#options.staging.reopen(number);
		if (found === null) return null;
		this.#files.set(stream, Promise.resolve(found.file));
		this.#ready.set(stream, found.file);
		return found.writeTimeMs;
	}

	/** The stream is gone. */
	drop(stream: EditStream): void {
		const staged = this.#files.get(stream);
		this.#files.delete(stream);
		this.#ready.delete(stream);
		void staged?.then((file) => file.remove()).catch(() => {});
	}

	/** What was written to a stream; null when that is nothing, or the WIM holds it already. */
	async content(stream: EditStream): Promise<Content | null> {
		const staged = await this.#files.get(stream);
		if (staged === undefined) return null;
		const { path, size } = staged;
		if (size === 0) {
			stream.sha1 = ZERO_SHA1;
			return null;
		}
		return new FileContent({ path, name: path, size, writeTime: null, followsLinks: false });
	}

	/** Bytes of a stream that the WIM holds. */
	async #stored(stream: EditStream, offset: number, size: number): Promise<Uint8Array> {
		if (isEmptyStream(stream.sha1)) return new Uint8Array(0);
		const blob = this.#options.view.blob(stream.sha1);
		if (blob === undefined)
			throw new MissingError(`Cannot read blob ${stream.sha1}: this file does not hold it`);
		return this.#options.reader.read(blob, offset, size);
	}

	/** The staging file of a stream, made with at most `limit` bytes of what the stream holds. */
	#stage(stream: EditStream, limit: number): Promise<StagedFile> {
		const known = this.#files.get(stream);
		if (known !== undefined) return known;
		const made = this.#copyOut(stream, Math.min(limit, this.size(stream)));
		this.#files.set(stream, made);
		made.catch(() => this.#files.delete(stream));
		return made;
	}

	async #copyOut(stream: EditStream, size: number): Promise<StagedFile> {
		const file = await this.#options.staging.create();
		try {
			for (let at = 0; at < size; at += COPY_SIZE)
				await file.write(at, await this.#stored(stream, at, Math.min(COPY_SIZE, size - at)));
		} catch (error) {
			await file.remove();
			throw error;
		}
		this.#ready.set(stream, file);
		return file;
	}
}

/** A full disk is something a program can be told; anything else is ours. */
async function changing<T>(act: () => Promise<T>): Promise<T> {
	try {
		return await act();
	} catch (error) {
		const inner = error instanceof HostError ? error.cause : error;
		const { code } = inner as NodeJS.ErrnoException;
		if (code === 'ENOSPC' || code === 'EDQUOT') throw new FuseError('ENOSPC');
		throw code === 'EFBIG' ? new FuseError('EFBIG') : error;
	}
}
