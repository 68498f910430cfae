import { closeSync, openSync, rmSync, writeSync } from 'node:fs';
import { DigestError, FormatError, MissingError, WimError } from '../../source/base/errors.ts';
import { type Sha1, sha1 } from '../../source/bytes/sha1.ts';
import { forFs } from '../../source/host/host-path.ts';
import type { BlobWriter, ExtractBlob } from '../../source/operations/extract/extract-data.ts';
import { readWholeResource } from '../../source/wim/read-resource.ts';
import type { Blob } from '../../source/wim/resource.ts';

/** The plainest writer: one blob at a time on this thread. For tests of what stands above it. */
export function inlineWriter(blobs: ReadonlyMap<Sha1, Blob>): BlobWriter {
	const read = async ({ sha1: name }: ExtractBlob): Promise<Uint8Array> => {
		const blob = blobs.get(name);
		if (blob === undefined) throw new MissingError(`Cannot read blob ${name}: it is nowhere`);
		if (blob.defect !== null) throw new FormatError(blob.defect);
		const end = blob.offsetInResource + blob.size;
		const bytes = await readWholeResource(blob.resource, 1 << 30, blob.offsetInResource, end);
		if (sha1(bytes) !== blob.sha1) throw new DigestError(`Cannot read blob ${name}: wrong SHA-1`);
		return bytes;
	};
	const attempt = async <T>(
		action: () => Promise<T>,
	): Promise<{ value: T | null; error: WimError | null }> => {
		try {
			return { value: await action(), error: null };
		} catch (error) {
			if (!(error instanceof WimError)) throw error;
			return { value: null, error };
		}
	};
	return {
		async write({ files, small }, sink) {
			for (const job of files) {
				const { value, error } = await attempt(() => read(job.blob));
				for (const { path } of value === null ? [] : job.files) {
					rmSync(forFs(path), { force: true });
					const fd = openSync(forFs(path), 'wx');
					writeSync(fd, value as Uint8Array);
					closeSync(fd);
				}
				sink.fileWritten({ blob: job.blob, error, isKept: false, refused: new Map() });
			}
			for (const blob of small) {
				const { value, error } = await attempt(() => read(blob));
				sink.smallRead({ blob, error }, value);
			}
		},
	};
}
