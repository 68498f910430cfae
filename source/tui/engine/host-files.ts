/** Files of this machine, as the dialogs and the start screen need them. */

import { promises as fs } from 'node:fs';
import path from 'node:path';
import { hostError, WimError } from '../../base/errors.ts';
import { compressionName } from '../../codec/compression.ts';
import { openWim } from '../../wim/wim.ts';
import type { FoundSummary, FoundWim, HostEntry, HostPath } from '../engine.ts';
import { architectureOf, languagesOf, versionOf } from './facts.ts';

const IMAGE_NAME = /\.(wim|swm|esd|pwm)$/i;
/** Folders below the start folder that are looked into. */
const DEPTH_MAX = 12;
/** Files listed; a folder with more is not a place of images. */
const FOUND_MAX = 5000;
/** Names offered for completion. */
const COMPLETIONS_MAX = 500;

async function* imagesIn(
	folder: string,
	levels: number,
	signal: AbortSignal,
	isTop = true,
): AsyncGenerator<string> {
	let entries: import('node:fs').Dirent[];
	try {
		entries = await fs.readdir(folder, { withFileTypes: true });
	} catch (error) {
		if (!isTop) return; // a subfolder that cannot be read is left out
		throw hostError(`Cannot list "${folder}"`, error);
	}
	entries.sort((a, b) => (a.name < b.name ? -1 : 1));
	for (const entry of entries) {
		signal.throwIfAborted();
		if (!entry.isDirectory() && IMAGE_NAME.test(entry.name)) yield path.join(folder, entry.name);
	}
	if (levels === 0) return;
	for (const entry of entries)
		if (entry.isDirectory())
			yield* imagesIn(path.join(folder, entry.name), levels - 1, signal, false);
}

/** True for `install2.swm` beside `install.swm`: it opens with its first part. */
function isLaterPart(name: string, all: ReadonlySet<string>): boolean {
	const match = /^(.*?)(\d+)(\.swm)$/i.exec(name);
	return match !== null && Number(match[2]) > 1 && all.has(`${match[1]}${match[3]}`);
}

async function summaryOf(file: string): Promise<FoundSummary> {
	const wim = await openWim(file);
	try {
		const [first] = wim.images;
		const { header } = wim;
		return {
			compression: compressionName(wim.compression) + (wim.isSolid ? ' solid' : ''),
			imageCount: wim.images.length,
			partNumber: header.partNumber,
			partCount: header.partCount,
			hasIntegrity: header.integrity.offset !== 0,
			title: first ? (first.facts.displayName ?? first.facts.name) : '',
			architecture: first ? architectureOf(first.facts) : '',
			version: first ? versionOf(first.facts) : '',
			languages: first ? languagesOf(first.facts) : '',
		};
	} finally {
		await wim[Symbol.asyncDispose]();
	}
}

async function found(file: string): Promise<FoundWim> {
	const stat = await fs.stat(file).catch(() => null);
	const facts = { path: file, size: stat?.size ?? 0, modified: stat?.mtimeMs ?? null };
	try {
		return { ...facts, summary: await summaryOf(file), problem: null };
	} catch (error) {
		const why = error instanceof WimError ? error.message : 'cannot be read';
		// The row shows the name already.
		return {
			...facts,
			summary: null,
			problem: why.replace(/^Cannot [a-z ]*"[^"]*"( as a WIM)?: /, ''),
		};
	}
}

/** Lists the images in a folder, names first, then what their headers say. */
export async function findWims(
	folder: string,
	isDeep: boolean,
	onBatch: (found: readonly FoundWim[]) => void,
	signal: AbortSignal,
): Promise<void> {
	const files: string[] = [];
	for await (const file of imagesIn(path.resolve(folder), isDeep ? DEPTH_MAX : 0, signal)) {
		files.push(file);
		if (files.length >= FOUND_MAX) break;
	}
	const all = new Set(files);
	const shown = files.filter((file) => !isLaterPart(file, all));
	const rows: FoundWim[] = shown.map((file) => ({
		path: file,
		size: 0,
		modified: null,
		summary: null,
		problem: null,
	}));
	onBatch(rows.slice());
	for (const [i, file] of shown.entries()) {
		signal.throwIfAborted();
		rows[i] = await found(file);
		onBatch(rows.slice());
	}
}

/** Names that begin like the last part of a path, folders first. */
export async function complete(text: string): Promise<readonly HostEntry[]> {
	const folder = /[\\/]$/.test(text) ? text : path.dirname(text);
	const begin = /[\\/]$/.test(text) ? '' : path.basename(text);
	const entries = await fs.readdir(folder === '' ? '.' : folder, { withFileTypes: true });
	return entries
		.filter(
			({ name }) => name.startsWith(begin) && (begin.startsWith('.') || !name.startsWith('.')),
		)
		.map((entry) => ({ name: entry.name, isFolder: entry.isDirectory() }))
		.sort((a, b) => Number(b.isFolder) - Number(a.isFolder) || (a.name < b.name ? -1 : 1))
		.slice(0, COMPLETIONS_MAX);
}

export async function isFolder(path: string): Promise<boolean> {
	return fs.stat(path).then(
		(stat) => stat.isDirectory(),
		() => false,
	);
}

/** Bytes and files at and below a path, links not followed; what cannot be read counts nothing. */
export async function measure(
	top: string,
	signal: AbortSignal,
): Promise<{ size: number; fileCount: number }> {
	let size = 0;
	let fileCount = 0;
	const pending = [top];
	for (let at = pending.pop(); at !== undefined; at = pending.pop()) {
		signal.throwIfAborted();
		const stat = await fs.lstat(at).catch(() => null);
		if (!stat) continue;
		if (stat.isDirectory()) {
			const names = await fs.readdir(at).catch(() => []);
			for (const name of names) pending.push(path.join(at, name));
			continue;
		}
		fileCount++;
		size += stat.isFile() ? stat.size : 0;
	}
	return { size, fileCount };
}

export async function look(file: string): Promise<HostPath> {
	const stat = await fs.stat(file).catch(() => null);
	const isFolder = stat?.isDirectory() ?? false;
	return {
		exists: stat !== null,
		isFolder,
		isEmptyFolder: isFolder && (await fs.readdir(file).catch(() => [''])).length === 0,
		size: stat?.size ?? 0,
		modified: stat?.mtimeMs ?? null,
		imageCount: stat?.isFile() ? await imageCountOf(file) : null,
	};
}

async function imageCountOf(file: string): Promise<number | null> {
	if (!IMAGE_NAME.test(file)) return null;
	return summaryOf(file).then(
		({ imageCount }) => imageCount,
		() => null,
	);
}

/** Writes a report; an existing file is never replaced. */
export async function writeReport(file: string, text: string): Promise<void> {
	try {
		await fs.writeFile(file, text, { flag: 'wx' });
	} catch (error) {
		throw hostError(`Cannot write "${file}"`, error);
	}
}
