import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inWindows, withDeck } from '../../support/deck.ts';
import { FakeEngine, FakeFile, longListing } from '../../support/fake-engine.ts';

// Going to a name by typing its beginning: rows stay, the cursor moves.

const under = (screen: string): string => /│(?:>|[*!@-]>) ?(\S+)/.exec(screen)?.[1] ?? '';

test("' goes to the name that begins as typed, Tab to the next one, round the end", () =>
	withDeck(async (deck) => {
		await inWindows(deck);
		const before = deck.screen().split('\n').length;
		await deck.press("'", 'W');
		await deck.until(/JUMP W/);
		assert.equal(under(deck.screen()), 'WinSxS/');
		await deck.press('R');
		assert.equal(under(deck.screen()), 'write.exe');
		await deck.press('backspace', 'tab');
		assert.equal(under(deck.screen()), 'win.ini');
		await deck.press('down');
		assert.equal(under(deck.screen()), 'write.exe');
		await deck.press('tab');
		assert.equal(under(deck.screen()), 'WinSxS/');
		await deck.press('up');
		assert.equal(under(deck.screen()), 'write.exe');
		await deck.press('enter');
		assert.equal(under(deck.screen()), 'write.exe');
		assert.doesNotMatch(deck.screen(), /JUMP/);
		assert.equal(deck.screen().split('\n').length, before);
	}));

test('a name that is not there leaves the cursor where it was, and says so; Esc goes back there', () =>
	withDeck(async (deck) => {
		await inWindows(deck);
		await deck.press('j');
		const at = under(deck.screen());
		await deck.press("'", 'wr');
		assert.equal(under(deck.screen()), 'write.exe');
		await deck.press('x');
		await deck.until(/JUMP wrx.* {2}no such name/);
		assert.equal(under(deck.screen()), at);
		await deck.press('backspace');
		assert.equal(under(deck.screen()), 'write.exe');
		await deck.press('esc');
		assert.equal(under(deck.screen()), at);
		await deck.press("'", 'wrx', 'enter');
		await deck.until(/No name here begins with "wrx"/);
	}));

test('it works among images, and on a slow line with Enter only', () =>
	withDeck(
		async (deck) => {
			await deck.press("'", 'windows 11 ent');
			assert.match(deck.screen(), /^>1 Windows 11 Home /m);
			await deck.press('enter');
			await deck.until(/^>6 Windows 11 Ent/m);
		},
		{ settings: { slow: true } },
	));

test('what is left out by the filter is not jumped to', () =>
	withDeck(async (deck) => {
		await inWindows(deck);
		await deck.press('/', 'exe', 'enter', "'", 'win', 'enter');
		await deck.until(/No name here begins with "win"/);
		await deck.press("'", 'wri', 'enter');
		assert.equal(under(deck.screen()), 'write.exe');
	}));

test('it goes to the end of 300,000 rows', () => {
	const file = new FakeFile();
	file.listing = longListing(300_000);
	return withDeck(
		async (deck) => {
			await deck.press('enter');
			await deck.quiet();
			const last = file.listing!.names.at(-1)!;
			await deck.press("'", last);
			assert.equal(under(deck.screen()), last);
		},
		{},
		new FakeEngine(file),
	);
});
