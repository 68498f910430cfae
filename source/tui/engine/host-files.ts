/** Files of this machine, as the dialogs and the start screen need them. */

import path from 'node:path';
import { hostError, WimError } from '../../base/errors.ts';
import { compressionName } from '../../codec/compression.ts';
import { type FolderEntry, hostFs as fs } from '../../storage/host-fs.ts';
import { deadBytesOf } from '../../wim/dead-bytes.ts';
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

/** Folder by folder: the images of each, by name. */
async function* imagesIn(
	folder: string,
	levels: number,
	signal: AbortSignal,
	isTop = true,
): AsyncGenerator<readonly string[]> {
	let entries: FolderEntry[];
	try {
		entries = await fs.entries(folder);
	} catch (error) {
		if (!isTop) return; // a subfolder that cannot be read is left out
		throw hostError(`Cannot list "${folder}"`, error);
	}
	signal.throwIfAborted();
	entries.sort((a, b) => (a.name < b.name ? -1 : 1));
	const files = entries.filter((entry) => !entry.isFolder && IMAGE_NAME.test(entry.name));
	if (files.length > 0) yield files.map(({ name }) => path.join(folder, name));
	if (levels === 0) return;
	for (const entry of entries)
		if (entry.isFolder) yield* imagesIn(path.join(folder, entry.name), levels - 1, signal, false);
}

/** True for `install2.swm` beside `install.swm`: it opens with its first part. */
function isLaterPart(name: string, all: ReadonlySet<string>): boolean {
	const match = /^(.*?)(\d+)(\.swm)$/i.exec(name);
	return match !== null && Number(match[2]) > 1 && all.has(`${match[1]}${match[3]}`);
}

function withoutLaterParts(files: readonly string[]): readonly string[] {
	const all = new Set(files);
	return files.filter((file) => !isLaterPart(file, all));
}

async function summaryOf(file: string): Promise<FoundSummary> {
	const wim = await openWim(file);
	try {
		const [first] = wim.images;
		const { header } = wim;
		let deadBytes = 0;
		for (const part of wim.parts) deadBytes += await deadBytesOf(part);
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
			edition: first ? (first.facts.windows?.editionId ?? first.facts.flags ?? '') : '',
			build: String(first?.facts.windows?.build ?? ''),
			deadBytes,
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

/** The list on the screen grows at most this often. */
const BATCH_MS = 100;

const unread = (file: string): FoundWim => ({
	path: file,
	size: 0,
	modified: null,
	summary: null,
	problem: null,
});

/** Rows that are filled in one by one, and told of now and then. */
class FoundRows {
	readonly #rows: FoundWim[] = [];
	readonly #onBatch: (found: readonly FoundWim[]) => void;
	readonly #signal: AbortSignal;
	#toldAt = 0;

	constructor(onBatch: (found: readonly FoundWim[]) => void, signal: AbortSignal) {
		this.#onBatch = onBatch;
		this.#signal = signal;
	}

	get count(): number {
		return this.#rows.length;
	}

	/** Names first, then what their headers say. */
	async add(files: readonly string[]): Promise<void> {
		const from = this.#rows.length;
		this.#rows.push(...files.map(unread));
		if (from === 0) this.tell();
		for (const [i, file] of files.entries()) {
			this.#signal.throwIfAborted();
			this.#rows[from + i] = await found(file);
			if (performance.now() - this.#toldAt >= BATCH_MS) this.tell();
		}
	}

	tell(): void {
		if (this.#signal.aborted) return;
		this.#toldAt = performance.now();
		this.#onBatch(this.#rows.slice());
	}
}

/** The images of a folder, a part set by its first part. */
export async function wimsIn(folder: string): Promise<readonly string[]> {
	for await (const files of imagesIn(folder, 0, new AbortController().signal))
		return withoutLaterParts(files);
	return [];
}

/** Lists the images in a folder and below, folder by folder, as they are found. */
export async function findWims(
	folder: string,
	isDeep: boolean,
	onBatch: (found: readonly FoundWim[]) => void,
	signal: AbortSignal,
): Promise<void> {
	const rows = new FoundRows(onBatch, signal);
	for await (const files of imagesIn(path.resolve(folder), isDeep ? DEPTH_MAX : 0, signal)) {
		await rows.add(withoutLaterParts(files).slice(0, FOUND_MAX - rows.count));
		if (rows.count >= FOUND_MAX) break;
	}
	rows.tell();
}

/** The same for files that are known by their paths. */
export async function lookAt(
	files: readonly string[],
	onBatch: (found: readonly FoundWim[]) => void,
	signal: AbortSignal,
): Promise<void> {
	const rows = new FoundRows(onBatch, signal);
	await rows.add(files);
	rows.tell();
}

/** Names that begin like the last part of a path, folders first. */
export async function complete(text: string): Promise<readonly HostEntry[]> {
	const folder = /[\\/]$/.test(text) ? text : path.dirname(text);
	const begin = /[\\/]$/.test(text) ? '' : path.basename(text);
	const entries = await fs.entries(folder === '' ? '.' : folder);
	const matching = entries
		.filter(
			({ name }) => name.startsWith(begin) && (begin.startsWith('.') || !name.startsWith('.')),
		)
		.slice(0, COMPLETIONS_MAX);
	const shown = await Promise.all(
		matching.map(async (entry) => ({
			name: entry.name,
			// A link to a folder leads on as the folder itself does.
			isFolder: entry.isFolder || (entry.isLink && (await isFolder(path.join(folder, entry.name)))),
		})),
	);
	return shown.sort(
		(a, b) => Number(b.isFolder) - Number(a.isFolder) || (a.name < b.name ? -1 : 1),
	);
}

export async function isFolder(name: string): Promise<boolean> {
	return fs.stat(name).then(
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
		path: path.resolve(file),
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
