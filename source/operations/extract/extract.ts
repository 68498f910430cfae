/** Extracts single files and folders of an image into a folder, or the contents of one to a stream. */

import { DigestError, InputError, WimError } from '../../base/errors.ts';
import type { Run } from '../../base/run.ts';
import { isEmptyStream, sha1Hasher } from '../../bytes/sha1.ts';
import { PosixTarget } from '../../host/posix-target.ts';
import type { OpenImage } from '../../image/open.ts';
import { pathOf } from '../../image/paths.ts';
import { ROOT } from '../../image/tree.ts';
import type { Pool } from '../../pool/pool.ts';
import { streamBlob } from '../read/stream-blob.ts';
import { type BlobWriter, sourceOf } from './extract-data.ts';
import { planExtract } from './extract-plan.ts';
import { type ExtractSummary, runExtract } from './extract-run.ts';
import { type ChosenPath, type SelectionOptions, selectPaths } from './extract-selection.ts';
import type { ExtractOptions } from './extraction.ts';

/**
 * Extracts what the paths name into `folder`, each under its own last name, or below the folders that hold it.
 *
 * @throws {InputError} when a path names nothing
 */
export async function extractPaths(
	image: OpenImage,
	paths: readonly ChosenPath[],
	folder: string,
	writer: BlobWriter,
	options: Omit<ExtractOptions, 'rpfix'> & SelectionOptions,
	run: Run,
): Promise<ExtractSummary> {
	const roots = selectPaths(image, paths, options, run);
	const target = PosixTarget.open(folder, options.dryRun);
	const source = sourceOf(image);
	const plan = await planExtract(source, roots, target.folding, options, run, target.keepsNtfs());
	// Single files keep their link targets: they are not a tree that could be moved (wim.md §4.16).
	return runExtract([{ source, plan, target }], writer, { ...options, rpfix: false }, run);
}

/**
 * Writes the contents of files one after the other: `extract --to-stdout`. Everything is looked at before the first
 * byte is written.
 *
 * @param write awaited for every piece, which is only valid until then
 * @throws {InputError} when a path names no file
 * @throws {DigestError | FormatError} behind the bytes that were already written, naming the file
 */
export async function extractToStream(
	image: OpenImage,
	paths: readonly ChosenPath[],
	pool: Pool,
	options: SelectionOptions & { readonly recoverData: boolean },
	write: (bytes: Uint8Array) => Promise<void>,
	run: Run,
): Promise<{ readonly files: number; readonly bytes: number }> {
	const { tree, wim } = image;
	const chosen = selectPaths(image, paths, options, run);
	const files = chosen.map(({ dentry }) => {
		const path = pathOf(tree, dentry);
		const stream = tree.streams(dentry).find(({ type }) => type === 'data');
		const refuse = (reason: string) =>
			new InputError(`Cannot write "${path}" to standard output: ${reason}`, {
				path,
				hint: 'Name files only, or extract into a folder.',
			});
		if (dentry === ROOT || tree.isDirectory(dentry) || stream === undefined)
			throw refuse('it is no file');
		// A link has no contents of its own; other reparse points may have some.
		if (tree.reparse(dentry) !== null && isEmptyStream(stream.sha1))
			throw refuse('it is a link or another reparse point without contents');
		const isEmpty = isEmptyStream(stream.sha1);
		return { path, blob: isEmpty ? null : wim.blob(stream.sha1) };
	});
	const totalBytes = files.reduce((total, { blob }) => total + (blob?.size ?? 0), 0);
	run.report({ type: 'phase', phase: 'data', totalBytes });
	for (const { path, blob } of files) {
		run.report({ type: 'item', path });
		if (blob === null) continue;
		const hasher = options.recoverData ? sha1Hasher() : null;
		try {
			for await (const piece of streamBlob(pool, blob, run, { recover: options.recoverData })) {
				hasher?.update(piece);
				await write(piece);
				run.report({ type: 'advance', bytes: piece.length });
			}
		} catch (error) {
			throw error instanceof WimError ? error.note({ path }) : error;
		}
		if (hasher !== null && hasher.digest('hex') !== blob.sha1) {
			const message = `Contents of "${path}" are damaged: what cannot be read was written as zeros`;
			run.report({ type: 'problem', error: new DigestError(message, { path }) });
		}
	}
	return { files: files.length, bytes: totalBytes };
}
