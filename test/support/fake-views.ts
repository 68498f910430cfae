/** Answers of the scripted engine for the views over an open file. */

import { EntryKind } from '../../source/tui/engine.ts';
import type {
	DifferenceFact,
	DifferenceKind,
	ImageDifference,
	SizeListing,
} from '../../source/tui/engine-views.ts';
import type { Node } from './fake-engine.ts';

interface Total {
	readonly size: number;
	readonly packed: number;
	readonly files: number;
	readonly folders: number;
}

export function fakeTotal(nodes: readonly Node[], at: number): Total {
	const { entry, children } = nodes[at]!;
	if (!entry.children) {
		const size = entry.size ?? 0;
		return { size, packed: Math.floor(size * 0.45), files: 1, folders: 0 };
	}
	return children
		.map((child) => fakeTotal(nodes, child))
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
	const totals = node.children.map((child) => fakeTotal(nodes, child));
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
		total: fakeTotal(nodes, position),
	};
}

export const difference = (
	kind: DifferenceKind,
	path: string,
	more: Partial<ImageDifference> = {},
): ImageDifference => ({
	kind,
	path,
	from: null,
	isFolder: false,
	aspects: [],
	sizeBefore: kind === 'added' ? 0 : 1000,
	sizeAfter: kind === 'removed' ? 0 : 1000,
	...more,
});

export const DIFFERENCES: readonly ImageDifference[] = [
	difference('added', '\\Windows\\System32\\wimdeck.dll', { sizeAfter: 1_400_000 }),
	difference('added', '\\Windows\\Panther', { isFolder: true, sizeAfter: 0 }),
	difference('added', '\\Windows\\Panther\\setupact.log', { sizeAfter: 200_000 }),
	difference('removed', '\\Windows\\write.exe', { sizeBefore: 11_264 }),
	difference('changed', '\\Windows', {
		isFolder: true,
		aspects: ['written'],
		sizeBefore: 0,
		sizeAfter: 0,
	}),
	difference('changed', '\\Windows\\explorer.exe', {
		aspects: ['content', 'written', 'security'],
		sizeBefore: 5_350_000,
		sizeAfter: 5_420_000,
	}),
	difference('changed', '\\Windows\\win.ini', {
		aspects: ['attributes'],
		sizeBefore: 92,
		sizeAfter: 92,
	}),
	difference('moved', '\\Windows\\System32\\hvax64.exe', {
		from: '\\Windows\\hvax64.exe',
		sizeBefore: 1_990_000,
		sizeAfter: 1_990_000,
	}),
	difference('added', '\\Users\\Public\\evil\u001b]0;x\u0007.txt', { sizeAfter: 12 }),
];

export function fakeFacts({ kind, sizeBefore, sizeAfter }: ImageDifference): DifferenceFact[] {
	const side = (on: boolean, value: string): string | null => (on ? value : null);
	const was = kind !== 'added';
	const is = kind !== 'removed';
	return [
		{ label: 'size', before: side(was, String(sizeBefore)), after: side(is, String(sizeAfter)) },
		{
			label: 'written',
			before: side(was, '2024-05-07 04:12:31 UTC'),
			after: side(is, kind === 'changed' ? '2024-06-11 10:00:00 UTC' : '2024-05-07 04:12:31 UTC'),
		},
		{ label: 'attrs', before: side(was, 'archive'), after: side(is, 'archive') },
		{ label: 'links', before: side(was, '2'), after: side(is, '2') },
	];
}
