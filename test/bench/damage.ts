/**
 * What comes back of damaged files: by wimdeck, by wimlib-imagex and by 7-Zip, for every damage of the kit and every format.
 * npm run bench:damage [-- --format=LZX] [--damage=WORD] [--each=N] [--results=FILE] [--condensed]. Prints tables in Markdown.
 * `--each` takes N damages of every group and format instead of all; `--results` keeps what was measured, so that a run may
 * be stopped and gone on with.
 *
 * A file counts as intact when all stored bytes of its contents survived, by wimlib's listing of the undamaged file (an empty
 * one: those of its image's metadata); its name, when those of the metadata did. It has come back when it stands below the
 * target under its own name with the right contents, or (second number, wimdeck only) with the right contents under whatever
 * name, also within a stretch of raw bytes that is kept as it was. What did not, though it survived, is told on standard error.
 */
import { spawnSync } from 'node:child_process';
import {
	appendFileSync,
	existsSync,
	mkdirSync,
	mkdtempSync,
	readFileSync,
	rmSync,
	writeFileSync,
} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { EMPTY_SHA1 } from '../../source/bytes/sha1.ts';
import { type Damage, damagesFor } from '../support/damage-cases.ts';
import { isInRawBytes } from '../support/damage-check.ts';
import { digests, FORMATS, makeSpecimen, type Specimen } from '../support/damage-formats.ts';
import { type Files, intactBlobs, seeded } from '../support/damage-kit.ts';
import { movedBack } from '../support/damage-run.ts';
import { root } from '../support/fixture.ts';
import { refuse, scriptOptions } from './script-options.ts';

const USAGE = `npm run bench:damage [-- --format=NAME]... [--damage=WORD] [--each=N] [--results=FILE] [--condensed]

What comes back of damaged files, by wimdeck, wimlib-imagex and 7-Zip, as tables in Markdown.

  --format=NAME    only this one: ${FORMATS.join(', ')}; repeatable
  --damage=WORD    only damages whose names hold the word
  --each=N         N damages of every group and format instead of all
  --results=FILE   keep there what was measured, and go on from it
  --condensed      one row a group
`;

const OPTIONS = {
	format: { type: 'string', multiple: true },
	damage: { type: 'string', default: '' },
	each: { type: 'string' },
	results: { type: 'string' },
	condensed: { type: 'boolean', default: false },
} as const;

const PROGRAM = path.join(root, 'dist', 'wimdeck.js');

/** A program that hangs on a damaged file has lost; long enough for a machine that is busy otherwise. */
const TIMEOUT_MS = 1_200_000;

interface Result {
	readonly damage: string;
	readonly format: string;
	readonly intact: number;
	/** Of those, files of images whose metadata survived. */
	readonly namesIntact: number;
	readonly ours: number;
	/** Under whatever name. */
	readonly oursAnywhere: number;
	readonly wimlib: number;
	readonly sevenZip: number;
}

function run(command: string, args: readonly string[]): number {
	return spawnSync(command, args, { stdio: 'ignore', timeout: TIMEOUT_MS }).status ?? -1;
}

function salvageWithUs(file: string, target: string): void {
	run(process.execPath, [PROGRAM, 'salvage', file, target, '--quiet']);
}

/** Apply, and where it refuses, what a user would try next: extract everything, image by image. */
function salvageWithWimlib(
	file: string,
	target: string,
	imageCount: number,
	isSplit: boolean,
): void {
	const references = isSplit ? [`--ref=${path.join(path.dirname(file), '*.swm')}`] : [];
	for (let index = 1; index <= imageCount; index++) {
		const folder = path.join(target, String(index));
		mkdirSync(folder, { recursive: true });
		const image = String(index);
		if (run('wimlib-imagex', ['apply', file, image, folder, '--recover-data', ...references]) === 0)
			continue;
		run('wimlib-imagex', [
			'extract',
			file,
			image,
			'/',
			`--dest-dir=${folder}`,
			'--recover-data',
			'--nullglob',
			...references,
		]);
	}
}

function salvageWith7z(file: string, target: string): void {
	run('7zz', ['x', '-y', `-o${target}`, file]);
}

interface Counts {
	intact: number;
	namesIntact: number;
	named: number;
	anywhere: number;
	/** What survived and is not there. */
	readonly missed: string[];
}

