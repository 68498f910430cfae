/**
 * Transaction logs of registry hives (regf.md §11): what Windows had written down, but not yet into the hive. They are
 * replayed in memory; nothing is ever written back.
 */
import { Span } from '../bytes/span.ts';
import { BASE_SIZE, BaseBlock, checksumOf, HIVE_SIZE_MAX, REGF } from './cells.ts';
import { marvin64 } from './marvin.ts';

/** A log beside a hive. */
export interface HiveLog {
	/** As `SOFTWARE.LOG1`. */
	readonly name: string;
	readonly bytes: Uint8Array;
}

export interface Replayed {
	/** The hive as Windows would find it. */
	readonly file: Span;
	/** Entries of new logs, or pages of an old one. */
	readonly appliedCount: number;
	/** Why logs that are there could not be used; null otherwise. */
	readonly reason: string | null;
}

/** "HvLE" */
const ENTRY_MAGIC = 0x454c_7648;
/** "DIRT" */
const DIRTY_MAGIC = 0x5452_4944;
const SECTOR_SIZE = 512;
const ENTRY_HEAD_SIZE = 40;
const NEW_LOG = 6;

/** One step of a new log. */
interface Entry {
	readonly sequence: number;
	/** Of the hive after it, in bytes. */
	readonly binsSize: number;
	readonly pages: readonly { readonly offset: number; readonly bytes: Uint8Array }[];
}

/** Whether a hive was left in the middle of a write; clean ones never need their logs. */
export function isDirty(file: Span): boolean {
	if (file.size < BASE_SIZE) return false;
	const base = BaseBlock.parse(file);
	return base.primarySequence !== base.secondarySequence || base.checksum !== checksumOf(file);
}

/** Whether the bytes begin like a hive. */
export function isHive(file: Span): boolean {
	return file.size >= BASE_SIZE && BaseBlock.parse(file).magic === REGF;
}

/** Applies what the logs of a dirty hive hold; without anything to apply the hive comes back as it is. */
export function replayLogs(file: Span, logs: readonly HiveLog[]): Replayed {
	const present = logs.filter(({ bytes }) => bytes.length > 0);
	const unchanged = (reason: string | null) => ({ file, appliedCount: 0, reason });
	if (present.length === 0) return unchanged(null);
	const opened = present.map(openLog).filter((log) => log !== null);
	if (opened.length === 0) return unchanged('their headers are damaged');
	const modern = opened.filter(({ base }) => base.type === NEW_LOG);
	if (modern.length > 0)
		return replayEntries(file, modern) ?? unchanged('no entry continues the hive');
	const old = opened.find((log) => isOldLogOf(log, file));
	return old === undefined
		? unchanged('they belong to another state of the hive')
		: (replayPages(file, old) ?? unchanged('they are cut short'));
}

interface OpenLog {
	readonly span: Span;
	readonly base: BaseBlock;
}

function openLog({ name, bytes }: HiveLog): OpenLog | null {
	if (bytes.length < SECTOR_SIZE) return null;
	const span = new Span(bytes, name);
	const base = BaseBlock.parse(span);
	const isLog = base.magic === REGF && [1, 2, NEW_LOG].includes(base.type);
	return isLog && base.checksum === checksumOf(span) ? { span, base } : null;
}

function replayEntries(file: Span, logs: readonly OpenLog[]): Replayed | null {
	const isSound = BaseBlock.parse(file).checksum === checksumOf(file);
	const withEntries = logs
		.map((log) => ({ ...log, entries: [...entriesOf(log.span)] }))
		.filter(({ entries }) => entries.length > 0)
		.sort((a, b) => (a.entries[0]?.sequence ?? 0) - (b.entries[0]?.sequence ?? 0));
	// Without a header of its own the hive is what the newest log says of it.
	const used = isSound ? withEntries : withEntries.slice(-1);
	const header = isSound ? null : (used[0]?.span.bytes.subarray(0, SECTOR_SIZE) ?? null);
	const start = isSound ? BaseBlock.parse(file).secondarySequence : 0;
	const applied: Entry[] = [];
	for (const entry of used.flatMap(({ entries }) => entries)) {
		const last = applied.at(-1);
		if (last === undefined ? entry.sequence < start : entry.sequence <= last.sequence) continue;
		if (last !== undefined && entry.sequence !== last.sequence + 1) break;
		applied.push(entry);
	}
	const last = applied.at(-1);
	if (last === undefined) return null;
	const size = Math.max(file.size, ...applied.map(({ binsSize }) => BASE_SIZE + binsSize));
	const bytes = new Uint8Array(size);
	bytes.set(file.bytes);
	if (header !== null) bytes.set(header);
	for (const { pages } of applied)
		for (const page of pages) bytes.set(page.bytes, BASE_SIZE + page.offset);
	return {
		file: closed(bytes, file.region, last),
		appliedCount: applied.length,
		reason: null,
	};
}

