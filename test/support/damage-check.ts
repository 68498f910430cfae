/** The promise of salvage, checked: every intact content comes back, nothing wrong stands under its own name unmarked. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { EMPTY_SHA1 } from '../../source/bytes/sha1.ts';
import { isComplete, type SalvageReport } from '../../source/operations/salvage/report.ts';
import { digests, type Specimen } from './damage-formats.ts';

/** Without any tree nobody knows where raw contents begin and end: then they come back as stretches of bytes. */
export function isInRawBytes(target: string, bytes: Buffer): boolean {
	const folder = path.join(target, '(unnamed)');
	if (!existsSync(folder)) return false;
	return readdirSync(folder).some(
		(name) => name.includes('raw bytes') && readFileSync(path.join(folder, name)).includes(bytes),
	);
}

/**
 * What a salvage owes.
 *
 * @param intact SHA-1s of the blobs whose stored bytes survived
 * @param target the folder that it wrote to
 */
export function brokenPromises(
	specimen: Specimen,
	intact: ReadonlySet<string>,
	target: string,
	report: SalvageReport,
): string[] {
	const got = digests(target);
	const contents = new Set(got.values());
	const folders = ['', ...report.images.map(({ folder }) => folder)];
	const broken: string[] = [];
	let isAllThere = true;
	for (const { name: image, contents: expected, metadata } of specimen.images)
		for (const [name, sha1] of expected) {
			const isIntact = sha1 === EMPTY_SHA1 || intact.has(sha1);
			const isThere = folders.some((folder) => got.get(path.join(folder, name)) === sha1);
			isAllThere &&= isThere;
			if (!isIntact || isThere) continue;
			if (intact.has(metadata)) {
				const isElsewhere = contents.has(sha1);
				broken.push(`${image}: ${name} ${isElsewhere ? 'lost its name' : 'did not come back'}`);
			} else if (
				sha1 !== EMPTY_SHA1 &&
				!contents.has(sha1) &&
				!isInRawBytes(target, specimen.bytes.get(sha1) ?? Buffer.alloc(0))
			)
				broken.push(`${image}: the contents of ${name} did not come back`);
		}
	broken.push(...wrongNames(specimen, got));
	if (isComplete(report) && !isAllThere) broken.push('it says that nothing is lost');
	return broken;
}

/** What stands under an own name has contents that some image has under this name; the rest says what it is. */
export function wrongNames(specimen: Specimen, got: ReadonlyMap<string, string>): string[] {
	const wrong: string[] = [];
	for (const [name, sha1] of got) {
		if (name.endsWith('.partial') || name.startsWith('wimdeck-salvage')) continue;
		if (name.startsWith('(unnamed)')) {
			if (!path.basename(name).startsWith(sha1)) wrong.push(`${name} is not what its name says`);
			continue;
		}
		const isRight = specimen.images.some(({ contents }) =>
			[...contents].some(
				([own, right]) => right === sha1 && path.basename(own) === path.basename(name),
			),
		);
		if (!isRight) wrong.push(`${name} stands under its own name with wrong contents`);
	}
	return wrong;
}
