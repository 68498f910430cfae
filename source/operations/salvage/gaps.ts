/** The stretches of a damaged file in which lost resources may lie. */
import type { Sha1 } from '../../bytes/sha1.ts';
import type { Stretch } from '../../pool/search/found.ts';
import { SOLID_RESOURCE_MARK } from '../../wim/blob-entries.ts';
import { HEADER_SIZE, ResourceFlag } from '../../wim/part-header.ts';
import type { RecoveredPart } from '../../wim/recover/recover-wim.ts';
import { PIPE_HEADER_SIZE } from '../../wim/recover/walk-pipable.ts';
import type { Resource } from '../../wim/resource.ts';

/** A stretch that nothing explains. */
export interface Gap extends Stretch {
	/** An entry says that one resource lies there: hardly more, but perhaps another one than it says. */
	readonly isStated: boolean;
	/** The raw blob that fills it by all entries: what its neighbours leave is its place, and nothing else lies there. */
	readonly rawBlob: Sha1 | null;
}

/** Where an entry says that a resource lies. */
interface StatedPlace extends Stretch {
	/** Of a raw blob; else null. */
	readonly rawBlob: Sha1 | null;
}

/**
 * The stretches of a part that neither header nor tables explain, in order.
 *
 * @param more resources that are known from elsewhere
 * @param isDoubted says which entries of the tables explain nothing
 */
export function gapsOf(
	recovered: RecoveredPart,
	more: readonly Resource[],
	isDoubted: (sha1: Sha1) => boolean,
): Gap[] {
	const { part, survey } = recovered;
	const { source } = part;
	const known: Stretch[] = [{ start: 0, end: HEADER_SIZE }];
	const stated: StatedPlace[] = [];
	/** Of resources that end there, in a table with damaged entries: where they begin. */
	const startBy = new Map<number, number>();
	const front = survey.isPipable ? PIPE_HEADER_SIZE : 0;
	const add = (offset: number, size: number) =>
		known.push({ start: offset - front, end: offset + size });
	if (survey.isPipable) known.push({ start: source.size - HEADER_SIZE, end: source.size });
	for (const { table, xml } of survey.generations) {
		add(table.offset, table.end - table.offset);
		if (xml !== null) add(xml.offset, xml.size);
		for (const entry of table.entries) {
			const { flags, originalSize, offset, storedSize, sha1: name } = entry;
			const isSolid = (flags & ResourceFlag.solid) !== 0;
			// One of another part places nothing here.
			const isOwn = entry.partNumber === part.header.partNumber;
			const isPlaced = isSolid ? isOwn && originalSize === SOLID_RESOURCE_MARK : !isDoubted(name);
			if (isPlaced) {
				add(offset, storedSize);
				if (table.brokenCount > 0 && !isSolid && storedSize <= REACH_BACK)
					startBy.set(offset + storedSize, offset - front);
			} else if (!isSolid) {
				const isRaw =
					isOwn && (flags & ResourceFlag.compressed) === 0 && storedSize === originalSize;
				const place = { start: offset - front, end: offset + storedSize };
				stated.push({ ...place, rawBlob: isRaw ? name : null });
			}
		}
	}
	for (const { offset, size } of survey.xmls) add(offset, size);
	const { integrity } = part.header;
	if (integrity.offset > 0) add(integrity.offset, integrity.storedSize);
	for (const resource of more)
		if (resource.part.source === source) add(resource.offset, resource.storedSize);
	known.push(...(source.holes ?? []));
	known.sort((a, b) => a.start - b.start);
	const gaps: Stretch[] = [];
	let at = 0;
	for (const { start, end } of known) {
		if (start > at) gaps.push({ start: at, end: Math.min(start, source.size) });
		at = Math.max(at, end);
	}
	if (at < source.size) gaps.push({ start: at, end: source.size });
	const pieces = inPieces(
		gaps.filter(({ start, end }) => end > start),
		stated,
	);
	// A size that is a little too large in a damaged table hides where the next resource begins.
	const showsStarts =
		survey.isPipable || part.compression === 'lzx' || part.compression === 'xpress';
	if (!showsStarts) return pieces;
	return pieces.map((gap) =>
		gap.isStated ? gap : { ...gap, start: startBy.get(gap.start) ?? gap.start },
	);
}

/** A resource that is larger is not looked through once more. */
const REACH_BACK = 1 << 20;

/** Each gap; or, where entries that are not believed fill it without a rest, the place of each. */
function inPieces(gaps: readonly Stretch[], stated: readonly StatedPlace[]): Gap[] {
	const places = stated.toSorted((a, b) => a.start - b.start || a.end - b.end);
	const found: Gap[] = [];
	let next = 0;
	/** How far entries reach that begin before the gap. */
	let reach = 0;
	const passTo = (start: number) => {
		for (; next < places.length; next++) {
			const place = places[next];
			if (place === undefined || place.start >= start) return;
			reach = Math.max(reach, place.end);
		}
	};
	for (const gap of gaps) {
		passTo(gap.start);
		const reached = reach;
		const first = next;
		passTo(gap.end);
		found.push(...piecesOf(gap, places.slice(first, next), reached > gap.start));
	}
	return found;
}

/**
 * @param places that begin in the gap, in order
 * @param isEntered one that begins before the gap ends in it
 */
function piecesOf(gap: Stretch, places: readonly StatedPlace[], isEntered: boolean): Gap[] {
	const pieces: Gap[] = [];
	let isSure = !isEntered;
	let at = gap.start;
	for (const { start, end, rawBlob } of places) {
		const last = pieces.at(-1);
		// Older tables have the same entries.
		if (last?.start === start && last.end === end && last.rawBlob === rawBlob) continue;
		if (start !== at || end <= start || end > gap.end) {
			isSure = false;
			continue;
		}
		pieces.push({ start, end, isStated: true, rawBlob });
		at = end;
	}
	if (at < gap.end) return [{ ...gap, isStated: false, rawBlob: null }];
	return isSure ? pieces : pieces.map((piece) => ({ ...piece, rawBlob: null }));
}