/** Makes the header that of a clean hive. */
function closed(
	bytes: Uint8Array,
	region: string,
	last: Pick<Entry, 'sequence' | 'binsSize'>,
): Span {
	const span = new Span(bytes, region);
	const { offsets } = BaseBlock;
	span.view.setUint32(offsets.primarySequence, last.sequence, true);
	span.view.setUint32(offsets.secondarySequence, last.sequence, true);
	span.view.setUint32(offsets.type, 0, true);
	span.view.setUint32(offsets.binsSize, last.binsSize, true);
	span.view.setUint32(offsets.checksum, checksumOf(span), true);
	return span;
}

/** The entries of a new log up to the first that is not whole. */
function* entriesOf({ bytes, view }: Span): Generator<Entry, void, undefined> {
	for (let at = SECTOR_SIZE; at + ENTRY_HEAD_SIZE <= bytes.length; ) {
		const size = view.getUint32(at + 4, true);
		const isWhole = view.getUint32(at, true) === ENTRY_MAGIC && at + size <= bytes.length;
		if (!isWhole || size < SECTOR_SIZE || size % SECTOR_SIZE !== 0) return;
		const isIntact =
			view.getBigUint64(at + 24, true) === marvin64(bytes.subarray(at + 40, at + size)) &&
			view.getBigUint64(at + 32, true) === marvin64(bytes.subarray(at, at + 32));
		const entry = isIntact ? entryAt(bytes.subarray(at, at + size)) : null;
		if (entry === null) return;
		yield entry;
		at += size;
	}
}

/** Null when its pages do not fit into it, or into the hive that it makes. */
function entryAt(bytes: Uint8Array): Entry | null {
	const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
	const sequence = view.getUint32(12, true);
	const binsSize = view.getUint32(16, true);
	const count = view.getUint32(20, true);
	if (binsSize === 0 || binsSize % BASE_SIZE !== 0 || BASE_SIZE + binsSize > HIVE_SIZE_MAX)
		return null;
	let at = ENTRY_HEAD_SIZE + 8 * count;
	const pages: Entry['pages'][number][] = [];
	if (at > bytes.length) return null;
	for (let k = 0; k < count; k++) {
		const offset = view.getUint32(ENTRY_HEAD_SIZE + 8 * k, true);
		const length = view.getUint32(ENTRY_HEAD_SIZE + 8 * k + 4, true);
		if (at + length > bytes.length || offset + length > binsSize) return null;
		pages.push({ offset, bytes: bytes.subarray(at, at + length) });
		at += length;
	}
	return { sequence, binsSize, pages };
}

/** Old logs have no sequence of their own: they count when they were begun for this very state of the hive. */
function isOldLogOf({ span, base }: OpenLog, file: Span): boolean {
	const hive = BaseBlock.parse(file);
	const isSound = hive.checksum === checksumOf(file);
	return (
		base.type !== NEW_LOG &&
		base.primarySequence === base.secondarySequence &&
		span.size > SECTOR_SIZE + 4 &&
		span.view.getUint32(SECTOR_SIZE, true) === DIRTY_MAGIC &&
		(!isSound || base.lastWritten === hive.lastWritten)
	);
}

function replayPages(file: Span, { span, base }: OpenLog): Replayed | null {
	const { binsSize, primarySequence: sequence } = base;
	const bitmapSize = binsSize / SECTOR_SIZE / 8;
	let from = SECTOR_SIZE + Math.ceil((4 + bitmapSize) / SECTOR_SIZE) * SECTOR_SIZE;
	if (binsSize % BASE_SIZE !== 0 || BASE_SIZE + binsSize > HIVE_SIZE_MAX) return null;
	if (from > span.size) return null;
	const bytes = new Uint8Array(Math.max(file.size, BASE_SIZE + binsSize));
	bytes.set(file.bytes);
	if (BaseBlock.parse(file).checksum !== checksumOf(file))
		bytes.set(span.bytes.subarray(0, SECTOR_SIZE));
	let appliedCount = 0;
	for (let page = 0; page < bitmapSize * 8; page++) {
		const bits = span.view.getUint8(SECTOR_SIZE + 4 + (page >> 3));
		if ((bits & (1 << (page & 7))) === 0) continue;
		if (from + SECTOR_SIZE > span.size) return null;
		bytes.set(span.bytes.subarray(from, from + SECTOR_SIZE), BASE_SIZE + page * SECTOR_SIZE);
		from += SECTOR_SIZE;
		appliedCount++;
	}
	return { file: closed(bytes, file.region, { sequence, binsSize }), appliedCount, reason: null };
}
