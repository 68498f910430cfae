/**
 * Files that may hold what another one lost: WIMs of any kind, damaged ones too, and folders, of which only those files
 * are read whose size or name fits something that is needed (wim.md §13.10).
 */
import { InputError } from '../../base/errors.ts';
import { breathe, type Run } from '../../base/run.ts';
import type { Sha1 } from '../../bytes/sha1.ts';
import { forFs, type HostPath, hostPathText } from '../../host/host-path.ts';
import { scanTree } from '../../host/scan.ts';
import type { Pool } from '../../pool/pool.ts';
import { type Content, FileContent } from '../../storage/content.ts';
import { isFolder, isSameFile } from '../../storage/find-files.ts';
import { RecoveryTools } from '../../wim/recover/recovery-tools.ts';
import type { Blob } from '../../wim/resource.ts';
import { type DamagedWim, openDamaged } from '../salvage/open-damaged.ts';

/** Contents that are looked for. */
export interface Needed {
	readonly sha1: Sha1;
	/** Original bytes; null when no table tells. */
	readonly size: number | null;
	/** Names of files that hold it, in small letters and without folders. */
	readonly names: readonly string[];
}

/** One donor, with what it gave. */
export interface Donor {
	readonly path: string;
	/** Null for a folder. */
	readonly wim: DamagedWim | null;
	blobCount: number;
	bytes: number;
	hashedCount: number;
}

/** A file of a folder that has wanted contents. */
export interface DonorFile {
	readonly donor: Donor;
	readonly path: string;
	readonly content: Content;
}

/** Files that one task hashes: enough to outweigh its cost. */
const BATCH_COUNT = 64;
const BATCH_BYTES = 16 << 20;

export class Donors implements AsyncDisposable {
	readonly all: readonly Donor[];

	private constructor(all: readonly Donor[]) {
		this.all = all;
	}

	/**
	 * @param damaged the file that is to be repaired, which cannot be its own donor
	 * @throws {InputError} when a donor is not there, or is that file
	 */
	static async open(
		paths: readonly string[],
		damaged: string,
		pool: Pool,
		run: Run,
	): Promise<Donors> {
		const all: Donor[] = [];
		const recovery = new RecoveryTools(pool, run);
		try {
			for (const path of paths) {
				if (await isSameFile(path, damaged))
					throw new InputError(`Cannot use "${path}" as a donor: it is the file to be repaired`, {
						path,
						hint: 'Other copies of its contents in it are found anyway; leave --from out.',
					});
				const wim = (await isFolder(path))
					? null
					: await openDamaged(path, [], false, recovery, run);
				all.push({ path, wim, blobCount: 0, bytes: 0, hashedCount: 0 });
			}
			return new Donors(all);
		} catch (error) {
			for (const { wim } of all) await wim?.[Symbol.asyncDispose]();
			throw error;
		}
	}

	/** Sizes of everything that the tables of the donors list. */
	sizes(): Map<Sha1, number> {
		const sizes = new Map<Sha1, number>();
		for (const { wim } of this.all)
			for (const [sha1, [blob]] of wim?.candidates ?? [])
				if (blob !== undefined) sizes.set(sha1, blob.size);
		return sizes;
	}

	/** Where donors that are WIMs say that contents, or a tree, are; reading shows whether they are. */
	places(sha1: Sha1): { readonly donor: Donor; readonly blob: Blob }[] {
		return this.all.flatMap((donor) => {
			if (donor.wim === null) return [];
			const trees = donor.wim.images.flatMap(({ metadata }) =>
				metadata.sha1 === sha1 ? [metadata] : [],
			);
			return [...(donor.wim.candidates.get(sha1) ?? []), ...trees].map((blob) => ({ donor, blob }));
		});
	}

	/** The donor in whose file a blob stands; null for one of another file. */
	holderOf({ resource: { part } }: Blob): Donor | null {
		const has = ({ wim }: Donor) =>
			wim?.parts.some(({ part: { source } }) => source === part.source) ?? false;
		return this.all.find(has) ?? null;
	}

	/**
	 * Looks for contents in the folders: by size where it is known, else by name first, and in all files when that is not
	 * enough.
	 */
	async search(needed: readonly Needed[], pool: Pool, run: Run): Promise<Map<Sha1, DonorFile>> {
		const found = new Map<Sha1, DonorFile>();
		const missing = new Map(needed.map((one) => [one.sha1, one]));
		for (const donor of this.all) {
			if (donor.wim !== null || missing.size === 0) continue;
			const search = new FolderSearch(donor, await filesIn(donor.path, run), pool, run);
			for (const round of ['fitting', 'all'] as const) {
				const wanted = [...missing.values()];
				if (round === 'all' && wanted.every(({ size }) => size !== null)) continue;
				for (const [sha1, file] of await search.round(wanted, round === 'all')) {
					found.set(sha1, file);
					missing.delete(sha1);
				}
			}
		}
		return found;
	}

