import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openWim } from '../../../source/wim/wim.ts';
import { namesIn, place, twoImages } from '../../support/job-forms.ts';

async function metadataIn(file: string): Promise<readonly string[]> {
	await using wim = await openWim(file);
	return wim.images.map(({ metadata }) => metadata.sha1);
}

test('a job touches no image but the one that was seen under its number', async (t) => {
	const here = await place(t);
	const wim = await twoImages(here);
	const seen = await metadataIn(wim);
	// Both wait in the queue; once the first is gone, 1 is the number of the second.
	const first = { wim, images: [1], how: 'rebuild', seen };
	assert.deepEqual(await here.errors('delete', first), {});
	here.engine.jobs.start({ verb: 'delete', values: first });
	const [failed] = (await here.done('delete', first)).slice(-1);
	assert.equal(failed?.state, 'failed');
	assert.match(failed?.summary ?? '', /Nothing was done: image 1 of .* is not the one you saw/);
	assert.equal((await namesIn(wim)).length, 1);
	for (const [verb, more] of [
		['delete', { images: [1], how: 'soft' }],
		['export', { images: [1], target: here.at('new.wim') }],
		['edit', { imageIndex: 1, name: 'New' }],
		['apply', { imageIndex: 1, target: here.at('out') }],
		['update', { images: ['2', '1'], commands: [] }],
	] as const) {
		const errors = await here.errors(verb, { wim, seen, ...more });
		assert.match(errors[''] ?? '', /not the one you saw.*; Esc, then R reads it again/, verb);
	}
	assert.deepEqual(await here.errors('delete', { ...first, seen: await metadataIn(wim) }), {});
	// What concerns the whole file, or an image that is still there, goes on.
	assert.deepEqual(await here.errors('verify', { wim, seen }), {});
});
