import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inWindows, withDeck } from '../../support/deck.ts';
import { FakeEngine, FakeFile, jobView } from '../../support/fake-engine.ts';
import { findings } from '../../support/fake-findings.ts';

// Moving between images and folders: both panes tell of the same place, whatever was asked for.

/** `\Windows\System32` is in image 1 alone. */
class OneSystem extends FakeFile {
	override async locate(image: number, path: string): Promise<readonly number[] | null> {
		return image === 1 || !path.includes('System32') ? super.locate(image, path) : null;
	}
}

const withOneSystem = (): FakeEngine => new FakeEngine(new OneSystem());

test('the list of images follows what Files shows: to the next image, and back', () =>
	withDeck(async (deck) => {
		await inWindows(deck);
		await deck.press(']');
		await deck.until(/2 Files\] 2: \\Windows/);
		assert.match(deck.screen(), /^>2 Windows 11 Home N/m);
		await deck.press('-');
		await deck.until(/2 Files\] 1: \\Windows/);
		assert.match(deck.screen(), /^>1 Windows 11 Home /m);
	}));

test('a path that the next image does not have leaves both panes where they were', () =>
	withDeck(
		async (deck) => {
			await inWindows(deck);
			await deck.press('p', '\\Windows\\System32', 'enter');
			await deck.until(/1: \\Windows\\System32/);
			await deck.press(']');
			const screen = await deck.until(/There is no "\\Windows\\System32" in image 2/);
			assert.match(screen, /^>1 Windows 11 Home /m);
			assert.match(screen, /2 Files\] 1: \\Windows\\System32/);
			// The folder before is still one key away.
			await deck.press('-');
			await deck.until(/2 Files\] 1: \\Windows\\ /);
		},
		{},
		withOneSystem(),
	));

test('a path that was typed wrong is there again with p, until something is opened', () =>
	withDeck(async (deck) => {
		await inWindows(deck);
		await deck.press('p', '\\Windows\\Sistem32', 'enter');
		await deck.until(/There is no "\\Windows\\Sistem32" in image 1/);
		await deck.press('p');
		await deck.until(/GO TO {1,2}\\Windows\\Sistem32/);
		await deck.press('\x15', '\\Windows\\System32', 'enter');
		await deck.until(/1: \\Windows\\System32/);
		await deck.press('p');
		await deck.until(/GO TO {2}_/);
	}));

test('hiding what is hidden says so, also where nothing is', () =>
	withDeck(async (deck) => {
		await inWindows(deck);
		await deck.press('.');
		const hidden = await deck.until(/Hidden and system entries are left out/);
		assert.doesNotMatch(hidden, /bootmgr/);
		await deck.press('.');
		assert.match(await deck.until(/Hidden and system entries are shown/), /bootmgr/);
	}));

test('sorted by packed size, the column shows the packed size', () =>
	withDeck(async (deck) => {
		await inWindows(deck);
		assert.match(deck.screen(), /explorer\.exe +5\.1 M/);
		await deck.press('s', 'p');
		await deck.until(/packedv/);
		assert.match(deck.screen(), /explorer\.exe +2\.3 M/);
	}));

test('reading the file again says that it was done', () =>
	withDeck(async (deck) => {
		await inWindows(deck);
		await deck.press('R');
		await deck.until(/install\.wim is read again/);
	}));

const running = jobView(1, {
	title: 'C: -> \\\\srv\\w\\new.wim #1',
	verb: 'capture',
	doneBytes: 410,
	rate: 118 * 2 ** 20,
	etaMs: 372_000,
	startedMs: -10_000,
	lastEventMs: 1000,
});

test('jobs in 50 columns tell the time left whole, or that nothing comes', () =>
	withDeck(
		async (deck, engine) => {
			engine.jobs.set([running]);
			await deck.until(/41%/);
			await deck.press('4');
			assert.match(await deck.until(/jobs {2,}j1/), /1 capture C: -> .*41% 6:12 *$/m);
			engine.jobs.set([{ ...running, lastEventMs: -11_000 }]);
			await deck.until(/41% no progress for 12 s *$/m);
		},
		{ columns: 50, rows: 20 },
	));

test('a finished job names the key for its log only where it fits whole', () =>
	withDeck(async (deck, engine) => {
		const over = {
			...running,
			verb: 'verify',
			title: 'a.wim',
			state: 'done',
			problemCount: 1,
		} as const;
		engine.jobs.set([{ ...over, endedMs: 1000, summary: '4 findings; see !' }]);
		await deck.until(/4 findings; see ! {3}Enter log/);
		engine.jobs.set([{ ...over, endedMs: 1000, summary: `4 findings, ${'many '.repeat(5)}blobs` }]);
		await deck.until((screen) => /many blobs *$/m.test(screen) && !screen.includes('Enter l'));
	}));

