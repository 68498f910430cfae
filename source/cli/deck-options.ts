/**
 * The switches of the deck, parsed by meow: here its idioms fit (`--no-anim` negates `anim`, each switch once),
 * and its 50 ms pass beside the loading of Ink. It is imported only when a switch is given.
 */

import type { Options } from './parse.ts';

/** How the deck is to run. */
export interface DeckSwitches {
	/** Offer no command that writes. */
	readonly readonly: boolean;
	readonly ascii: boolean;
	readonly mono: boolean;
	readonly slow: boolean;
	/** Null: as the terminal seems to know. */
	readonly symbols: 'ascii' | 'console' | 'unicode' | null;
	readonly color: 'never' | '16' | '256' | null;
	/** Patterns of further parts. */
	readonly references: readonly string[];
	readonly animation: boolean;
	/** What to do with the jobs when the line drops. */
	readonly onHangup: 'finish' | 'cancel';
	/** A configuration file instead of the platform's. */
	readonly config: string | null;
}

const DEFAULTS: DeckSwitches = {
	readonly: false,
	ascii: false,
	mono: false,
	slow: false,
	symbols: null,
	color: null,
	references: [],
	animation: true,
	onHangup: 'finish',
	config: null,
};

/** @param options as `splitWords` checked them, for whether there are any at all */
export async function deckSwitches(
	options: Options,
	argv: readonly string[],
): Promise<DeckSwitches> {
	if (options.names().length === 0) return DEFAULTS;
	const { default: meow } = await import('meow');
	const { flags } = meow({
		importMeta: import.meta,
		argv,
		autoHelp: false,
		autoVersion: false,
		description: false,
		pkg: { name: 'wimdeck' },
		flags: {
			readonly: { type: 'boolean', default: false },
			ascii: { type: 'boolean', default: false },
			mono: { type: 'boolean', default: false },
			slow: { type: 'boolean', default: false },
			symbols: { type: 'string', choices: ['ascii', 'console', 'unicode'] },
			color: { type: 'string', choices: ['never', '16', '256'] },
			ref: { type: 'string', isMultiple: true },
			anim: { type: 'boolean', default: true },
			onHangup: { type: 'string', choices: ['finish', 'cancel'], default: 'finish' },
			config: { type: 'string' },
		},
	});
	return {
		readonly: flags.readonly,
		ascii: flags.ascii,
		mono: flags.mono,
		slow: flags.slow,
		symbols: (flags.symbols ?? (flags.ascii ? 'ascii' : null)) as DeckSwitches['symbols'],
		color: (flags.color ?? (flags.mono ? 'never' : null)) as DeckSwitches['color'],
		references: flags.ref ?? [],
		animation: flags.anim,
		onHangup: flags.onHangup === 'cancel' ? 'cancel' : 'finish',
		config: flags.config ?? null,
	};
}
