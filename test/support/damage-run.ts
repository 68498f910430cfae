/** One case of the damage kit: hurts a specimen, salvages it, and says what was promised and is not there. */
import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { WimError } from '../../source/base/errors.ts';
import type { SalvageReport } from '../../source/operations/salvage/report.ts';
import { salvage } from '../../source/operations/salvage/salvage.ts';
import type { Damage } from './damage-cases.ts';
import { brokenPromises } from './damage-check.ts';
import { FORMATS, type Specimen } from './damage-formats.ts';
import { type Files, intactBlobs, seeded } from './damage-kit.ts';
import { inlineWriter } from './inline-writer.ts';
import { USUAL_SALVAGE } from './rescue-kit.ts';
import { overrunsOf, testRun } from './test-run.ts';

/** Seeds of one number are far from those of another. */
export const SEED_STEP = 1_000_000;

/** Files as paths below a folder, everything that is there. */
function write(folder: string, files: Files): void {
	mkdirSync(folder);
	for (const [name, bytes] of files) writeFileSync(path.join(folder, name), bytes);
}

/** Hurt files with their bytes where they stood before. */
export function movedBack(before: Files, after: Files, { back }: Damage): Files {
	return new Map(
		[...after].map(([name, bytes]) => {
			const old = before.get(name);
			const isHurt = old !== undefined && !bytes.equals(old);
			return [name, back !== undefined && isHurt ? back(old, bytes) : bytes];
		}),
	);
}

/**
 * Salvages a hurt specimen, below an existing folder that is afterwards as it was.
 *
 * @param seed another one hurts other places
 * @returns what does not hold, and the report; null when the file was refused, which is right when nothing is left
 */
export async function salvageHurt(
	specimen: Specimen,
	damage: Damage,
	seed: number,
	folder: string,
): Promise<{ readonly broken: readonly string[]; readonly report: SalvageReport | null }> {
	const format = FORMATS.indexOf(specimen.format);
	const random = seeded(format * 1000 + damage.name.length + seed * SEED_STEP);
	const files = damage.hurt(specimen.files, random);
	// Both damages took the only part that the other one left.
	if (files.size === 0) return { broken: [], report: null };
	const home = path.join(folder, 'hurt');
	const target = path.join(folder, 'target');
	write(home, files);
	const [first = ''] = files.keys();
	const before = readdirSync(folder).length;
	const intact = intactBlobs(
		specimen.blobs,
		specimen.files,
		movedBack(specimen.files, files, damage),
	);
	const broken: string[] = [];
	const run = testRun();
	let report: SalvageReport | null = null;
	try {
		report = await salvage(path.join(home, first), target, inlineWriter, USUAL_SALVAGE, run);
		broken.push(...overrunsOf(run).map((overrun) => `progress went past its end: ${overrun}`));
		broken.push(...brokenPromises(specimen, intact, target, report));
		if (readdirSync(folder).length !== before + 1) broken.push('it wrote elsewhere');
	} catch (error) {
		if (!(error instanceof WimError)) throw error;
		if (intact.size > 0) broken.push(`refused, though something is left: ${error.message}`);
	}
	for (const [name, bytes] of files)
		assert.deepEqual(readFileSync(path.join(home, name)), bytes, 'it touched the damaged file');
	assert.equal(readdirSync(home).length, files.size);
	rmSync(home, { recursive: true });
	rmSync(target, { recursive: true, force: true });
	return { broken, report };
}
