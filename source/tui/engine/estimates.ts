/** What a job would write and need: its dry run, in words for the dialog. */

import { formatSize, plural } from '../../base/print.ts';
import type { JobRequest as EngineRequest } from '../../jobs/request.ts';
import type { CaptureSummary } from '../../operations/capture/capture.ts';
import type { UpdateSummary } from '../../operations/capture/update.ts';
import type { ExtractSummary } from '../../operations/extract/extract-run.ts';
import type { RewriteSummary } from '../../operations/rewrite/delete.ts';
import type { EditSummary } from '../../operations/rewrite/edit-properties.ts';
import type { SplitSummary } from '../../operations/rewrite/split.ts';
import type { UndoSummary } from '../../operations/rewrite/undo.ts';
import type { JobEstimate } from '../engine.ts';

/** Warnings of a dry run that a dialog shows. */
const WARNINGS_MAX = 3;

/** Small sizes have no letter behind them, so a word does it. */
const sized = (bytes: number): string => (bytes < 1024 ? plural(bytes, 'byte') : formatSize(bytes));

/** What new contents come to is no more than they are; what is compressed anew may come out larger than it was. */
type Bound = 'at most' | 'about';

const about = (isEstimate: boolean, bytes: number, bound: Bound = 'at most'): string =>
	`${isEstimate ? `${bound} ` : ''}${sized(bytes)}`;

interface Space {
	readonly needed: number;
	readonly free: number | null;
	readonly isEstimate: boolean;
	readonly bound?: Bound;
}

/** `writes at most 5.1 M, 118 G free`, and a warning when that is too little. */
function spaceOf({ needed, free, isEstimate, bound }: Space, warnings: string[]): string {
	const size = about(isEstimate, needed, bound);
	if (free !== null && needed > free)
		warnings.push(`Not enough room: ${size} needed, ${formatSize(free)} free`);
	const room = free === null ? '' : `, ${formatSize(free)} free`;
	return `writes ${size}${room}`;
}

function captureNotes(summary: CaptureSummary, free: number | null, warnings: string[]): string[] {
	const { fileCount, sourceBytes, index, writtenBytes, fileSize, isEstimate } = summary;
	const before = fileSize - writtenBytes;
	const added = index > 1 ? ` of a file that has ${sized(before)}` : '';
	return [
		`${plural(fileCount, 'file')}, ${sized(sourceBytes)}, as image ${index}${added}`,
		spaceOf({ needed: writtenBytes, free, isEstimate }, warnings),
	];
}

function rewriteNotes(summary: RewriteSummary, warnings: string[]): string[] {
	const { sizeBefore, sizeAfter, writtenBytes, freeBytes, isEstimate, imageCount } = summary;
	const saved = sizeBefore - sizeAfter;
	const change =
		sizeBefore === 0
			? plural(imageCount, 'image')
			: `${formatSize(sizeBefore)} becomes ${about(isEstimate, sizeAfter, 'about')}`;
	const less = sizeBefore > 0 && saved > 0 ? ` (${formatSize(saved)} less)` : '';
	const needed = { needed: writtenBytes, free: freeBytes, isEstimate, bound: 'about' } as const;
	const space = spaceOf(needed, warnings);
	return [`${change}${less}`, space];
}

function splitNotes(summary: SplitSummary, warnings: string[]): string[] {
	const { parts, totalBytes, freeBytes, isEstimate } = summary;
	const names = parts.map(({ path }) => path.split(/[\\/]/).at(-1) ?? path);
	const listed =
		names.length <= 3 ? names.join(' ') : `${names.slice(0, 2).join(' ')} ... ${names.at(-1)}`;
	const needed = { needed: totalBytes, free: freeBytes, isEstimate, bound: 'about' } as const;
	const space = spaceOf(needed, warnings);
	return [`${plural(parts.length, 'part')}: ${listed}`, space];
}

function undoNotes(summary: UndoSummary): string[] {
	const { sizeBefore, sizeAfter, imageCountBefore, imageCountAfter } = summary;
	return [
		`from ${plural(imageCountBefore, 'image')}, ${formatSize(sizeBefore)} back to ${plural(imageCountAfter, 'image')}, ${formatSize(sizeAfter)}`,
		`${sized(Math.max(0, sizeBefore - sizeAfter))} are cut off`,
	];
}

function updateNotes(summary: UpdateSummary, free: number | null, warnings: string[]): string[] {
	const { nameCount, writtenBytes, isEstimate, images } = summary;
	const space = spaceOf({ needed: writtenBytes, free, isEstimate }, warnings);
	const which = images.length > 1 ? `the ${images.length} images then have` : 'the image then has';
	return [`${which} ${plural(nameCount, 'name')}; ${space}`];
}

function editNotes(summary: EditSummary, free: number | null, warnings: string[]): string[] {
	const { isChanged, isEstimate, writtenBytes } = summary;
	if (!isChanged) return ['nothing to change: it is so already'];
	return [spaceOf({ needed: writtenBytes, free, isEstimate }, warnings)];
}

function restoreNotes(summary: ExtractSummary, warnings: string[]): string[] {
	const { files, folders, bytes, neededSize, freeSize } = summary;
	const what = `${plural(files, 'file')}, ${plural(folders, 'folder')}, ${sized(bytes)}`;
	const space = { needed: neededSize, free: freeSize, isEstimate: false };
	return [what, spaceOf(space, warnings)];
}

/** @param free what can be written at the target, for verbs whose dry run does not say */
function notesOf(
	{ verb }: EngineRequest,
	result: unknown,
	free: number | null,
	warnings: string[],
): string[] {
	switch (verb) {
		case 'capture':
		case 'append':
			return captureNotes(result as CaptureSummary, free, warnings);
		case 'export':
		case 'join':
		case 'optimize':
		case 'delete':
			return rewriteNotes(result as RewriteSummary, warnings);
		case 'split':
			return splitNotes(result as SplitSummary, warnings);
		case 'undo':
			return undoNotes(result as UndoSummary);
		case 'update':
			return updateNotes(result as UpdateSummary, free, warnings);
		case 'edit':
			return editNotes(result as EditSummary, free, warnings);
		case 'extract':
		case 'apply':
			return restoreNotes(result as ExtractSummary, warnings);
		default:
			return free === null ? [] : [`${formatSize(free)} free`];
	}
}

/** What a later optimize would free after a soft delete, from the dry run of a rebuild. */
export function freedLater({ sizeBefore, sizeAfter }: RewriteSummary): string {
	return `optimize (O) frees ${sized(Math.max(0, sizeBefore - sizeAfter))} later`;
}

/** That a level was asked for which nothing will be compressed at: data of the same type are copied as they are. */
function copyNotes(request: EngineRequest, result: unknown): readonly string[] {
	if (request.verb !== 'export' && request.verb !== 'optimize') return [];
	const { compression, recompress } = request;
	const isCopied = !(result as RewriteSummary).isEstimate && !recompress;
	return isCopied && compression.compress !== null
		? ['it is copied as it is: Recompress packs it anew']
		: [];
}

/** The result of a dry run in words. */
export function estimateOf(
	request: EngineRequest,
	result: unknown,
	free: number | null,
	told: readonly string[],
): JobEstimate {
	const warnings: string[] = [];
	const notes = [...notesOf(request, result, free, warnings), ...copyNotes(request, result)];
	const more = told.length > WARNINGS_MAX ? [`and ${told.length - WARNINGS_MAX} more`] : [];
	return { notes, warnings: [...warnings, ...told.slice(0, WARNINGS_MAX), ...more] };
}
