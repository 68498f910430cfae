/**
 * The long list of a request (commands, paths, sources) beside the record of its run, so that the record stays quick to
 * read and the run can be done again. `12.list` holds lines of JSON, each an array of some entries; it has that name only
 * when it is whole.
 */

import { nextTurn } from '../base/slices.ts';
import type { StateFolder } from '../host/state-folder.ts';
import { withAbsolutePaths } from './describe-request.ts';
import type { JobRequest } from './request.ts';

/** A list above either stands apart: more would be read again with every look at the record. */
const ENTRIES_MAX = 1000;
const REQUEST_SIZE_MAX = 256 * 1024;
/** Entries in a line: a millisecond of work. */
const SLICE = 1000;

export interface ListLimits {
	/** Of a list, in bytes. */
	readonly sizeMax: number;
	/** Of all lists together. */
	readonly totalMax: number;
}

/** A change of each of 300,000 files, with long paths; and a few of these. */
const LIMITS: ListLimits = { sizeMax: 64 * 1024 * 1024, totalMax: 128 * 1024 * 1024 };

/** The list of a request that may be long. */
export function listOf(request: JobRequest): readonly unknown[] {
	switch (request.verb) {
		case 'update':
			return request.commands;
		case 'extract':
			return request.paths;
		case 'capture':
		case 'append':
			return request.image.sources;
		case 'delete':
		case 'export':
			return request.images;
		case 'join':
			return request.parts;
		case 'repair':
			return request.donors;
		default:
			return [];
	}
}

/** The request with another list; entries of a list that was written are what they were. */
function withList(request: JobRequest, list: readonly unknown[]): JobRequest {
	switch (request.verb) {
		case 'update':
			return { ...request, commands: list as typeof request.commands };
		case 'extract':
			return { ...request, paths: list as typeof request.paths };
		case 'capture':
		case 'append': {
			const { image } = request;
			return { ...request, image: { ...image, sources: list as typeof image.sources } };
		}
		case 'delete':
		case 'export':
			return { ...request, images: list as typeof request.images };
		case 'join':
			return { ...request, parts: list as typeof request.parts };
		case 'repair':
			return { ...request, donors: list as typeof request.donors };
		default:
			return request;
	}
}

/** The request as a record holds it: without its list where that is long. */
export function withoutLongList(request: JobRequest): JobRequest {
	const { length } = listOf(request);
	const isLong =
		length > ENTRIES_MAX || (length > 0 && JSON.stringify(request).length > REQUEST_SIZE_MAX);
	return isLong ? withList(request, []) : request;
}

const nameOf = (id: number): string => `${id}.list`;
const unfinished = (id: number): string => `${id}.list-new`;

export class KeptLists {
	readonly #folder: StateFolder;
	readonly #limits: ListLimits;

	constructor(folder: StateFolder, limits: ListLimits = LIMITS) {
		this.#folder = folder;
		this.#limits = limits;
	}

	/**
	 * Writes the list of a run; one that is too long, or cannot be written, is left out.
	 *
	 * @param from relative paths are of this folder
	 */
	async keep(id: number, request: JobRequest, from: string): Promise<void> {
		const { sizeMax } = this.#limits;
		const file = await this.#folder.create(unfinished(id));
		if (file === null) return;
		let isWhole = false;
		try {
			const list = listOf(request);
			for (let k = 0; k < list.length && file.size <= sizeMax; k += SLICE) {
				const slice = withAbsolutePaths(withList(request, list.slice(k, k + SLICE)), from);
				await file.append(`${JSON.stringify(listOf(slice))}\n`);
			}
			isWhole = file.size <= sizeMax;
		} catch {
			// A full disk: the record does without.
		} finally {
			await file.close().catch(() => {});
		}
		if (isWhole) await this.#folder.rename(unfinished(id), nameOf(id));
		else await this.#folder.remove(unfinished(id));
		await this.#prune();
	}

	async has(id: number): Promise<boolean> {
		return (await this.#folder.sizeOf(nameOf(id))) !== null;
	}

	/** The request with its list; null when that was not kept, or is none of ours. */
	async load(id: number, request: JobRequest): Promise<JobRequest | null> {
		const text = await this.#folder.read(nameOf(id), this.#limits.sizeMax + 1);
		if (text === null) return null;
		const list: unknown[] = [];
		try {
			for (const line of text.split('\n')) {
				if (line === '') continue;
				const entries: unknown = JSON.parse(line);
				if (!Array.isArray(entries)) return null;
				for (const entry of entries) list.push(entry);
				await nextTurn();
			}
		} catch {
			return null;
		}
		return withList(request, list);
	}

	async forget(id: number): Promise<void> {
		for (const name of [nameOf(id), unfinished(id)]) await this.#folder.remove(name);
	}

	/** Removes the oldest lists when all together are too long. */
	async #prune(): Promise<void> {
		const ids = (await this.#folder.names())
			.flatMap((name) => /^(\d{1,9})\.list$/.exec(name)?.[1] ?? [])
			.map(Number)
			.sort((a, b) => b - a);
		let total = 0;
		for (const id of ids) {
			total += (await this.#folder.sizeOf(nameOf(id))) ?? 0;
			if (total > this.#limits.totalMax) await this.forget(id);
		}
	}
}
