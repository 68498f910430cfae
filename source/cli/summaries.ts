/** The results of jobs as one or two lines for people. */

import { formatSize, plural } from '../base/print.ts';
import type { WriteResult } from '../jobs/perform-write.ts';
import type { AppendRequest, CaptureRequest, JobRequest } from '../jobs/request.ts';
import type { CaptureSummary } from '../operations/capture/capture.ts';
import type { UpdateSummary } from '../operations/capture/update.ts';
import type { DiffSummary } from '../operations/diff/diff.ts';
import type { DiffChange } from '../operations/diff/diff-trees.ts';
import type { ExtractSummary } from '../operations/extract/extract-run.ts';
import type { RewriteSummary } from '../operations/rewrite/delete.ts';
import type { EditSummary } from '../operations/rewrite/edit-properties.ts';
import type { SplitSummary } from '../operations/rewrite/split.ts';
import type { UndoSummary } from '../operations/rewrite/undo.ts';
import type { ShowText } from './info-text.ts';

/** `12 files, 3 folders`, without what there is none of. */
function counted(
	counts: readonly (readonly [count: number, one: string, many?: string])[],
): string {
	const words = counts
		.filter(([count]) => count > 0)
		.map(([count, one, many]) => plural(count, one, many));
	return words.length === 0 ? 'nothing' : words.join(', ');
}

const room = (needed: number, free: number) =>
	`It needs ${formatSize(needed)}; ${formatSize(free)} are free.`;

export function extractText(
	summary: ExtractSummary,
	target: string,
	isDry: boolean,
	show: ShowText,
): string {
	const what = counted([
		[summary.files, 'file'],
		[summary.folders, 'folder'],
		[summary.symbolicLinks, 'symbolic link'],
		[summary.specials, 'special file'],
	]);
	const verb = isDry ? 'Would extract' : 'Extracted';
	const lines = [`${verb} ${what} (${formatSize(summary.bytes)}) to ${show(target)}`];
	if (isDry)
		lines.push(
			room(summary.neededSize, summary.freeSize),
			'Their contents were not checked; wimdeck verify does that.',
		);
	return `${lines.join('\n')}\n`;
}

/** @param word what an estimate is: an upper bound, unless something is compressed in another way */
const about = (isEstimate: boolean, bytes: number, word = 'at most') =>
	`${isEstimate ? `${word} ` : ''}${formatSize(bytes)}`;

export function captureText(
	summary: CaptureSummary,
	{ verb, target, dryRun }: CaptureRequest | AppendRequest,
	show: ShowText,
): string {
	const what = counted([
		[summary.fileCount, 'file'],
		[summary.directoryCount, 'folder'],
	]);
	const did = dryRun ? `Would ${verb}` : verb === 'capture' ? 'Captured' : 'Appended';
	return [
		`${did} ${what} (${formatSize(summary.sourceBytes)}) as image ${summary.index} of ${show(target)}`,
		`${dryRun ? 'It would write' : 'Wrote'} ${about(summary.isEstimate, summary.writtenBytes)}; the file ${dryRun ? 'would have' : 'has'} ${about(summary.isEstimate, summary.fileSize)}`,
		'',
	].join('\n');
}

/** @param left behind the number of images, such as ` left` */
function rewriteText(summary: RewriteSummary, did: string, isDry: boolean, left = ''): string {
	const { sizeBefore, sizeAfter, writtenBytes, freeBytes, isEstimate, imageCount } = summary;
	const before = sizeBefore > 0 ? `, before ${formatSize(sizeBefore)}` : '';
	const lines = [
		`${did}: ${plural(imageCount, 'image')}${left}, ${about(isEstimate, sizeAfter, 'about')}${before}`,
	];
	if (isDry)
		lines.push(
			`It would write ${about(isEstimate, writtenBytes, 'about')}${freeBytes === null ? '' : `; ${formatSize(freeBytes)} are free`}.`,
		);
	return `${lines.join('\n')}\n`;
}

function splitText(summary: SplitSummary, isDry: boolean, show: ShowText): string {
	const lines = summary.parts.map(
		({ path, size }) => `${show(path)}  ${about(summary.isEstimate, size, 'about')}`,
	);
	const free = summary.freeBytes === null ? '' : `; ${formatSize(summary.freeBytes)} are free`;
	const total = plural(summary.parts.length, 'part');
	lines.push(
		isDry
			? `Would write ${total}, ${about(summary.isEstimate, summary.totalBytes, 'about')}${free}`
			: `Wrote ${total}, ${formatSize(summary.totalBytes)}`,
	);
	return `${lines.join('\n')}\n`;
}

