/** Capturing: reads the configuration, opens standard output where it is the target, and captures or appends. */

import path from 'node:path';
import { hostError, InputError } from '../base/errors.ts';
import type { Run } from '../base/run.ts';
import { requireTextPath } from '../host/host-path.ts';
import { isNtfsVolume, mountNtfsVolume } from '../host/ntfs-volume.ts';
import {
	type CaptureConfig,
	defaultCaptureConfig,
	parseCaptureConfig,
	WIMBOOT_CONFIG_PATH,
} from '../image/capture-config.ts';
import { splitPath } from '../image/patterns.ts';
import { append } from '../operations/capture/append.ts';
import { type CaptureSummary, capture, type ImageOptions } from '../operations/capture/capture.ts';
import { findIgnoringCase, isFile } from '../storage/find-files.ts';
import { hostFs } from '../storage/host-fs.ts';
import { requireStorable, requireStorableTexts } from '../wim/edit-xml.ts';
import { openWim } from '../wim/wim.ts';
import { checkBefore, outputOf } from './open-for-job.ts';
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
		bytes = await hostFs.readFile(file);
	} catch (error) {
		throw hostError(`Cannot read the configuration "${file}"`, error, { path: file });
	}
	return parseCaptureConfig(bytes, file, options);
}

/**
 * What an image leaves out. A WIMBoot image is captured by the configuration that it holds, or holds the one that was
 * given (wim.md §10.2).
 */
async function configured(
	image: CapturedImage,
	run: Run,
): Promise<{ readonly rules: CaptureConfig; readonly sources: CapturedImage['sources'] }> {
	const { config, sources, wimBoot } = image;
	if (!wimBoot) return { rules: await captureConfig(config, run), sources };
	if (config !== null) {
		const stored = { path: config, target: WIMBOOT_CONFIG_PATH };
		return { rules: await captureConfig(config, run), sources: [...sources, stored] };
	}
	const root = sources.find(({ target }) => splitPath(target).length === 0);
	const own =
		root === undefined ? null : await findIgnoringCase(root.path, splitPath(WIMBOOT_CONFIG_PATH));
	if (own === null)
		run.report({
			type: 'warning',
			message: `The usual exclusions count: there is no ${WIMBOOT_CONFIG_PATH} in the source`,
			path: root?.path ?? '',
		});
	return { rules: await captureConfig(own, run), sources };
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

/** The last component of a path, with a number behind it when an image is called that already. */
async function freeName(image: CapturedImage, target: string | null): Promise<string> {
	const [first] = image.sources;
	const source = first?.path ?? '.';
	// Another name for the image would not help there.
	requireTextPath(`Cannot scan "${source}"`, source);
	const base = path.basename(path.resolve(image.namedAfter ?? source));
	requireStorable('the name', base, 'Give the image a name of its own behind the WIM.');
	if (target === null) return base;
	await using wim = await openWim(target);
	const taken = new Set(wim.images.map(({ facts }) => facts.name));
	let name = base;
	for (let number = 1; taken.has(name); number++) name = `${base} (${number})`;
	return name;
}

async function imageOptions(
	image: CapturedImage,
	rules: CaptureConfig,
	target: string | null,
): Promise<ImageOptions> {
	const { description, properties, boot, rpFix, deltaFrom, updateOf, wimBoot } = image;
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
		wimBoot,
		tree: { rules, unixData, dereference, acls },
	};
}

/** Compares the WIMs that an image builds on with their integrity tables. */
async function checkBases({ deltaFrom, updateOf }: CapturedImage, run: Run): Promise<void> {
	const own = updateOf === null || updateOf.wim === null ? [] : [updateOf.wim];
	for (const base of new Set([...deltaFrom, ...own])) await checkBefore(base, [], run);
}

/**
 * Mounts the volume that is to be captured where the only source is a device or a file that holds one (NTFS).
 *
 * @returns the image with the root of the volume as its source; null where there is none
 */
async function mountedSource(
	image: CapturedImage,
): Promise<(AsyncDisposable & { readonly image: CapturedImage }) | null> {
	const [source, ...others] = image.sources;
	if (source === undefined || others.length > 0 || splitPath(source.target).length > 0) return null;
	if (!(await isNtfsVolume(source.path))) return null;
	const volume = await mountNtfsVolume(source.path, false);
	return {
		image: { ...image, sources: [{ ...source, path: volume.folder }] },
		[Symbol.asyncDispose]: () => volume[Symbol.asyncDispose](),
	};
}

export async function performCapture(
	request: CaptureRequest,
	tools: JobTools,
	run: Run,
): Promise<CaptureSummary> {
	const { image, target, compression, integrity, pipable, dryRun } = request;
	const to = outputOf(target, tools.output, dryRun);
	requireStorableTexts(image);
	if (request.check) await checkBases(image, run);
	await using volume = await mountedSource(image);
	const { rules, sources } = await configured(volume?.image ?? image, run);
	const options = await imageOptions(image, rules, null);
	return await capture(
		sources,
		to,
		{ image: options, compression, integrity, pipable, dryRun },
		tools,
		run,
	);
}

export async function performAppend(
	request: AppendRequest,
	tools: JobTools,
	run: Run,
): Promise<CaptureSummary> {
	const { image, target, compression, integrity, rebuild, pipable, dryRun } = request;
	if (request.create && !(await isFile(target)))
		return await performCapture(
			{
				verb: 'capture',
				image,
				target,
				compression,
				check: request.check,
				integrity: integrity ?? false,
				pipable,
				dryRun,
			},
			tools,
			run,
		);
	requireStorableTexts(image);
	if (request.check) {
		await checkBefore(target, [], run);
		await checkBases(image, run);
	}
	await using volume = await mountedSource(image);
	const { rules, sources } = await configured(volume?.image ?? image, run);
	const options = await imageOptions(image, rules, target);
	return await append(
		sources,
		target,
		{ image: options, compression, integrity, rebuild, pipable, dryRun },
		tools,
		run,
	);
}
