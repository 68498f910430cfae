import type { State, StatusMessage, Tone } from './state.ts';

/** Messages kept for `:messages`. */
const MESSAGES_MAX = 200;

/** Shows a sentence in the status row until the next key; warnings and errors stay readable in `:messages`. */
export function say(
	state: State,
	text: string,
	tone: Tone = 'info',
	more: Partial<Pick<StatusMessage, 'keys' | 'short'>> = {},
): State {
	const message: StatusMessage = { text, tone, keys: '', short: text, ...more };
	const messages =
		tone === 'info' ? state.messages : [...state.messages, message].slice(-MESSAGES_MAX);
	return { ...state, status: message, messages };
}

/** Says something that nobody asked for: it does not take the place of what stands there, and is kept for `:messages`. */
export function mention(state: State, text: string): State {
	if (state.status === null) return say(state, text);
	const message: StatusMessage = { text, short: text, tone: 'info', keys: '' };
	return { ...state, messages: [...state.messages, message].slice(-MESSAGES_MAX) };
}

export function clearStatus(state: State): State {
	return state.status === null ? state : { ...state, status: null };
}
