/** Answers of the scripted engine for the views over an open file. */

import { EntryKind } from '../../source/tui/engine.ts';
import type { SizeListing } from '../../source/tui/engine-views.ts';
import type { Node } from './fake-engine.ts';

interface Total {
	readonly size: number;
	readonly packed: number;
	readonly files: number;
	readonly folders: number;
}

function total(nodes: readonly Node[], at: number): Total {
	const { entry, children } = nodes[at]!;
	if (!entry.children) {
		const size = entry.size ?? 0;
		return { size, packed: Math.floor(size * 0.45), files: 1, folders: 0 };
	}
	return children
		.map((child) => total(nodes, child))
		.reduce(
			(a, b) => ({
				size: a.size + b.size,
				packed: a.packed + b.packed,
				files: a.files + b.files,
				folders: a.folders + b.folders,
			}),
			{ size: 0, packed: 0, files: 0, folders: 1 },
		);
}

export function fakeSizes(
	nodes: readonly Node[],
	imageIndex: number,
	position: number,
): SizeListing {
	const node = nodes[position]!;
	const totals = node.children.map((child) => total(nodes, child));
	const entries = node.children.map((child) => nodes[child]!.entry);
	return {
		imageIndex,
		folder: position,
		parent: node.parent,
		path: node.path,
		positions: Int32Array.from(node.children),
		names: entries.map(({ name }) => name),
		kinds: Uint8Array.from(
			entries,
			({ kind, children }) => (kind ?? 0) | (children ? EntryKind.folder : 0),
		),
		sizes: Float64Array.from(totals, ({ size }) => size),
		packed: Float64Array.from(totals, ({ packed }) => packed),
		files: Float64Array.from(totals, ({ files }) => files),
		total: total(nodes, position),
	};
}
