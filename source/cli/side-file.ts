/**
 * Files that a command writes beside its result: a report, the XML data. They take the place of what was there, so it is
 * looked at before the command begins: a WIM is never overwritten, and a report must not fail after an hour of work.
 */

import { access, constants, open, realpath, rename, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { hostError, InputError } from '../base/errors.ts';
import { temporaryPath } from '../storage/output-file.ts';
import { MAGIC, MAGIC_PIPABLE } from '../wim/part-header.ts';

export interface SideFile {
	readonly path: string;
	/** As in "Cannot write WHAT "x.json"". */
	readonly what: string;
	/** What the command reads. */
	readonly read: readonly (string | null)[];
	/** A folder that the command makes if need be; the file may stand in it. */
	readonly made?: string | null;
}

/** Whether a file begins as a WIM does. */
async function isWim(file: string): Promise<boolean> {
	await using handle = await open(file, 'r');
	const start = new DataView(new ArrayBuffer(8));
	const { bytesRead } = await handle.read(start, 0, 8, 0);
	const magic = start.getBigUint64(0, true);
	return bytesRead === 8 && (magic === MAGIC || magic === MAGIC_PIPABLE);
}

/** What tells two names of one file; null where there is none. */
async function identityOf(file: string | null): Promise<string | null> {
	const found = file === null ? null : await stat(file, { bigint: true }).catch(() => null);
	return found === null ? null : `${found.dev} ${found.ino}`;
}

/** Whether the folder of a file will be made by the command. */
const willBeMade = (file: string, made: string | null): boolean =>
	made !== null && path.dirname(path.resolve(file)) === path.resolve(made);

/**
 * Refuses a place that cannot be written, or that holds what must stay.
 *
 * @throws {InputError | HostError}
 */
export async function requireSideFile(file: SideFile): Promise<void> {
	const { path: name, what, read, made = null } = file;
	const attempt = `Cannot write ${what} "${name}"`;
	const facts = { path: name };
	try {
		const found = await stat(name).catch((error: NodeJS.ErrnoException) => {
			if (error.code !== 'ENOENT') throw error;
			return null;
		});
		if (found === null) {
			if (name === '') throw new InputError(`${attempt}: it has no name`, { hint: 'Name a file.' });
			const folder = path.dirname(name);
			const isThere = await stat(folder).catch((error: NodeJS.ErrnoException) => {
				if (error.code !== 'ENOENT' || !willBeMade(name, made)) throw error;
				return null;
			});
			if (isThere !== null) await access(folder, constants.W_OK);
			return;
		}
		if (found.isDirectory()) throw Object.assign(new Error(), { code: 'EISDIR' });
		await access(name, constants.W_OK);
		// A device or a pipe takes what it is given.
		if (!found.isFile()) return;
		const identity = await identityOf(name);
		for (const other of read)
			if (identity === (await identityOf(other)))
				throw new InputError(`${attempt}: it is the file that is read`, {
					...facts,
					hint: 'Name another file.',
				});
		if (await isWim(name))
			throw new InputError(`${attempt}: a WIM stands there`, {
				...facts,
				hint: 'Name another file, or move the WIM away.',
			});
	} catch (error) {
		throw hostError(attempt, error, facts);
	}
}

/** Writes what `requireSideFile` let through: all of it, or what stood there stays. */
export async function saveSideFile(
	{ path: name, what }: SideFile,
	contents: string | Uint8Array,
): Promise<void> {
	try {
		const found = await stat(name).catch(() => null);
		// A device or a pipe takes what it is given.
		if (found !== null && !found.isFile()) return await writeFile(name, contents);
		await replaceFile(await realpath(name).catch(() => path.resolve(name)), contents, found?.mode);
	} catch (error) {
		throw hostError(`Cannot write ${what} "${name}"`, error, { path: name });
	}
}

/** Writes a file beside its place, then gives it its name. */
async function replaceFile(
	target: string,
	contents: string | Uint8Array,
	mode: number | undefined,
): Promise<void> {
	const aside = temporaryPath(target);
	try {
		await writeFile(aside, contents, { mode });
		await rename(aside, target);
	} catch (error) {
		await rm(aside, { force: true }).catch(() => {});
		const { code } = error as NodeJS.ErrnoException;
		const isFolderClosed = code === 'EACCES' || code === 'EPERM';
		if (!isFolderClosed || mode === undefined) throw error;
		await writeFile(target, contents);
	}
}

/** The file of `--report=FILE`, looked at before the run; null without that option. */
export async function reportFile(
	name: string | null,
	read: readonly (string | null)[],
	made: string | null = null,
): Promise<SideFile | null> {
	if (name === null) return null;
	const file: SideFile = { path: name, what: 'the report', read, made };
	await requireSideFile(file);
	return file;
}

/** Writes a report for `--report=FILE`; nothing to do without that option, or without a report. */
export async function saveReport(file: SideFile | null, report: unknown): Promise<void> {
	if (file !== null && report !== null) await saveSideFile(file, `${JSON.stringify(report)}\n`);
}
