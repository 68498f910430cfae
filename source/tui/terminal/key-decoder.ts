/**
 * Bytes of a terminal to keys: exactly one event a key, however the bytes were split or joined on the way.
 * Names: a printable character is its own name (`j`, `G`, `/`), `space`, `enter`, `esc`, `up`, `f5`, `C-d`, `S-tab`.
 */

export interface KeyPress {
	readonly name: string;
	/** The character, when the key is one that can be typed into a text field. */
	readonly ch?: string;
}

export type Key = KeyPress | { readonly paste: string } | { readonly ack: true };

const FINAL: Readonly<Record<string, string>> = {
	A: 'up',
	B: 'down',
	C: 'right',
	D: 'left',
	H: 'home',
	F: 'end',
	Z: 'S-tab',
	P: 'f1',
	Q: 'f2',
	R: 'f3',
	S: 'f4',
	M: 'enter',
};

const TILDE: Readonly<Record<number, string>> = {
	1: 'home',
	2: 'insert',
	3: 'delete',
	4: 'end',
	5: 'pageup',
	6: 'pagedown',
	7: 'home',
	8: 'end',
	11: 'f1',
	12: 'f2',
	13: 'f3',
	14: 'f4',
	15: 'f5',
	17: 'f6',
	18: 'f7',
	19: 'f8',
	20: 'f9',
	21: 'f10',
	23: 'f11',
	24: 'f12',
};

const CONTROL: Readonly<Record<number, string>> = {
	0: 'C-space',
	8: 'backspace',
	9: 'tab',
	10: 'enter',
	13: 'enter',
	127: 'backspace',
};

const PASTE_BEGIN = '\x1b[200~';
const PASTE_END = '\x1b[201~';
const STATUS_OK = '\x1b[0n';

/** An unfinished paste is given up after this long. */
const PASTE_MS = 2000;

/** A sequence longer than this without an end is no key; it is swallowed, so a hostile stream cannot grow the buffer. */
const SEQUENCE_MAX = 64;

export class KeyDecoder {
	readonly #emit: (key: Key) => void;
	readonly #escMs: number;
	#buffer = '';
	#timer: NodeJS.Timeout | undefined;
	#paste: string | undefined;

	/** @param escMs a lone ESC byte is the Esc key after this much silence */
	constructor(emit: (key: Key) => void, escMs = 50) {
		this.#emit = emit;
		this.#escMs = escMs;
	}

	push(text: string): void {
		clearTimeout(this.#timer);
		this.#buffer += text;
		this.#run(false);
		if (this.#buffer !== '' || this.#paste !== undefined) {
			const wait = this.#paste === undefined ? this.#escMs : PASTE_MS;
			this.#timer = setTimeout(() => this.#run(true), wait);
		}
	}

	/** Forgets what is unfinished; no event follows. */
	close(): void {
		clearTimeout(this.#timer);
		this.#buffer = '';
		this.#paste = undefined;
	}

	#take(count: number): string {
		const taken = this.#buffer.slice(0, count);
		this.#buffer = this.#buffer.slice(count);
		return taken;
	}

	#takeChar(): string {
		return this.#take(String.fromCodePoint(this.#buffer.codePointAt(0)!).length);
	}

	#run(timeout: boolean): void {
		while (this.#buffer !== '' || (timeout && this.#paste !== undefined)) {
			if (this.#paste !== undefined) {
				if (!this.#runPaste(timeout)) return;
			} else if (this.#buffer[0] === '\x1b') {
				if (!this.#runEscape(timeout)) return;
			} else {
				this.#plainKey();
			}
		}
	}

	#plainKey(): void {
		const ch = this.#takeChar();
		const code = ch.charCodeAt(0);
		if (code < 32 || code === 127)
			this.#emit({ name: CONTROL[code] ?? `C-${String.fromCharCode(code + 96)}` });
		else this.#emit({ name: ch === ' ' ? 'space' : ch, ch });
	}

	/** False when more bytes are needed. */
	#runPaste(timeout: boolean): boolean {
		const end = this.#buffer.indexOf(PASTE_END);
		if (end < 0 && !timeout) {
			this.#paste += this.#take(Math.max(0, this.#buffer.length - PASTE_END.length + 1));
			return false;
		}
		this.#emit({ paste: this.#paste + this.#take(end < 0 ? this.#buffer.length : end) });
		this.#take(end < 0 ? 0 : PASTE_END.length);
		this.#paste = undefined;
		return true;
	}

	/** False when more bytes are needed. */
	#runEscape(timeout: boolean): boolean {
		const text = this.#buffer;
		const console = /^\x1b\[\[([A-E])/.exec(text); // F1 to F5 of the Linux console
		if (console) {
			this.#take(console[0].length);
			this.#emit({ name: `f${console[1]!.charCodeAt(0) - 64}` });
			return true;
		}
		const sequence = /^\x1b\[([0-?]*)[ -/]*([@-~])/.exec(text);
		if (sequence && !(text.startsWith('\x1b[[') && text.length === 3)) {
			this.#take(sequence[0].length);
			this.#controlSequence(sequence[0], sequence[1]!, sequence[2]!);
			return true;
		}
		const single = /^\x1bO([A-Za-z])/.exec(text);
		if (single) {
			this.#take(3);
			const name = FINAL[single[1]!];
			if (name) this.#emit({ name });
			return true;
		}
		if (/^\x1b(\[[0-?]*[ -/]*|\[\[|O)?$/.test(text)) {
			if (!timeout && text.length < SEQUENCE_MAX) return false;
			this.#buffer = '';
			if (text === '\x1b') this.#emit({ name: 'esc' });
			return true;
		}
		this.#take(1);
		if (this.#buffer[0] === '\x1b' || this.#buffer[0] === '[' || this.#buffer[0] === 'O')
			this.#emit({ name: 'esc' });
		else this.#emit({ name: `A-${this.#takeChar()}` });
		return true;
	}

	#controlSequence(sequence: string, parameters: string, final: string): void {
		if (sequence === PASTE_BEGIN) {
			this.#paste = '';
			return;
		}
		if (sequence === STATUS_OK) {
			this.#emit({ ack: true });
			return;
		}
		const [first, modifier] = parameters.split(';');
		const plain = /^[\d;]*$/.test(parameters);
		const name = final === '~' ? TILDE[Number(first)] : plain ? FINAL[final] : undefined;
		if (!name) return;
		const held = (Number(modifier) || 1) - 1;
		const control = held & 4 ? 'C-' : '';
		const alt = held & 2 ? 'A-' : '';
		const shift = held & 1 && !name.startsWith('S-') ? 'S-' : '';
		this.#emit({ name: control + alt + shift + name });
	}
}
