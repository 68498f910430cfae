/** Computes and encodes the integrity table of a file that is being written (wim.md §6). */
import { INTEGRITY_CHUNK_SIZE_MAX, INTEGRITY_CHUNK_SIZE_MIN } from '../base/limits.ts';
import { breathe, type Run } from '../base/run.ts';
import { decodeHex } from '../bytes/hex.ts';
import { type Sha1, sha1Hasher } from '../bytes/sha1.ts';
import type { Output } from '../storage/output.ts';
import {
	INTEGRITY_CHUNK_SIZE,
	IntegrityHeader,
	type IntegrityTable,
	integrityEntryCount,
} from './integrity-table.ts';
import { HEADER_SIZE } from './part-header.ts';

const PIECE_SIZE = 1 << 20;

/**
 * Reads back what was written and hashes it.
 *
 * @param coveredEnd where the blob table ends, in bytes from the start
 * @param old the table so far, when bytes up to its `coveredEnd` are unchanged: its whole chunks are not read again
 */
export async function makeIntegrityTable(
	output: Output,
	coveredEnd: number,
	old: IntegrityTable | null,
	run: Run,
): Promise<Uint8Array> {
	const isReusable =
		old !== null &&
		old.coveredEnd <= coveredEnd &&
		old.chunkSize >= INTEGRITY_CHUNK_SIZE_MIN &&
		old.chunkSize <= INTEGRITY_CHUNK_SIZE_MAX;
	const chunkSize = isReusable ? old.chunkSize : INTEGRITY_CHUNK_SIZE;
	const whole = isReusable ? Math.floor((old.coveredEnd - HEADER_SIZE) / chunkSize) : 0;
	const digests: Sha1[] = isReusable ? old.digests.slice(0, whole) : [];
	const count = integrityEntryCount(coveredEnd, chunkSize);
	const start = HEADER_SIZE + digests.length * chunkSize;
	run.report({ type: 'phase', phase: 'integrity', totalBytes: coveredEnd - start });
	const piece = new Uint8Array(PIECE_SIZE);
	while (digests.length < count) {
		const from = HEADER_SIZE + digests.length * chunkSize;
		const end = Math.min(coveredEnd, from + chunkSize);
		const hash = sha1Hasher();
		for (let at = from; at < end; at += PIECE_SIZE) {
			const view = piece.subarray(0, Math.min(PIECE_SIZE, end - at));
			await output.readAt(at, view);
			hash.update(view);
			run.report({ type: 'advance', bytes: view.length });
		}
		digests.push(hash.digest('hex'));
		await breathe(run);
	}
	return encodeIntegrityTable(chunkSize, digests);
}

/** The stored form of a table. */
export function encodeIntegrityTable(chunkSize: number, digests: readonly Sha1[]): Uint8Array {
	const size = IntegrityHeader.size + 20 * digests.length;
	const bytes = new Uint8Array(size);
	bytes.set(IntegrityHeader.encode({ size, entryCount: digests.length, chunkSize }));
	for (const [k, digest] of digests.entries())
		bytes.set(decodeHex(digest), IntegrityHeader.size + 20 * k);
	return bytes;
}
