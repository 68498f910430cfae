import { closeSync, constants, futimesSync, openSync, writeSync } from 'node:fs';
import { DigestError, type WimError } from '../../source/base/errors.ts';
import { sha1 } from '../../source/bytes/sha1.ts';
import { forFs } from '../../source/host/host-path.ts';
import type { BlobWriter } from '../../source/operations/extract-data.ts';
import { readWholeResource } from '../../source/wim/read-resource.ts';
import type { Blob } from '../../source/wim/resource.ts';

async function read({ resource, offsetInResource, size, sha1: name }: Blob): Promise<Uint8Array> {
	const end = offsetInResource + size;
	const bytes = await readWholeResource(resource, 1 << 28, offsetInResource, end);
	if (sha1(bytes) !== name) throw new DigestError(`Cannot read blob ${name}: wrong SHA-1`);
	return bytes;
}

export const simpleWriter: BlobWriter = {
	async writeFiles(jobs, _options, onOutcome) {
		for (const { blob, files } of jobs) {
			try {
				const bytes = await read(blob);
				for (const { path, times } of files) {
					const { O_CREAT, O_EXCL, O_WRONLY } = constants;
					const fd = openSync(forFs(path), O_CREAT | O_EXCL | O_WRONLY, 0o644);
					writeSync(fd, bytes);
					if (times) futimesSync(fd, times[0], times[1]);
					closeSync(fd);
				}
				onOutcome({ blob, error: null, isKept: true });
			} catch (error) {
				onOutcome({ blob, error: error as WimError, isKept: false });
			}
		}
	},
	async readSmall(blobs, onOutcome) {
		for (const blob of blobs) {
			try {
				onOutcome({ blob, error: null, isKept: true }, await read(blob));
			} catch (error) {
				onOutcome({ blob, error: error as WimError, isKept: false }, null);
			}
		}
	},
};
