import { NumberSet } from '../../bytes/columns.ts';
import type { Source } from '../../storage/source.ts';
import type { Resource } from '../../wim/resource.ts';

/** Resources by where they begin: whoever asks a table twice gets two objects for the same place. */
export class ResourceSet {
	readonly #offsets = new Map<Source, NumberSet>();

	add({ part, offset }: Resource): void {
		let offsets = this.#offsets.get(part.source);
		if (offsets === undefined) {
			offsets = new NumberSet();
			this.#offsets.set(part.source, offsets);
		}
		offsets.add(offset);
	}

	has({ part, offset }: Resource): boolean {
		return this.#offsets.get(part.source)?.has(offset) ?? false;
	}
}
