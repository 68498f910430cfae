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
	async write({ files: jobs, small }, sink) {
		for (const { blob, files } of jobs) {
			try {
				const bytes = await read(blob as Blob);
				for (const { path, times } of files) {
					const { O_CREAT, O_EXCL, O_WRONLY } = constants;
					const fd = openSync(forFs(path), O_CREAT | O_EXCL | O_WRONLY, 0o644);
					writeSync(fd, bytes);
					if (times) futimesSync(fd, times[0], times[1]);
					closeSync(fd);
				}
				sink.fileWritten({ blob, error: null, isKept: true });
			} catch (error) {
				sink.fileWritten({ blob, error: error as WimError, isKept: false });
			}
		}
		for (const blob of small) {
			try {
				sink.smallRead({ blob, error: null }, await read(blob as Blob));
			} catch (error) {
				sink.smallRead({ blob, error: error as WimError }, null);
			}
		}
	},
};
