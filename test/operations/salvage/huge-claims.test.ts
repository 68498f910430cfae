import assert from 'node:assert/strict';
import path from 'node:path';
import { test } from 'node:test';
import { isComplete } from '../../../source/operations/salvage/report.ts';
import { salvage } from '../../../source/operations/salvage/salvage.ts';
import { openWim } from '../../../source/wim/wim.ts';
import { claiming } from '../../support/huge-claims.ts';
import { inlineWriter } from '../../support/inline-writer.ts';
import { USUAL_SALVAGE } from '../../support/rescue-kit.ts';
import { testRun } from '../../support/test-run.ts';

for (const claim of [
	{ compression: 'lzms', count: 50_000, chunkSize: 2 ** 26, storedSize: 1 },
	{ compression: 'lzx', count: 20_000, chunkSize: 2 ** 21, storedSize: 20 },
	{ compression: 'xpress', count: 5000, chunkSize: 2 ** 16, storedSize: 100 },
] as const)
	test(`chunks that cannot be stored in so little are refused by the header: ${claim.compression}`, async (t) => {
		const file = await claiming(t, claim);
		await assert.rejects(openWim(file), /chunks need at least \d+ bytes/);
		const run = testRun();
		let searched = 0;
		const report = await salvage(
			file,
			path.join(path.dirname(file), 'out'),
			inlineWriter,
			USUAL_SALVAGE,
			{
				...run,
				report(event) {
					if (event.type === 'phase') searched = Math.max(searched, event.totalBytes ?? 0);
				},
			},
		);
		assert.equal(report.lost.length + report.partial.length, 5);
		assert.ok(searched < 2 ** 24, `${searched} bytes were to be searched`);
	});

test('a hundred billion bytes that are lost are passed over', async (t) => {
	// Each chunk might be right by its size. The search for the five contents takes hours if it looks at zeros.
	const file = await claiming(t, {
		compression: 'lzms',
		count: 1500,
		chunkSize: 2 ** 26,
		storedSize: 10,
	});
	const out = path.join(path.dirname(file), 'out');
	const report = await salvage(file, out, inlineWriter, USUAL_SALVAGE, testRun());
	assert.equal(isComplete(report), false);
	assert.equal(report.lost.length + report.partial.length, 5);
});