/** Of the intact files, those that stand below `target` under their own names, and those whose contents are anywhere. */
function count(specimen: Specimen, intact: ReadonlySet<string>, target: string): Counts {
	const got = digests(target);
	const byName = new Map<string, Set<string>>();
	for (const [place, sha1] of got) {
		const parts = place.split(path.sep);
		// The image's own folder may stand in front.
		for (const name of [place, parts.slice(1).join(path.sep)])
			byName.set(name, (byName.get(name) ?? new Set()).add(sha1));
	}
	const contents = new Set(got.values());
	const counts: Counts = { intact: 0, namesIntact: 0, named: 0, anywhere: 0, missed: [] };
	const raw = new Map<string, boolean>();
	const isRaw = (sha1: string) => {
		const known = raw.get(sha1);
		if (known !== undefined) return known;
		const bytes = specimen.bytes.get(sha1);
		const isThere = bytes !== undefined && isInRawBytes(target, bytes);
		raw.set(sha1, isThere);
		return isThere;
	};
	for (const { name: image, contents: expected, metadata } of specimen.images) {
		const hasNames = intact.has(metadata);
		for (const [name, sha1] of expected) {
			if (sha1 === EMPTY_SHA1 ? !hasNames : !intact.has(sha1)) continue;
			const isNamed = byName.get(name)?.has(sha1) === true;
			const isAnywhere = isNamed || contents.has(sha1) || isRaw(sha1);
			counts.intact++;
			if (hasNames) counts.namesIntact++;
			if (isNamed) counts.named++;
			if (isAnywhere) counts.anywhere++;
			if (!isAnywhere) counts.missed.push(`${image}: ${name} is missing`);
			else if (hasNames && !isNamed) counts.missed.push(`${image}: ${name} has lost its name`);
		}
	}
	return counts;
}

function compare(specimen: Specimen, damage: Damage, seed: number, folder: string): Result {
	const files: Files = damage.hurt(specimen.files, seeded(seed));
	const home = path.join(folder, 'hurt');
	mkdirSync(home);
	for (const [name, bytes] of files) writeFileSync(path.join(home, name), bytes);
	const [first = ''] = files.keys();
	const file = path.join(home, first);
	const intact = intactBlobs(
		specimen.blobs,
		specimen.files,
		movedBack(specimen.files, files, damage),
	);
	const attempt = (action: (target: string) => void) => {
		const target = path.join(folder, 'target');
		mkdirSync(target);
		action(target);
		const counts = count(specimen, intact, target);
		rmSync(target, { recursive: true });
		return counts;
	};
	const ours = attempt((target) => salvageWithUs(file, target));
	for (const line of ours.missed)
		process.stderr.write(`${specimen.format}, ${damage.name}: ${line}\n`);
	const wimlib = attempt((target) =>
		salvageWithWimlib(file, target, specimen.images.length, specimen.isSplit),
	);
	const sevenZip = attempt((target) => salvageWith7z(file, target));
	rmSync(home, { recursive: true });
	return {
		damage: damage.name,
		format: specimen.format,
		intact: ours.intact,
		namesIntact: ours.namesIntact,
		ours: ours.named,
		oursAnywhere: ours.anywhere,
		wimlib: wimlib.named,
		sevenZip: sevenZip.named,
	};
}

function print(results: readonly Result[]): void {
	process.stdout.write(
		'| damage | format | intact files | names intact | wimdeck | (under any name) | wimlib | 7-Zip |\n|---|---|---:|---:|---:|---:|---:|---:|\n',
	);
	for (const one of results) {
		const { damage, format, intact, namesIntact, ours, oursAnywhere, wimlib, sevenZip } = one;
		const counts = [intact, namesIntact, ours, oursAnywhere, wimlib, sevenZip];
		process.stdout.write(`| ${[damage, format, ...counts].join(' | ')} |\n`);
	}
}

/** Groups of damages, by the beginnings of their names, for a table that fits a page. */
const GROUPS: readonly (readonly [title: string, test: RegExp])[] = [
	['several at once', / \+ /],
	['moved by a transfer', /cut away|put before|put in|fallen out|as text/],
	['header: fields and all of it', /^header|^both headers/],
	['solid header, chunk sizes', /^solid|^sizes of/],
	['blob table and XML data', /blob table|XML/],
	['metadata', /^metadata/],
	['cut or zeros to the end', /^cut|^zeros/],
	['parts missing', /part missing/],
	['interrupted writes', /append|running write/],
	['bits, sectors, blocks of data', /./],
];

