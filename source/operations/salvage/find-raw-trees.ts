/** Finds uncompressed metadata resources by their root dentry (wim.md §13.6). */
import { FormatError } from '../../base/errors.ts';
import { METADATA_SIZE_MAX } from '../../base/limits.ts';
import { breathe, type Run } from '../../base/run.ts';
import { type Sha1, sha1 } from '../../bytes/sha1.ts';
import { Span } from '../../bytes/span.ts';
import { Attribute, align8, Dentry } from '../../image/dentry.ts';
import { ImageTree } from '../../image/tree.ts';
import type { Stretch } from '../../pool/search/found.ts';
import type { Source } from '../../storage/source.ts';
import { SlidingWindow } from '../../wim/recover/window.ts';

/** An uncompressed metadata resource that parses as a tree. */
export interface RawTree extends Stretch {
	readonly sha1: Sha1;
}

/** A window holds a dentry that begins in it. */
const STEP = 4 << 20;
const OVERLAP = 4096;

/** The trees in a stretch, in order. */
export async function findRawTrees(source: Source, stretch: Stretch, run: Run): Promise<RawTree[]> {
	const window = new SlidingWindow(source);
	const found: RawTree[] = [];
	for (let at = stretch.start; at < stretch.end; at += STEP) {
		const bytes = await window.at(at, Math.min(STEP + OVERLAP, stretch.end - at));
		for (const { resource } of rootsIn(bytes, STEP)) {
			const before = found.at(-1)?.end ?? 0;
			if (at + resource < Math.max(before, stretch.start)) continue;
			const tree = await treeAt(source, at + resource, stretch.end);
			if (tree !== null) found.push(tree);
		}
		await breathe(run);
	}
	return found;
}

async function treeAt(source: Source, offset: number, end: number): Promise<RawTree | null> {
	// The size is the end of the last list: a short view first, the rest only when it may be a tree.
	for (const most of [1 << 20, 64 << 20, METADATA_SIZE_MAX]) {
		const bytes = new Uint8Array(Math.min(most, end - offset));
		await source.read(offset, bytes);
		try {
			const tree = ImageTree.parse(new Span(bytes, 'metadata'));
			if (tree.count < 2) return null;
			return { start: offset, end: offset + tree.end, sha1: sha1(bytes.subarray(0, tree.end)) };
		} catch (error) {
			if (!(error instanceof FormatError)) throw error;
			if (bytes.length < most) return null;
		}
	}
	return null;
}

/** Root dentries, and where the metadata resources of theirs begin, both from the start of `bytes`. */
function* rootsIn(
	bytes: Uint8Array,
	limit: number,
): Generator<{ root: number; resource: number }, void, undefined> {
	const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
	const at = Dentry.offsets;
	for (let root = 0; root < limit && root + Dentry.size + 8 <= bytes.length; root++) {
		// length: a multiple of 8 from 104 to 4096; then DIRECTORY, no names, unused fields zero.
		if (bytes[root + 2] !== 0 || bytes[root + 3] !== 0) continue;
		const length = view.getUint16(root, true);
		if (length < 104 || length > 4096 || length % 8 !== 0) continue;
		if (view.getUint32(root + 4, true) !== 0) continue;
		if (!(view.getUint32(root + at.attributes, true) & Attribute.directory)) continue;
		if (view.getUint32(root + at.shortNameSize, true) !== 0) continue;
		if (
			view.getBigUint64(root + at.unused1, true) !== 0n ||
			view.getBigUint64(root + at.unused2, true) !== 0n
		)
			continue;
		const subdir = view.getUint32(root + at.subdirOffset, true);
		if (view.getUint32(root + at.subdirOffset + 4, true) !== 0 || subdir % 8 !== 0) continue;
		let size = align8(length);
		for (let k = view.getUint16(root + at.streamCount, true); k > 0; k--) {
			if (root + size + 8 > bytes.length) break;
			size += align8(view.getUint32(root + size, true));
		}
		const position = subdir - 8 - size;
		if (position < 8 || position > root + size) continue;
		if (root - position >= 0 && securitySize(view, root - position) === position)
			yield { root, resource: root - position };
	}
}

/** The length that security data at `at` claims, padded. */
function securitySize(view: DataView, at: number): number {
	const total = view.getUint32(at, true);
	return total === 0 ? 8 : align8(total);
}
