/**
 * What a salvage or a repair would give and need, for its dialog. Finding out what can be got back is most of the work
 * itself: small files are looked at whole, for large ones there are bounds.
 */

import { formatSize, plural } from '../../base/print.ts';
import type { RepairRequest, SalvageRequest } from '../../jobs/request.ts';
import { openWim } from '../../wim/wim.ts';
import type { JobEstimate } from '../engine.ts';
import { resultText } from './results.ts';

/** Stored bytes that are looked at whole: a second or two. */
const LOOKED_AT_MAX = 64 * 2 ** 20;

interface Bounds {
	/** Stored bytes of all parts. */
	readonly stored: number;
	/** Original bytes of the images that are asked for, as the XML data says; null where it says nothing. */
	readonly original: number | null;
	readonly imageCount: number;
}

/** What tables and XML data promise; null when the file cannot be opened at all. */
async function boundsOf(request: SalvageRequest | RepairRequest): Promise<Bounds | null> {
	try {
		await using wim = await openWim(request.wim, {
			references: request.references,
			tolerant: true,
		});
		const one = request.verb === 'salvage' && request.image !== null ? request.image : null;
		const images = one === null ? wim.images : [wim.image(one)];
		const original = images.reduce((sum, { facts }) => sum + (facts.totalBytes ?? 0), 0);
		return {
			stored: wim.parts.reduce((sum, { source }) => sum + source.size, 0),
			original: original > 0 ? original : null,
			imageCount: images.length,
		};
	} catch {
		return null; // what is left shows while it runs
	}
}

/** @param look a dry run; it ends with the signal of the estimate */
export async function rescueEstimate(
	request: SalvageRequest | RepairRequest,
	free: number | null,
	look: (request: SalvageRequest | RepairRequest) => Promise<unknown>,
): Promise<JobEstimate> {
	const room = free === null ? '' : `, ${formatSize(free)} free`;
	const bounds = await boundsOf(request);
	if (bounds === null)
		return { notes: [`How much is left shows while it runs${room}`], warnings: [] };
	const intoFolder = request.verb === 'salvage' && !request.toWim;
	const needed = intoFolder ? bounds.original : bounds.stored;
	const notes: string[] = [];
	if (bounds.stored <= LOOKED_AT_MAX) {
		// Salvage need not read contents for an upper bound: what is damaged shows while it runs.
		const isSalvage = request.verb === 'salvage';
		const found = resultText(
			request,
			await look(isSalvage ? { ...request, isEstimate: true } : request),
		);
		const most = isSalvage ? 'at most ' : '';
		if (found !== null) notes.push(`gives ${most}${found.replace(/^would give /, '')}`);
	} else notes.push(`${plural(bounds.imageCount, 'image')}; damage shows while it runs`);
	if (needed !== null) notes.push(`writes up to ${formatSize(needed)}${room}`);
	else if (free !== null) notes.push(`${formatSize(free)} free`);
	const isTight = free !== null && needed !== null && needed > free;
	const warnings = isTight
		? [`There may not be enough room: up to ${formatSize(needed)} needed, ${formatSize(free)} free`]
		: [];
	return { notes, warnings };
}
