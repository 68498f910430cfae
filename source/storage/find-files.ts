/** Files of this machine by a pattern, and the files of a part set by the name of one. */
import path from 'node:path';
import { hostError } from '../base/errors.ts';
import { upperUnits } from '../bytes/upper-case.ts';
import { hostFs as fs } from './host-fs.ts';

/**
 * Files that match a pattern whose last components may hold `*`, `?` and `[...]`, in order of name. A name without
 * wildcards is given back as it is.
 *
 * @throws {InputError | HostError} when a folder of the pattern cannot be listed
 */
export async function findFiles(pattern: string): Promise<string[]> {
	if (!/[*?[]/.test(pattern)) return [pattern];
	const steps = pattern.split(path.sep === '\\' ? /[\\/]/ : '/');
	let bases = [pattern.startsWith('/') ? '/' : ''];
	for (const [k, step] of steps.entries()) {
		if (step === '') continue;
		if (!/[*?[]/.test(step)) {
			bases = bases.map((base) => (base === '' ? step : path.join(base, step)));
			continue;
		}
		const matches = wildcard(step);
		const found: string[] = [];
		for (const base of bases) {
			const names = await list(base === '' ? '.' : base, k > 0 && bases.length > 1);
			for (const name of names.sort())
				if (matches.test(name) && (step.startsWith('.') || !name.startsWith('.')))
					found.push(path.join(base, name));
		}
		bases = found;
	}
	return bases;
}

async function list(folder: string, mayFail: boolean): Promise<string[]> {
	try {
		return await fs.readdir(folder);
	} catch (error) {
		if (mayFail) return [];
		throw hostError(`Cannot list "${folder}"`, error, { path: folder });
	}
}

function wildcard(step: string): RegExp {
	const source = step.replace(/\[!?[^\]]+\]|[.*+?^${}()|[\]\\]/g, (match) => {
		if (match === '*') return '.*';
		if (match === '?') return '.';
		if (match.length > 1) return match.replace(/^\[!/, '[^').replace(/\\/g, '\\\\');
		return `\\${match}`;
	});
	return new RegExp(`^${source}$`, 's');
}

/**
 * The name of a part by convention: `install.swm`, `install2.swm`, ...
 *
 * @param first the name of part 1
 * @param number from 1
 */
export function partName(first: string, number: number): string {
	if (number === 1) return first;
	const extension = path.extname(first);
	return `${first.slice(0, first.length - extension.length)}${number}${extension}`;
}

/** The name that part 1 has by convention when part `number` is called `name`; null when the name does not follow it. */
export function firstPartName(name: string, number: number): string | null {
	if (number === 1) return name;
	const extension = path.extname(name);
	const stem = name.slice(0, name.length - extension.length);
	const digits = String(number);
	return stem.endsWith(digits) ? stem.slice(0, stem.length - digits.length) + extension : null;
}

/** True when there is a file of this name. */
export async function isFile(name: string): Promise<boolean> {
	return fs.stat(name).then(
		(stat) => stat.isFile(),
		() => false,
	);
}

/** True when there is a folder of this name. */
export async function isFolder(name: string): Promise<boolean> {
	return fs.stat(name).then(
		(stat) => stat.isDirectory(),
		() => false,
	);
}

/** True when two names lead to one file. */
export async function isSameFile(one: string, other: string): Promise<boolean> {
	const [a, b] = await Promise.all([one, other].map((name) => fs.realpath(name).catch(() => null)));
	return a !== null && a === b;
}

/** What lies at some steps below a folder, as Windows finds it: names may differ in case. Null when there is nothing. */
export async function findIgnoringCase(
	folder: string,
	steps: readonly string[],
): Promise<string | null> {
	let at = folder;
	for (const step of steps) {
		const names: readonly string[] = await fs.readdir(at).catch(() => []);
		const name = names.includes(step)
			? step
			: names.find((other) => upperUnits(other) === upperUnits(step));
		if (name === undefined) return null;
		at = path.join(at, name);
	}
	return at;
}
