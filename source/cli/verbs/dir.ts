import { ExitCode, WimError } from '../../base/errors.ts';
import { imageName, openImage } from '../../image/open.ts';
import { PathFinder, pathOf } from '../../image/paths.ts';
import { type ImageTree, ROOT } from '../../image/tree.ts';
import { isEveryImage, openWim, type Wim, type WimImage } from '../../wim/wim.ts';
import { checkIntegrityFirst } from '../check-first.ts';
import type { Context, Handler } from '../context.ts';
import { detailedText, type Entry, entriesBelow, entryJson } from '../dir-text.ts';
import { errorJson, warningText } from '../print-error.ts';
import { noteWarnings } from './info.ts';

/** The image that is meant when none is named: the only one. */
export function chooseImages(
	wim: Wim,
	designation: string | null,
	verb: string,
): readonly WimImage[] {
	if (isEveryImage(designation)) return wim.images;
	if (designation !== null) return [wim.image(designation)];
	const hint = `Write wimdeck ${verb} "${wim.name}" 1, or run wimdeck info to list the images.`;
	return [wim.onlyImage(', or all', hint)];
}

function startOf(wim: Wim, image: WimImage, tree: ImageTree, path: string | null): Entry {
	if (path === null) return { dentry: ROOT, path: '/' };
	const dentry = new PathFinder(tree).need(path, imageName(wim, image));
	return { dentry, path: pathOf(tree, dentry) };
}

interface ListOptions {
	readonly path: string | null;
	readonly detailed: boolean;
	readonly oneOnly: boolean;
}

async function list(
	wim: Wim,
	image: WimImage,
	options: ListOptions,
	context: Context,
): Promise<void> {
	const { out, signal, json, quiet, err } = context;
	const pause = () =>
		new Promise<void>((resolve) => {
			signal.throwIfAborted();
			setImmediate(resolve);
		});
	const { tree } = await openImage(wim, image, { tolerant: false }, pause);
	if (!quiet)
		for (const { message } of tree.warnings)
			err(warningText(`${message} (${imageName(wim, image)})`));
	const start = startOf(wim, image, tree, options.path);
	const entries = options.oneOnly ? [start] : entriesBelow(tree, start);
	const { show } = out;
	let between = '';
	for (const entry of entries) {
		const text = json
			? `${between}${JSON.stringify(entryJson(wim, tree, entry, options.detailed))}`
			: options.detailed
				? detailedText(wim, tree, entry, show)
				: `${show(entry.path)}\n`;
		between = ',\n';
		const full = out.write(text);
		if (full !== null) {
			await full;
			await pause();
		}
	}
}

export const dir: Handler = async ({ given, options }, context) => {
	const { out, json } = context;
	const [name = '', designation = null] = given;
	await using wim = await openWim(name ?? '', { references: options.list('ref') });
	noteWarnings(wim, context);
	if (options.has('check')) await checkIntegrityFirst(wim, context);
	const images = chooseImages(wim, designation, 'dir');
	const how: ListOptions = {
		path: options.text('path'),
		detailed: options.has('detailed'),
		oneOnly: options.has('one-file-only'),
	};
	if (!json) {
		for (const image of images) await list(wim, image, how, context);
		return ExitCode.done;
	}
	out.write(`{"path":${JSON.stringify(wim.name)},"images":[`);
	let end = ']';
	try {
		for (const [k, image] of images.entries()) {
			const { index, facts } = image;
			out.write(
				`${k > 0 ? ',' : ''}{"index":${index},"name":${JSON.stringify(facts.name)},"entries":[`,
			);
			end = ']}]';
			await list(wim, image, how, context);
			out.write(']}');
			end = ']';
		}
	} catch (error) {
		// Half a list is an object all the same.
		if (error instanceof WimError) end += `,"error":${JSON.stringify(errorJson(error))}`;
		out.write(`${end}}\n`);
		throw error;
	}
	out.write(`${end}}\n`);
	return ExitCode.done;
};
