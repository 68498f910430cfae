/** One line of editable text: pure edits, by code point so that no surrogate pair is ever split. */

export interface TextField {
	readonly text: string;
	/** Where the next character goes, in UTF-16 units. */
	readonly cursor: number;
}

export const EMPTY_FIELD: TextField = { text: '', cursor: 0 };

/** Longer input is cut: no path and no name is longer. */
export const TEXT_FIELD_MAX = 32_767;

export function fieldOf(text: string): TextField {
	return { text, cursor: text.length };
}

export function insert(field: TextField, typed: string): TextField {
	// Pasted text may hold line breaks; a field has one line.
	const clean = typed
		.replace(/[\u0000-\u001f\u007f]+/g, ' ')
		.slice(0, Math.max(0, TEXT_FIELD_MAX - field.text.length));
	return {
		text: field.text.slice(0, field.cursor) + clean + field.text.slice(field.cursor),
		cursor: field.cursor + clean.length,
	};
}

const before = ({ text, cursor }: TextField): number => {
	const code = text.charCodeAt(cursor - 1);
	return Math.max(0, cursor - (code >= 0xdc00 && code <= 0xdfff ? 2 : 1));
};

const after = ({ text, cursor }: TextField): number => {
	const code = text.charCodeAt(cursor);
	return Math.min(text.length, cursor + (code >= 0xd800 && code <= 0xdbff ? 2 : 1));
};

const removed = (field: TextField, from: number, to: number): TextField => ({
	text: field.text.slice(0, from) + field.text.slice(to),
	cursor: from,
});

/** Start of the word before the cursor; separators of paths end words too. */
const wordStart = ({ text, cursor }: TextField): number => {
	let at = cursor;
	while (at > 0 && /[\s/\\]/.test(text[at - 1]!)) at--;
	while (at > 0 && !/[\s/\\]/.test(text[at - 1]!)) at--;
	return at;
};

/** What each editing key does; null: this key edits nothing. */
export function edit(field: TextField, key: string): TextField | null {
	switch (key) {
		case 'left':
			return { ...field, cursor: before(field) };
		case 'right':
			return { ...field, cursor: after(field) };
		case 'home':
		case 'C-a':
			return { ...field, cursor: 0 };
		case 'end':
		case 'C-e':
			return { ...field, cursor: field.text.length };
		case 'backspace':
			return removed(field, before(field), field.cursor);
		case 'delete':
			return removed(field, field.cursor, after(field));
		case 'C-u':
			return removed(field, 0, field.cursor);
		case 'C-k':
			return removed(field, field.cursor, field.text.length);
		case 'C-w':
			return removed(field, wordStart(field), field.cursor);
		default:
			return null;
	}
}
