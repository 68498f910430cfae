import assert from 'node:assert/strict';
import { test } from 'node:test';
import { placeUnderCursor } from '../../../source/tui/state/map.ts';
import { DeckOnTerminal } from '../../support/deck.ts';
import { FakeEngine, jobView } from '../../support/fake-engine.ts';
import { findings } from '../../support/fake-findings.ts';
import { fakeMaps } from '../../support/fake-map.ts';
import { assertGolden } from '../../support/golden.ts';

const WIM = '/srv/sources/install.wim';

test('from a finding to its bytes, what lies there, back to the finding, and to the file', async () => {
	const engine = new FakeEngine();
	const deck = await DeckOnTerminal.open(engine);
	engine.jobs.set([jobView(1, { findings: findings() })]);
	await deck.until(/!1|damaged/);
	await deck.press('!');
	await deck.until(/ERR/);
	await deck.press('M');
	await deck.until(/hvax64\.exe/);
	await deck.settle();
	// The check still runs: what it has not found is unchecked.
	assertGolden('80x24/map-running', deck.screen());
	await deck.press('j');
	assert.doesNotMatch(await deck.until(/bytes 0x/), /ERR/);
	await deck.press('N');
	await deck.until(/resource @0x1a3f00: chunk 12/);
	await deck.press('enter');
	await deck.until(/\[Damage\]/);
	assert.equal(deck.app.store.get().damage.list.cursor, 0);
	await deck.press('M', 'o');
	await deck.until(/> *!? ?hvax64|! hvax64/);
	assert.equal(deck.app.store.get().view, 'deck');
	deck.close();
});

for (const [columns, rows] of [
	[80, 24],
	[120, 40],
	[40, 10],
] as const)
	test(`the map of a check that is over at ${columns}x${rows}`, async () => {
		const engine = new FakeEngine();
		const deck = await DeckOnTerminal.open(engine, { columns, rows });
		const [whole] = fakeMaps(WIM, true);
		assert.ok(whole);
		const bad = { offset: 20 * 2 ** 20, size: 2 ** 21, state: 'bad' as const };
		const map = [{ ...whole, stretches: [...whole.stretches, bad] }];
		engine.jobs.set([jobView(1, { state: 'done', endedMs: 41_000, map, findings: findings() })]);
		await deck.press('M');
		await deck.until(/# good/);
		await deck.press('n');
		await deck.until(/bytes 0x/);
		await deck.quiet();
		await deck.until((screen) => rows < 18 || /hvax64\.exe/.test(screen));
		assertGolden(`${columns}x${rows}/map`, deck.screen());
		deck.close();
	});

test('on a screen of another size the facts are those of the new cell', async () => {
	const engine = new FakeEngine();
	const deck = await DeckOnTerminal.open(engine);
	engine.jobs.set([jobView(1, { state: 'done', map: fakeMaps(WIM, true), findings: [] })]);
	await deck.press('M');
	await deck.until(/# good/);
	await deck.press('j');
	await deck.until(/@0x/);
	deck.terminal.resize(120, 40);
	await deck.until((screen) => {
		const [, cell] = /bytes (0x[0-9a-f]+) to/.exec(screen) ?? [];
		return /\[Map\].{60}/.test(screen) && cell !== undefined && screen.includes(`@${cell} `);
	});
	const state = deck.app.store.get();
	assert.deepEqual(state.map.placeLoad.request, placeUnderCursor(state));
	deck.close();
});

test('a file whose layout cannot be read says why', async () => {
	const engine = new FakeEngine();
	const file = engine.files.get(WIM);
	assert.ok(file);
	file.maps = async () => {
		throw new Error('the line to the share is gone');
	};
	const deck = await DeckOnTerminal.open(engine);
	await deck.press('M');
	await deck.until(/the line to the share is gone/);
	deck.close();
});
