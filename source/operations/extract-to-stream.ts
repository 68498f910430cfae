/** Writes the contents of files of an image one behind the other, as `extract --to-stdout` does. */

import { DigestError, InputError } from '../base/errors.ts';
import type { Run } from '../base/run.ts';
import { sha1Hasher, ZERO_SHA1 } from '../bytes/sha1.ts';
import { imageName, type OpenImage } from '../image/open.ts';
import { pathOf } from '../image/paths.ts';
import type { Pool } from '../pool/pool.ts';
import type { Output } from '../storage/output.ts';
import type { Blob } from '../wim/resource.ts';
import { type ChosenPath, type SelectionOptions, selectPaths } from './extract-selection.ts';
import { streamBlob } from './stream-blob.ts';

export interface StreamSummary {
	readonly files: number;
	readonly bytes: number;
}

/**
 * @throws {InputError} when a path names nothing, a folder or a link, before anything is written
 * @throws {FormatError | DigestError} at the first damaged byte, unless recovering: then it becomes zero
 */
export async function extractToStream(
	image: OpenImage,
	paths: readonly ChosenPath[],
	output: Output,
	pool: Pool,
	options: SelectionOptions & { readonly recoverData: boolean },
	run: Run,
): Promise<StreamSummary> {
	const { wim, tree } = image;
	const files = selectPaths(image, paths, options, run).map(({ dentry }) => {
		const path = pathOf(tree, dentry);
		if (!tree.isDirectory(dentry) && !tree.isReparsePoint(dentry)) {
			const sha1 = tree.dataSha1(dentry);
			return { path, blob: sha1 === ZERO_SHA1 ? null : wim.blob(sha1) };
		}
		throw new InputError(
			`Cannot write "${path}" of ${imageName(wim, image.image)} to standard output: it is a ${tree.isDirectory(dentry) ? 'folder' : 'link'}`,
			{ path, hint: 'Name files, or extract into a folder with --dest-dir.' },
		);
	});
	const totalBytes = files.reduce((sum, { blob }) => sum + (blob?.size ?? 0), 0);
	run.report({ type: 'phase', phase: 'data', totalBytes });
	for (const { path, blob } of files) {
		run.report({ type: 'item', path });
		if (blob !== null) await writeBlob(blob, path, output, pool, options.recoverData, run);
	}
	return { files: files.length, bytes: totalBytes };
}

async function writeBlob(
	blob: Blob,
	path: string,
	output: Output,
	pool: Pool,
	recover: boolean,
	run: Run,
): Promise<void> {
	// Without recovery, streamBlob itself ends at the first damaged chunk and compares the SHA-1.
	const hasher = recover ? sha1Hasher() : null;
	for await (const bytes of streamBlob(pool, blob, run, { recover })) {
		hasher?.update(bytes);
		await output.append(bytes);
		run.report({ type: 'advance', bytes: bytes.length });
	}
	if (hasher === null || hasher.digest('hex') === blob.sha1) return;
	const { resource } = blob;
	const error = new DigestError(`The contents of "${path}" are damaged`, {
		path,
		region: resource.part.source.name,
		offset: resource.offset,
	});
	run.report({ type: 'problem', error });
}
