import { randomInt } from 'node:crypto';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { root } from '../support/fixture.ts';
import { seededRandom } from '../support/prefix-code.ts';
import type { FuzzTarget, FuzzTargets } from './target.ts';

// npm run fuzz -- --target lzx --seed 7 --seconds 60
// Every file beside this one may export `targets`; without --target all of them share the time.
// A failure prints what is needed to see it again (--iteration), saves the input under .fuzz/ and ends with exit code 1.

const folder = path.dirname(fileURLToPath(import.meta.url));

async function loadTargets(): Promise<Map<string, FuzzTarget>> {
	const found = new Map<string, FuzzTarget>();
	const files = readdirSync(folder).filter((name) => name.endsWith('.js') && name !== 'main.js');
	for (const name of files.sort()) {
		const module = (await import(pathToFileURL(path.join(folder, name)).href)) as {
			readonly targets?: FuzzTargets;
		};
		for (const [target, run] of Object.entries(module.targets ?? {})) found.set(target, run);
	}
	return found;
}

/** One number per target, seed and iteration, so that any iteration can be run alone. */
function seedOf(target: string, seed: number, iteration: number): number {
	let hash = 2166136261 ^ seed;
	for (const letter of `${target} ${iteration}`)
		hash = Math.imul(hash ^ letter.charCodeAt(0), 16777619);
	return hash ^ (hash >>> 15);
}

/** @returns false after a failure */
async function runOnce(
	name: string,
	target: FuzzTarget,
	seed: number,
	iteration: number,
): Promise<boolean> {
	let input = new Uint8Array();
	try {
		await target(seededRandom(seedOf(name, seed, iteration)), (bytes) => {
			input = bytes.slice();
		});
		return true;
	} catch (error) {
		const file = path.join(root, '.fuzz', `${name}-${seed}-${iteration}.bin`);
		mkdirSync(path.dirname(file), { recursive: true });
		writeFileSync(file, input);
		const stack = error instanceof Error ? error.stack : String(error);
		process.stdout.write(
			`${name}: FAILED at seed ${seed}, iteration ${iteration}; the last input is in ${file}\n${stack}\n` +
				`again: npm run fuzz -- --target ${name} --seed ${seed} --iteration ${iteration}\n`,
		);
		return false;
	}
}

async function main(): Promise<void> {
	const { values } = parseArgs({
		options: {
			target: { type: 'string', multiple: true },
			seed: { type: 'string' },
			seconds: { type: 'string', default: '10' },
			iteration: { type: 'string' },
		},
	});
	const all = await loadTargets();
	const names = values.target ?? [...all.keys()];
	const unknown = names.find((name) => !all.has(name));
	if (unknown !== undefined)
		throw new Error(`There is no target "${unknown}"; there are ${[...all.keys()].join(', ')}`);
	const seed = values.seed === undefined ? randomInt(2 ** 31) : Number(values.seed);
	process.stdout.write(`seed ${seed}\n`);

	let failed = false;
	for (const name of names) {
		const target = all.get(name)!;
		if (values.iteration !== undefined) {
			failed = !(await runOnce(name, target, seed, Number(values.iteration))) || failed;
			continue;
		}
		const end = performance.now() + (Number(values.seconds) * 1000) / names.length;
		let iteration = 0;
		let right = true;
		for (; right && performance.now() < end; iteration++)
			right = await runOnce(name, target, seed, iteration);
		if (right) process.stdout.write(`${name}: ${iteration} iterations\n`);
		failed ||= !right;
	}
	if (failed) process.exitCode = 1;
}

await main();
