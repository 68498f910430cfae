/** Golden screens of a scene at the sizes and symbol levels that people have. */

import { test } from 'node:test';
import type { DeckOnTerminal, DeckTestOptions } from './deck.ts';
import { assertGolden } from './golden.ts';

export interface Scene {
	readonly name: string;
	/** Opens a deck and brings it there. */
	readonly play: (options: DeckTestOptions) => Promise<DeckOnTerminal>;
}

const VARIANTS: readonly { readonly name: string; readonly options: DeckTestOptions }[] = [
	{ name: '80x24', options: { columns: 80, rows: 24 } },
	{ name: '120x40', options: { columns: 120, rows: 40 } },
	{ name: '40x10', options: { columns: 40, rows: 10 } },
	{
		name: '80x24-ascii',
		options: { columns: 80, rows: 24, profile: { symbols: 'ascii', color: 'never' } },
	},
	{
		name: '120x40-ascii',
		options: { columns: 120, rows: 40, profile: { symbols: 'ascii', color: 'never' } },
	},
];

/** One test a scene and size; each compares the screen with its file. */
export function testScreens(scenes: readonly Scene[]): void {
	for (const { name: variant, options } of VARIANTS)
		for (const scene of scenes)
			test(`screen ${scene.name} at ${variant}`, async () => {
				const deck = await scene.play(options);
				// A deck that stays open keeps its timers, and with them the test file, for ever.
				try {
					await deck.quiet();
					assertGolden(`${variant}/${scene.name}`, deck.screen());
				} finally {
					deck.close();
				}
			});
}
