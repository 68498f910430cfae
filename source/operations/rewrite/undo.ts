/** Takes back the last edit in place: the old header, which the edit kept a copy of, counts again. */
import { InputError } from '../../base/errors.ts';
import type { Run } from '../../base/run.ts';
import { openImage } from '../../image/open.ts';
import type { SharedSource, Source } from '../../storage/source.ts';
import { PartHeader } from '../../wim/part-header.ts';
import { readUndoRecord, type UndoState } from '../../wim/undo-record.ts';
import { openWim } from '../../wim/wim.ts';
import { EditableWim, restoreHeader } from '../../wim/write-session.ts';

export interface UndoOptions {
	readonly dryRun: boolean;
}

export interface UndoSummary {
	/** In bytes. */
	readonly sizeBefore: number;
	readonly sizeAfter: number;
	readonly imageCountBefore: number;
	readonly imageCountAfter: number;
}

/** A file as it was before its last edit: the old header in front, and nothing behind the old end. */
class FormerSource implements Source {
	readonly name: string;
	readonly size: number;
	readonly #source: Source;
	readonly #header: Uint8Array;

	constructor(source: Source, state: UndoState) {
		this.name = source.name;
		this.size = state.size;
		this.#source = source;
		this.#header = PartHeader.encode(state.header);
	}

	async read(offset: number, into: Uint8Array): Promise<number> {
		const view = into.subarray(0, Math.max(0, this.size - offset));
		const got = await this.#source.read(offset, view);
		if (offset < this.#header.length) view.set(this.#header.subarray(offset, offset + got));
		return got;
	}

	share(): SharedSource | null {
		return null;
	}

	async [Symbol.asyncDispose](): Promise<void> {}
}

/** @throws {InputError} when the last change was no edit in place */
export async function undo(target: string, options: UndoOptions, run: Run): Promise<UndoSummary> {
	await using edited = await EditableWim.open(target, run, options.dryRun);
	const { wim, file } = edited;
	const state = wim.isPipable ? null : await readUndoRecord(wim.first.source, wim.header);
	if (state === null)
		throw new InputError(`Cannot undo the last change of "${target}": there is no edit in place`, {
			path: target,
			hint: 'A file that was written anew has no earlier state; restore it from a copy.',
		});
	// What would come back must be whole.
	await using former = await openWim(new FormerSource(wim.first.source, state));
	for (const image of former.images) await openImage(former, image);
	const summary = {
		sizeBefore: wim.size,
		sizeAfter: state.size,
		imageCountBefore: wim.images.length,
		imageCountAfter: former.images.length,
	};
	if (!options.dryRun) await restoreHeader(file, state);
	return summary;
}
