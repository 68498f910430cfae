/**
 * Files of the vectors with some bytes changed, cut or moved: opening, reading trees and contents, and surveying for salvage
 * give a result or a `WimError`, within limits of time and memory.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { WimError } from '../../source/base/errors.ts';
import { openImage } from '../../source/image/open.ts';
import { pathOf } from '../../source/image/paths.ts';
import { extendedAttributesOf, parseTaggedItems } from '../../source/image/tagged-items.ts';
import { repair } from '../../source/operations/repair/repair.ts';
import { poolBlobChecker } from '../../source/operations/verify/pool-blob-checker.ts';
import { verify } from '../../source/operations/verify/verify.ts';
import { InlinePool } from '../../source/pool/pool.ts';
import { MemorySource } from '../../source/storage/memory-source.ts';
import { readWholeResource } from '../../source/wim/read-resource.ts';
import { recoverPart } from '../../source/wim/recover/recover-wim.ts';
import { RecoveryTools } from '../../source/wim/recover/recovery-tools.ts';
import { surveyPart } from '../../source/wim/recover/survey.ts';
import { openWim } from '../../source/wim/wim.ts';
import { fixture } from '../support/fixture.ts';
import type { Random } from '../support/prefix-code.ts';
import { USUAL_REPAIR } from '../support/rescue-kit.ts';
import { testRun } from '../support/test-run.ts';
import { tools } from '../support/written.ts';
import type { FuzzTarget, FuzzTargets } from './target.ts';

/** The vectors have some KiB; this is for a hang. */
const ITERATION_MS_MAX = 20_000;

const folders = ['vectors', 'vectors/malformed'].map(fixture);
const originals = folders.flatMap((folder) =>
	readdirSync(folder)
		.filter((name) => /\.(wim|swm|esd|pwm)$/.test(name))
		.map((name) => new Uint8Array(readFileSync(path.join(folder, name)))),
);

/** Values that break arithmetic. */
const NASTY = [0, 1, 7, 8, 0x7f, 0x80, 0xff];

function mutate(random: Random): Uint8Array {
	let bytes = (originals[random(originals.length)] ?? new Uint8Array(0)).slice();
	for (let k = 1 + random(6); k > 0; k--) {
		const at = random(bytes.length || 1);
		const kind = random(6);
		if (kind === 0) bytes = bytes.slice(0, at);
		else if (kind === 1) bytes.fill(NASTY[random(NASTY.length)] ?? 0, at, at + 1 + random(16));
		else if (kind === 2) bytes.copyWithin(at, random(bytes.length || 1), bytes.length);
		else if (kind === 3) bytes[Math.min(at, random(208))] = random(256);
		else bytes[at] = random(256);
	}
	return bytes;
}

async function expected(action: () => Promise<void>): Promise<void> {
	try {
		await action();
	} catch (error) {
		if (!(error instanceof WimError)) throw error;
		assert.ok(error.message.length > 0);
	}
}

async function read(bytes: Uint8Array, tolerant: boolean): Promise<void> {
	await using wim = await openWim(new MemorySource('fuzzed', bytes), { tolerant });
	for (const image of wim.images)
		await expected(async () => {
			const { tree } = await openImage(wim, image, { tolerant });
			for (let dentry = 0; dentry < tree.count; dentry++) {
				tree.streams(dentry);
				tree.linksOf(dentry);
				pathOf(tree, dentry);
				extendedAttributesOf(parseTaggedItems(tree.tail(dentry)).items);
			}
		});
	for (const blob of wim.blobs.values())
		await expected(async () => {
			if (blob.defect !== null) return;
			const end = blob.offsetInResource + blob.size;
			await readWholeResource(blob.resource, 1 << 24, blob.offsetInResource, end);
		});
	for (const part of wim.parts) await expected(async () => void (await wim.integrityTable(part)));
}

const within =
	(action: (bytes: Uint8Array) => Promise<void>): FuzzTarget =>
	async (random, keep) => {
		const bytes = mutate(random);
		keep(bytes);
		const start = performance.now();
		await expected(() => action(bytes));
		assert.ok(performance.now() - start < ITERATION_MS_MAX, 'an iteration took too long');
	};

const repairTools = { ...tools, pool: new InlinePool() };

/** Whatever was damaged: what repair writes has no fault, and the damaged file stays as it is. */
async function repaired(bytes: Uint8Array): Promise<void> {
	const folder = mkdtempSync(path.join(os.tmpdir(), 'wimdeck-fuzz-'));
	try {
		const file = path.join(folder, 'hurt.wim');
		const target = path.join(folder, 'new.wim');
		writeFileSync(file, bytes);
		await repair(file, target, { ...USUAL_REPAIR, bitSearchSeconds: 1 }, repairTools, testRun());
		assert.deepEqual(new Uint8Array(readFileSync(file)), bytes);
		await using wim = await openWim(target);
		const checker = poolBlobChecker(repairTools.pool);
		const { faults } = await verify(wim, { integrity: true, fast: false }, checker, testRun());
		const errors = faults.filter(({ severity }) => severity === 'error');
		assert.deepEqual(errors, []);
	} finally {
		rmSync(folder, { recursive: true });
	}
}

export const targets: FuzzTargets = {
	repair: within(repaired),
	container: within((bytes) => read(bytes, false)),
	'container-tolerant': within((bytes) => read(bytes, true)),
	survey: within(async (bytes) => {
		const run = testRun();
		const survey = await surveyPart(new MemorySource('fuzzed', bytes), true, run);
		await recoverPart(survey, null, new RecoveryTools(repairTools.pool, run), run);
	}),
};
