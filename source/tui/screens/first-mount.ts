/**
 * The first frames of the deck, drawn without Ink: the same view, put together by the same painter, before Ink is
 * loaded. Loading it takes longer than everything else together, so it waits until there is something to look at.
 */

import type { Mount } from '../deck-app.ts';
import { composeFrame } from '../terminal/compose.ts';
import { deckBlocks } from '../view/deck.ts';

/** Ink is loaded after this long although the file is not open yet. */
const PATIENCE_MS = 1000;

/** Draws the view as it is, frame by frame. */
export const mountPlain: Mount = ({ store, theme, keymap, stream, onCrash }) => {
	const draw = (): void => {
		try {
			const state = store.get();
			const blocks = deckBlocks(state, theme, keymap);
			stream.write(composeFrame(blocks, state.columns, state.rows).join('\n'));
		} catch (error) {
			onCrash(error);
		}
	};
	draw();
	// As Ink does: all keys of a packet first, then one frame.
	let isDue = false;
	let isOver = false;
	const forget = store.subscribe(() => {
		if (isDue) return;
		isDue = true;
		queueMicrotask(() => {
			isDue = false;
			if (!isOver) draw();
		});
	});
	return {
		unmount: () => {
			isOver = true;
			forget();
		},
	};
};

/** Draws at once, and leaves the screen to Ink when the file is open. */
export function mountThen(load: () => Promise<Mount>): Mount {
	return (parts) => {
		let current = mountPlain(parts);
		let isOver = false;
		const handOver = async (): Promise<void> => {
			const mount = await load();
			if (isOver) return;
			const next = mount(parts);
			current.unmount();
			current = next;
		};
		let isLoading = false;
		const begin = (): void => {
			if (isLoading || isOver) return;
			isLoading = true;
			clearTimeout(timer);
			forget();
			// After the frame that showed the file has left.
			setImmediate(() => handOver().catch(parts.onCrash));
		};
		const timer = setTimeout(begin, PATIENCE_MS);
		const look = (): void => {
			if (parts.store.get().wim.load.status !== 'loading') begin();
		};
		const forget = parts.store.subscribe(look);
		look();
		return {
			unmount: () => {
				isOver = true;
				clearTimeout(timer);
				forget();
				current.unmount();
			},
		};
	};
}
