/** Contents of which no place is whole, put together of stretches that are good in one place or another. */
import type { Run } from '../../base/run.ts';
import { breathe } from '../../base/run.ts';
import { type Sha1, sha1Hasher } from '../../bytes/sha1.ts';
import type { LargeChunks } from '../../pool/large-chunks.ts';
import type { Content, ContentReader } from '../../storage/content.ts';
import type { Blob } from '../../wim/resource.ts';
import type { Range } from '../salvage/read-damaged.ts';
import { DamagedContent } from './damaged-content.ts';

/** A place of the contents, and what of them cannot be read there. */
export interface DamagedPlace {
	readonly blob: Blob;
	/** In the contents, ascending. */
	readonly badRanges: readonly Range[];
}

/** Hashed in pieces of this size. */
const PIECE = 1 << 20;

/** Of each place the stretch that it gives, in order; null when some byte is good in none of them. */
function planSplice(places: readonly DamagedPlace[], size: number): Blob[] | null {
	const stretches: Blob[] = [];
	for (let at = 0; at < size; ) {
		let end = at;
		let best: Blob | null = null;
		for (const { blob, badRanges } of places) {
			const next = badRanges.find((range) => range.end > at);
			const goodEnd = Math.min(size, next?.start ?? size);
			if (goodEnd > end) [end, best] = [goodEnd, blob];
		}
		if (best === null) return null;
		stretches.push({ ...best, offsetInResource: best.offsetInResource + at, size: end - at });
		at = end;
	}
	return stretches;
}

export class SplicedContent implements Content {
	readonly name: string;
	readonly size: number;
	readonly #parts: readonly DamagedContent[];

	/** @returns null when some byte is good in none of the places; nothing is proved otherwise */
	static of(
		places: readonly DamagedPlace[],
		size: number,
		lanes: LargeChunks | null,
	): SplicedContent | null {
		const stretches = planSplice(places, size);
		if (stretches === null) return null;
		return new SplicedContent(stretches.map((stretch) => new DamagedContent(stretch, lanes)));
	}

	private constructor(parts: readonly DamagedContent[]) {
		this.name = parts.map(({ name }) => name).join(' and ');
		this.size = parts.reduce((sum, { size }) => sum + size, 0);
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