function groupOf(damage: string): string {
	return GROUPS.find(([, test]) => test.test(damage))?.[0] ?? '';
}

const HEAD =
	'cases | intact files | names intact | wimdeck | (under any name) | wimlib | 7-Zip |\n|---|---:|---:|---:|---:|---:|---:|---:|\n';

/** In percent; 100.0 of all only. */
function shareOf(value: number, all: number): string {
	const percent = (100 * value) / Math.max(1, all);
	return (value < all ? Math.min(99.9, percent) : percent).toFixed(1);
}

/** One row for each of the names that `keyOf` gives, and one for everything. */
function condensed(
	title: string,
	results: readonly Result[],
	names: readonly string[],
	keyOf: (one: Result) => string,
): void {
	process.stdout.write(`| ${title} | ${HEAD}`);
	const line = (name: string, rows: readonly Result[]) => {
		const sum = (field: Exclude<keyof Result, 'damage' | 'format'>) =>
			rows.reduce((total, row) => total + row[field], 0);
		const intact = sum('intact');
		const share = (value: number) => `${value} (${shareOf(value, intact)} %)`;
		const cells = [
			name,
			rows.length,
			intact,
			share(sum('namesIntact')),
			share(sum('ours')),
			share(sum('oursAnywhere')),
			share(sum('wimlib')),
			share(sum('sevenZip')),
		];
		process.stdout.write(`| ${cells.join(' | ')} |\n`);
	};
	for (const name of names) {
		const rows = results.filter((one) => keyOf(one) === name);
		if (rows.length > 0) line(name, rows);
	}
	line('all', results);
	process.stdout.write('\n');
}

/** Some damages of each group, others for each format, the same in each run; all of them without a number. */
function chosen(damages: readonly Damage[], each: number | null, seed: number): Damage[] {
	if (each === null) return [...damages];
	const random = seeded(seed);
	return GROUPS.flatMap(([title]) => {
		const left = damages.filter(({ name }) => groupOf(name) === title);
		const taken: Damage[] = [];
		while (taken.length < each && left.length > 0)
			taken.push(...left.splice(Math.floor(random() * left.length), 1));
		return taken;
	});
}

function savedResults(file: string | undefined): Result[] {
	if (file === undefined || !existsSync(file)) return [];
	return readFileSync(file, 'utf8')
		.split('\n')
		.filter((line) => line !== '')
		.map((line) => JSON.parse(line) as Result);
}

function main(): void {
	const { values } = scriptOptions(USAGE, OPTIONS);
	const unknown = values.format?.find((name) => !FORMATS.some((format) => format === name));
	if (unknown !== undefined) refuse(`There is no format "${unknown}".`, USAGE);
	const saved = savedResults(values.results);
	const each = values.each === undefined ? null : Number(values.each);
	const results: Result[] = [];
	for (const [k, format] of FORMATS.entries()) {
		if (values.format !== undefined && !values.format.includes(format)) continue;
		const folder = mkdtempSync(path.join(os.tmpdir(), 'wimdeck-damage-'));
		try {
			const specimen = makeSpecimen(format, folder);
			const fitting = damagesFor(specimen).filter(({ name }) => name.includes(values.damage));
			for (const damage of chosen(fitting, each, k + 1)) {
				const isSame = (one: Result) => one.format === format && one.damage === damage.name;
				let result = saved.find(isSame);
				if (result === undefined) {
					result = compare(specimen, damage, k * 1000 + damage.name.length, folder);
					if (values.results !== undefined)
						appendFileSync(values.results, `${JSON.stringify(result)}\n`);
					process.stderr.write(`${format}: ${damage.name}\n`);
				}
				results.push(result);
			}
		} finally {
			rmSync(folder, { recursive: true });
		}
	}
	if (!values.condensed) print(results);
	const groups = GROUPS.map(([title]) => title);
	condensed('damage', results, groups, ({ damage }) => groupOf(damage));
	condensed('format', results, FORMATS, ({ format }) => format);
}

main();
