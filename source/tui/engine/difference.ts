/** Differences of two images of one WIM, and what exactly differs in one place. */

import type { Run } from '../../base/run.ts';
import type { OpenImage } from '../../image/open.ts';
import type { PathFinder } from '../../image/paths.ts';
import { machineClock } from '../../jobs/clock.ts';
import type { ContentReader } from '../../jobs/content-reader.ts';
import { compareTrees, type DiffChange, imageDiffTree } from '../../operations/diff/diff-trees.ts';
import type { Wim } from '../../wim/wim.ts';
import type { DifferenceFact, FactValue, ImageDifference } from '../engine-views.ts';
import { entryDetails } from './entry-details.ts';
import { NEVER, Slices } from './listing.ts';

/** A loaded image. */
export interface DifferenceSide {
	readonly open: OpenImage;
	readonly finder: PathFinder;
}

/** Changes between two looks at the clock. */
const CHANGES_PER_LOOK = 256;

const backslashed = (path: string): string => path.replaceAll('/', '\\');

/** Aspects in the words of the screen. */
const WORDS: Readonly<Record<string, string>> = {
	'write-time': 'written',
	'creation-time': 'created',
	'short-name': 'short name',
	extra: 'extra data',
};

function differenceOf(change: DiffChange): ImageDifference {
	const path = backslashed(change.path);
	switch (change.type) {
		case 'added':
		case 'removed': {
			const { type, isFolder, size } = change;
			const isAdded = type === 'added';
			return {
				kind: type,
				path,
				from: null,
				isFolder,
				aspects: [],
				sizeBefore: isAdded ? 0 : size,
				sizeAfter: isAdded ? size : 0,
			};
		}
		case 'moved':
			return {
				kind: 'moved',
				path,
				from: backslashed(change.from),
				isFolder: false,
				aspects: [],
				sizeBefore: change.size,
				sizeAfter: change.size,
			};
		case 'changed':
			return {
				kind: 'changed',
				path,
				from: null,
				isFolder: change.isFolder,
				aspects: change.aspects.map((aspect) => WORDS[aspect] ?? aspect),
				sizeBefore: change.sizeBefore,
				sizeAfter: change.size,
			};
	}
}

export async function imageDifference(
	wim: Wim,
	before: DifferenceSide,
	after: DifferenceSide,
	signal: AbortSignal,
): Promise<readonly ImageDifference[]> {
	const run: Run = { signal, report: () => {}, clock: machineClock };
	const one = imageDiffTree(wim, before.open.tree);
	const two = imageDiffTree(wim, after.open.tree);
	const { changes } = await compareTrees(one, two, run);
	const slices = new Slices(signal);
	const differences: ImageDifference[] = [];
	for (const [at, change] of changes.entries()) {
		if (at % CHANGES_PER_LOOK === 0 && slices.isUsedUp) await slices.pause();
		differences.push(differenceOf(change));
	}
	return differences;
}

/** Label to value of everything that a comparison looks at. */
async function factsAt(
	wim: Wim,
	{ open, finder }: DifferenceSide,
	path: string,
	contents: ContentReader,
): Promise<ReadonlyMap<string, FactValue> | null> {
	await finder.prepare(path, new Slices(NEVER));
	const found = finder.find(path);
	if (found.kind !== 'found') return null;
	const { facts, target, otherNames, streams } = await entryDetails(
		wim,
		open,
		found.dentry,
		[],
		contents,
	);
	const shown = facts.filter(
		({ label }) => !['packed', 'resource', 'used', 'accessed'].includes(label),
	);
	return new Map<string, FactValue>([
		...shown.map(({ label, value }) => [label, value] as const),
		...(target === null ? [] : [['target', target] as const]),
		...(otherNames.length === 0 ? [] : [['links', String(otherNames.length + 1)] as const]),
		...streams.map(({ name, size }) => [`:${name}`, `${size} bytes`] as const),
	]);
}

/** The facts of a file on both sides, those that differ first. */
export async function differenceFacts(
	wim: Wim,
	before: DifferenceSide,
	after: DifferenceSide,
	difference: ImageDifference,
	contents: ContentReader,
): Promise<readonly DifferenceFact[]> {
	const { kind, path, from } = difference;
	const old = kind === 'added' ? null : await factsAt(wim, before, from ?? path, contents);
	const now = kind === 'removed' ? null : await factsAt(wim, after, path, contents);
	const labels = new Set([...(old?.keys() ?? []), ...(now?.keys() ?? [])]);
	const facts = [...labels].map((label) => ({
		label,
		before: old?.get(label) ?? null,
		after: now?.get(label) ?? null,
	}));
	if (old === null || now === null) return facts;
	const differs = facts.filter((fact) => fact.before !== fact.after);
	return [...differs, ...facts.filter((fact) => fact.before === fact.after)];
}
