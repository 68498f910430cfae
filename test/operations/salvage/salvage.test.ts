import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isComplete } from '../../../source/operations/salvage/report.ts';
import { type Damage, damagesFor, randomPairs } from '../../support/damage-cases.ts';
import { FORMATS, makeSpecimen } from '../../support/damage-formats.ts';
import { seeded } from '../../support/damage-kit.ts';
import { SEED_STEP, salvageHurt } from '../../support/damage-run.ts';
import { oracle } from '../../support/oracles.ts';
import { tempFolder } from '../../support/temp-tree.ts';

const needsWimlib = oracle('wimlib-imagex');

/** How many damages of each format are tried: a number, a word of their names, or `all` (minutes). */
const WANTED = process.env['WIMDECK_DAMAGE'] ?? '1';

/** Another number hurts other places, and pairs other damages. */
const SEED = Number(process.env['WIMDECK_SEED'] ?? 0);

/** So many pairs of damages of each format are tried, too. */
const PAIR_COUNT = Number(process.env['WIMDECK_PAIRS'] ?? 0);

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
				const { broken, report } = await salvageHurt(specimen, damage, SEED, folder);
				const context = `${format}, ${damage.name}`;
				if (damage === NONE) assert.ok(report !== null && isComplete(report), context);
				failures.push(...broken.map((promise) => `${context}: ${promise}`));
			}
			assert.deepEqual(failures, []);
		},
	);
