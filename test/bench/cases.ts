/** The rows of the bench: each verb and format, once as ours and once as the reference's command. */
import {
	copyFileSync,
	existsSync,
	mkdirSync,
	readdirSync,
	rmSync,
	statSync,
	writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { inTurns, type Side, type Turns, wimlib } from './measure.ts';

/** What a row gave. */
export interface RowResult extends Turns {
	readonly verb: string;
	readonly format: string;
	/** Stored bytes, ours to the reference's; null where nothing is compressed. */
	readonly size: number | null;
}

export interface Row {
	readonly verb: string;
	readonly format: string;
	run(): Promise<RowResult>;
}

/** Where the bench works. */
export interface Place {
	readonly corpus: string;
	/** Files that the reference made, kept from one run to the next. */
	readonly files: string;
	/** What is written while something is measured. */
	readonly scratch: string;
	readonly rounds: number;
}

const FORMATS: Readonly<Record<string, readonly string[]>> = {
	none: ['--compress=none'],
	XPRESS: ['--compress=xpress'],
	LZX: ['--compress=lzx'],
	LZMS: ['--compress=lzms'],
	solid: ['--solid'],
};
const COMPRESSED = ['none', 'XPRESS', 'LZX'];
const SPLIT_MB = '32';
const LARGE_SPLIT_MB = '512';
const LARGE_FILES = 64;
const LARGE_FILE_MB = 32;
/** Runs of a few dozen milliseconds need more of them. */
const SHORT_ROUNDS = 5;

/** Makes `name` once, by the reference, and remembers it. */
async function made(place: Place, name: string, make: (to: string) => Promise<unknown>) {
	const file = path.join(place.files, name);
	if (existsSync(file)) return file;
	mkdirSync(place.files, { recursive: true });
	const unfinished = path.join(place.files, 'unfinished');
	rmSync(unfinished, { force: true });
	await make(unfinished);
	copyFileSync(unfinished, file);
	rmSync(unfinished);
	return file;
}

function captured(place: Place, format: string): Promise<string> {
	return made(place, `${format}.wim`, (to) =>
		wimlib('capture', place.corpus, to, 'Bench', ...(FORMATS[format] ?? [])),
	);
}

/** Two images that share nothing. */
function pair(place: Place): Promise<string> {
	return made(place, 'pair.wim', async (to) => {
		copyFileSync(await captured(place, 'LZX'), to);
		const [first = ''] = readdirSync(place.corpus);
		await wimlib('append', path.join(place.corpus, first), to, 'Second');
	});
}

/** Contents that differ from file to file, so that every one of them is stored. */
function fillLarge(folder: string, first: number, count: number): void {
	mkdirSync(folder, { recursive: true });
	const bytes = new Uint32Array(LARGE_FILE_MB << 18);
	for (let k = first; k < first + count; k++) {
		let state = k + 1;
		for (let at = 0; at < bytes.length; at++) {
			state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0;
			bytes[at] = state;
		}
		writeFileSync(path.join(folder, String(k)), bytes);
	}
}

/** 2 GB as they are in two images, the second with a quarter of them: its copies are as fast as the disk. */
function large(place: Place): Promise<string> {
	return made(place, 'large.wim', async (to) => {
		const folder = path.join(place.files, 'large');
		const half = path.join(folder, '1');
		for (const [verb, first, count] of [
			['capture', 0, (3 * LARGE_FILES) / 4],
			['append', (3 * LARGE_FILES) / 4, LARGE_FILES / 4],
		] as const) {
			fillLarge(half, first, count);
			await wimlib(verb, half, to, verb, ...(verb === 'capture' ? ['--compress=none'] : []));
			rmSync(folder, { recursive: true });
		}
	});
}

/** A file of one folder, for what takes less time than starting. */
function small(place: Place): Promise<string> {
	return made(place, 'small.wim', (to) => {
		const deep = path.join(place.corpus, 'text', '0');
		return wimlib('capture', existsSync(deep) ? deep : place.corpus, to, 'Small');
	});
}

function sized(target: string): number {
	return statSync(target).size;
}

interface RowSides {
	/** Where ours writes; that of the reference is another. */
	readonly ours: Side;
	readonly reference: Side;
	readonly hasSize: boolean;
	readonly rounds?: number;
}

function row(place: Place, verb: string, format: string, sides: () => Promise<RowSides>): Row {
	return {
		verb,
		format,
		async run() {
			mkdirSync(place.scratch, { recursive: true });
			const { ours, reference, hasSize, rounds = place.rounds } = await sides();
			const turns = await inTurns(rounds, ours, reference);
			const size =
				hasSize && ours.target !== undefined && reference.target !== undefined
					? sized(ours.target) / sized(reference.target)
					: null;
			rmSync(place.scratch, { recursive: true, force: true });
			return { verb, format, ...turns, size };
		},
	};
}

/** Targets that are folders of many files; neither program brings them to the disk. */
const TREES = ['tree', 'part'];

/**
 * Both sides run the same arguments, each on a target of its own. A WIM that is written counts as written once it is on
 * the disk: ours is by then, by its own doing; the reference's is brought there afterwards.
 */
function alike(
	place: Place,
	name: string,
	args: (target: string) => readonly string[],
	prepare?: (target: string) => void,
): Pick<RowSides, 'ours' | 'reference'> {
	const side = (of: string): Side => {
		const folder = path.join(place.scratch, of);
		const target = path.join(folder, name);
		return {
			args: args(target),
			target,
			isSynced: !TREES.includes(name),
			prepare() {
				mkdirSync(folder, { recursive: true });
				prepare?.(target);
			},
		};
	};
	return { ours: side('ours'), reference: side('reference') };
}

/** Everything that is measured, in the order of the table. */
export function benchRows(place: Place): Row[] {
	return [
		...Object.keys(FORMATS).flatMap((format) => readingRows(place, format)),
		...Object.entries(FORMATS).map(([format, flags]) =>
			row(place, 'capture', format, async () => ({
				...alike(place, 'new.wim', (to) => ['capture', place.corpus, to, 'Bench', ...flags]),
				hasSize: true,
			})),
		),
		...editingRows(place),
		...['info', 'dir'].map((verb) =>
			row(place, verb, 'small', async () => {
				const args = [verb, await small(place)];
				return { ours: { args }, reference: { args }, hasSize: false, rounds: SHORT_ROUNDS };
			}),
		),
	];
}

function readingRows(place: Place, format: string): Row[] {
	const [folder = ''] = readdirSync(place.corpus).slice(-1);
	return [
		row(place, 'verify', format, async () => {
			const args = ['verify', await captured(place, format)];
			return { ours: { args }, reference: { args }, hasSize: false };
		}),
		row(place, 'apply', format, async () => {
			const file = await captured(place, format);
			return { ...alike(place, 'tree', (to) => ['apply', file, '1', to]), hasSize: false };
		}),
		row(place, 'extract', format, async () => {
			const file = await captured(place, format);
			const args = (to: string) => ['extract', file, '1', `/${folder}`, `--dest-dir=${to}`];
			return { ...alike(place, 'part', args), hasSize: false };
		}),
	];
}

function editingRows(place: Place): Row[] {
	const copyOf = (file: string) => (to: string) => copyFileSync(file, to);
	return [
		...COMPRESSED.map((format) =>
			row(place, 'append, unchanged', format, async () => {
				const file = await captured(place, format);
				const args = (to: string) => ['append', place.corpus, to, 'Again'];
				return { ...alike(place, 'grown.wim', args, copyOf(file)), hasSize: false };
			}),
		),
		...[
			['LZX', 'XPRESS'],
			['XPRESS', 'LZX'],
			['LZX', 'LZMS'],
		].map(([from = '', to = '']) =>
			row(place, 'export', `${from} to ${to}`, async () => {
				const file = await captured(place, from);
				const flags = FORMATS[to] ?? [];
				const args = (target: string) => ['export', file, '1', target, ...flags];
				return { ...alike(place, 'exported.wim', args), hasSize: true };
			}),
		),
		...['XPRESS', 'LZX'].map((format) =>
			row(place, 'optimize --recompress', format, async () => {
				const file = await captured(place, format);
				const args = (to: string) => ['optimize', to, '--recompress'];
				return { ...alike(place, 'optimized.wim', args, copyOf(file)), hasSize: true };
			}),
		),
		...copyingRows(place, 'LZX', SPLIT_MB, {
			single: () => captured(place, 'LZX'),
			pair: () => pair(place),
		}),
	];
}

/** Rows of a file that is too large for starting to count; they take minutes and 10 GB. */
export function largeRows(place: Place): Row[] {
	const file = () => large(place);
	return copyingRows(place, '2 GB', LARGE_SPLIT_MB, { single: file, pair: file });
}

/** What only copies resources. */
function copyingRows(
	place: Place,
	format: string,
	splitMb: string,
	files: { readonly single: () => Promise<string>; readonly pair: () => Promise<string> },
): Row[] {
	return [
		row(place, 'export by copy', format, async () => {
			const file = await files.single();
			return {
				...alike(place, 'copy.wim', (to) => ['export', file, 'all', to]),
				hasSize: false,
			};
		}),
		row(place, 'split', format, async () => {
			const file = await files.single();
			const args = (to: string) => ['split', file, to, splitMb];
			const clear = (to: string) => rmSync(path.dirname(to), { recursive: true, force: true });
			const sides = alike(place, 'part.swm', args, (to) => {
				clear(to);
				mkdirSync(path.dirname(to), { recursive: true });
			});
			return { ...sides, hasSize: false };
		}),
		row(place, 'join', format, async () => {
			const file = await files.single();
			const folder = path.join(place.scratch, 'parts');
			mkdirSync(folder, { recursive: true });
			await wimlib('split', file, path.join(folder, 'part.swm'), splitMb);
			const parts = readdirSync(folder).map((name) => path.join(folder, name));
			return { ...alike(place, 'joined.wim', (to) => ['join', to, ...parts]), hasSize: false };
		}),
		row(place, 'delete', format, async () => {
			const file = await files.pair();
			const args = (to: string) => ['delete', to, '2'];
			const copy = (to: string) => copyFileSync(file, to);
			return { ...alike(place, 'shrunk.wim', args, copy), hasSize: false };
		}),
	];
}
