/**
 * Lets Ink paint its frames with `composeFrame`, which takes a fifth of the time: Ink splits every line of every
 * frame into cells, also those that were on the screen before. A test compares the frames of both.
 */

import { composeFrame, type PlacedText } from '../terminal/compose.ts';
import { InkOutput } from './ink-output.ts';

type Transformer = (line: string, index: number) => string;

type Operation =
	| (PlacedText & { readonly type: 'write'; readonly transformers: readonly Transformer[] })
	| { readonly type: 'clip' | 'unclip' };

interface Painter {
	readonly width: number;
	readonly height: number;
	readonly operations: readonly Operation[];
	get(): { output: string; height: number };
}

function* placed(operations: readonly Operation[]): Generator<PlacedText> {
	for (const operation of operations) {
		if (operation.type !== 'write') continue;
		const { x, y, text, transformers } = operation;
		if (transformers.length === 0) yield operation;
		else {
			const lines = text.split('\n').map((line, index) => {
				let changed = line;
				for (const transform of transformers) changed = transform(changed, index);
				return changed;
			});
			yield { x, y, text: lines.join('\n') };
		}
	}
}

/** Whether the class is the one that this file knows. */
function isPainter(value: unknown): value is { readonly prototype: Painter } {
	if (typeof value !== 'function') return false;
	const { prototype } = value as { prototype?: Partial<Painter> };
	return typeof prototype?.get === 'function';
}

let undo: (() => void) | null = null;

/** Replaces Ink's painting; nothing happens where Ink is not as expected. */
export function paintFast(): void {
	if (undo !== null || !isPainter(InkOutput)) return;
	const { prototype } = InkOutput;
	const original = prototype.get;
	prototype.get = function get(this: Painter) {
		const { operations, width, height } = this;
		// Clipping is not used by the deck; Ink may do it itself.
		if (!Array.isArray(operations) || operations.some(({ type }) => type !== 'write'))
			return original.call(this);
		return { output: composeFrame(placed(operations), width, height).join('\n'), height };
	};
	undo = () => {
		prototype.get = original;
	};
}

/** Gives Ink its own painting back, to compare. */
export function paintAsInk(): void {
	undo?.();
	undo = null;
}
