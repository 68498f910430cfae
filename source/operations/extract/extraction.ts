/**
 * One tree on its way to the host: its files, links, owners, modes, attributes and times, each step when `extract-run.ts`
 * calls for it. What could not be made is told, and nothing builds on it.
 */

import { HostError, WimError } from '../../base/errors.ts';
import { type List, mapped } from '../../base/list.ts';
import { plural } from '../../base/print.ts';
import { breathe, type Run, throwIfCanceled } from '../../base/run.ts';
import type { Sha1 } from '../../bytes/sha1.ts';
import { moveIntoTree, posixTarget } from '../../host/links.ts';
import {
	endsWriting,
	type FileTimes,
	type PosixTarget,
	utimesValues,
} from '../../host/posix-target.ts';
import { isUnixXattr, setXattrs, type Xattr } from '../../host/xattrs.ts';
import { Attribute, REPARSE_NOT_FIXED } from '../../image/dentry.ts';
import { pathOf } from '../../image/paths.ts';
import { parseLinkTarget } from '../../image/reparse.ts';
import { extendedAttributesOf, parseTaggedItems } from '../../image/tagged-items.ts';
import type { DentryPosition, ImageTree } from '../../image/tree.ts';
import type {
	BlobOutcome,
	BlobSink,
	BlobWriter,
	ExtractBlob,
	ExtractSource,
	FileJob,
	FileOutcome,
	FileTarget,
} from './extract-data.ts';
import { type ExtractItem, ItemList } from './extract-items.ts';
import { type ExtractPlan, type PlanOptions, unixDataAt } from './extract-plan.ts';
import { NtfsRestore } from './restore-ntfs.ts';

export interface ExtractOptions extends PlanOptions {
	/** Keep files with damaged contents: what cannot be read becomes zeros, and is reported. */
	readonly recoverData: boolean;
	/** Move absolute link targets into the folder that the image is applied to (wim.md §4.16). */
	readonly rpfix: boolean;
	/** Check and count only. */
	readonly dryRun: boolean;
	/** A dry run reads and checks contents, too: it tells the problems that the real one would meet. */
	readonly readsWhenDry?: boolean;
}

export interface ExtractCounts {
	readonly folders: number;
	/** Names of files, hard links included. */
	readonly files: number;
	readonly symbolicLinks: number;
	readonly specials: number;
	/** Of files, a hard-linked file counted once. */
	readonly bytes: number;
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** Longest stretch of synchronous calls. */
const SLICE_MS = 8;

/** Files that are done are named this often at most; people see ten a second. */
const REPORT_MS = 20;

/** Set-id bits: only together with the owner they were meant for. */
const SET_ID = 0o6000;

/** One tree to extract, with its plan. */
export interface ExtractPart {
	readonly source: ExtractSource;
	readonly plan: ExtractPlan;
	readonly target: PosixTarget;
}

/** A file to be made that still knows what it is. */
interface ItemTarget extends FileTarget {
	readonly owner: Extraction;
	readonly item: ExtractItem;
}

/** The files of one blob in one tree, put together when their turn comes: there may be 300,000. */
class TreeJob implements FileJob {
	readonly blob: ExtractBlob;
	readonly #extraction: Extraction;

	constructor(blob: ExtractBlob, extraction: Extraction) {
		this.blob = blob;
		this.#extraction = extraction;
	}

	get files(): readonly FileTarget[] {
		return this.#extraction.targetsOf(this.blob);
	}
}

/** Items by their numbers; there are few. */
class Failed {
	readonly #numbers = new Set<number>();

	get size(): number {
		return this.#numbers.size;
	}

	add({ number }: ExtractItem): void {
		this.#numbers.add(number);
	}

	has({ number }: ExtractItem): boolean {
		return this.#numbers.has(number);
	}

	hasNumber(number: number): boolean {
		return this.#numbers.has(number);
	}

