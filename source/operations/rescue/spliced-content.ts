/** Contents of which no place is whole, put together of stretches that are good in one place or another. */
import type { Run } from '../../base/run.ts';
import { breathe } from '../../base/run.ts';
import { type Sha1, sha1Hasher } from '../../bytes/sha1.ts';
import type { LargeChunks } from '../../pool/large-chunks.ts';
import type { Content, ContentReader } from '../../storage/content.ts';
import type { Blob } from '../../wim/resource.ts';
import { addRange, type Range } from '../salvage/read-damaged.ts';
import { DamagedContent } from './damaged-content.ts';

/** A place of the contents, and what of them cannot be read there. */
export interface DamagedPlace {
	readonly blob: Blob;
	/** In the contents, ascending. */
	readonly badRanges: readonly Range[];
}

/** A stretch of the contents, and the place that gives it: null where it is good in none. */
interface Stretch<P extends DamagedPlace> extends Range {
	readonly place: P | null;
}

/** Hashed in pieces of this size. */
const PIECE = 1 << 20;

/** Of each place the stretch that it gives, in order. */
function planSplice<P extends DamagedPlace>(places: readonly P[], size: number): Stretch<P>[] {
	const stretches: Stretch<P>[] = [];
	for (let start = 0, end = 0; start < size; start = end) {
		let best: P | null = null;
		let gapEnd = size;
		for (const place of places) {
			const bad = place.badRanges.find((range) => range.end > start);
			const goodEnd = Math.min(size, bad?.start ?? size);
			if (goodEnd > end) [end, best] = [goodEnd, place];
			gapEnd = Math.min(gapEnd, bad?.end ?? size);
		}
		if (best === null) end = gapEnd;
		stretches.push({ start, end, place: best });
	}
	return stretches;
}

/** What places give together; zeros stand where none of them is good. Nothing is proved. */
export class SplicedContent<P extends DamagedPlace = DamagedPlace> implements Content {
	readonly name: string;
	readonly size: number;
	/** Bytes that each place gives, of those that give any. */
	readonly given: ReadonlyMap<P, number>;
	/** Good in none of the places. */
	readonly badRanges: readonly Range[];
	readonly #parts: readonly DamagedContent[];

	/** @param places at least one, each with contents of this size */
	constructor(places: readonly P[], size: number, lanes: LargeChunks | null) {
		const stretches = planSplice(places, size);
		const [anywhere] = places;
		if (anywhere === undefined) throw new Error('A splice needs places');
		const given = new Map<P, number>();
		const badRanges: Range[] = [];
		const parts: DamagedContent[] = [];
		for (const { start, end, place } of stretches) {
			if (place === null) addRange(badRanges, start, end);
			else given.set(place, (given.get(place) ?? 0) + end - start);
			// Where it is damaged, any of them reads as zeros.
			const { blob } = place ?? anywhere;
			const offsetInResource = blob.offsetInResource + start;
			parts.push(new DamagedContent({ ...blob, offsetInResource, size: end - start }, lanes));
		}
		this.name = [...given.keys()].map(({ blob }) => blob.resource.part.source.name).join(' and ');
		this.size = size;
		this.given = given;
		this.badRanges = badRanges;
		this.#parts = parts;
	}

	open(): ContentReader {
		const parts = [...this.#parts];
		let open: ContentReader | null = null;
		return {
			async read(into) {
				let done = 0;
				while (done < into.length) {
					open ??= parts.shift()?.open() ?? null;
					if (open === null) break;
					const got = await open.read(into.subarray(done));
					done += got;
					if (got > 0) continue;
					await open.close();
					open = null;
				}
				return done;
			},
			change: () => null,
			async close() {
				await open?.close();
			},
		};
	}

	async digest(run: Run): Promise<Sha1> {
		const hash = sha1Hasher();
		const reader = this.open();
		const piece = new Uint8Array(Math.min(PIECE, this.size));
		try {
			for (;;) {
				const got = await reader.read(piece);
				if (got === 0) break;
				hash.update(piece.subarray(0, got));
				await breathe(run);
			}
		} finally {
			await reader.close();
		}
		return hash.digest('hex');
	}
}
