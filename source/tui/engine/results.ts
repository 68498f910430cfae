/** What a job's result says of itself in a few words, for its row. */

import { formatSize, plural } from '../../base/print.ts';
import type { JobRequest as EngineRequest } from '../../jobs/request.ts';
import type { CaptureSummary } from '../../operations/capture/capture.ts';
import type { ExtractSummary } from '../../operations/extract/extract-run.ts';
import type { RepairReport } from '../../operations/repair/report.ts';
import type { RewriteSummary } from '../../operations/rewrite/delete.ts';
import type { EditSummary } from '../../operations/rewrite/edit-properties.ts';
import type { SplitSummary } from '../../operations/rewrite/split.ts';
import type { UndoSummary } from '../../operations/rewrite/undo.ts';
import type { SalvageReport } from '../../operations/salvage/report.ts';
import type { VerifyReport } from '../../operations/verify/verify-report.ts';
import type { PartMap } from '../engine-views.ts';
import { checkedMaps } from './file-map.ts';

/** The maps of a check that is over; null for other jobs. */
export function mapsOf(result: unknown): readonly PartMap[] | null {
	const report = result as Partial<VerifyReport> | null | undefined;
	return report?.type === 'verify-report' && report.parts ? checkedMaps(report.parts) : null;
}

function verifyText({ coverage, faults, isFast }: VerifyReport): string {
	if (faults.length === 0 && isFast) return 'structures checked, no damage';
	if (faults.length === 0) return `${plural(coverage.blobsChecked, 'blob')} checked, no damage`;
	const bad = coverage.blobsBad > 0 ? `, ${plural(coverage.blobsBad, 'damaged blob')}` : '';
	return `${plural(faults.length, 'finding')}${bad}; see !`;
}

function salvageText({ images, lost, partial, unnamed }: SalvageReport): string {
	const whole = images.reduce((sum, { wholeCount }) => sum + wholeCount, 0);
	const parts = [
		`${plural(whole, 'file')} whole`,
		...(partial.length > 0 ? [`${partial.length} in part`] : []),
		...(lost.length > 0 ? [`${lost.length} lost`] : []),
		...(unnamed.length > 0 ? [`${unnamed.length} without a name`] : []),
	];
	return parts.join(', ');
}

function repairText({ images, repaired, lost, isDryRun }: RepairReport): string {
	const whole = images.filter(({ state }) => state === 'whole' || state === 'repaired').length;
	const parts = [
		`${whole} of ${plural(images.length, 'image')} whole`,
		`${repaired.length} repaired`,
		...(lost.length > 0 ? [`${lost.length} lost`] : []),
	];
	return `${isDryRun ? 'would give ' : ''}${parts.join(', ')}`;
}

/** @param left behind the number of images */
function rewriteText({ sizeBefore, sizeAfter, imageCount }: RewriteSummary, left = ''): string {
	const before = sizeBefore > 0 ? `${formatSize(sizeBefore)} -> ` : '';
	return `${before}${formatSize(sizeAfter)}, ${plural(imageCount, 'image')}${left}`;
}

/** Null when there is nothing to say beyond that it is done. */
export function resultText({ verb }: EngineRequest, result: unknown): string | null {
	switch (verb) {
		case 'verify':
			return verifyText(result as VerifyReport);
		case 'repair':
			return repairText(result as RepairReport);
		case 'salvage':
			return salvageText(result as SalvageReport);
		case 'extract':
		case 'apply': {
			const { files, bytes } = result as ExtractSummary;
			return `${plural(files, 'file')}, ${formatSize(bytes)}`;
		}
		case 'capture':
		case 'append': {
			const { index, fileCount, writtenBytes } = result as CaptureSummary;
			return `image ${index}, ${plural(fileCount, 'file')}, ${formatSize(writtenBytes)} written`;
		}
		case 'export':
		case 'join':
		case 'optimize':
			return rewriteText(result as RewriteSummary);
		case 'delete':
			return rewriteText(result as RewriteSummary, ' left');
		case 'split': {
			const { parts, totalBytes } = result as SplitSummary;
			return `${plural(parts.length, 'part')}, ${formatSize(totalBytes)}`;
		}
		case 'undo': {
			const { imageCountAfter, sizeAfter } = result as UndoSummary;
			return `back to ${plural(imageCountAfter, 'image')}, ${formatSize(sizeAfter)}`;
		}
		case 'edit':
			return (result as EditSummary).isChanged ? null : 'it was so already';
		default:
			return null;
	}
}
