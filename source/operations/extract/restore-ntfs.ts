/**
 * What a tree gets on an ntfs-3g mount beyond names, contents and Unix: attributes, security descriptors, short names,
 * object ids, reparse data, named streams, extended attributes, and times to 100 ns. It comes last, children before
 * their folders (wim.md §11.3), through one `setfattr` for the whole tree.
 */
import { HostError, WimError } from '../../base/errors.ts';
import { plural } from '../../base/print.ts';
import type { Run } from '../../base/run.ts';
import { isEmptyStream, type Sha1 } from '../../bytes/sha1.ts';
import { NO_NTFS_FACTS, type NtfsFacts, ntfsXattrs, STREAM_SIZE_MAX } from '../../host/ntfs.ts';
import type { PosixTarget } from '../../host/posix-target.ts';
import { isUnixXattr, setXattrs, type Xattr } from '../../host/xattrs.ts';
import { Attribute } from '../../image/dentry.ts';
import { pathOf } from '../../image/paths.ts';
import { extendedAttributesOf, objectIdOf, parseTaggedItems } from '../../image/tagged-items.ts';
import type { ImageTree } from '../../image/tree.ts';
import type { BlobOutcome, BlobWriter, ExtractBlob, ExtractSource } from './extract-data.ts';
import type { ExtractItem } from './extract-items.ts';
import type { ExtractPlan, PlanOptions } from './extract-plan.ts';
import { StreamFiles } from './stream-files.ts';

/** What ntfs-3g lets set; compression only of folders, whose new files inherit it. */
const SETTABLE =
	Attribute.readonly |
	Attribute.hidden |
	Attribute.system |
	Attribute.archive |
	Attribute.temporary |
	Attribute.offline |
	Attribute.notContentIndexed;

export class NtfsRestore {
	readonly #tree: ImageTree;
	readonly #plan: ExtractPlan;
	readonly #options: PlanOptions;
	readonly #wanted = new Map<Sha1, ExtractBlob>();
	readonly #bytes = new Map<Sha1, Uint8Array>();
	readonly #problems: WimError[] = [];
	/** Null where streams are extended attributes. */
	#streamFiles: StreamFiles | null = null;
	#tooLarge = 0;
	#reparsePoints = 0;

