/**
 * Targets of symbolic links and junctions, translated between Windows and Unix (wim.md §4.13), and
 * moved with the tree they point into (RP_FIX, wim.md §4.16). Pure text.
 */

/** The two names of a link as reparse data holds them. */
export interface WindowsTarget {
	/** What the system follows: `\??\C:\dir\file`, or relative. */
	readonly substituteName: string;
	/** What people are shown. */
	readonly printName: string;
	readonly isRelative: boolean;
}

/** A link's target on this machine; null when no path of this machine can say it. */
export interface PosixTarget {
	readonly text: string;
	readonly isAbsolute: boolean;
}

/** `/` and `\` exchanged for each other, so that each keeps its meaning and a round trip changes nothing. */
export function exchangeSeparators(text: string): string {
	return text.replace(/[/\\]/g, (char) => (char === '/' ? '\\' : '/'));
}

/** What a link of this machine becomes in an image. */
export function windowsTarget(text: string): WindowsTarget {
	const exchanged = exchangeSeparators(text);
	if (!text.startsWith('/'))
		return { substituteName: exchanged, printName: exchanged, isRelative: true };
	return {
		substituteName: `\\??\\C:${exchanged}`,
		printName: `C:${exchanged}`,
		isRelative: false,
	};
}

/**
 * What a link of an image becomes on this machine. Junctions are never relative.
 *
 * @returns null for targets that are volumes, devices or network shares
 */
export function posixTarget(
	target: Pick<WindowsTarget, 'substituteName' | 'isRelative'>,
): PosixTarget | null {
	const { substituteName, isRelative } = target;
	if (substituteName.includes('\0')) return null;
	if (isRelative) {
		const text = exchangeSeparators(substituteName);
		return text === '' ? null : { text, isAbsolute: text.startsWith('/') };
	}
	const named = substituteName.replace(/^\\(\?\?|\\\?)\\/, '');
	const local = named.replace(/^[A-Za-z]:/, '');
	if (local === '') return { text: '/', isAbsolute: true };
	// What still does not begin at a root is a volume, a device or a share: Volume{...}, UNC\server.
	if (!local.startsWith('\\') || local.startsWith('\\\\') || /^\\Device\\/i.test(local))
		return null;
	return { text: exchangeSeparators(local), isAbsolute: true };
}

/** Moves an absolute target into the tree that was applied at `root`, a real absolute path. */
export function moveIntoTree(text: string, root: string): string {
	const base = root === '/' ? '' : root.replace(/\/+$/, '');
	return text === '/' ? base || '/' : base + text;
}

/**
 * The part of an absolute target that lies below the captured root, with a leading `/`.
 *
 * @param isRoot says whether a leading part of the target names the captured root, through whatever links
 * @returns null when the target lies elsewhere
 */
export function relocateIntoImage(text: string, isRoot: (path: string) => boolean): string | null {
	if (!text.startsWith('/')) return null;
	for (let at = 0; at >= 0; ) {
		const end = at === 0 ? 1 : at;
		if (isRoot(text.slice(0, end))) {
			const rest = text.slice(at).replace(/^\/+/, '');
			return `/${rest}`;
		}
		if (at >= text.length) return null;
		const next = text.indexOf('/', at + 1);
		at = next < 0 ? text.length : next;
	}
	return null;
}

/** Whether following `text` from a link at `linkPath` (inside a tree, `/a/b`) leads out of the tree. */
export function leavesTree(text: string, linkPath: string): boolean {
	if (text.startsWith('/')) return true;
	let depth = linkPath.split('/').filter(Boolean).length - 1;
	for (const part of text.split('/')) {
		if (part === '..') depth--;
		else if (part !== '' && part !== '.') depth++;
		if (depth < 0) return true;
	}
	return false;
}
