import type { MapPlace, PartMap, PlaceFacts } from '../../source/tui/engine-views.ts';

const MIB = 2 ** 20;

/** A part of 64 MB as its tables tell it: header, contents, a hole that nothing refers to, tables. */
export function fakeMaps(path: string, checked = false): readonly PartMap[] {
	const state = checked ? 'good' : 'unchecked';
	const size = 64 * MIB;
	return [
		{
			path,
			size,
			stretches: [
				{ offset: 0, size: 208, state: 'structure' },
				{ offset: 208, size: 40 * MIB - 208, state },
				{ offset: 40 * MIB, size: 10 * MIB, state: 'unreferenced' },
				{ offset: 50 * MIB, size: 12 * MIB, state },
				{ offset: 62 * MIB, size: 2 * MIB, state: 'structure' },
			],
		},
	];
}

/** What the fake file says of any place. */
export const fakePlace = ({ offset }: MapPlace): PlaceFacts => ({
	resources: [{ offset, storedSize: 301_114, originalSize: 656_952, kind: 'content' }],
	resourceCount: 7,
	files: [{ imageIndex: 3, path: '\\Windows\\hvax64.exe' }],
	fileCount: 1,
	searched: [1, 2, 3],
});
