import { INLINE_WORK_MAX } from '../base/limits.ts';
import { LARGE_CHUNK_MIN } from '../pool/large-chunks.ts';
import type { Pool } from '../pool/pool.ts';
import { sizeOf } from '../storage/file-stamp.ts';
import type { Wim } from '../wim/wim.ts';

/** Lets the lanes start for a job that reads most of a file, while the file is opened and its trees are read. */
export async function expectWhole(pool: Pool, path: string): Promise<void> {
	pool.expect((await sizeOf(path)) ?? 0);
}

/** Lets a lane start when whatever is read of a file takes one: each of its files lies in a chunk of many MiB. */
export function expectChunk(pool: Pool, wim: Wim): void {
	const [blob] = wim.blobs.values();
	if ((blob?.resource.chunkSize ?? 0) > LARGE_CHUNK_MIN) pool.expect(INLINE_WORK_MAX);
}
