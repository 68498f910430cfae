import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import type { RepairReport } from '../../source/operations/repair/report.ts';
import type { SalvageReport } from '../../source/operations/salvage/report.ts';
import { salvage } from '../../source/operations/salvage/salvage.ts';
import { type CliResult, cli } from '../support/cli.ts';
import { damagesFor } from '../support/damage-cases.ts';
import { makeSpecimen } from '../support/damage-formats.ts';
import { type Files, seeded } from '../support/damage-kit.ts';
import { fixture } from '../support/fixture.ts';
import { inlineWriter } from '../support/inline-writer.ts';
import { oracle } from '../support/oracles.ts';
import { USUAL_SALVAGE } from '../support/rescue-kit.ts';
import { tempFolder } from '../support/temp-tree.ts';
import { testRun } from '../support/test-run.ts';

const FORMATS = ['none', 'XPRESS', 'LZX', 'LZMS', 'solid', 'pipable LZX', 'split LZX'];

/** Damage of contents and of tables, by the names of the kit. */
const DAMAGES = ['five flipped bits', 'a block of 16 KiB overwritten', 'XML data zeroed'];

/** Searching for what no table places takes long in the others. */
const SEARCHED = ['XPRESS', 'pipable LZX', 'split LZX'];

interface Told<Report> extends CliResult {
	readonly report: Report | null;
}

/** Runs a command with `--report`; what it wrote of one is taken away. */
async function told<Report>(at: (name: string) => string, args: string[]): Promise<Told<Report>> {
	const file = at('report.json');
	const result = await cli([...args, '--report', file]);
	const report = existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Report) : null;
	rmSync(file, { force: true });
	return { ...result, report };
}

/** Lines that name the file which only a real run writes. */
const withoutList = (out: string) =>
	out.replace(/^(The whole list is in .*|.* the whole list\.)\n/m, '');

/** Writes the files into a folder of their own, and gives the first one. */
function write(folder: string, files: Files): string {
	mkdirSync(folder);
	for (const [name, bytes] of files) writeFileSync(path.join(folder, name), bytes);
	const [first = ''] = files.keys();
	return path.join(folder, first);
}

for (const [k, format] of FORMATS.entries())
	test(
		`a dry run of salvage and repair tells what the real one does: ${format}`,
		oracle('wimlib-imagex'),
		async (t) => {
			const folder = tempFolder(t);
			const at = (name: string) => path.join(folder, name);
			const specimen = makeSpecimen(format, folder);
			const names = SEARCHED.includes(format)
				? [...DAMAGES, 'one flipped bit + blob table zeroed']
				: DAMAGES;
			const damages = damagesFor(specimen).filter(({ name }) => names.includes(name));
			assert.equal(damages.length, names.length);
			let unfinished = 0;
			for (const damage of damages) {
				const file = write(at('hurt'), damage.hurt(specimen.files, seeded(k + 1)));
				for (const args of [[at('out')], ['--to-wim', at('new.wim')]]) {
					const command = ['salvage', file, ...args];
					const context = `${damage.name}: ${command.join(' ')}`;
					const before = readdirSync(folder);
					const dry = await told<SalvageReport>(at, [...command, '--dry-run']);
					assert.deepEqual(readdirSync(folder), before, `${context}: it wrote something`);
					const real = await told<SalvageReport>(at, command);
					assert.deepEqual(dry.report, real.report, context);
					assert.equal(dry.code, real.code, `${context}: ${dry.err}${real.err}`);
					assert.equal(withoutList(dry.out), withoutList(real.out), context);
					assert.equal(dry.err, real.err, context);
					if (real.code === 3) unfinished++;
				}
				const command = ['repair', file, '--bit-search=0', '--output', at('mended.wim')];
				const { length } = readdirSync(folder);
				const dry = await told<RepairReport>(at, [...command, '--dry-run']);
				assert.equal(readdirSync(folder).length, length, `${damage.name}: repair wrote something`);
				const real = await told<RepairReport>(at, command);
				assert.equal(dry.code, real.code, `${damage.name}: ${dry.err}${real.err}`);
				assert.deepEqual(factsOf(dry.report), factsOf(real.report), damage.name);
				for (const name of ['hurt', 'out', 'new.wim', 'mended.wim'])
					rmSync(at(name), { recursive: true, force: true });
			}
			assert.ok(unfinished > 0, 'no damage was any');
		},
	);

/** What does not tell of the new file itself. */
function factsOf(report: RepairReport | null) {
	if (report === null) return null;
	const { isDryRun: _, sizeAfter: _size, readBack: _back, ...facts } = report;
	return facts;
}

test('a dry run of salvage sees damaged contents and links, and what stands in the way', async (t) => {
	const folder = tempFolder(t);
	const at = (name: string) => path.join(folder, name);
	const bytes = readFileSync(fixture('vectors/v02.wim'));
	bytes.fill(0x5a, 0x300, 0x340);
	writeFileSync(at('hurt.wim'), bytes);
	const dry = await cli(['salvage', at('hurt.wim'), at('out'), '--dry-run']);
	assert.equal(dry.code, 3);
	assert.match(
		dry.out,
		/^Of \d+ files \d+ are whole, \d+ partial, [1-9]\d* lost\.$|[1-9]\d* partial/m,
	);
	assert.equal(existsSync(at('out')), false);
	// The estimate of the deck's dialog reads no contents, and promises no more than what is there at most.
	const options = { ...USUAL_SALVAGE, dryRun: true, isEstimate: true };
	const guess = await salvage(at('hurt.wim'), at('out'), inlineWriter, options, testRun());
	assert.deepEqual([guess.partial, guess.lost, existsSync(at('out'))], [[], [], false]);
	const apply = await cli(['apply', at('hurt.wim'), '1', at('out'), '--dry-run']);
	assert.match(apply.out, /^Would extract .*\n.*\nTheir contents were not checked/);
	// A folder where a file is to be is refused by both, and stays.
	const whole = fixture('vectors/v02.wim');
	const [image] = (await reportOf(at, ['salvage', whole, at('out')])).images;
	const place = path.join(at('out'), image?.folder ?? '', 'lines.txt');
	assert.ok(existsSync(place));
	rmSync(place);
	mkdirSync(place);
	const again = await cli(['salvage', whole, at('out'), '--dry-run']);
	assert.equal(again.code, 3, again.out);
	assert.equal((await cli(['salvage', whole, at('out')])).code, 3);
	assert.deepEqual(readdirSync(place), []);
});

async function reportOf(at: (name: string) => string, args: string[]): Promise<SalvageReport> {
	const { report, err } = await told<SalvageReport>(at, args);
	assert.ok(report !== null, err);
	return report;
}
