/** Opens an image of a WIM: reads and checks its metadata resource. The only file of `image/` that touches `wim/`. */
import { createHash } from 'node:crypto';
import { DigestError, FormatError, WimError } from '../base/errors.ts';
import { METADATA_SIZE_MAX } from '../base/limits.ts';
import { Span } from '../bytes/span.ts';
import { readResource } from '../wim/read-resource.ts';
import type { Wim, WimImage } from '../wim/wim.ts';
import { ImageTree, type TreeOptions } from './tree.ts';

/** An image with its tree. */
export interface OpenImage {
	readonly wim: Wim;
	readonly image: WimImage;
	readonly tree: ImageTree;
	/** Set when the metadata does not have its SHA-1 but was read all the same (`tolerant`). */
	readonly digestFault: DigestError | null;
}

/** Bytes of metadata that are decoded between two pauses: some ms of the slowest codec. */
const PIECE = 1 << 15;

const HINT = 'Try "wimdeck salvage" to get back what is left.';

/** The name of an image for messages: `image 2 "Pro" of "install.wim"`. */
export function imageName(wim: Wim, image: WimImage): string {
	const name = image.facts.name === '' ? '' : ` "${image.facts.name}"`;
	return `image ${image.index}${name} of "${wim.name}"`;
}

/**
 * Reads, checks and parses the metadata of an image, in slices, so that the calling thread stays alive.
 *
 * @param pause awaited between slices; it may throw to cancel
 * @throws {FormatError} when the resource or the tree is broken
 * @throws {DigestError} when its SHA-1 is wrong, unless `tolerant`
 */
export async function openImage(
	wim: Wim,
	image: WimImage,
	options: TreeOptions = { tolerant: false },
	pause: () => Promise<void> = () => new Promise((resolve) => setImmediate(resolve)),
): Promise<OpenImage> {
	const region = `metadata resource of ${imageName(wim, image)}`;
	try {
		const { bytes, sha1 } = await readMetadata(wim, image, pause);
		let digestFault: DigestError | null = null;
		if (sha1 !== image.metadata.sha1) {
			digestFault = new DigestError(
				`Cannot trust the metadata of ${imageName(wim, image)}: its SHA-1 is ${sha1}, expected ${image.metadata.sha1}`,
				{ path: wim.name, offset: image.metadata.resource.offset, hint: HINT },
			);
			if (!options.tolerant) throw digestFault;
		}
		await pause();
		const tree = await ImageTree.parseInSlices(new Span(bytes, region), options, pause);
		return { wim, image, tree, digestFault };
	} catch (error) {
		throw error instanceof WimError ? error.note({ path: wim.name, hint: HINT }) : error;
	}
}

/** The bytes of a metadata resource and their SHA-1. */
async function readMetadata(
	wim: Wim,
	image: WimImage,
	pause: () => Promise<void>,
): Promise<{ bytes: Uint8Array; sha1: string }> {
	const { resource, size, defect } = image.metadata;
	const fail = (why: string) =>
		new FormatError(`Cannot read the metadata of ${imageName(wim, image)}: ${why}`, {
			region: wim.name,
			offset: resource.offset,
		});
	if (defect !== null) throw fail(defect);
	// wim.md §12.1 #12: no codec shrinks a real tree more than 512 times.
	if (size > METADATA_SIZE_MAX || size > 512 * Math.max(1 << 16, resource.part.source.size))
		throw fail(`it says it is ${size} bytes long`);
	const bytes = new Uint8Array(size);
	const hash = createHash('sha1');
	await pause();
	let at = 0;
	let unpaused = 0;
	for await (const piece of readResource(resource)) {
		bytes.set(piece, at);
		hash.update(piece);
		at += piece.length;
		unpaused += piece.length;
		if (unpaused >= PIECE) {
			unpaused = 0;
			await pause();
		}
	}
	return { bytes, sha1: hash.digest('hex') };
}
