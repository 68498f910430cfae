import { ExitCode, InputError } from '../../base/errors.ts';
import { deadBytesOf } from '../../wim/dead-bytes.ts';
import type { OpenPart } from '../../wim/open-part.ts';
import { ResourceFlag } from '../../wim/part-header.ts';
import { isEveryImage, openWim, type Wim, type WimImage } from '../../wim/wim.ts';
import { checkIntegrityFirst } from '../check-first.ts';
import type { Context, Handler } from '../context.ts';
import { infoJson } from '../info-json.ts';
import { blobsOf, blobText, headerLines, imageLines, wimLines } from '../info-text.ts';
import type { Invocation } from '../parse.ts';
import { warningText } from '../print-error.ts';
import { requireSideFile, saveSideFile } from '../side-file.ts';
import { editRequest, isEdit } from '../write-requests.ts';
import { runWriting } from './write.ts';

/** The part that the user named, which need not be the first of its set. */
function namedPart(wim: Wim): OpenPart {
	return wim.parts.find(({ source }) => source.name === wim.name) ?? wim.first;
}

/** The XML data exactly as stored. */
async function xmlBytes(wim: Wim, part: OpenPart): Promise<Uint8Array> {
	const { offset, originalSize, flags } = part.header.xml;
	if (flags & ResourceFlag.compressed) return wim.xml.encode();
	const bytes = new Uint8Array(originalSize);
	await part.source.read(offset, bytes);
	return bytes;
}

async function saveXml(name: string, wim: Wim, part: OpenPart): Promise<void> {
	const file = { path: name, what: 'the XML data', read: [wim.name] };
	await requireSideFile(file);
	await saveSideFile(file, await xmlBytes(wim, part));
}

/** Says on standard error what is odd about a file that opened all the same. */
export function noteWarnings(wim: Wim, { err, quiet }: Context): void {
	if (!quiet) for (const { message, region } of wim.warnings) err(warningText(message, region));
}

function chosenImages(wim: Wim, designation: string | null): readonly WimImage[] {
	if (designation === null || isEveryImage(designation)) return wim.images;
	return [wim.image(designation)];
}

/** Changes what the arguments say; of a file with one image, that image when none is named. */
async function edit(invocation: Invocation, context: Context): Promise<number> {
	const [name = '', designation = null] = invocation.given;
	let only: string | null = null;
	if (designation === null) {
		await using wim = await openWim(name ?? '');
		if (wim.images.length === 0) wim.onlyImage();
		only = wim.images.length === 1 ? '1' : null;
	}
	return runWriting(editRequest(invocation, only), invocation, context);
}

export const info: Handler = async (invocation, context) => {
	const { given, options } = invocation;
	const { out, json } = context;
	const [name = '', designation = null] = given;
	if (isEdit(invocation)) return edit(invocation, context);
	await using wim = await openWim(name ?? '', { references: options.list('ref') });
	const part = namedPart(wim);
	const images = chosenImages(wim, designation);
	noteWarnings(wim, context);
	if (options.has('check')) await checkIntegrityFirst(wim, context);
	const { show } = out;

	const xmlFile = options.text('extract-xml');
	if (xmlFile !== null) await saveXml(xmlFile, wim, part);
	if (options.has('xml') && out.isTerminal)
		throw new InputError('Cannot show the XML data on a terminal: it is UTF-16', {
			hint: 'Send it to a file, or use --json.',
		});
	const asked = { header: options.has('header'), blobs: options.has('blobs') };
	const deadBytes = await deadBytesOf(part);
	if (json) {
		out.line(JSON.stringify(infoJson(wim, part, images, { ...asked, deadBytes })));
		return ExitCode.done;
	}
	if (asked.header) out.write(`${headerLines(part.header, part.pipable).join('\n')}\n`);
	if (asked.blobs) for (const blob of blobsOf(part)) await out.write(blobText(blob));
	if (options.has('xml')) await out.bytes(await xmlBytes(wim, part));
	if (asked.header || asked.blobs || options.has('xml') || xmlFile !== null) return ExitCode.done;

	if (designation === null || isEveryImage(designation)) {
		for (const line of wimLines(wim, part, deadBytes, show)) out.line(line);
		out.line('Available Images:');
		out.line('-----------------');
	} else {
		out.line(`Information for Image ${images[0]?.index ?? 0}`);
		out.line('-----------------------');
	}
	for (const image of images) for (const line of imageLines(wim, image, show)) await out.line(line);
	return ExitCode.done;
};
