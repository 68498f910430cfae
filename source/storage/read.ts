import fs from 'node:fs';
import { FormatError, hostError } from '../base/errors.ts';
import { Span } from '../bytes/span.ts';
import { readsOf } from './displaced-source.ts';
import type { SharedSource, Source } from './source.ts';
import { restoreText } from './text-mode-source.ts';

/**
 * Reads exactly `size` bytes as a `Span` that knows the source and the offset.
 *
 * @throws {FormatError} when the source ends before
 */
export async function readExactly(
	source: Source,
	offset: number,
	size: number,
	what: string,
): Promise<Span> {
	if (offset + size > source.size)
		throw new FormatError(
			`Cannot read ${what}: ${size} bytes needed, ${Math.max(0, source.size - offset)} left in the file`,
			{
				region: source.name,
				offset,
				hint: 'The file may be cut short: get it again, or try "wimdeck salvage" on it.',
			},
		);
	const bytes = new Uint8Array(size);
	const got = await source.read(offset, bytes);
	if (got !== size)
		throw new FormatError(`Cannot read ${what}: ${size} bytes needed, ${got} read`, {
			region: source.name,
			offset,
		});
	return new Span(bytes, source.name, offset);
}

/**
 * Reads up to `into.length` bytes at `offset` on any thread, blocking it; for lanes.
 *
 * @returns how many bytes there were; fewer only at the end
 * @throws {HostError} when the machine refuses
 */
export function readShared(source: SharedSource, offset: number, into: Uint8Array): number {
	if (source.kind === 'memory') {
		const part = source.bytes.subarray(offset, offset + into.length);
		into.set(part);
		return part.length;
	}
	if (source.kind === 'displaced') return readDisplaced(source, offset, into);
	if (source.kind === 'text-mode') return readTextMode(source, offset, into);
	let done = 0;
	while (done < into.length) {
		let count: number;
		try {
			count = fs.readSync(source.fd, into, done, into.length - done, offset + done);
		} catch (error) {
			throw hostError(`Cannot read "${source.name}"`, error, {
				offset: offset + done,
			});
		}
		if (count === 0) break;
		done += count;
	}
	return done;
}

function readDisplaced(
	{ base, pieces }: SharedSource & { kind: 'displaced' },
	offset: number,
	into: Uint8Array,
): number {
	let done = 0;
	for (const { from, size } of readsOf(pieces, offset, into.length)) {
		const part = into.subarray(done, done + size);
		done += from === null ? part.fill(0).length : readShared(base, from, part);
	}
	return done;
}

function readTextMode(
	{ base, index }: SharedSource & { kind: 'text-mode' },
	offset: number,
	into: Uint8Array,
): number {
	const steps = restoreText(index, offset, into);
	let step = steps.next();
	while (step.done !== true) {
		const bytes = new Uint8Array(step.value.size);
		const count = readShared(base, step.value.offset, bytes);
		step = steps.next(bytes.subarray(0, count));
	}
	return step.value;
}
