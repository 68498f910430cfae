/** Resources whose stored size cannot be quite right, though they decode: copied as they are, other readers refuse them. */
import type { Resource } from '../../wim/resource.ts';
import { PipableHeader } from '../../wim/write-resource.ts';

/** A hole of at most so many bytes is not what an edit leaves: no resource is that small. */
const GAP_MAX = 16;

/** Those that reach into the next one, or end just before it. */
export function looseEnds(resources: Iterable<Resource>): Set<Resource> {
	const bySource = new Map<unknown, Resource[]>();
	for (const resource of new Set(resources)) {
		const list = bySource.get(resource.part.source);
		if (list === undefined) bySource.set(resource.part.source, [resource]);
		else list.push(resource);
	}
	const loose = new Set<Resource>();
	for (const list of bySource.values()) {
		list.sort((a, b) => a.offset - b.offset);
		for (const [k, resource] of list.entries()) {
			const next = list[k + 1];
			if (next === undefined) break;
			const front = next.part.pipable ? PipableHeader.size : 0;
			const gap = next.offset - front - (resource.offset + resource.storedSize);
			if (gap < 0 || (gap > 0 && gap <= GAP_MAX)) loose.add(resource);
		}
	}
	return loose;
}
