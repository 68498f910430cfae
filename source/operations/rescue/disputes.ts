/**
 * Contents of which several places differ though none shows damage: bytes that are stored raw may be anything. Which place
 * is right where is tried; the SHA-1 decides.
 */
import { breathe, type Run } from '../../base/run.ts';
import { equalBytes } from '../../bytes/equal-bytes.ts';
import type { LargeChunks } from '../../pool/large-chunks.ts';
import type { ContentReader } from '../../storage/content.ts';
import type { Range } from '../salvage/read-damaged.ts';
import { DamagedContent } from './damaged-content.ts';
import type { DamagedPlace } from './spliced-content.ts';

/** Compared in blocks of this size. */
const BLOCK = 4096;
/** Ways of putting one content together; and bytes that are hashed for it, half a minute of work. */
const TRIES_MAX = 256;
const BYTES_MAX = 2 ** 34;
/** Places that differ more often are not copies of one content with some damage. */
const DISPUTES_MAX = 200;

/** A stretch in which places differ. */
interface Dispute {
	start: number;
	end: number;
	/** By place: which of the versions it has, block by block; null where it is damaged. */
	readonly votes: (number | null)[][];
}

/** By place the number of its version of a block; the same number for the same bytes. */
function versionsOf(blocks: readonly (Uint8Array | null)[]): (number | null)[] {
	const seen: Uint8Array[] = [];
	return blocks.map((block) => {
		if (block === null) return null;
		const known = seen.findIndex((other) => equalBytes(other, block));
		return known >= 0 ? known : seen.push(block) - 1;
	});
}

const meets = ({ badRanges }: DamagedPlace, start: number, end: number): boolean =>
	badRanges.some((range) => range.start < end && range.end > start);

/** @returns none as well when there are too many */
async function findDisputes(
	places: readonly DamagedPlace[],
	size: number,
	lanes: LargeChunks | null,
	run: Run,
): Promise<Dispute[]> {
	const readers: ContentReader[] = [];
	const disputes: Dispute[] = [];
	try {
		for (const { blob } of places) readers.push(new DamagedContent(blob, lanes).open());
		for (let start = 0; start < size; start += BLOCK) {
			const end = Math.min(size, start + BLOCK);
			const blocks: (Uint8Array | null)[] = [];
			for (const [k, reader] of readers.entries()) {
				const block = new Uint8Array(end - start);
				await reader.read(block);
				blocks.push(meets(places[k]!, start, end) ? null : block);
			}
			const votes = versionsOf(blocks);
			if (votes.some((vote) => vote !== null && vote > 0)) addVotes(disputes, start, end, votes);
			if (disputes.length > DISPUTES_MAX) return [];
			if ((start / BLOCK) % 64 === 63) await breathe(run);
		}
	} finally {
		for (const reader of readers) await reader.close();
	}
	return disputes;
}

function addVotes(
	disputes: Dispute[],
	start: number,
	end: number,
	votes: readonly (number | null)[],
): void {
	const last = disputes.at(-1);
	if (last?.end === start) {
		last.end = end;
		for (const [k, vote] of votes.entries()) last.votes[k]?.push(vote);
	} else disputes.push({ start, end, votes: votes.map((vote) => [vote]) });
}

/** The places with a version of their own, what most of them have first. */
function candidates<P extends DamagedPlace>(places: readonly P[], dispute: Dispute): P[] {
	const versions = new Map<string, { readonly place: P; count: number }>();
	for (const [k, place] of places.entries()) {
		if (meets(place, dispute.start, dispute.end)) continue;
		const key = dispute.votes[k]?.join() ?? '';
		const known = versions.get(key);
		if (known) known.count++;
		else versions.set(key, { place, count: 1 });
	}
	return [...versions.values()].sort((a, b) => b.count - a.count).map(({ place }) => place);
}

const roundsOf = (choices: readonly (readonly unknown[])[]): number =>
	choices.reduce((product, { length }) => product * Math.max(1, length), 1);

/** Fewer disputes, those next to each other as one, until all can be tried: damage rarely comes alone. */
function coarser(
	places: readonly DamagedPlace[],
	disputes: readonly Dispute[],
	tries: number,
): Dispute[] {
	const all = [...disputes];
	while (all.length > 1 && roundsOf(all.map((one) => candidates(places, one))) > tries) {
		const gaps = all.slice(1).map(({ start }, k) => start - all[k]!.end);
		const at = gaps.indexOf(Math.min(...gaps));
		const [first, second] = all.slice(at, at + 2) as [Dispute, Dispute];
		const votes = first.votes.map((own, k) => [...own, ...(second.votes[k] ?? [])]);
		all.splice(at, 2, { start: first.start, end: second.end, votes });
	}
	return all;
}

/** In each round each dispute is left to one place. */
function* rounds<P extends DamagedPlace>(
	places: readonly P[],
	disputes: readonly Dispute[],
	tries: number,
): Generator<P[], void, undefined> {
	const choices = disputes.map((dispute) => candidates(places, dispute));
	const count = Math.min(roundsOf(choices), tries);
	for (let round = 0; round < count; round++) {
		let rest = round;
		const chosen = choices.map((all) => {
			const place = all[rest % Math.max(1, all.length)];
			rest = Math.floor(rest / Math.max(1, all.length));
			return place;
		});
		yield places.map((place) => {
			const others = disputes.filter((_, k) => chosen[k] !== undefined && chosen[k] !== place);
			return { ...place, badRanges: withRanges(place.badRanges, others) };
		});
	}
}

/**
 * The places again and again, in each round with other stretches left to one of them.
 *
 * @param places of contents of one size; a place without bad ranges may be damaged all the same
 */
export async function* settlements<P extends DamagedPlace>(
	places: readonly P[],
	size: number,
	lanes: LargeChunks | null,
	run: Run,
): AsyncGenerator<P[], void, undefined> {
	const tries = Math.min(TRIES_MAX, Math.floor(BYTES_MAX / Math.max(1, size)));
	const disputes = await findDisputes(places, size, lanes, run);
	if (disputes.length === 0) return;
	yield* rounds(places, disputes, tries);
	const fewer = coarser(places, disputes, tries);
	if (fewer.length < disputes.length) yield* rounds(places, fewer, tries);
}

/** Both, ascending. They may overlap. */
function withRanges(ranges: readonly Range[], more: readonly Range[]): Range[] {
	return [...ranges, ...more.map(({ start, end }) => ({ start, end }))].sort(
		(a, b) => a.start - b.start,
	);
}