function editText(summary: EditSummary, isDry: boolean): string {
	if (!summary.isChanged) return 'Nothing to change: it is so already\n';
	const size = about(summary.isEstimate, summary.writtenBytes);
	return isDry ? `Would write ${size}\n` : `Changed; wrote ${size}\n`;
}

function updateText(summary: UpdateSummary, isDry: boolean): string {
	if (summary.commandCount === 0 && summary.writtenBytes === 0)
		return 'Nothing to change: there was no command\n';
	const commands = plural(summary.commandCount, 'command');
	const names = plural(summary.nameCount, 'name');
	const indexes = summary.images.map(({ index }) => index).join(', ');
	const where = `image${summary.images.length > 1 ? 's' : ''} ${indexes}`;
	const size = about(summary.isEstimate, summary.writtenBytes);
	return isDry
		? `Would carry out ${commands} on ${where}, write ${size}, and leave ${names}\n`
		: `Carried out ${commands} on ${where}: ${names}; wrote ${size}\n`;
}

function undoText(summary: UndoSummary, isDry: boolean): string {
	const { sizeBefore, sizeAfter, imageCountBefore, imageCountAfter } = summary;
	return `${isDry ? 'Would go' : 'Went'} back from ${plural(imageCountBefore, 'image')} (${formatSize(sizeBefore)}) to ${plural(imageCountAfter, 'image')} (${formatSize(sizeAfter)})\n`;
}

const CHANGE_MARKS: Readonly<Record<DiffChange['type'], string>> = {
	added: '+',
	removed: '-',
	moved: '>',
	changed: '~',
};

/** One line a change: a mark, the path, and what differs. */
export function diffLine(change: DiffChange, show: ShowText): string {
	const line = `${CHANGE_MARKS[change.type]} ${show(change.path)}`;
	switch (change.type) {
		case 'added':
		case 'removed':
			return change.isFolder ? `${line}/` : `${line}  (${formatSize(change.size)})`;
		case 'moved':
			return `${line}  (from ${show(change.from)}, ${formatSize(change.size)})`;
		case 'changed': {
			const sizes =
				change.size === change.sizeBefore
					? ''
					: `, ${formatSize(change.sizeBefore)} -> ${formatSize(change.size)}`;
			return `${line}  (${change.aspects.join(', ')}${sizes})`;
		}
	}
}

/** The last line of a comparison. */
export function diffTotals(summary: DiffSummary): string {
	const { added, removed, moved, changed, unchanged } = summary;
	return `${added} added, ${removed} removed, ${moved} moved, ${changed} changed, ${unchanged} the same`;
}

/** What a writing verb came to. */
export function writeText(result: WriteResult, request: JobRequest, show: ShowText): string {
	const isDry = 'dryRun' in request && request.dryRun;
	const did = (past: string, verb: string) => (isDry ? `Would ${verb}` : past);
	switch (request.verb) {
		case 'delete':
			return rewriteText(
				result as RewriteSummary,
				did(`Deleted from ${show(request.wim)}`, `delete from ${show(request.wim)}`),
				isDry,
				' left',
			);
		case 'export':
			return rewriteText(
				result as RewriteSummary,
				did(`Exported to ${show(request.target)}`, `export to ${show(request.target)}`),
				isDry,
			);
		case 'join':
			return rewriteText(
				result as RewriteSummary,
				did(`Joined to ${show(request.target)}`, `join to ${show(request.target)}`),
				isDry,
			);
		case 'optimize':
			return rewriteText(
				result as RewriteSummary,
				did(`Optimized ${show(request.wim)}`, `optimize ${show(request.wim)}`),
				isDry,
			);
		case 'split':
			return splitText(result as SplitSummary, isDry, show);
		case 'edit':
			return editText(result as EditSummary, isDry);
		case 'update':
			return updateText(result as UpdateSummary, isDry);
		case 'undo':
			return undoText(result as UndoSummary, isDry);
		default:
			throw new Error(`Command ${request.verb} has no such summary`);
	}
}
