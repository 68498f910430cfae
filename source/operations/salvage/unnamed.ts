/** Contents whose own names are lost: under their SHA-1, with an ending guessed from the first bytes. */
import { createHash } from 'node:crypto';
import { formatHex } from '../../base/print.ts';
import { breathe, type Run } from '../../base/run.ts';
import type { Sha1 } from '../../bytes/sha1.ts';
import type { LargeChunks } from '../../pool/large-chunks.ts';
import type { Blob, Resource } from '../../wim/resource.ts';
import { carve } from './carve.ts';
import type { OpenSalvage } from './open-salvage.ts';
import { readDamaged, readDamagedBlob } from './read-damaged.ts';
import { missingFrom, type SalvagedImage, wantedBy } from './read-trees.ts';

const ENDINGS: readonly (readonly [magic: string, ending: string])[] = [
	['4d5a', 'exe'],
	['7f454c46', 'elf'],
	['89504e470d0a1a0a', 'png'],
	['ffd8ff', 'jpg'],
	['474946383', 'gif'],
	['504b0304', 'zip'],
	['4d534346', 'cab'],
	['4d5357494d000000', 'wim'],
	['574c50574d000000', 'wim'],
	['25504446', 'pdf'],
	['d0cf11e0a1b11ae1', 'msi'],
	['72656766', 'hive'],
	['526172211a07', 'rar'],
	['377abcaf271c', '7z'],
	['1f8b', 'gz'],
	['fd377a585a00', 'xz'],
	['424d', 'bmp'],
	['00000100', 'ico'],
	['4f544630', 'otf'],
	['0001000000', 'ttf'],
	['52494646', 'riff'],
	['494433', 'mp3'],
	['456c6646696c6500', 'evtx'],
	['4d444d50', 'dmp'],
	['504d4343', 'grp'],
];

/** An ending without dot, guessed from the beginning of the contents; `bin` when nothing is known. */
export function guessEnding(head: Uint8Array): string {
	const hex = [...head.subarray(0, 16)].map((byte) => byte.toString(16).padStart(2, '0')).join('');
	for (const [magic, ending] of ENDINGS) if (hex.startsWith(magic)) return ending;
	if (hex.startsWith('fffe') || hex.startsWith('efbbbf')) return 'txt';
	if (hex.startsWith('3c3f786d6c')) return 'xml';
	if (
		head.length > 0 &&
		head.every((byte) => byte === 9 || byte === 10 || byte === 13 || (byte >= 32 && byte < 127))
	)
		return 'txt';
	return 'bin';
}

/** Where contents without a name go. */
export const UNNAMED_FOLDER = '(unnamed)';

/** Contents without a name. */
export interface UnnamedBlob {
	readonly blob: Blob;
	/** Of the file that it becomes. */
	readonly name: string;
	/** False when nothing but the structure of the data says where it ends. */
	readonly isProved: boolean;
	/** Bytes of the file as they are: nobody knows what they mean. */
	readonly isRaw: boolean;
}

/**
 * Everything that was found and that none of these images names.
 *
 * @param lanes decode large chunks
 */
export async function gatherUnnamed(
	opened: OpenSalvage,
	images: readonly SalvagedImage[],
	lanes: LargeChunks,
	run: Run,
): Promise<UnnamedBlob[]> {
	const named = wantedBy(images);
	const found: UnnamedBlob[] = [];
	const add = async (blob: Blob, isProved: boolean) => {
		if (named.has(blob.sha1)) return;
		await breathe(run);
		const name = `${blob.sha1}.${guessEnding(await beginning(blob, lanes))}`;
		found.push({ blob, name, isProved, isRaw: false });
	};
	for (const blob of opened.wim.blobs.values()) await add(blob, true);
	for (const blob of opened.others) await add(blob, false);
	for (const one of await rawStretches(opened, named, run)) found.push(one);
	return found;
}

/**
 * When something is missing, it may be in the bytes that nothing explains: these are kept, in pieces where contents show
 * themselves that no SHA-1 tells.
 */
async function rawStretches(
	opened: OpenSalvage,
	named: ReadonlySet<Sha1>,
	run: Run,
): Promise<UnnamedBlob[]> {
	const header = opened.damaged.parts[0]?.part.header;
	const isComplete =
		opened.isNewest &&
		opened.images.length > 0 &&
		opened.images.every(({ state }) => state === 'whole') &&
		missingFrom(opened.damaged, opened.images).size === 0;
	if (isComplete || header === undefined) return [];
	const found: UnnamedBlob[] = [];
	const known = new Set<Sha1>();
	for (const { source, stretch } of opened.unexplained) {
		const part = { source, header, pipable: false };
		const pieces =
			named.size === 0 ? await carve(source, stretch, run) : [{ ...stretch, isSized: false }];
		for (const { start, end, isSized } of pieces) {
			const size = end - start;
			const resource: Resource = {
				part,
				offset: start,
				storedSize: size,
				originalSize: size,
				layout: 'raw',
				compression: 'none',
				chunkSize: 0,
				flags: 0,
			};
			const hash = createHash('sha1');
			let isBlank = true;
			let ending = '';
			for await (const { bytes } of readDamaged(resource)) {
				await breathe(run);
				hash.update(bytes);
				isBlank &&= bytes.every((byte) => byte === 0);
				ending ||= guessEnding(bytes.subarray(0, 64));
			}
			if (isBlank) continue;
			const sha1 = hash.digest('hex');
			const isWhole = isSized && !(source.isDamaged?.(start, end) ?? false);
			if (isWhole && known.has(sha1)) continue;
			known.add(sha1);
			const blob = { sha1, size, referenceCount: 0, resource, offsetInResource: 0, defect: null };
			const name = isWhole ? `${sha1}.${ending}` : `${sha1} raw bytes at ${formatHex(start)}.bin`;
			found.push({ blob, name, isProved: false, isRaw: !isWhole });
		}
	}
	return found;
}

async function beginning(blob: Blob, lanes: LargeChunks): Promise<Uint8Array> {
	const size = Math.min(blob.size, 64);
	const head = await readDamagedBlob({ ...blob, size }, lanes);
	return head.bytes;
}
