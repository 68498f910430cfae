/** What can still be read of a blob as the contents of a new one: zeros stand where chunks are lost. */
import type { LargeChunks } from '../../pool/large-chunks.ts';
import type { Content, ContentReader } from '../../storage/content.ts';
import type { Blob } from '../../wim/resource.ts';
import { readDamaged } from '../salvage/read-damaged.ts';

export class DamagedContent implements Content {
	readonly name: string;
	readonly size: number;
	readonly blob: Blob;
	readonly #isTrusted: boolean;
	readonly #lanes: LargeChunks | null;

	/**
	 * @param lanes decode large chunks; null: this thread does
	 * @param isTrusted what was decoded of broken chunks is used too: its SHA-1 proved it
	 */
	constructor(blob: Blob, lanes: LargeChunks | null, isTrusted = false) {
		this.name = `blob ${blob.sha1} of ${blob.resource.part.source.name}`;
		this.size = blob.size;
		this.blob = blob;
		this.#isTrusted = isTrusted;
		this.#lanes = lanes;
	}

	open(): ContentReader {
		const { resource, offsetInResource: start, size } = this.blob;
		const pieces = readDamaged(resource, start, start + size, this.#lanes);
		const isTrusted = this.#isTrusted;
		let piece = new Uint8Array(0);
		return {
			async read(into) {
				let done = 0;
				while (done < into.length) {
					if (piece.length === 0) {
						const next = await pieces.next();
						if (next.done) break;
						// Its bytes last only until anybody decodes again.
						const { bytes, guess } = next.value;
						piece = (isTrusted ? (guess ?? bytes) : bytes).slice();
					}
					const part = piece.subarray(0, into.length - done);
					into.set(part, done);
					done += part.length;
					piece = piece.subarray(part.length);
				}
				return done;
			},
			change: () => null,
			async close() {
				await pieces.return();
			},
		};
	}
}