	constructor(source: ExtractSource, plan: ExtractPlan, options: PlanOptions) {
		this.#tree = source.tree;
		this.#plan = plan;
		this.#options = options;
		for (const { dentry } of this.#items())
			for (const { type, sha1 } of this.#tree.streams(dentry)) {
				if (type === 'data' || isEmptyStream(sha1) || this.#wanted.has(sha1)) continue;
				try {
					this.#wanted.set(
						sha1,
						source.blob(sha1, () => pathOf(this.#tree, dentry)),
					);
				} catch (error) {
					if (!(error instanceof WimError)) throw error;
					this.#problems.push(error);
				}
			}
	}

	/** What must be read before `set`. */
	*blobs(): Generator<ExtractBlob, void, undefined> {
		for (const blob of this.#wanted.values()) if (blob.size <= STREAM_SIZE_MAX) yield blob;
	}

	read({ blob, error }: BlobOutcome, bytes: Uint8Array | null): void {
		if (!this.#wanted.has(blob.sha1)) return;
		if (bytes !== null) this.#bytes.set(blob.sha1, bytes);
		else if (error !== null) this.#problems.push(error);
	}

	/** Makes named streams of any size where the mount shows them as files. */
	async writeStreams(
		target: PosixTarget,
		failed: { has(item: ExtractItem): boolean },
		writer: BlobWriter,
		recoverData: boolean,
		run: Run,
	): Promise<void> {
		if (!target.showsStreams()) return;
		this.#streamFiles = new StreamFiles(run, target.isImagined);
		for (const item of this.#items())
			for (const { type, name, sha1 } of this.#tree.streams(item.dentry)) {
				if (type !== 'named' || failed.has(item)) continue;
				const blob = this.#wanted.get(sha1) ?? null;
				const bytes = isEmptyStream(sha1) ? new Uint8Array(0) : (this.#bytes.get(sha1) ?? null);
				const isLarge = (blob?.size ?? 0) > STREAM_SIZE_MAX;
				// What could not be read was reported.
				if (bytes === null && !isLarge) continue;
				this.#streamFiles.add(target.path(`${item.path}:${name}`), name, blob, bytes);
			}
		await this.#streamFiles.writeLarge(writer, recoverData);
	}

	/**
	 * Sets everything on what was made.
	 *
	 * @param failed what could not be made
	 */
	async set(
		{ root, isImagined }: PosixTarget,
		failed: { has(item: ExtractItem): boolean },
		run: Run,
	): Promise<void> {
		const settings = this.#settings(failed);
		const result = isImagined ? worked(settings) : await setXattrs(root, settings, run);
		for (const error of this.#problems) run.report({ type: 'problem', error });
		if (this.#tooLarge > 0)
			run.report({
				type: 'warning',
				message: `Left out: ${plural(this.#tooLarge, 'named stream')} of more than ${STREAM_SIZE_MAX} bytes, which the mount takes with the option streams_interface=windows only`,
			});
		if (this.#reparsePoints > 0)
			run.report({
				type: 'warning',
				message: `${plural(this.#reparsePoints, 'reparse point')} cannot be looked at until the volume is mounted again: the system remembers the kind of file they were`,
			});
		if ('leftOut' in result) run.report({ type: 'warning', message: result.leftOut });
		else if (result.refused.length > 0)
			run.report({
				type: 'problem',
				error: new HostError(
					`Cannot set ${plural(result.refused.length, 'attribute')} of NTFS: ${result.refused[0]}`,
					{ path: root, hint: 'Mount with ntfs-3g as root, without the option "permissions".' },
				),
			});
	}

	/** First names of everything, folders last and the deepest of them first. */
	*#items(): Generator<ExtractItem, void, undefined> {
		const { files, emptyFiles, specials, folders } = this.#plan;
		yield* files.holders;
		yield* emptyFiles;
		yield* specials;
		yield* folders.reversed();
	}

	*#settings(failed: {
		has(item: ExtractItem): boolean;
	}): Generator<{ path: string; xattrs: readonly Xattr[] }, void, undefined> {
		const tree = this.#tree;
		// A further name has a short name of its own; the rest is that of the file.
		for (const { item } of this.#plan.hardLinks) {
			const shortName = tree.shortName(item.dentry);
			if (shortName !== '' && !failed.has(item))
				yield { path: item.path, xattrs: ntfsXattrs({ ...NO_NTFS_FACTS, shortName }) };
		}
		for (const item of this.#items())
			if (!failed.has(item))
				yield { path: item.path || '.', xattrs: ntfsXattrs(this.#factsOf(item)) };
	}

	#factsOf({ dentry, path }: ExtractItem): NtfsFacts {
		const tree = this.#tree;
		const { acls, attributes } = this.#options;
		const items = parseTaggedItems(tree.tail(dentry)).items;
		const securityId = acls === 'skip' ? null : tree.securityId(dentry);
		const creation = tree.creationTime(dentry);
		const write = tree.lastWriteTime(dentry);
		const access = tree.lastAccessTime(dentry);
		return {
			attributes: attributes ? this.#attributesOf(dentry) : null,
			securityDescriptor:
				securityId === null ? null : (tree.security.descriptors[securityId] ?? null),
			shortName: path === '' ? null : tree.shortName(dentry) || null,
			reparse: this.#reparseOf(dentry),
			objectId: objectIdOf(items),
			times: creation > 0n && write > 0n && access > 0n ? { creation, write, access } : null,
			extendedAttributes: extendedAttributesOf(items).attributes.filter(
				({ name }) => !isUnixXattr(name),
			),
			streams: this.#streamsOf(dentry),
			streamFiles: [],
		};
	}

	#attributesOf(dentry: number): number {
		const attributes = this.#tree.attributes(dentry);
		const isFolder = (attributes & Attribute.directory) !== 0;
		return attributes & (isFolder ? SETTABLE | Attribute.compressed : SETTABLE);
	}

	#reparseOf(dentry: number): NtfsFacts['reparse'] {
		const reparse = this.#tree.reparse(dentry);
		const stream = this.#tree.streams(dentry).find(({ type }) => type === 'reparse');
		const data = this.#bytes.get(stream?.sha1 ?? '');
		if (reparse === null || data === undefined) return null;
		this.#reparsePoints++;
		return { tag: reparse.tag, reserved: reparse.reserved, data };
	}

	#streamsOf(dentry: number): NtfsFacts['streams'] {
		const streams: NtfsFacts['streams'][number][] = [];
		if (this.#streamFiles !== null) return streams;
		for (const { type, name, sha1 } of this.#tree.streams(dentry)) {
			if (type !== 'named') continue;
			const value = isEmptyStream(sha1) ? new Uint8Array(0) : this.#bytes.get(sha1);
			if (value !== undefined) streams.push({ name, value });
			else if ((this.#wanted.get(sha1)?.size ?? 0) > STREAM_SIZE_MAX) this.#tooLarge++;
		}
		return streams;
	}
}

/** In a dry run: what would be set is worked out, with what cannot be; nothing refuses it. */
function worked(settings: Iterable<unknown>): { readonly refused: readonly string[] } {
	const steps = settings[Symbol.iterator]();
	while (steps.next().done !== true);
	return { refused: [] };
}
