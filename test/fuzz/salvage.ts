/**
 * Salvage of files with several random damages: it ends in time, within memory, with a report or a `WimError`, writes nothing
 * wrong under an own name, and nothing outside its target. `salvage` takes the vectors, `salvage-kit` files of every format
 * made by wimlib.
 */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { WimError } from '../../source/base/errors.ts';
import { salvage } from '../../source/operations/salvage/salvage.ts';
import { damagesFor } from '../support/damage-cases.ts';
import { wrongNames } from '../support/damage-check.ts';
import { digests, FORMATS, makeSpecimen, type Specimen } from '../support/damage-formats.ts';
import type { Files } from '../support/damage-kit.ts';
import { fixture } from '../support/fixture.ts';
import { inlineWriter } from '../support/inline-writer.ts';
import { oracle } from '../support/oracles.ts';
import type { Random } from '../support/prefix-code.ts';
import { USUAL_SALVAGE } from '../support/rescue-kit.ts';
import { testRun } from '../support/test-run.ts';
import type { FuzzTarget, FuzzTargets } from './target.ts';

/** Files of some hundred KiB take seconds at most; this is for a hang. */
const ITERATION_MS_MAX = 180_000;
const MEMORY_MAX = 1 << 30;

const home = mkdtempSync(path.join(os.tmpdir(), 'wimdeck-fuzz-'));
process.on('exit', () => rmSync(home, { recursive: true, force: true }));

const vectors = ['vectors', 'vectors/malformed'].map(fixture).flatMap((folder) =>
	readdirSync(folder)
		.filter((name) => /\.(wim|swm|esd|pwm)$/.test(name))
		.map((name) => readFileSync(path.join(folder, name))),
);

/** Flips, holes, moves, cuts. */
function mutate(original: Buffer, random: Random): Buffer {
	let bytes = Buffer.from(original);
	for (let k = 1 + random(5); k > 0 && bytes.length > 0; k--) {
		const at = random(bytes.length);
		const kind = random(8);
		if (kind === 0) bytes = bytes.subarray(0, at);
		else if (kind === 1)
			bytes.fill(random(2) * 255, at, Math.min(bytes.length, at + 1 + random(600)));
		else if (kind === 2) bytes.copyWithin(at, random(bytes.length), bytes.length);
		else if (kind === 3) bytes[random(Math.min(208, bytes.length))] = random(256);
		else if (kind === 4)
			bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1 + random(64))]);
		else bytes[at] = (bytes[at] ?? 0) ^ (1 << random(8));
	}
	return bytes;
}

/** @returns the target folder, or null when nothing could be salvaged */
async function attempt(files: Files, keep: (bytes: Uint8Array) => void): Promise<string | null> {
	const folder = path.join(home, 'hurt');
	rmSync(home, { recursive: true, force: true });
	mkdirSync(folder, { recursive: true });
	for (const [name, bytes] of files) writeFileSync(path.join(folder, name), bytes);
	const [[first, bytes] = ['', Buffer.alloc(0)]] = files;
	keep(bytes);
	const target = path.join(home, 'target');
	const start = performance.now();
	let isDone = true;
	try {
		await salvage(path.join(folder, first), target, inlineWriter, USUAL_SALVAGE, testRun());
	} catch (error) {
		if (!(error instanceof WimError)) throw error;
		assert.ok(error.message.length > 0);
		isDone = false;
	}
	assert.ok(performance.now() - start < ITERATION_MS_MAX, 'an iteration took too long');
	assert.ok(process.memoryUsage().rss < MEMORY_MAX, 'it took too much memory');
	for (const name of readdirSync(home)) assert.ok(name === 'hurt' || name === 'target', name);
	for (const [name, bytes] of files)
		assert.deepEqual(readFileSync(path.join(folder, name)), bytes, 'the damaged file was touched');
	return isDone ? target : null;
}

const fromVectors: FuzzTarget = async (random, keep) => {
	const original = vectors[random(vectors.length)] ?? Buffer.alloc(0);
	await attempt(new Map([['vector.wim', mutate(original, random)]]), keep);
};

const specimens = new Map<string, Specimen>();

function specimenOf(format: string): Specimen {
	let specimen = specimens.get(format);
	if (specimen === undefined) {
		const folder = mkdtempSync(path.join(os.tmpdir(), 'wimdeck-specimen-'));
		specimen = makeSpecimen(format, folder);
		rmSync(folder, { recursive: true });
		specimens.set(format, specimen);
	}
	return specimen;
}

const fromKit: FuzzTarget = async (random, keep) => {
	const specimen = specimenOf(FORMATS[random(FORMATS.length)] ?? '');
	const damages = damagesFor(specimen);
	let { files } = specimen;
	const names: string[] = [];
	for (let k = 1 + random(3); k > 0; k--) {
		const damage = damages[random(damages.length)];
		if (damage === undefined) continue;
		names.push(damage.name);
		try {
			files = damage.hurt(files, () => random(1 << 30) / (1 << 30));
		} catch (error) {
			// The file is too broken for this kind of damage to find its place.
			if (!(error instanceof RangeError) && !(error instanceof Error)) throw error;
		}
	}
	if (random(3) === 0)
		files = new Map([...files].map(([name, bytes]) => [name, mutate(bytes, random)]));
	const target = await attempt(files, keep);
	if (target !== null)
		assert.deepEqual(wrongNames(specimen, digests(target)), [], `${specimen.format}: ${names}`);
};

export const targets: FuzzTargets = {
	salvage: fromVectors,
	...(oracle('wimlib-imagex').skip === undefined ? { 'salvage-kit': fromKit } : {}),
};
