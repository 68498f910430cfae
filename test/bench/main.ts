/**
 * Runs verbs of wimdeck next to wimlib-imagex, in turns on the same files, and prints ratios as a Markdown table.
 * `npm run bench -- --help` says more.
 */
import {
	existsSync,
	mkdirSync,
	mkdtempSync,
	readFileSync,
	renameSync,
	rmSync,
	writeFileSync,
} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { benchRows, largeRows, type Row, type RowResult } from './cases.ts';
import { benchCodecs, benchFiles, codecTable } from './codecs.ts';
import { FULL, makeCorpus, QUICK } from './corpus.ts';
import { benchDeck } from './deck.ts';
import { benchMany } from './many.ts';
import { benchSizes } from './sizes.ts';
import { rowTable } from './table.ts';
import { benchTree } from './tree.ts';
import { benchTurns } from './turns.ts';

const HELP = `npm run bench [-- [FOLDER] [--quick] [--large] [--only=WORDS] [--rounds=N] [--work=FOLDER] [--binaries=FOLDER]]

FOLDER            the tree to work on; otherwise some 300 MB of programs of this machine and 3,000 generated texts
--quick           60 MB and 600 texts
--large           also copies of a file of 2 GB, where starting does not count; takes 10 GB of disk
--only=WORDS      only the rows that hold all of these words: --only=capture, --only=export,xpress; also "kernels", "tree", "memory", "turns", "deck", "sizes"
                  (of whole files by tree, format and level: --only=sizes,text,solid,thorough)
--rounds=N        runs of each side, in turns (3)
--work=FOLDER     keeps the tree, the reference's files and the results there; rows measured by further runs join the table
--binaries=FOLDER takes the programs from there
--list            names the rows
`;

interface Options {
	readonly folder: string | null;
	readonly isQuick: boolean;
	readonly isLarge: boolean;
	readonly only: readonly string[];
	readonly rounds: number;
	readonly work: string | null;
	readonly binaries: string | null;
	readonly isList: boolean;
}

function parseOptions(args: readonly string[]): Options {
	const value = (name: string) =>
		args.find((arg) => arg.startsWith(`--${name}=`))?.slice(name.length + 3) ?? null;
	return {
		folder: args.find((arg) => !arg.startsWith('--')) ?? null,
		isQuick: args.includes('--quick'),
		isLarge: args.includes('--large'),
		only: (value('only') ?? '').toLowerCase().split(',').filter(Boolean),
		rounds: Number(value('rounds') ?? 3),
		work: value('work'),
		binaries: value('binaries'),
		isList: args.includes('--list'),
	};
}

function isAsked(only: readonly string[], name: string): boolean {
	return only.every((word) => name.toLowerCase().includes(word));
}

/** A corpus that was not completed is made anew. */
function corpusIn(work: string, options: Options): string {
	const corpus = path.join(work, 'corpus');
	if (existsSync(corpus)) return corpus;
	const unfinished = path.join(work, 'corpus-unfinished');
	rmSync(unfinished, { recursive: true, force: true });
	makeCorpus(unfinished, options.isQuick ? QUICK : FULL, options.binaries);
	renameSync(unfinished, corpus);
	return corpus;
}

/** Measures what is asked for; results of earlier runs in the same folder stay, unless they are measured again. */
async function benchVerbs(work: string, options: Options, rows: readonly Row[]): Promise<void> {
	const file = path.join(work, 'results.json');
	const results: RowResult[] = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : [];
	for (const row of rows) {
		if (!isAsked(options.only, `${row.verb} ${row.format}`)) continue;
		process.stderr.write(`${row.verb} ${row.format}\n`);
		const result = await row.run();
		const old = results.findIndex((one) => one.verb === row.verb && one.format === row.format);
		if (old >= 0) results.splice(old, 1);
		results.push(result);
		writeFileSync(file, JSON.stringify(results));
	}
	const order = rows.map(({ verb, format }) => `${verb} ${format}`);
	const rank = ({ verb, format }: RowResult) => order.indexOf(`${verb} ${format}`);
	results.sort((a, b) => rank(a) - rank(b));
	process.stdout.write(rowTable(results));
}

function machine(): string {
	const memory = (os.totalmem() / 2 ** 30).toFixed(0);
	const model = os.cpus()[0]?.model ?? 'unknown processor';
	return `${os.cpus().length} cores (${model}), ${memory} GiB of memory, ${os.platform()} ${os.arch()}, Node ${process.version}`;
}

async function main(args: readonly string[]): Promise<void> {
	if (args.includes('--help')) return void process.stdout.write(HELP);
	const options = parseOptions(args);
	const work = options.work ?? mkdtempSync(path.join(os.tmpdir(), 'wimdeck-bench-'));
	mkdirSync(work, { recursive: true });
	try {
		const place = {
			corpus: options.folder ?? corpusIn(work, options),
			files: path.join(work, 'files'),
			scratch: path.join(work, 'scratch'),
			rounds: options.rounds,
		};
		const rows = [...benchRows(place), ...(options.isLarge ? largeRows(place) : [])];
		if (options.isList)
			return void process.stdout.write(rows.map((row) => `${row.verb} ${row.format}\n`).join(''));
		const date = new Date().toISOString().slice(0, 10);
		process.stdout.write(`${date}, ${machine()}; npm run bench ${args.join(' ')}\n\n`);
		await benchVerbs(work, options, rows);
		if (isAsked(options.only, 'kernels'))
			process.stdout.write(`\n${codecTable(benchCodecs(benchFiles(place.corpus, 8 << 20), 5))}`);
		if (isAsked(options.only, 'tree')) benchTree();
		if (isAsked(options.only, 'memory')) await benchMany(work);
		if (isAsked(options.only, 'turns')) benchTurns(work, place.corpus);
		if (options.only[0] === 'sizes')
			await benchSizes(work, place.corpus, (name) => isAsked(options.only, name));
		if (isAsked(options.only, 'deck')) await benchDeck();
	} finally {
		if (options.work === null) rmSync(work, { recursive: true, force: true });
	}
}

await main(process.argv.slice(2));
