/**
 * Compares the parts of a WIM with their integrity tables (wim.md §6). The table covers raw bytes, holes and all, so a
 * difference says where a file was changed, not that a file in it is lost.
 */
import { createHash } from 'node:crypto';
import { DigestError } from '../../base/errors.ts';
import { plural } from '../../base/print.ts';
import { type Run, throwIfCanceled } from '../../base/run.ts';
import { type IntegrityTable, integrityRange } from '../../wim/integrity-table.ts';
import type { OpenPart } from '../../wim/open-part.ts';
import type { Wim } from '../../wim/wim.ts';

/** Bytes read and hashed at a time: about a millisecond of work. */
const READ_SIZE = 1024 * 1024;

/** A stretch of a part whose SHA-1 is not the one in the table. */
export interface BadStretch {
	readonly part: OpenPart;
	/** In bytes from the start of the part. */
	readonly offset: number;
	readonly size: number;
}

/** What the comparison of one part showed. */
export interface PartIntegrity {
	readonly part: OpenPart;
	/** Null when the part has no table. */
	readonly table: IntegrityTable | null;
	readonly bad: readonly BadStretch[];
	/** Bytes that were compared. */
	readonly checkedBytes: number;
}

/** Bytes that comparing a part reads; 0 without a table. */
export function integrityBytes(table: IntegrityTable | null): number {
	return table === null
		? 0
		: table.digests.reduce((sum, _, k) => sum + integrityRange(table, k).size, 0);
}

/**
 * Compares one part with its table. Reports `advance` with raw bytes of the part.
 *
 * @throws {FormatError} when the part ends inside the covered range
 */
export async function compareWithTable(
	part: OpenPart,
	table: IntegrityTable,
	run: Run,
): Promise<PartIntegrity> {
	const bad: BadStretch[] = [];
	let checkedBytes = 0;
	// Two buffers: one is read into while the other is hashed.
	const buffers = [new Uint8Array(READ_SIZE), new Uint8Array(READ_SIZE)] as const;
	for (const [k, expected] of table.digests.entries()) {
		const { offset, size } = integrityRange(table, k);
		const hash = createHash('sha1');
		let turn = 0;
		let reading = part.source.read(offset, buffers[0].subarray(0, Math.min(READ_SIZE, size)));
		let whole = true;
		for (let at = 0; at < size; ) {
			throwIfCanceled(run);
			const pause = run.paused?.();
			if (pause) await pause;
			const want = Math.min(READ_SIZE, size - at);
			const got = await reading;
			const piece = (buffers[turn] ?? buffers[0]).subarray(0, got);
			at += want;
			turn = 1 - turn;
			if (at < size) {
				const next = Math.min(READ_SIZE, size - at);
				reading = part.source.read(offset + at, (buffers[turn] ?? buffers[0]).subarray(0, next));
			}
			hash.update(piece);
			if (got < want) whole = false;
			checkedBytes += got;
			run.report({ type: 'advance', bytes: got });
		}
		if (!whole || hash.digest('hex') !== expected) bad.push({ part, offset, size });
	}
	return { part, table, bad, checkedBytes };
}

/**
 * Compares all parts with their tables before something else is done with the WIM.
 *
 * @returns the parts that have no table
 * @throws {DigestError} when a part differs from its table
 * @throws {FormatError} when a table is broken
 */
export async function requireIntegrity(wim: Wim, run: Run): Promise<readonly OpenPart[]> {
	const without: OpenPart[] = [];
	const tables: { readonly part: OpenPart; readonly table: IntegrityTable }[] = [];
	for (const part of wim.parts) {
		const table = await wim.integrityTable(part);
		if (table === null) without.push(part);
		else tables.push({ part, table });
	}
	const totalBytes = tables.reduce((sum, { table }) => sum + integrityBytes(table), 0);
	run.report({ type: 'phase', phase: 'integrity', totalBytes });
	for (const { part, table } of tables) {
		const { bad } = await compareWithTable(part, table, run);
		const [first] = bad;
		if (first !== undefined)
			throw new DigestError(
				`Cannot trust "${part.source.name}": ${plural(bad.length, 'stretch', 'stretches')} of ${table.digests.length} differ from its integrity table`,
				{
					path: part.source.name,
					region: part.source.name,
					offset: first.offset,
					hint: 'Run wimdeck verify to see which files are damaged, if any; leave --check out to go on all the same.',
				},
			);
	}
	return without;
}
