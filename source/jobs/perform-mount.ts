/** Mounting: opens the WIM and the image, and serves it until it is unmounted. */

import path from 'node:path';
import { breathe, type Run } from '../base/run.ts';
import { openImage } from '../image/open.ts';
import { type MountSummary, mountReadonly, mountWritable } from '../operations/mount/mount.ts';
import { EditableWim } from '../wim/write-session.ts';
import { checkTables, openForReading } from './open-for-job.ts';
import type { MountRequest } from './request.ts';
import type { JobTools } from './tools.ts';

export async function performMount(
	request: MountRequest,
	{ encoder, pool, onMounted }: JobTools,
	run: Run,
): Promise<MountSummary> {
	const { unixData, streams, allowOther, image } = request;
	const options = {
		folder: path.resolve(request.target),
		unixData,
		streams,
		allowOther,
		mounted: onMounted ?? (() => {}),
	};
	const pause = () => breathe(run);
	if (!request.writable) {
		await using wim = await openForReading(request.wim, request, run);
		const chosen = image === null ? wim.onlyImage() : wim.image(image);
		const opened = await openImage(wim, chosen, { tolerant: false }, pause);
		return await mountReadonly(opened, options, run);
	}
	await using edited = await EditableWim.open(request.wim, run);
	const { wim } = edited;
	if (request.check) await checkTables(wim, run);
	const chosen = image === null ? wim.onlyImage() : wim.image(image);
	const opened = await openImage(wim, chosen, { tolerant: false }, pause);
	const staged = { ...options, stagingParent: request.staging };
	return await mountWritable(edited, opened, staged, { encoder, pool }, run);
}
