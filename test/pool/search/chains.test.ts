import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Chains } from '../../../source/pool/search/chains.ts';

test('of the ends of a resource that is the likeliest behind which most resources follow', () => {
	const links: Readonly<Record<number, readonly number[] | 'sure'>> = {
		130: [160],
		160: [],
		180: [210],
		210: [260],
		260: [300],
		190: 'sure',
		240: [250],
	};
	const asked: number[] = [];
	const chains = new Chains((place) => {
		asked.push(place);
		return links[place] ?? [];
	});
	assert.deepEqual(
		chains.ordered(100, [240, 190, 180, 130, 110, 105]),
		[
			// Three follow, or it is sure: the nearest first.
			180, 190,
			// One follows.
			130, 240,
			// None: as they were.
			110, 105,
		],
	);
	assert.equal(new Set(asked).size, asked.length, 'no place is asked about twice');
	assert.deepEqual(chains.ordered(100, [110]), [110]);
	assert.ok(chains.leadsOn(180) && chains.leadsOn(190));
	assert.ok(!chains.leadsOn(110) && !chains.leadsOn(160));
});

test('from behind, too, the nearest of places comes first that lead as far', () => {
	const chains = new Chains((place) => (place > 50 ? [place - 10] : []));
	assert.deepEqual(chains.ordered(200, [40, 100, 180, 60]), [180, 100, 60, 40]);
});
