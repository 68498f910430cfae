import type { Pool } from '../pool/pool.ts';
import { sizeOf } from '../storage/file-stamp.ts';

/** Lets the lanes start for a job that reads most of a file, while the file is opened and its trees are read. */
export async function expectWhole(pool: Pool, path: string): Promise<void> {
	pool.expect((await sizeOf(path)) ?? 0);
}
