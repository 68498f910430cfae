import { Box, Text } from 'ink';
import Spinner from 'ink-spinner';
import { memo, useSyncExternalStore } from 'react';
import type { Keymap } from '../keys/keymap.ts';
import type { Theme } from '../parts/theme.ts';
import type { State } from '../state/state.ts';
import type { Store } from '../state/store.ts';
import type { FactTable } from '../view/box.ts';
import { type Block, deckBlocks } from '../view/deck.ts';
import { FactTableView } from './fact-table.tsx';

/** One block: one text, whatever it holds, because every node costs more than its characters. */
const TextBlock = memo(function TextBlock({
	x,
	y,
	width,
	height,
	text,
}: Pick<Block, 'x' | 'y' | 'width' | 'height' | 'text'>) {
	return (
		<Box position="absolute" marginLeft={x} marginTop={y} width={width} height={height}>
			<Text wrap="truncate">{text}</Text>
		</Box>
	);
});

/** A table below the upper edge of its dialog. */
function TableBlock({
	x,
	y,
	table,
	theme,
}: {
	x: number;
	y: number;
	table: FactTable;
	theme: Theme;
}) {
	return (
		<Box position="absolute" marginLeft={x} marginTop={y + 1}>
			<FactTableView table={table} theme={theme} />
		</Box>
	);
}

/** The one thing that moves by its own timer: the deck is over, and only waits for its jobs. */
const WaitingSign = () => (
	<Box position="absolute" marginLeft={1} marginTop={0}>
		<Spinner type="line" />
	</Box>
);

export interface DeckScreenProps {
	readonly store: Store<State>;
	readonly theme: Theme;
	readonly keymap: Keymap;
}

/** The whole screen: a pure view of the state. */
export function DeckScreen({ store, theme, keymap }: DeckScreenProps) {
	const state = useSyncExternalStore(store.subscribe, store.get);
	const blocks = deckBlocks(state, theme, keymap);
	return (
		<Box width={state.columns} height={state.rows}>
			{blocks.map(({ key, x, y, width, height, text }) => (
				<TextBlock key={key} x={x} y={y} width={width} height={height} text={text} />
			))}
			{blocks.map(({ key, x, y, table }) =>
				table ? <TableBlock key={`table:${key}`} x={x} y={y} table={table} theme={theme} /> : null,
			)}
			{blocks.some(({ isWaiting }) => isWaiting) ? <WaitingSign /> : null}
		</Box>
	);
}
