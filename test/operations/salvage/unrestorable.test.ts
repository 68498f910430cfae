import assert from 'node:assert/strict';
import path from 'node:path';
import { test } from 'node:test';
import { salvageToWim } from '../../../source/operations/rescue/salvage-to-wim.ts';
import {
	formatReport,
	isComplete,
	type SalvagedImageReport,
	type SalvageReport,
} from '../../../source/operations/salvage/report.ts';
import { salvage } from '../../../source/operations/salvage/salvage.ts';
import { InlinePool } from '../../../source/pool/pool.ts';
import { inlineWriter } from '../../support/inline-writer.ts';
import { USUAL_SALVAGE } from '../../support/rescue-kit.ts';
import { tempFolder } from '../../support/temp-tree.ts';
import { testRun } from '../../support/test-run.ts';
import { tools } from '../../support/written.ts';

const NTFS = 'fixtures/vectors/v08-ntfs-current.wim';

const sum = ({ images }: SalvageReport, count: (image: SalvagedImageReport) => number) =>
	images.reduce((total, image) => total + count(image), 0);

test('what a folder cannot hold is no whole file, and a folder counts as many streams as a WIM', async (t) => {
	const folder = tempFolder(t);
	const out = path.join(folder, 'out');
	const inFolder = await salvage(NTFS, out, inlineWriter, USUAL_SALVAGE, testRun());
	const options = { references: [], image: null, lost: 'mark', dryRun: false } as const;
	const file = path.join(folder, 'new.wim');
	const inWim = await salvageToWim(
		NTFS,
		file,
		options,
		{ ...tools, pool: new InlinePool() },
		testRun(),
	);
	const unheld = sum(inFolder, ({ unrestorableCount }) => unrestorableCount);
	assert.ok(unheld > 0, 'the vector has named streams');
	assert.ok(isComplete(inFolder), 'nothing of it is lost');
	assert.equal(
		sum(inWim, ({ unrestorableCount }) => unrestorableCount),
		0,
	);
	const whole = sum(inFolder, ({ wholeCount }) => wholeCount);
	assert.equal(
		whole + unheld,
		sum(inWim, ({ wholeCount }) => wholeCount),
	);
	const text = formatReport(inFolder);
	assert.match(
		text,
		new RegExp(`${whole} are whole, 0 partial, 0 lost, ${unheld} not restorable here`),
	);
	assert.match(text, /--to-wim=NEW/);
	assert.doesNotMatch(formatReport(inWim), /not restorable/);
});
