import assert from 'node:assert/strict';
import { test } from 'node:test';
import { damageNamed } from '../../support/damage-cases.ts';
import { makeSpecimen } from '../../support/damage-formats.ts';
import { salvageHurt } from '../../support/damage-run.ts';
import { oracle } from '../../support/oracles.ts';
import { tempFolder } from '../../support/temp-tree.ts';

const needsWimlib = oracle('wimlib-imagex');

/** What `WIMDECK_PAIRS` and `WIMDECK_SEED` have found: damages that together hid more than each by itself, and others. */
const FOUND: readonly (readonly [format: string, seed: number, ...damages: string[]])[] = [
	// Nothing but the chunks tells that the header is wrong.
	['LZX', 1, 'cut inside the metadata', 'header: chunk size doubled'],
	['XPRESS 4K', 3, 'cut anywhere', 'header: another compression'],
	[
		'pipable LZX',
		1,
		'blob table and XML data: their places and themselves zeroed',
		'header: another compression',
	],
	['solid', 1, 'blob table: the first sector overwritten', 'header: chunk size overwritten'],
	// One entry calls contents an image; others name contents that are not there.
	['LZX', 1, 'header: blob table place zeroed', 'blob table: ten flipped bits'],
	['XPRESS 4K', 2, 'cut before the blob table', 'header: chunk size doubled'],
	// What is left of the newest table names no image, and only the XML data tells that there was one.
	[
		'appended none',
		1,
		'header: blob table place overwritten',
		'five entries of the blob table zeroed',
	],
	// Behind the old state of the file stands a part of a newer one.
	['appended none', 2, 'an append killed halfway', 'header: integrity table place overwritten'],
	['appended XPRESS', 3, 'header: XML data place overwritten', 'an append killed halfway'],
	// The entry of the metadata has another size.
	['split LZX', 1, 'header: version zeroed', 'blob table: ten flipped bits'],
	// The entry before one that is damaged states a byte too many.
	['split LZX', 43, 'blob table: ten flipped bits'],
	['pipable LZX', 42, 'five entries of the blob table zeroed', 'blob table: ten flipped bits'],
	// Of one content that the tree names the table has the right place and size, but says that it is in part 65.
	['none', 43, 'blob table: ten flipped bits'],
	// The same of a solid resource: all contents are in it.
	['solid', 43, 'blob table: ten flipped bits', 'cut in the integrity table or the last bytes'],
	// Once a tree is found, entries turn out to name nothing; what they cover is wanted.
	['solid', 41, 'blob table: ten flipped bits'],
	// The header says how many chunks there are; where they begin is told by nothing but themselves.
	['solid', 42, 'sizes of the solid chunks zeroed', 'blob table zeroed'],
	// The sizes of the chunks are there, not all of the chunks.
	['solid', 2, 'cut after 50 %', 'solid header zeroed'],
];

for (const [format, seed, ...damages] of FOUND)
	test(`${format}, ${damages.join(' + ')}: what is left comes back`, needsWimlib, async (t) => {
		const folder = tempFolder(t);
		const specimen = makeSpecimen(format, folder);
		const { broken, report } = await salvageHurt(specimen, damageNamed(...damages), seed, folder);
		assert.deepEqual(broken, []);
		const wholeCount = report?.images.reduce((sum, image) => sum + image.wholeCount, 0) ?? 0;
		assert.ok(wholeCount + (report?.unnamed.length ?? 0) > 0, 'something was left');
	});
