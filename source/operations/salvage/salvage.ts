/**
 * Gets back everything that is physically left of a damaged WIM (wim.md §13). Never writes to the damaged file and never
 * outside the target; whatever stands under its own name has the right SHA-1.
 */

import { InputError, MissingError } from '../../base/errors.ts';
import type { Run } from '../../base/run.ts';
import type { Sha1 } from '../../bytes/sha1.ts';
import { encodeWtf8 } from '../../bytes/utf16.ts';
import { isHarmlessName } from '../../host/names.ts';
import { PosixTarget } from '../../host/posix-target.ts';
import type { OpenImage } from '../../image/open.ts';
import { LargeChunks } from '../../pool/large-chunks.ts';
import { InlinePool, type Pool } from '../../pool/pool.ts';
import { isEveryImage } from '../../wim/wim.ts';
import { applyImage } from '../extract/apply.ts';
import type { FileJob, FileOutcome } from '../extract/extract-data.ts';
import { makeReport } from './make-report.ts';
import { type OpenSalvage, openSalvage } from './open-salvage.ts';
import type { SalvagedImage } from './read-trees.ts';
import { formatReport, type SalvageReport, type UnnamedFile } from './report.ts';
import { SalvageWriter, type WriterFor } from './salvage-writer.ts';
import { gatherUnnamed, UNNAMED_FOLDER } from './unnamed.ts';

export interface SalvageOptions {
	/** Patterns of further parts of the set. */
	readonly references: readonly string[];
	/** Index or name of one image; null for all. */
	readonly image: string | null;
	readonly unixData: boolean;
	readonly includeInvalidNames: boolean;
	/** Finds out and reports all that the real run would, and writes nothing. */
	readonly dryRun: boolean;
	/** Of a dry run: contents are not read, so what a table places counts as whole. */
	readonly isEstimate?: boolean;
}

/**
 * Salvages a WIM into a folder. Canceled while it searches it still writes what was found until then.
 *
 * @throws {FormatError} when nothing at all is left
 */
export async function salvage(
	path: string,
	folder: string,
	writerFor: WriterFor,
	options: SalvageOptions,
	asked: Run,
	pool: Pool = new InlinePool(),
): Promise<SalvageReport> {
	await using opened = await openSalvage(path, options.references, new Map(), asked, pool, true);
	const run = asked.signal.aborted ? { ...asked, signal: new AbortController().signal } : asked;
	const chosen = chooseImages(opened.images, options.image, path);
	const { damaged, wim } = opened;
	const seek = asked.signal.aborted ? async () => {} : opened.seek;
	const salvager = new SalvageWriter(writerFor, wim.blobs, damaged.candidates, seek, pool);
	const folders = folderNames(chosen);
	const isEstimate = options.dryRun && options.isEstimate === true;
	const target = PosixTarget.open(folder, options.dryRun);
	for (const [k, { tree, image }] of chosen.entries()) {
		if (tree === null) continue;
		const open: OpenImage = {
			wim,
			image: {
				index: image.index ?? k + 1,
				metadata: image.metadata,
				facts: wim.xml.facts(image.index ?? 0),
			},
			tree,
			digestFault: null,
		};
		const sub = folders[k] ?? '';
		await applyImage(
			open,
			sub === '' ? folder : `${folder}/${sub}`,
			salvager,
			extractOptions(options),
			run,
		);
	}
	const unnamed = isEstimate
		? []
		: await writeUnnamed(
				opened,
				options.image === null ? opened.images : chosen,
				target,
				salvager,
				new LargeChunks(pool, run.signal),
				run,
			);
	const report = makeReport(
		path,
		folder,
		opened,
		chosen,
		folders,
		salvager,
		unnamed,
		target.keepsNtfs(),
	);
	if (!options.dryRun) writeReports(target, report);
	for (const { image, state, notes } of chosen)
		if (state !== 'whole')
			run.report({
				type: 'problem',
				error: new MissingError(`Image "${image.name}" is not whole: ${notes.join('; ')}`, {
					path,
				}),
			});
	return report;
}

function extractOptions(options: SalvageOptions) {
	return {
		unixData: options.unixData,
		includeInvalidNames: options.includeInvalidNames,
		acls: 'skip',
		attributes: false,
		recoverData: true,
		rpfix: false,
		dryRun: options.dryRun,
		readsWhenDry: options.isEstimate !== true,
	} as const;
}

export function chooseImages(
	images: readonly SalvagedImage[],
	designation: string | null,
	path: string,
): readonly SalvagedImage[] {
	if (designation === null || isEveryImage(designation)) return images;
	const found = images.filter(
		({ image }) => String(image.index) === designation || image.name === designation,
	);
	if (found.length > 0) return found;
	throw new InputError(
		`Cannot choose image "${designation}" of "${path}": no such image was found`,
		{
			path,
			hint: `Found were: ${images.map(({ image }) => `${image.index ?? '-'} "${image.name}"`).join(', ') || 'none'}.`,
		},
	);
}

/** One image goes into the target itself, several into folders of their own. */
function folderNames(images: readonly SalvagedImage[]): string[] {
	if (images.length === 1) return [''];
	const used = new Set<string>();
	return images.map(({ image }, k) => {
		const wanted = isHarmlessName(image.name)
			? image.name
			: String(image.index ?? `image ${k + 1}`);
		let name = wanted;
		for (let n = 2; used.has(name.toLowerCase()); n++) name = `${wanted} (${n})`;
		used.add(name.toLowerCase());
		return name;
	});
}

/** Contents that no tree names go under their SHA-1. */
async function writeUnnamed(
	opened: OpenSalvage,
	images: readonly SalvagedImage[],
	target: PosixTarget,
	writer: SalvageWriter,
	lanes: LargeChunks,
	run: Run,
): Promise<UnnamedFile[]> {
	const unnamed = await gatherUnnamed(opened, images, lanes, run);
	if (unnamed.length === 0) return [];
	target.makeFolder(UNNAMED_FOLDER);
	const files: UnnamedFile[] = [];
	const jobs: FileJob[] = [];
	for (const { blob, name, isProved, isRaw } of unnamed) {
		const path = `${UNNAMED_FOLDER}/${name}`;
		files.push({ path, sha1: blob.sha1, size: blob.size, isProved });
		const file = { path: target.path(path), times: null, isSparse: isRaw };
		jobs.push({ blob, files: target.isImagined ? [] : [file] });
	}
	writer.learn(unnamed.map(({ blob }) => blob));
	const failed = new Set<Sha1>();
	const sink = {
		fileWritten({ blob, error }: FileOutcome) {
			if (error !== null) failed.add(blob.sha1);
		},
		smallRead() {},
	};
	await writer.write({ files: jobs, small: [], recoverData: true }, sink, run);
	return files.filter(({ sha1 }) => !failed.has(sha1));
}

/** Beside what was salvaged, under names that no image took. */
function writeReports(target: PosixTarget, report: SalvageReport): void {
	const write = (name: string, text: string) => {
		if (target.occupiedSize(name) === 0) target.makeFile(name, encodeWtf8(text));
	};
	write('wimdeck-salvage.txt', formatReport(report));
	write('wimdeck-salvage.json', `${JSON.stringify(report, null, '\t')}\n`);
}
