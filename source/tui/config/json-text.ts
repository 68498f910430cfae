/** JSON with the place of every value, so that what is wrong with a configuration can be pointed at. */

export interface JsonNode {
	/** Offset of the first character. */
	readonly at: number;
	readonly value: string | number | boolean | null | readonly JsonNode[] | readonly JsonMember[];
	readonly kind: 'string' | 'number' | 'boolean' | 'null' | 'array' | 'object';
}

export interface JsonMember {
	/** Offset of the key. */
	readonly at: number;
	readonly key: string;
	readonly node: JsonNode;
}

/** What is wrong, and where. */
export class JsonError extends Error {
	readonly at: number;

	constructor(at: number, message: string) {
		super(message);
		this.at = at;
	}
}

/** Line and column from 1; columns count characters. */
export function placeOf(
	text: string,
	at: number,
): { readonly line: number; readonly column: number } {
	const before = text.slice(0, at).split(/\r\n|\n|\r/);
	return { line: before.length, column: [...(before.at(-1) ?? '')].length + 1 };
}

/** Values inside each other; a configuration has three levels. */
const DEPTH_MAX = 50;

class Reader {
	readonly #text: string;
	#at = 0;

	constructor(text: string) {
		this.#text = text;
	}

	whole(): JsonNode {
		if (this.#text.startsWith('\ufeff')) this.#at = 1;
		const node = this.#node(0);
		this.#blanks();
		if (this.#at < this.#text.length) throw this.#error('nothing more may follow');
		return node;
	}

	#error(message: string, at = this.#at): JsonError {
		return new JsonError(at, message);
	}

	#blanks(): void {
		while (/[ \t\r\n]/.test(this.#text[this.#at] ?? '')) this.#at++;
	}

	#node(depth: number): JsonNode {
		if (depth > DEPTH_MAX) throw this.#error('this is nested too deeply');
		this.#blanks();
		const at = this.#at;
		const first = this.#text[at];
		if (first === undefined) throw this.#error('a value is missing: the text ends here');
		if (first === '{') return { at, kind: 'object', value: this.#members(depth) };
		if (first === '[') return { at, kind: 'array', value: this.#items(depth) };
		if (first === '"') return { at, kind: 'string', value: this.#string() };
		const word = /[-+.\w]*/y;
		word.lastIndex = at;
		const text = word.exec(this.#text)?.[0] ?? '';
		this.#at += text.length;
		if (text === 'true' || text === 'false') return { at, kind: 'boolean', value: text === 'true' };
		if (text === 'null') return { at, kind: 'null', value: null };
		if (/^-?(0|[1-9]\d*)(\.\d+)?([eE][-+]?\d+)?$/.test(text))
			return { at, kind: 'number', value: Number(text) };
		const what = text === '' ? first : text;
		throw this.#error(`"${what}" is no value; texts need double quotes`, at);
	}

	#string(): string {
		const from = this.#at;
		for (let at = from + 1; at < this.#text.length; at++) {
			const char = this.#text[at]!;
			if (char === '\\') at++;
			else if (char === '"') {
				this.#at = at + 1;
				try {
					return JSON.parse(this.#text.slice(from, at + 1)) as string;
				} catch {
					throw this.#error('this text holds a wrong escape', from);
				}
			} else if (char < ' ') throw this.#error('this text does not end on its line', from);
		}
		throw this.#error('this text has no closing quote', from);
	}

	#members(depth: number): JsonMember[] {
		const members: JsonMember[] = [];
		for (const at of this.#list('}')) {
			if (this.#text[at] !== '"') throw this.#error('a name in double quotes is missing', at);
			const key = this.#string();
			if (members.some((member) => member.key === key))
				throw this.#error(`"${key}" stands here twice`, at);
			this.#blanks();
			if (this.#text[this.#at] !== ':') throw this.#error(`a colon is missing after "${key}"`);
			this.#at++;
			members.push({ at, key, node: this.#node(depth + 1) });
		}
		return members;
	}

	#items(depth: number): JsonNode[] {
		const items: JsonNode[] = [];
		for (const _ of this.#list(']')) items.push(this.#node(depth + 1));
		return items;
	}

	/** Where each element begins; the caller reads it. */
	*#list(end: string): Generator<number, void, undefined> {
		this.#at++;
		this.#blanks();
		if (this.#text[this.#at] === end) {
			this.#at++;
			return;
		}
		for (;;) {
			this.#blanks();
			if (this.#text[this.#at] === end) throw this.#error('no comma may stand before the end');
			yield this.#at;
			this.#blanks();
			const next = this.#text[this.#at];
			if (next === end) {
				this.#at++;
				return;
			}
			if (next === undefined) throw this.#error(`"${end}" is missing: the text ends here`);
			if (next !== ',') throw this.#error(`a comma or "${end}" is missing`);
			this.#at++;
		}
	}
}

/** @throws {JsonError} with the offset */
export function parseJson(text: string): JsonNode {
	return new Reader(text).whole();
}