	/** Counts what a donor gave: bytes, of a number of contents that are whole now. */
	credit(donor: Donor, size: number, count = 1): void {
		donor.blobCount += count;
		donor.bytes += size;
	}

	async [Symbol.asyncDispose](): Promise<void> {
		for (const { wim } of this.all) await wim?.[Symbol.asyncDispose]();
	}
}

interface FolderFile {
	readonly path: HostPath;
	readonly name: string;
	readonly size: number;
	readonly writeTime: bigint;
}

async function filesIn(folder: string, run: Run): Promise<FolderFile[]> {
	const quiet: Run = { ...run, report: () => {} };
	const options = {
		dereference: false,
		keepSpecials: false,
		followRoot: true,
		linkGroups: new Map(),
		isExcluded: () => false,
	};
	run.report({ type: 'phase', phase: 'scan', totalBytes: null });
	const scan = scanTree(folder, options, quiet);
	await scan.finish();
	const files: FolderFile[] = [];
	const seen = new Set<number>();
	for (const [position, entry] of scan.entries.entries()) {
		if (entry.kind !== 'file' || entry.size === 0) continue;
		// The names of one file are one file.
		if (entry.linkGroup !== 0 && seen.has(entry.linkGroup)) continue;
		seen.add(entry.linkGroup);
		const { name, size, writeTime } = entry;
		files.push({ path: scan.hostPathOf(position), name: name.toLowerCase(), size, writeTime });
	}
	return files;
}

class FolderSearch {
	readonly #donor: Donor;
	readonly #pool: Pool;
	readonly #run: Run;
	/** Not yet read. */
	#files: readonly FolderFile[];

	constructor(donor: Donor, files: readonly FolderFile[], pool: Pool, run: Run) {
		this.#donor = donor;
		this.#files = files;
		this.#pool = pool;
		this.#run = run;
	}

	async round(needed: readonly Needed[], isAll: boolean): Promise<Map<Sha1, DonorFile>> {
		const sizes = new Set(needed.flatMap(({ size }) => (size === null ? [] : [size])));
		const names = new Set(needed.flatMap(({ size, names: own }) => (size === null ? own : [])));
		const fits = ({ size, name }: FolderFile) => isAll || sizes.has(size) || names.has(name);
		const chosen = this.#files.filter(fits);
		this.#files = this.#files.filter((file) => !fits(file));
		const wanted = new Set(needed.map(({ sha1 }) => sha1));
		return this.#hash(chosen, wanted);
	}

	async #hash(
		files: readonly FolderFile[],
		wanted: ReadonlySet<Sha1>,
	): Promise<Map<Sha1, DonorFile>> {
		const found = new Map<Sha1, DonorFile>();
		const total = files.reduce((sum, { size }) => sum + size, 0);
		this.#run.report({ type: 'phase', phase: 'hash', totalBytes: total });
		const batches = inBatches(files);
		const inputs = batches.map((batch) => ({ items: batch.map(({ path }) => ({ path })) }));
		const lanes = this.#pool.forWork(total, 1 << 20);
		const { signal } = this.#run;
		let next = 0;
		for await (const { results } of lanes.ordered('hash', inputs, { signal })) {
			for (const [k, { sha1 }] of results.entries()) {
				const file = batches[next]?.[k];
				if (file === undefined) continue;
				this.#donor.hashedCount++;
				this.#run.report({ type: 'advance', bytes: file.size });
				if (sha1 === null || !wanted.has(sha1) || found.has(sha1)) continue;
				found.set(sha1, this.#donorFile(file));
			}
			next++;
			await breathe(this.#run);
		}
		return found;
	}

	#donorFile({ path, size, writeTime }: FolderFile): DonorFile {
		const name = hostPathText(path);
		const content = new FileContent({
			path: forFs(path),
			name,
			size,
			writeTime,
			followsLinks: false,
		});
		return { donor: this.#donor, path: name, content };
	}
}

function inBatches(files: readonly FolderFile[]): FolderFile[][] {
	const batches: FolderFile[][] = [];
	let bytes = Number.POSITIVE_INFINITY;
	for (const file of files) {
		const last = batches.at(-1);
		if (last === undefined || bytes >= BATCH_BYTES || last.length >= BATCH_COUNT) {
			batches.push([file]);
			bytes = file.size;
		} else {
			last.push(file);
			bytes += file.size;
		}
	}
	return batches;
}