	countIn(numbers: Uint32Array): number {
		if (this.#numbers.size === 0) return 0;
		let count = 0;
		for (const number of numbers) if (this.#numbers.has(number)) count++;
		return count;
	}
}

/** One tree on its way. */
export class Extraction implements BlobSink {
	readonly #tree: ImageTree;
	readonly #plan: ExtractPlan;
	readonly #target: PosixTarget;
	readonly #options: ExtractOptions;
	readonly #run: Run;
	/** What could not be made, so that nothing builds on it. */
	readonly #failed = new Failed();
	readonly #reparseData = new Map<Sha1, Uint8Array>();
	/** Null unless the target is an NTFS volume. */
	readonly #ntfs: NtfsRestore | null;
	#sliceStart = 0;
	#lastReport = Number.NEGATIVE_INFINITY;

	constructor({ source, plan, target }: ExtractPart, options: ExtractOptions, run: Run) {
		this.#ntfs = target.keepsNtfs() ? new NtfsRestore(source, plan, options) : null;
		this.#tree = source.tree;
		this.#plan = plan;
		this.#target = target;
		this.#options = options;
		this.#run = run;
	}

	/** Adds what was made; in a dry run, what would be. */
	async addTo(summary: Mutable<ExtractCounts>): Promise<void> {
		const { folders, emptyFiles, specials, files, hardLinks, links } = this.#plan;
		const made = (list: Pick<ItemList, 'length' | 'numbers'>) =>
			list.length - this.#failed.countIn(list.numbers);
		summary.folders += made(folders);
		summary.files += made(emptyFiles) + made(hardLinks.items) + made(files.holders);
		summary.symbolicLinks += made(links.holders);
		summary.specials += made(specials);
		for (let row = 0; row < files.size; row++) {
			if (row % 4096 === 4095) await this.#breatheWhenDue();
			let count = 0;
			for (const number of files.numbers(row)) if (!this.#failed.hasNumber(number)) count++;
			summary.bytes += files.blobSize(row) * count;
		}
	}

	async makeStructure(): Promise<void> {
		await this.#each(this.#plan.folders, ({ path }) => this.#target.makeFolder(path));
		await this.#each(this.#plan.emptyFiles, ({ dentry, path }) => {
			this.#target.makeFile(path);
			this.#target.setTimes(path, timesOf(this.#tree, dentry), false);
		});
		for (const item of this.#plan.specials) {
			const unix = unixDataAt(this.#tree, item.dentry);
			if (unix === null) continue;
			throwIfCanceled(this.#run);
			await this.#attempt(item, async () => {
				await this.#target.makeSpecial(item.path, unix.mode, unix.rdev);
				this.#target.setTimes(item.path, timesOf(this.#tree, item.dentry), false);
			});
		}
	}

	/** The files to be filled; those whose folders could not be made drop out when they are asked for. */
	fileJobs(): List<FileJob> {
		return mapped(this.#plan.files.blobs(), (blob) => new TreeJob(blob, this));
	}

	/** Clears the places of the files that hold a blob, as far as that can be done; in a dry run there are none to write. */
	targetsOf(blob: ExtractBlob): ItemTarget[] {
		const targets: ItemTarget[] = [];
		for (const item of this.#plan.files.get(blob))
			this.#try(item, () => {
				const { path } = item;
				this.#target.makeRoom(path);
				if (this.#target.isImagined) return;
				targets.push({
					owner: this,
					item,
					path: this.#target.path(path),
					times: utimesValues(timesOf(this.#tree, item.dentry)),
					isSparse: (this.#tree.attributes(item.dentry) & Attribute.sparse) !== 0,
				});
			});
		return targets;
	}

	*linkBlobs(): Generator<ExtractBlob, void, undefined> {
		yield* this.#plan.links.blobs();
		if (this.#ntfs !== null) yield* this.#ntfs.blobs();
	}

	fileWritten({ blob, error, isKept, refused }: FileOutcome): void {
		this.#plan.files.noteSize(blob);
		for (const [target, refusal] of refused) {
			const { owner, item } = target as ItemTarget;
			if (owner === this) this.#caught(item, refusal);
		}
		if (error === null) {
			this.#reportProgress(blob);
			return;
		}
		const items = this.#plan.files.get(blob);
		if (endsWriting(error)) throw error;
		for (const item of items) {
			if (this.#failed.has(item)) continue;
			if (!isKept) this.#failed.add(item);
			this.#reportDamage(item, error, isKept);
		}
	}

	/** Names a file that is done; of many small ones only some, since putting a path together takes longer than a look. */
	#reportProgress(blob: ExtractBlob): void {
		const now = this.#run.clock.elapsed();
		if (now - this.#lastReport < REPORT_MS) return;
		this.#lastReport = now;
		const [first] = this.#plan.files.get(blob);
		if (first) this.#run.report({ type: 'item', path: this.#pathOf(first) });
	}

	#reportDamage(item: ExtractItem, error: WimError, isKept: boolean): void {
		const path = this.#pathOf(item);
		const Class = error.constructor as new (
			message: string,
			facts: object,
			cause?: unknown,
		) => WimError;
		const reason = error.message.replace(/^Cannot [^:]*: /, '');
		const message = isKept
			? `Contents of "${path}" are damaged, what cannot be read was written as zeros: ${reason}`
			: `Cannot extract "${path}": ${reason}`;
		const hint = this.#options.recoverData
			? 'With another WIM or folder that holds these files, "wimdeck repair" may get the rest.'
			: 'Pass --recover-data to keep what is readable.';
		this.#run.report({
			type: 'problem',
			error: new Class(message, { hint, ...error.facts, path }, error),
		});
	}

	async makeHardLinks(): Promise<void> {
		let copies = 0;
		await this.#each(this.#plan.hardLinks, ({ item, first }) => {
			if (this.#failed.has(first))
				throw new HostError(
					`Cannot extract "${this.#pathOf(item)}": the file it is another name of could not be extracted`,
					{ path: this.#pathOf(item) },
				);
			if (!this.#target.makeHardLink(item.path, first.path)) {
				copies++;
				this.#target.setTimes(item.path, timesOf(this.#tree, item.dentry), false);
			}
		});
		if (copies > 0)
			this.#run.report({
				type: 'warning',
				message: `${plural(copies, 'hard link')} became copies: this file system holds no more links`,
			});
	}

	smallRead({ blob, error }: BlobOutcome, bytes: Uint8Array | null): void {
		if (bytes !== null) this.#reparseData.set(blob.sha1, bytes);
		this.#ntfs?.read({ blob, error }, bytes);
		if (bytes !== null || error === null) return;
		for (const item of this.#plan.links.get(blob)) this.#reportDamage(item, error, false);
	}

	async makeSymbolicLinks(): Promise<void> {
		for (const [blob, items] of this.#plan.links) {
			const data = this.#reparseData.get(blob.sha1);
			if (data) await this.#each(items, (item) => this.#makeSymbolicLink(item, data));
			else for (const item of items) this.#failed.add(item);
		}
	}

	#makeSymbolicLink(item: ExtractItem, data: Uint8Array): void {
		const tree = this.#tree;
		const path = this.#pathOf(item);
		const reparse = tree.reparse(item.dentry);
		const stored = parseLinkTarget(reparse?.tag ?? 0, data);
		if (stored === null)
			throw new HostError(`Cannot extract link "${path}": its reparse data are broken`, { path });
		const link = posixTarget(stored);
		if (link === null)
			throw new HostError(
				`Cannot extract link "${path}": its target "${stored.substituteName}" has no place on this machine`,
				{ path },
			);
		const isFixed = ((reparse?.flags ?? 0) & REPARSE_NOT_FIXED) === 0;
		const moves = this.#options.rpfix && isFixed && link.isAbsolute && !stored.isRelative;
		const text = moves ? moveIntoTree(link.text, this.#target.root) : link.text;
		this.#target.makeSymbolicLink(item.path, text);
		this.#target.setTimes(item.path, timesOf(tree, item.dentry), true);
	}

	/** Named streams that are no extended attributes. */
	async makeStreams(writer: BlobWriter): Promise<void> {
		const { recoverData } = this.#options;
		await this.#ntfs?.writeStreams(this.#target, this.#failed, writer, recoverData, this.#run);
	}

	/** Owners, extended attributes and modes when asked for; then the times of folders, the deepest first. */
	async setAttributes(): Promise<void> {
		const { folders } = this.#plan;
		if (this.#options.unixData) await this.#setUnixData();
		if (this.#ntfs !== null) {
			await this.#ntfs.set(this.#target, this.#failed, this.#run);
			return;
		}
		await this.#each(folders.reversed(), ({ dentry, path }) =>
			this.#target.setTimes(path, timesOf(this.#tree, dentry), false),
		);
	}

	async #setUnixData(): Promise<void> {
		const { folders, emptyFiles, specials, files, links } = this.#plan;
		const nodes = await this.#joined([files.holders, emptyFiles, specials]);
		for (const number of folders.numbers.toReversed()) nodes.push(number);
		const all = await this.#joined([links.holders, nodes]);
		const unowned = new Failed();
		await this.#each(all, (item) => {
			const unix = this.#failed.has(item) ? null : unixDataAt(this.#tree, item.dentry);
			if (unix !== null && !this.#target.setOwner(item.path, unix.uid, unix.gid)) unowned.add(item);
		});
		await this.#setXattrs(all);
		await this.#each(nodes, (item) => {
			const unix = this.#failed.has(item) ? null : unixDataAt(this.#tree, item.dentry);
			if (unix === null) return;
			this.#target.setMode(item.path, unowned.has(item) ? unix.mode & ~SET_ID : unix.mode);
		});
		if (unowned.size > 0)
			this.#run.report({
				type: 'warning',
				message: `The owner of ${plural(unowned.size, 'file')} could not be set, and their set-id bits were left out: this user may not; run as root to restore them`,
			});
	}

	async #joined(lists: readonly Pick<ItemList, 'numbers'>[]): Promise<ItemList> {
		const all = new ItemList(this.#plan.items);
		for (const { numbers } of lists)
			for (const number of numbers) {
				all.push(number);
				if (all.length % 4096 === 0) await this.#breatheWhenDue();
			}
		return all;
	}

	async #setXattrs(items: ItemList): Promise<void> {
		const tree = this.#tree;
		const failed = this.#failed;
		let foreign = 0;
		const xattrsAt = (dentry: DentryPosition): Xattr[] => {
			const tail = tree.tail(dentry);
			if (tail.length < 8) return [];
			const all = extendedAttributesOf(parseTaggedItems(tail).items).attributes;
			const own = all.filter(({ name }) => isUnixXattr(name));
			foreign += all.length - own.length;
			return [...own];
		};
		const withXattrs: { path: string; xattrs: Xattr[] }[] = [];
		await this.#each(items, (item) => {
			const xattrs = failed.has(item) ? [] : xattrsAt(item.dentry);
			if (xattrs.length > 0) withXattrs.push({ path: item.path || '.', xattrs });
		});
		if (foreign > 0 && this.#ntfs === null)
			this.#run.report({
				type: 'warning',
				message: `Left out: ${plural(foreign, 'extended attribute')} of Windows`,
			});
		if (withXattrs.length === 0 || this.#target.isImagined) return;
		const result = await setXattrs(this.#target.root, withXattrs, this.#run);
		if ('leftOut' in result) {
			const message = `${result.leftOut}; ${plural(withXattrs.length, 'file')} would have some`;
			this.#run.report({ type: 'warning', message });
		} else if (result.refused.length > 0)
			this.#run.report({
				type: 'problem',
				error: new HostError(
					`Cannot set ${plural(result.refused.length, 'extended attribute')}: ${result.refused[0]}`,
					{ path: this.#target.root },
				),
			});
	}

	/** Does something for each item in slices; an item that fails is reported, and the others follow. */
	async #each<T extends ExtractItem | { readonly item: ExtractItem }>(
		items: List<T>,
		act: (item: T) => void,
	): Promise<void> {
		for (let at = 0; at < items.length; at++) {
			// One call can take a millisecond on a busy disk.
			if (this.#isDue) await this.#breatheWhenDue();
			const item = items.at(at) as T;
			this.#try('item' in item ? item.item : item, () => act(item));
		}
	}

	#try(item: ExtractItem, act: () => void): void {
		try {
			act();
		} catch (error) {
			this.#caught(item, error);
		}
	}

	async #attempt(item: ExtractItem, act: () => Promise<void>): Promise<void> {
		try {
			await act();
		} catch (error) {
			this.#caught(item, error);
		}
	}

	#caught(item: ExtractItem, error: unknown): void {
		if (!(error instanceof WimError) || endsWriting(error)) throw error;
		this.#fail(item, error);
	}

	#fail(item: ExtractItem, error: WimError): void {
		this.#failed.add(item);
		this.#run.report({ type: 'problem', error });
	}

	get #isDue(): boolean {
		return this.#run.clock.elapsed() - this.#sliceStart >= SLICE_MS;
	}

	async #breatheWhenDue(): Promise<void> {
		if (!this.#isDue) return;
		await breathe(this.#run);
		this.#sliceStart = this.#run.clock.elapsed();
	}

	#pathOf({ dentry }: ExtractItem): string {
		return pathOf(this.#tree, dentry);
	}
}

function timesOf(tree: ImageTree, dentry: DentryPosition): FileTimes {
	return { accessTime: tree.lastAccessTime(dentry), writeTime: tree.lastWriteTime(dentry) };
}
