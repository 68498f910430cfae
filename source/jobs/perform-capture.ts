/** Capturing: reads the configuration, opens standard output where it is the target, and captures or appends. */

import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { hostError, InputError } from '../base/errors.ts';
import type { Run } from '../base/run.ts';
import {
	type CaptureConfig,
	defaultCaptureConfig,
	parseCaptureConfig,
} from '../image/capture-config.ts';
import { append } from '../operations/append.ts';
import { type CaptureSummary, capture, type ImageOptions } from '../operations/capture.ts';
import { isFile } from '../storage/find-files.ts';
import { StreamOutput } from '../storage/output-stream.ts';
import { openWim } from '../wim/wim.ts';
import { checkBefore } from './open-for-job.ts';
import type { AppendRequest, CapturedImage, CaptureRequest } from './request.ts';
import type { JobTools } from './tools.ts';

/** The rules of a configuration file, or the usual ones. */
export async function captureConfig(file: string | null, run: Run): Promise<CaptureConfig> {
	const options = {
		// Trees of Windows are captured on Unix: Pagefile.sys is pagefile.sys.
		ignoreCase: process.platform === 'win32',
		warn: (message: string) => run.report({ type: 'warning', message }),
	};
	if (file === null) return defaultCaptureConfig(options);
	let bytes: Uint8Array;
	try {
		bytes = await readFile(file);
	} catch (error) {
		throw hostError(`Cannot read the configuration "${file}"`, error, { path: file });
	}
	return parseCaptureConfig(bytes, file, options);
}

/** The image that a designation from the end means: `-1` is the last one. */
async function fromTheEnd(wim: string, designation: string): Promise<string> {
	if (!/^-[1-9]\d*$/.test(designation)) return designation;
	await using opened = await openWim(wim);
	const index = opened.images.length + 1 + Number(designation);
	if (index >= 1) return String(index);
	throw new InputError(
		`Cannot choose image ${designation} of "${wim}": it has ${opened.images.length}`,
		{ path: wim },
	);
}

/** The last component of the first source's path, with a number behind it when an image is called that already. */
async function freeName(image: CapturedImage, target: string | null): Promise<string> {
	const [first] = image.sources;
	const base = path.basename(path.resolve(first?.path ?? '.'));
	if (target === null) return base;
	await using wim = await openWim(target);
	const taken = new Set(wim.images.map(({ facts }) => facts.name));
	let name = base;
	for (let number = 1; taken.has(name); number++) name = `${base} (${number})`;
	return name;
}

async function imageOptions(
	image: CapturedImage,
	target: string | null,
	run: Run,
): Promise<ImageOptions> {
	const { description, properties, boot, rpFix, deltaFrom, updateOf } = image;
	const { unixData, dereference, acls } = image;
	const base = updateOf?.wim ?? target;
	if (updateOf !== null && base === null)
		throw new InputError('Option --update-of needs the WIM that holds the image', {
			hint: 'Write it as --update-of=WIM:IMAGE.',
		});
	return {
		name: image.name ?? (await freeName(image, target)),
		description,
		properties,
		boot,
		rpFix,
		deltaFrom,
		updateOf:
			updateOf === null || base === null
				? null
				: { ...updateOf, image: await fromTheEnd(base, updateOf.image) },
		tree: { rules: await captureConfig(image.config, run), unixData, dereference, acls },
	};
}

export async function performCapture(
	request: CaptureRequest,
	{ encoder, output }: JobTools,
	run: Run,
): Promise<CaptureSummary> {
	const { image, target, compression, integrity, pipable, dryRun } = request;
	let to: string | StreamOutput = target;
	if (target === '-') {
		if (output === null)
			throw new InputError('Cannot write to standard output here', { hint: 'Name a file.' });
		to = new StreamOutput('standard output', output);
	}
	const options = await imageOptions(image, null, run);
	return capture(
		image.sources,
		to,
		{ image: options, compression, integrity, pipable, dryRun },
		{ encoder },
		run,
	);
}

export async function performAppend(
	request: AppendRequest,
	tools: JobTools,
	run: Run,
): Promise<CaptureSummary> {
	const { image, target, compression, integrity, rebuild, dryRun } = request;
	if (request.create && !(await isFile(target)))
		return performCapture(
			{
				verb: 'capture',
				image,
				target,
				compression,
				integrity: integrity ?? false,
				pipable: false,
				dryRun,
			},
			tools,
			run,
		);
	if (request.check) await checkBefore(target, [], run);
	const options = await imageOptions(image, target, run);
	return append(
		image.sources,
		target,
		{ image: options, compression, integrity, rebuild, dryRun },
		{ encoder: tools.encoder },
		run,
	);
}
