/** Works out how solid resources are cut where their own headers are damaged (wim.md §2.5, §13.5). */
import { FormatError } from '../../base/errors.ts';
import { formatHex } from '../../base/print.ts';
import { parseSolidHeader, SolidHeader, type SolidShape } from '../../codec/chunk-table.ts';
import { readExactly } from '../../storage/read.ts';
import { type BlobEntry, isSolidResourceEntry } from '../blob-entries.ts';
import { HEADER_SIZE, ResourceFlag } from '../part-header.ts';
import type { RecoveryTools } from './recovery-tools.ts';
import type { PartSurvey } from './survey.ts';

/** By the offset of the resource; why it has none where it cannot be worked out. */
export type SolidShapes = Map<number, SolidShape | FormatError>;

/** The shapes of all solid resources of all generations; broken headers are worked out from the chunks. */
export async function solidShapes(
	survey: PartSurvey,
	recovery: RecoveryTools,
	findings: string[],
): Promise<SolidShapes> {
	const shapes: SolidShapes = new Map();
	const runs = survey.generations.flatMap(({ table }) => solidRuns(table.entries));
	for (const entry of runs.flat().filter(isSolidResourceEntry))
		if (!shapes.has(entry.offset)) shapes.set(entry.offset, await statedShape(survey, entry));
	// Blobs tell the size of a resource when all others of their run are known: the oldest runs have the fewest.
	for (const run of runs.reverse()) {
		const broken = lonelyBroken(run, shapes);
		if (broken === null) continue;
		const repaired = await recovery.solidShape(survey.source, broken.entry, broken.originalSize);
		if (repaired === null) continue;
		findings.push(
			`The header of the solid resource at ${formatHex(broken.entry.offset)} was worked out from its chunks`,
		);
		shapes.set(broken.entry.offset, repaired);
	}
	return shapes;
}

/** Series of consecutive entries of solid resources and their blobs. */
function solidRuns(entries: readonly BlobEntry[]): BlobEntry[][] {
	const runs: BlobEntry[][] = [];
	let run: BlobEntry[] = [];
	for (const entry of entries) {
		if (entry.flags & ResourceFlag.solid) {
			run.push(entry);
			continue;
		}
		if (run.length > 0) runs.push(run);
		run = [];
	}
	return run.length > 0 ? [...runs, run] : runs;
}

/** The only resource of a run whose header is broken, and what it holds by the blobs of the run. */
function lonelyBroken(
	run: readonly BlobEntry[],
	shapes: SolidShapes,
): { entry: BlobEntry; originalSize: number } | null {
	let originalSize = 0;
	let broken: BlobEntry | null = null;
	for (const entry of run) {
		if (!isSolidResourceEntry(entry)) {
			originalSize = Math.max(originalSize, entry.offset + entry.storedSize);
			continue;
		}
		const shape = shapes.get(entry.offset);
		if (shape instanceof FormatError && broken !== null) return null;
		if (shape instanceof FormatError) broken = entry;
	}
	for (const entry of run) {
		const shape = isSolidResourceEntry(entry) ? shapes.get(entry.offset) : undefined;
		if (shape !== undefined && !(shape instanceof FormatError)) originalSize -= shape.originalSize;
	}
	return broken === null || originalSize <= 0 ? null : { entry: broken, originalSize };
}

async function statedShape(
	{ source }: PartSurvey,
	entry: BlobEntry,
): Promise<SolidShape | FormatError> {
	try {
		if (entry.offset < HEADER_SIZE || entry.offset + SolidHeader.size > source.size)
			throw new FormatError('Cannot read solid resource: it does not lie inside the file');
		const { offset, storedSize } = entry;
		const span = await readExactly(source, offset, SolidHeader.size, 'solid resource header');
		return parseSolidHeader(span, storedSize);
	} catch (error) {
		if (error instanceof FormatError) return error;
		throw error;
	}
}
