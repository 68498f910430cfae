import { EventEmitter } from 'node:events';
import { render } from 'ink';
import { Component, type ReactNode } from 'react';
import type { Mount } from '../deck-app.ts';
import { DeckScreen } from './deck-screen.tsx';
import { paintFast } from './fast-output.ts';

/** A defect in a component ends the deck in order, instead of leaving a dead screen. */
class CrashGuard extends Component<
	{ readonly onCrash: (error: unknown) => void; readonly children: ReactNode },
	{ readonly hasCrashed: boolean }
> {
	override state = { hasCrashed: false };

	static getDerivedStateFromError(): { hasCrashed: boolean } {
		return { hasCrashed: true };
	}

	override componentDidCatch(error: unknown): void {
		this.props.onCrash(error);
	}

	override render(): ReactNode {
		return this.state.hasCrashed ? null : this.props.children;
	}
}

/** Ink gets no keyboard: keys reach the state through the decoder alone. */
function deadKeyboard(): NodeJS.ReadStream {
	const nothing = (): null => null;
	const stdin = Object.assign(new EventEmitter(), {
		isTTY: false,
		setEncoding: nothing,
		read: nothing,
		ref: nothing,
		unref: nothing,
	});
	return stdin as unknown as NodeJS.ReadStream;
}

/** Lets Ink draw the deck into the frame writer's stream. */
export const mountDeck: Mount = ({ store, theme, keymap, stream, onCrash }) => {
	paintFast();
	const instance = render(
		<CrashGuard onCrash={onCrash}>
			<DeckScreen store={store} theme={theme} keymap={keymap} />
		</CrashGuard>,
		{ stdout: stream, stdin: deadKeyboard(), debug: true, patchConsole: false, exitOnCtrlC: false },
	);
	return { unmount: () => instance.unmount() };
};
