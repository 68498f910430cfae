/** The configuration of the deck: what may stand in it, and what is wrong with what does. Pure. */

import type { Command } from '../keys/command.ts';
import { createKeymap, keyNamed } from '../keys/keymap.ts';
import { COLOR_MEANINGS, COLOR_NAMES, type ColorOverrides } from '../parts/theme.ts';
import type { ScrollMode } from '../state/list.ts';
import type { ColorLevel, SymbolLevel } from '../terminal/probe.ts';
import { JsonError, type JsonMember, type JsonNode, parseJson, placeOf } from './json-text.ts';

/** What is not given is null: the terminal or the command line decides. */
export interface DeckConfig {
	/** Command id to keys, by the names of the decoder. */
	readonly keys: Readonly<Record<string, readonly string[]>>;
	readonly colors: ColorOverrides;
	readonly color: ColorLevel | null;
	readonly symbols: SymbolLevel | null;
	readonly scroll: ScrollMode;
	/** Times in UTC instead of local time. */
	readonly utc: boolean;
	/** Keep recent files between runs. */
	readonly remember: boolean;
	readonly slow: boolean;
	readonly readonly: boolean;
}

export const DEFAULT_CONFIG: DeckConfig = {
	keys: {},
	colors: {},
	color: null,
	symbols: null,
	scroll: 'page',
	utc: false,
	remember: false,
	slow: false,
	readonly: false,
};

export interface ReadConfig {
	readonly config: DeckConfig;
	/** One sentence each, with line and column; what they are about is ignored. */
	readonly problems: readonly string[];
}

const CHOICES = {
	color: ['never', '16', '256'],
	symbols: ['ascii', 'console', 'unicode'],
	scroll: ['page', 'line'],
	dates: ['local', 'utc'],
} as const;

const SWITCHES = ['remember', 'slow', 'readonly'] as const;

const SETTINGS: readonly string[] = ['keys', 'colors', ...Object.keys(CHOICES), ...SWITCHES];

class ConfigReader {
	readonly problems: string[] = [];
	readonly #text: string;
	readonly #name: string;
	readonly #commands: readonly Command[];

	constructor(text: string, name: string, commands: readonly Command[]) {
		this.#text = text;
		this.#name = name;
		this.#commands = commands;
	}

	problem(at: number, what: string): void {
		const { line, column } = placeOf(this.#text, at);
		this.problems.push(`${this.#name}:${line}:${column}: ${what}`);
	}

	read(root: JsonNode): DeckConfig {
		if (root.kind !== 'object') {
			this.problem(root.at, 'the configuration is an object, as {"scroll": "line"}');
			return DEFAULT_CONFIG;
		}
		let config: DeckConfig = DEFAULT_CONFIG;
		for (const { at, key, node } of root.value as readonly JsonMember[]) {
			if (key === 'keys') config = { ...config, keys: this.#keys(node) };
			else if (key === 'colors') config = { ...config, colors: this.#colors(node) };
			else if (isChoice(key)) {
				const value = this.#choice(key, node);
				if (value === null) continue;
				if (key === 'dates') config = { ...config, utc: value === 'utc' };
				else config = { ...config, [key]: value };
			} else if ((SWITCHES as readonly string[]).includes(key)) {
				if (node.kind === 'boolean') config = { ...config, [key]: node.value };
				else this.problem(node.at, `"${key}" is true or false`);
			} else this.problem(at, `there is no setting "${key}"; there are ${SETTINGS.join(', ')}`);
		}
		return config;
	}

	#choice(key: keyof typeof CHOICES, node: JsonNode): string | null {
		const choices: readonly string[] = CHOICES[key];
		const value = typeof node.value === 'number' ? String(node.value) : node.value;
		if (typeof value === 'string' && choices.includes(value)) return value;
		this.problem(node.at, `"${key}" is one of ${choices.join(', ')}`);
		return null;
	}

	#members(node: JsonNode, what: string): readonly JsonMember[] {
		if (node.kind === 'object') return node.value as readonly JsonMember[];
		this.problem(node.at, what);
		return [];
	}

	#colors(node: JsonNode): ColorOverrides {
		const colors: Record<string, string> = {};
		for (const { at, key, node: color } of this.#members(node, '"colors" is an object')) {
			if (!(COLOR_MEANINGS as readonly string[]).includes(key))
				this.problem(at, `there is no "${key}" to colour; there are ${COLOR_MEANINGS.join(', ')}`);
			else if (typeof color.value !== 'string' || !Object.hasOwn(COLOR_NAMES, color.value))
				this.problem(color.at, `the colours are ${Object.keys(COLOR_NAMES).join(', ')}`);
			else colors[key] = color.value;
		}
		return colors as ColorOverrides;
	}

	#keys(node: JsonNode): DeckConfig['keys'] {
		const keys: Record<string, readonly string[]> = {};
		const places = new Map<string, number>();
		const ids = new Set(this.#commands.map(({ id }) => id));
		for (const { at, key: id, node: bound } of this.#members(node, '"keys" is an object')) {
			if (!ids.has(id)) {
				this.problem(at, `there is no command "${id}"; the README lists them`);
				continue;
			}
			const names = this.#keyNames(bound);
			if (names === null) continue;
			keys[id] = names;
			places.set(id, at);
		}
		return this.#withoutDoubles(keys, places);
	}

	/** A key or several, as people write them; null: something is wrong with them. */
	#keyNames(node: JsonNode): readonly string[] | null {
		const nodes = node.kind === 'array' ? (node.value as readonly JsonNode[]) : [node];
		const names: string[] = [];
		for (const { at, value } of nodes) {
			const name = typeof value === 'string' ? keyNamed(value) : null;
			if (name === null) {
				this.problem(at, `${JSON.stringify(value)} is no key, as "V", "^D", "F5", "Enter"`);
				return null;
			}
			names.push(name);
		}
		return names;
	}

	/** A binding that another command has in the same place is told and left out. */
	#withoutDoubles(
		keys: Record<string, readonly string[]>,
		places: ReadonlyMap<string, number>,
	): DeckConfig['keys'] {
		const { problems } = createKeymap(this.#commands, {
			keys,
			isReadonly: false,
			canSuspend: true,
		});
		const left = { ...keys };
		for (const problem of problems) {
			const id = [...places.keys()].reverse().find((one) => problem.includes(`"${one}"`));
			if (id === undefined) continue;
			this.problem(places.get(id) ?? 0, problem.replace(/^keys: /, ''));
			delete left[id];
		}
		return left;
	}
}

const isChoice = (key: string): key is keyof typeof CHOICES => Object.hasOwn(CHOICES, key);

/** @param name of the file, for the problems */
export function readConfig(text: string, name: string, commands: readonly Command[]): ReadConfig {
	const reader = new ConfigReader(text, name, commands);
	if (text.trim() === '') return { config: DEFAULT_CONFIG, problems: [] };
	try {
		const config = reader.read(parseJson(text));
		return { config, problems: reader.problems };
	} catch (error) {
		if (!(error instanceof JsonError)) throw error;
		reader.problem(error.at, `${error.message}; the file is ignored`);
		return { config: DEFAULT_CONFIG, problems: reader.problems };
	}
}
