import type { List } from '../../base/list.ts';
import { breathe, type Run } from '../../base/run.ts';
import { Float64Column, Uint32Column } from '../../bytes/columns.ts';
import type { Source } from '../../storage/source.ts';
import type { Blob } from '../../wim/resource.ts';
import type { Wanted } from './plan-reads.ts';

/** So many are sorted in one go: a few milliseconds. */
const RUN_LENGTH = 2048;
/** So many are looked at in one go. */
export const SURVEY_LENGTH = 2048;

/**
 * Brings blobs into the order in which they lie in their files: sources in the order in which they first occur, then
 * resources and blobs by offset. 24 bytes a blob; sorts in slices, so that the main thread stays free.
 */
export class FileOrder {
	readonly #positions = new Uint32Column();
	readonly #ranks = new Uint32Column();
	readonly #offsets = new Float64Column();
	readonly #inside = new Float64Column();
	readonly #sources = new Map<Source, number>();
	#isSorted = true;

	/** Adds what stands at a position of some list. */
	add(
		position: number,
		{ resource, offsetInResource }: Pick<Blob, 'resource' | 'offsetInResource'>,
	): void {
		const { source } = resource.part;
		let rank = this.#sources.get(source);
		if (rank === undefined) {
			rank = this.#sources.size;
			this.#sources.set(source, rank);
		}
		this.#positions.push(position);
		this.#ranks.push(rank);
		this.#offsets.push(resource.offset);
		const row = this.#inside.push(offsetInResource);
		this.#isSorted &&= row === 0 || this.#compare(row - 1, row) <= 0;
	}

	/** The positions in file order. */
	async sorted(run: Run): Promise<Uint32Array> {
		const positions = this.#positions.values();
		if (this.#isSorted) return positions;
		let rows = positions.map((_, row) => row);
		for (let at = 0; at < rows.length; at += RUN_LENGTH) {
			rows.subarray(at, at + RUN_LENGTH).sort((a, b) => this.#compare(a, b));
			await breathe(run);
		}
		let other = new Uint32Array(rows.length);
		for (let length = RUN_LENGTH; length < rows.length; length *= 2) {
			for (let at = 0; at < rows.length; at += 2 * length)
				await this.#merge(rows.subarray(at, at + 2 * length), length, other.subarray(at), run);
			[rows, other] = [other, rows];
		}
		return rows.map((row) => this.#positions.get(row));
	}

	/** Merges two neighbouring runs, the first of which is `length` long. */
	async #merge(rows: Uint32Array, length: number, into: Uint32Array, run: Run): Promise<void> {
		let left = 0;
		let right = length;
		const leftEnd = Math.min(length, rows.length);
		for (let at = 0; at < rows.length; at++) {
			const takesLeft =
				right >= rows.length ||
				(left < leftEnd && this.#compare(rows[left] ?? 0, rows[right] ?? 0) <= 0);
			into[at] = rows[takesLeft ? left++ : right++] ?? 0;
			if (at % (4 * RUN_LENGTH) === 4 * RUN_LENGTH - 1) await breathe(run);
		}
	}

	#compare(a: number, b: number): number {
		return (
			this.#ranks.get(a) - this.#ranks.get(b) ||
			this.#offsets.get(a) - this.#offsets.get(b) ||
			this.#inside.get(a) - this.#inside.get(b)
		);
	}
}

/** What is wanted, in file order. */
export async function inFileOrder<W extends Wanted>(
	wanted: List<W>,
	run: Run,
): Promise<Iterable<W>> {
	const order = new FileOrder();
	for (let k = 0; k < wanted.length; k++) {
		if (k % SURVEY_LENGTH === SURVEY_LENGTH - 1) await breathe(run);
		order.add(k, (wanted.at(k) as W).blob);
	}
	return atPositions(wanted, await order.sorted(run));
}

/** The elements at some positions of a list, made as they are asked for. */
export function* atPositions<T>(list: List<T>, positions: Uint32Array): Generator<T> {
	for (const position of positions) yield list.at(position) as T;
}
