/**
 * Paths and patterns of names: what capture leaves out (wim.md §10.2), and globs for list, extract and update (§10.3).
 * `*` matches any run of units and `?` exactly one, both within one component; nothing else is special.
 */
import { InputError } from '../base/errors.ts';
import { upperUnits } from '../bytes/upper-case.ts';

/** The components of a path, none for the root: both separators count, repeated ones collapse, those at either end are dropped. */
export function splitPath(path: string): string[] {
	return path.split(/[\\/]+/).filter((component) => component !== '');
}

/** True when the text has a wildcard in it. */
export function hasWildcard(text: string): boolean {
	return /[*?]/.test(text);
}

/** Whether a name matches a pattern of one component. Time is bounded by the product of the lengths. */
export function matchesName(pattern: string, name: string): boolean {
	let at = 0;
	let star = -1;
	let resume = 0;
	for (let k = 0; k < name.length; ) {
		const char = pattern[at];
		if (char === '*') {
			star = at++;
			resume = k;
		} else if (char !== undefined && (char === '?' || char === name[k])) {
			at++;
			k++;
		} else if (star >= 0) {
			at = star + 1;
			k = ++resume;
		} else return false;
	}
	while (pattern[at] === '*') at++;
	return at === pattern.length;
}

/** A pattern of several components, anchored at the root. */
export class Glob {
	/** As written. */
	readonly text: string;
	readonly #components: readonly string[];
	readonly #ignoreCase: boolean;

	constructor(text: string, ignoreCase: boolean) {
		this.text = text;
		this.#ignoreCase = ignoreCase;
		this.#components = splitPath(ignoreCase ? upperUnits(text) : text);
	}

	/** How many components a matching path has; 0 for the root. */
	get depth(): number {
		return this.#components.length;
	}

	/** Whether the component at `position` (from 0) of a path fits. */
	matchesComponent(position: number, name: string): boolean {
		const pattern = this.#components[position];
		if (pattern === undefined) return false;
		return matchesName(pattern, this.#ignoreCase ? upperUnits(name) : name);
	}

	/** Whether a whole path fits. */
	matches(components: readonly string[]): boolean {
		return (
			components.length === this.depth &&
			components.every((name, position) => this.matchesComponent(position, name))
		);
	}

	/** Whether a path or one of the folders above it fits. */
	covers(components: readonly string[]): boolean {
		return components.length >= this.depth && this.matches(components.slice(0, this.depth));
	}

	/** Whether something that fits could lie below the path. */
	reachesBelow(components: readonly string[]): boolean {
		return (
			components.length < this.depth &&
			components.every((name, position) => this.matchesComponent(position, name))
		);
	}
}

/** A pattern of a capture configuration: a whole path from the root, or one component that may stand anywhere. */
export class CapturePattern {
	/** As written. */
	readonly text: string;
	readonly #glob: Glob;
	readonly #isAbsolute: boolean;

	/**
	 * @param text without drive prefix, see `parseCapturePattern`
	 * @throws {InputError} for a relative pattern of several components
	 */
	constructor(text: string, ignoreCase: boolean) {
		this.text = text;
		this.#glob = new Glob(text, ignoreCase);
		this.#isAbsolute = /^[\\/]/.test(text);
		if (!this.#isAbsolute && this.#glob.depth !== 1)
			throw new InputError(
				`Cannot use the pattern "${text}": a pattern without a leading separator must be a single name`,
				{ hint: `Write it from the root of the captured folder, as in "/${text}".` },
			);
	}

	/** Whether the path or a folder above it matches. */
	covers(components: readonly string[]): boolean {
		if (this.#isAbsolute) return this.#glob.depth > 0 && this.#glob.covers(components);
		return components.some((name) => this.#glob.matchesComponent(0, name));
	}

	/** Whether something that matches could lie below the path; only known of patterns from the root. */
	reachesBelow(components: readonly string[]): boolean {
		return this.#isAbsolute && this.#glob.reachesBelow(components);
	}
}

/**
 * Reads one pattern of a capture configuration.
 *
 * @param warn told of a drive prefix, which is removed
 * @throws {InputError} for `C:name` and for relative patterns of several components
 */
export function parseCapturePattern(
	text: string,
	ignoreCase: boolean,
	warn: (message: string) => void,
): CapturePattern {
	const drive = /^[A-Za-z]:/.exec(text);
	if (drive === null) return new CapturePattern(text, ignoreCase);
	const rest = text.slice(2);
	if (!/^[\\/]/.test(rest))
		throw new InputError(`Cannot use the pattern "${text}": a drive needs a separator behind it`, {
			hint: 'Remove the drive letter; patterns count from the captured folder.',
		});
	warn(`The drive letter of the pattern "${text}" is ignored`);
	return new CapturePattern(rest, ignoreCase);
}

/** What a capture leaves out, and what it keeps nevertheless. */
export interface ExclusionRules {
	readonly exclusions: readonly CapturePattern[];
	readonly exceptions: readonly CapturePattern[];
}

/**
 * Whether a path inside the captured folder is left out. Folders on the way to an exception stay; their other children
 * are judged one by one. The root always stays.
 */
export function isExcluded(rules: ExclusionRules, path: string): boolean {
	const components = splitPath(path);
	if (components.length === 0) return false;
	if (!rules.exclusions.some((pattern) => pattern.covers(components))) return false;
	return !rules.exceptions.some(
		(pattern) => pattern.covers(components) || pattern.reachesBelow(components),
	);
}
