import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { WimError } from '../../../source/base/errors.ts';
import { isComplete, type SalvageReport } from '../../../source/operations/salvage/report.ts';
import { salvage } from '../../../source/operations/salvage/salvage.ts';
import { type Damage, damagesFor, randomPairs } from '../../support/damage-cases.ts';
import { brokenPromises } from '../../support/damage-check.ts';
import { FORMATS, makeSpecimen } from '../../support/damage-formats.ts';
import { type Files, intactBlobs, seeded } from '../../support/damage-kit.ts';
import { inlineWriter } from '../../support/inline-writer.ts';
import { oracle } from '../../support/oracles.ts';
import { USUAL_SALVAGE } from '../../support/rescue-kit.ts';
import { tempFolder } from '../../support/temp-tree.ts';
import { overrunsOf, testRun } from '../../support/test-run.ts';

const needsWimlib = oracle('wimlib-imagex');

/** How many damages of each format are tried: a number, a word of their names, or `all` (minutes). */
const WANTED = process.env['WIMDECK_DAMAGE'] ?? '1';

/** Another number hurts other places, and pairs other damages. */
const SEED = Number(process.env['WIMDECK_SEED'] ?? 0);

/** So many pairs of damages of each format are tried, too. */
const PAIR_COUNT = Number(process.env['WIMDECK_PAIRS'] ?? 0);

/** Seeds of one format, and of one number, are far from those of others. */
const SEED_STEP = 1_000_000;

const NONE: Damage = { name: 'no damage', hurt: (files) => files };

/** A part of the damages that is another for each format, and the same in each run. */
function sample(damages: readonly Damage[], seed: number): Damage[] {
	if (WANTED === 'all') return [...damages];
	if (/[a-z]/.test(WANTED)) return damages.filter(({ name }) => name.includes(WANTED));
	const random = seeded(seed);
	const left = [...damages];
	const chosen: Damage[] = [];
	while (chosen.length < Number(WANTED) && left.length > 0)
		chosen.push(...left.splice(Math.floor(random() * left.length), 1));
	return chosen;
}

/** Files as paths below a folder, everything that is there. */
function write(folder: string, files: Files): void {
	mkdirSync(folder);
	for (const [name, bytes] of files) writeFileSync(path.join(folder, name), bytes);
}

for (const [k, format] of FORMATS.entries())
	test(
		`everything that is physically left of a damaged file comes back: ${format}`,
		needsWimlib,
		async (t) => {
			const folder = tempFolder(t);
			const specimen = makeSpecimen(format, folder);
			// All damages of a format are tried before the first failure ends it.
			const failures: string[] = [];
			const damages = sample(damagesFor(specimen), k + 1 + SEED * SEED_STEP);
			const pairs = randomPairs(specimen, PAIR_COUNT, seeded(k + 1 + SEED * SEED_STEP));
			for (const damage of [NONE, ...damages, ...pairs]) {
				const seed = k * 1000 + damage.name.length + SEED * SEED_STEP;
				const files = damage.hurt(specimen.files, seeded(seed));
				const context = `${format}, ${damage.name}`;
				const home = path.join(folder, 'hurt');
				write(home, files);
				const target = path.join(folder, 'target');
				const [first = ''] = files.keys();
				const intact = intactBlobs(specimen.blobs, specimen.files, files);
				const before = readdirSync(folder).length;
				const report = await salvaged(path.join(home, first), target, context, intact);
				if (damage === NONE) assert.ok(report !== null && isComplete(report), context);
				if (report !== null) {
					const broken = brokenPromises(specimen, intact, target, report);
					failures.push(...broken.map((promise) => `${context}: ${promise}`));
					assert.equal(readdirSync(folder).length, before + 1, `${context}: it wrote elsewhere`);
				}
				for (const [name, bytes] of files)
					assert.deepEqual(
						readFileSync(path.join(home, name)),
						bytes,
						'it touched the damaged file',
					);
				assert.equal(readdirSync(home).length, files.size);
				rmSync(home, { recursive: true });
				rmSync(target, { recursive: true, force: true });
			}
			assert.deepEqual(failures, []);
		},
	);

/** Null when the file was refused, which is right only when nothing is left. */
async function salvaged(
	file: string,
	target: string,
	context: string,
	intact: ReadonlySet<string>,
): Promise<SalvageReport | null> {
	const run = testRun();
	try {
		const report = await salvage(file, target, inlineWriter, USUAL_SALVAGE, run);
		assert.deepEqual(overrunsOf(run), [], `${context}: progress went past its end`);
		return report;
	} catch (error) {
		if (!(error instanceof WimError)) throw error;
		assert.equal(intact.size, 0, `${context}: refused, though something is left: ${error.message}`);
		return null;
	}
}