for (const [columns, row] of [
	[38, /^wimdeck 38x8: needs 40x10\. j:1 41%/],
	[30, /^30x8: needs 40x10\. j:1 41%/],
	[20, /^needs 40x10 j:1 41%/],
	[12, /^needs 40x10/],
] as const)
	test(`a screen of ${columns} columns says what it needs, and how the job goes`, () =>
		withDeck(
			async (deck, engine) => {
				engine.jobs.set([running]);
				await deck.until(row);
			},
			{ columns, rows: 8, path: null },
		));

test('a file that does not open can be checked, salvaged and repaired all the same', () =>
	withDeck(
		async (deck, engine) => {
			const screen = await deck.until(/r retry {2}o other/);
			assert.match(
				screen.replaceAll(/│.*/g, ' ').replaceAll(/\s+/g, ' '),
				/V verify, X salvage and F repair/,
			);
			assert.doesNotMatch(screen.split('\n').at(-1) ?? '', /mark|filter/);
			await deck.press('X');
			await deck.until(/Salvage what is left[\s\S]*From +broken\.wim/);
			await deck.press('esc');
			await deck.until((text) => !text.includes('Salvage what'));
			await deck.press('F');
			await deck.until(/Repair into a new file[\s\S]*From +broken\.wim/);
			await deck.press('esc');
			await deck.until((text) => !text.includes('Repair into'));
			await deck.press('V');
			assert.deepEqual(
				engine.jobs.started.map(({ verb, values }) => [verb, values['wim']]),
				[['verify', '/srv/sources/broken.wim']],
			);
			engine.jobs.set([jobView(1, { findings: findings(), state: 'done' })]);
			await deck.until(/! 1 damaged/);
			await deck.press('!');
			await deck.until(/Finding 1/);
		},
		{ path: '/srv/sources/broken.wim' },
	));

test('with nothing in it, a list is not filtered, sorted or marked', () =>
	withDeck(
		async (deck) => {
			await deck.until(/r retry {2}o other/);
			for (const [key, reason] of [
				['space', /there is no image here/],
				['/', /there is nothing here yet/],
			] as const) {
				await deck.press(key);
				await deck.until(reason);
			}
		},
		{ path: '/srv/sources/broken.wim' },
	));

test('n and N go to images with damage, or say that there is none', () => {
	const [first] = findings();
	const hit = [4, 6];
	const files = hit.map((imageIndex) => ({ path: '\\x.dll', imageIndex }));
	const engine = new FakeEngine();
	return withDeck(
		async (deck) => {
			await deck.press('n');
			await deck.until(/No damaged image below/);
			engine.jobs.set([
				jobView(1, {
					verb: 'verify',
					title: 'install.wim',
					state: 'done',
					endedMs: 5,
					findings: [{ ...first!, severity: 'error', files, imageIndexes: hit }],
					request: { verb: 'verify', values: { wim: '/srv/sources/install.wim' } },
				}),
			]);
			await deck.until(/1 damaged/);
			await deck.press('n');
			await deck.until(/^!4>Windows/m);
			await deck.press('n');
			await deck.until(/^!6>Windows/m);
			await deck.press('n');
			await deck.until(/No damaged image below/);
			await deck.press('N');
			await deck.until(/^!4>Windows/m);
			await deck.press('N');
			await deck.until(/No damaged image above/);
		},
		{},
		engine,
	);
});

test('a key of another pane says where it works, a key of none changes nothing', () =>
	withDeck(async (deck) => {
		await inWindows(deck);
		await deck.press('c');
		await deck.until(/c works in Images \(1\): Capture a folder into an image\s/);
		await deck.press('3');
		await deck.until(/\[3 Details/);
		await deck.press('*');
		await deck.until(/\* works in Images \(1\), Files \(2\): Invert the marks\s/);
		// In Images it would open a file again, and the file is open.
		await deck.press('r');
		await deck.until(/r works in Files \(2\): Stage: rename or move\s/);
		await deck.press('2');
		await deck.until(/\[2 Files\]/);
		await deck.press('j');
		await deck.quiet();
		const before = deck.terminal.lines();
		await deck.press('@');
		await deck.quiet();
		assert.deepEqual(deck.terminal.lines(), before);
	}));
