import { Box, Text } from 'ink';
import { memo, useSyncExternalStore } from 'react';
import type { Keymap } from '../keys/keymap.ts';
import type { Theme } from '../parts/theme.ts';
import type { State } from '../state/state.ts';
import type { Store } from '../state/store.ts';
import { type Block, deckBlocks } from '../view/deck.ts';

/** One block: one text, whatever it holds, because every node costs more than its characters. */
const TextBlock = memo(function TextBlock({ x, y, width, height, text }: Omit<Block, 'key'>) {
	return (
		<Box position="absolute" marginLeft={x} marginTop={y} width={width} height={height}>
			<Text wrap="truncate">{text}</Text>
		</Box>
	);
});

export interface DeckScreenProps {
	readonly store: Store<State>;
	readonly theme: Theme;
	readonly keymap: Keymap;
}

/** The whole screen: a pure view of the state. */
export function DeckScreen({ store, theme, keymap }: DeckScreenProps) {
	const state = useSyncExternalStore(store.subscribe, store.get);
	return (
		<Box width={state.columns} height={state.rows}>
			{deckBlocks(state, theme, keymap).map(({ key, ...rest }) => (
				<TextBlock key={key} {...rest} />
			))}
		</Box>
	);
}
