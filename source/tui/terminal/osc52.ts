/** Copies through the terminal (OSC 52): the only way that also works over SSH. */

/** Terminals cut or refuse longer requests. */
export const COPY_SIZE_MAX = 8192;

export interface CopyTerminal {
	readonly term: string;
	readonly tmux: boolean;
	/** A Windows console without Windows Terminal does not know the request. */
	readonly plainWindowsConsole: boolean;
}

/** The sequence that asks the terminal to put `text` on the clipboard, or null when this terminal has none. */
export function copySequence(text: string, terminal: CopyTerminal): string | null {
	if (terminal.plainWindowsConsole) return null;
	if (/^(linux|vt\d|dumb|$)/.test(terminal.term)) return null;
	const bytes = new TextEncoder().encode(text);
	if (bytes.length > COPY_SIZE_MAX) return null;
	let binary = '';
	for (const byte of bytes) binary += String.fromCharCode(byte);
	const sequence = `\x1b]52;c;${btoa(binary)}\x07`;
	return terminal.tmux ? `\x1bPtmux;${sequence.replaceAll('\x1b', '\x1b\x1b')}\x1b\\` : sequence;
}
