/** Extracts single files and folders of an image into a folder, or the contents of one to a stream. */

import type { Run } from '../base/run.ts';
import { PosixTarget } from '../host/posix-target.ts';
import type { OpenImage } from '../image/open.ts';
import { type BlobWriter, sourceOf } from './extract-data.ts';
import { planExtract } from './extract-plan.ts';
import { type ExtractOptions, type ExtractSummary, runExtract } from './extract-run.ts';
import { type ChosenPath, type SelectionOptions, selectPaths } from './extract-selection.ts';

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
	const plan = await planExtract(source, roots, target.folding, options, run);
	// Single files keep their link targets: they are not a tree that could be moved (wim.md §4.16).
	return runExtract([{ source, plan, target }], writer, { ...options, rpfix: false }, run);
}
