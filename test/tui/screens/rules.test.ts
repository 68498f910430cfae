import assert from 'node:assert/strict';
import { test } from 'node:test';
import { InputError } from '../../../source/base/errors.ts';
import type { Listing } from '../../../source/tui/engine.ts';
import { createTheme } from '../../../source/tui/parts/theme.ts';
import { clearStatus, mention, say } from '../../../source/tui/state/status.ts';
import { composeFrame } from '../../../source/tui/terminal/compose.ts';
import { deckBlocks } from '../../../source/tui/view/deck.ts';
import { DeckOnTerminal, inWindows, withDeck } from '../../support/deck.ts';
import { FakeEngine, FakeFile, IMAGES, jobView, longListing } from '../../support/fake-engine.ts';
import { findings } from '../../support/fake-findings.ts';
import { Patience } from '../../support/patience.ts';

// Rules of tui.md that hold in more than one view.

// Half an hour off the full hour, and without summer time.
process.env['TZ'] = 'Asia/Kolkata';

const footerOf = (deck: DeckOnTerminal): string => deck.terminal.lines().at(-1) ?? '';

for (const [dates, utc, time] of [
	['utc', true, '2024-05-07 04:12:31'],
	['local', false, '2024-05-07 09:42:31'],
] as const)
	test(`dates ${dates}: Details show times as the lists do`, () =>
		withDeck(
			async (deck) => {
				await inWindows(deck);
				await deck.press('G', 'enter');
				const screen = await deck.until(/written/);
				assert.match(screen, new RegExp(`written +${time}`));
				assert.doesNotMatch(screen, /UTC/);
			},
			{ settings: { utc } },
		));

test('a check takes Space and has nothing to choose; the footer says the one and not the other', () =>
	withDeck(async (deck) => {
		await deck.press('S');
		await deck.until(/Split into SWM parts/);
		await deck.press('down', 'down');
		assert.match(footerOf(deck), /Space toggle/);
		assert.doesNotMatch(footerOf(deck), /choose/);
		await deck.press('right');
		await deck.until(/Space turns this on or off/);
		// The buttons behind the last check: Right goes through them, Space presses none.
		await deck.press('down', 'down');
		assert.match(footerOf(deck), /Right choose/);
		assert.doesNotMatch(footerOf(deck), /Space/);
	}));

test('Tab in the palette writes the whole name of the command under the cursor', () =>
	withDeck(async (deck) => {
		await deck.press(':', 'facts of', 'tab');
		await deck.until(/: Facts of the image _/);
		await deck.press('enter');
		await deck.until(/10\.0\.26100\.1/);
	}));

async function inDamage(deck: DeckOnTerminal, engine: FakeEngine): Promise<string> {
	engine.jobs.set([jobView(1, { findings: findings(), state: 'done' })]);
	await deck.until(/! 1 damaged/);
	await deck.press('!');
	return deck.until(/Finding 1/);
}

test('the damage view names what can be done next', () =>
	withDeck(async (deck, engine) => {
		const screen = await inDamage(deck, engine);
		assert.match(screen, /e extract what is readable {3}X salvage the file {3}F repair it/);
	}));

test('a finding about the file as a whole has no files to extract, show or mark', () =>
	withDeck(async (deck, engine) => {
		await inDamage(deck, engine);
		assert.match(
			deck.screen(),
			/o show in Files {3}m mark its files {3}w write report {3}y copy SHA-1/,
		);
		await deck.press('G');
		const screen = await deck.until(/Finding 2/);
		assert.match(screen, /X salvage the file {3}F repair it/);
		assert.doesNotMatch(screen, /e extract what|o show in|m mark its|y copy SHA-1/);
		for (const key of ['e', 'o', 'm']) {
			await deck.press(key);
			assert.match(await deck.until(/this finding hits no named file/), /Finding 2/);
			await deck.press('k', 'j');
			await deck.until((text) => !text.includes('no named file'));
		}
	}));

test('the line of a finding tells the size, how it is packed and how much; what is wrong stands in the list', () =>
	withDeck(async (deck, engine) => {
		const screen = await inDamage(deck, engine);
		assert.match(screen, /^ Finding 1: resource @0x1a3f00, 656,952 bytes, LZX, 301,114 packed$/m);
		assert.equal(screen.match(/does not unpack/g)?.length, 1);
	}));

test('where the list cuts what is wrong, the line of the finding begins with it', () =>
	withDeck(
		async (deck, engine) => {
			engine.jobs.set([jobView(1, { findings: findings(), state: 'done' })]);
			await deck.until(/ !1/);
			await deck.press('!');
			await deck.until(
				/Finding 1: resource @0x1a3f00, chunk\n 12 of 21 does not unpack\n {3}656,952 bytes, LZX, 301,114 packed/,
			);
		},
		{ columns: 40 },
	));

test('the damage view says how long the check took, and while it runs that more may come', () =>
	withDeck(async (deck, engine) => {
		engine.jobs.set([jobView(1, { findings: findings() })]);
		await deck.until(/! 1 damaged/);
		await deck.press('!');
		await deck.until(/1 error, 1 warning so far\. Nothing was changed\./);
		engine.jobs.set([
			jobView(1, { findings: findings(), state: 'done', startedMs: 0, endedMs: 41_000 }),
		]);
		await deck.until(/install\.wim: /);
		await deck.press('j');
		await deck.until(
			/Integrity check finished in 0:41: 1 error, 1 warning\. Nothing was changed\./,
		);
	}));

test('with --readonly the damage view offers nothing that writes', () =>
	withDeck(
		async (deck, engine) => {
			assert.doesNotMatch(await inDamage(deck, engine), /extract what|salvage the|repair it/);
		},
		{ settings: { readonly: true } },
	));

const BRIGHT_BLUE = 12;

test('folders are bright blue, and have no colour in mono', async () => {
	for (const [color, expected] of [
		['16', BRIGHT_BLUE],
		['never', null],
	] as const)
		await withDeck(
			async (deck) => {
				await inWindows(deck);
				await deck.press('G');
				const row = deck.terminal.lines().findIndex((line) => /System32\//.test(line));
				const at = deck.terminal.lines()[row]!.indexOf('System32/');
				assert.equal(deck.terminal.cells(row).find(({ x }) => x === at)?.color, expected);
			},
			{ profile: { color } },
		);
});

test('on a slow line lists scroll by half a page, whatever the configuration says', async () => {
	const firstRow = async (slow: boolean): Promise<string> => {
		let row = '';
		const file = new FakeFile();
		file.listing = longListing(200);
		await withDeck(
			async (deck) => {
				await deck.press('enter');
				await deck.until(/file-0\.dll/);
				await deck.quiet();
				const height = deck.terminal.lines().filter((line) => /file-\d+\.dll/.test(line)).length;
				await deck.press(...Array.from({ length: height }, () => 'j'));
				row = deck.terminal.lines()[2]!.split('│')[1]!;
			},
			{ settings: { scroll: 'line', slow } },
			new FakeEngine(file),
		);
		return row;
	};
	const byLine = await firstRow(false);
	const byPage = await firstRow(true);
	assert.match(byLine, /file-1\.dll|file-10\.dll/);
	assert.notEqual(byPage, byLine);
});

test('a table of facts scrolls to its last line, however its values wrap', () =>
	withDeck(
		async (deck, engine) => {
			const [, first] = findings();
			const what = Array.from({ length: 40 }, (_, i) => `word${i + 1}`).join(' ');
			engine.jobs.set([jobView(1, { findings: [{ ...first!, what }], state: 'done' })]);
			await deck.until(/!1/);
			await deck.press('!', 'enter');
			await deck.until(/word1 /);
			await deck.press('end');
			const [last] = first!.files.slice(-1);
			await deck.until((screen) => screen.includes(`image ${last!.imageIndex}`));
		},
		{ columns: 40, rows: 10 },
	));

test('a log has neither hex nor encodings, and its footer offers none', () =>
	withDeck(async (deck, engine) => {
		engine.jobs.set([jobView(1, { log: ['a line'], logCount: 1 })]);
		await deck.until(/4 Jobs/);
		await deck.press('4', 'enter');
		await deck.until(/a line/);
		assert.doesNotMatch(footerOf(deck), /hex|encoding/);
		await deck.press('x');
		await deck.until(/Hex or text: only the content of a file/);
	}));

test('keys typed while a path is completed follow it: Tab, the rest of the path, Enter at once', () =>
	withDeck(async (deck) => {
		await inWindows(deck);
		deck.app.input('p\\Windows\\Sys\tdrivers\r');
		await deck.until(/1: \\Windows\\System32\\drivers/);
	}));

test('two fast Tabs: the first completes a path, the second moves on', () =>
	withDeck(async (deck) => {
		await deck.press('S');
		await deck.until(/Split into SWM parts/);
		deck.app.input('\x15/srv/out\t\tx');
		const screen = await deck.until(/\/srv\/out/);
		assert.doesNotMatch(screen, /outx|out\/x/);
	}));

test('Esc ends a completion that does not come, and drops what waited for it', () =>
	withDeck(async (deck, engine) => {
		engine.complete = () => new Promise(() => {});
		await deck.press('S');
		await deck.until(/Split into SWM parts/);
		deck.app.input('\x15/srv/o\tzzz');
		await deck.press('esc');
		const screen = await deck.until(/Split into SWM parts/);
		assert.doesNotMatch(screen, /zzz/);
		await deck.press('u');
		await deck.until(/\/srv\/ou/);
	}));

test('a marked row shows the cursor too, in a pane without the focus', () =>
	withDeck(async (deck) => {
		await inWindows(deck);
		await deck.press('G', 'space', '1');
		assert.match(deck.screen(), /\*>write\.exe/);
	}));

test('wide screens say what is known of the integrity table, and which jobs run and wait', () =>
	withDeck(
		async (deck, engine) => {
			assert.match(deck.screen(), /WIM LZX {3}6 images {3}4\.8 GB {3}integrity: not checked/);
			const check = (state: 'running' | 'done', found: ReturnType<typeof findings>) =>
				jobView(1, {
					verb: 'verify',
					state,
					findings: found,
					request: { verb: 'verify', values: { wim: '/srv/sources/install.wim' } },
				});
			engine.jobs.set([check('running', []), jobView(2, { state: 'queued' })]);
			await deck.until(/integrity: not checked {3}jobs 1 run 1 queued/);
			engine.jobs.set([check('done', [])]);
			await deck.until(/integrity: ok/);
			engine.jobs.set([check('done', findings())]);
			await deck.until(/integrity: 1 bad block {3}! 1 damaged/);
		},
		{ columns: 120, rows: 40 },
	));

test('a file that cannot be opened: r tries again, o takes another', async () => {
	const engine = new FakeEngine();
	const open = engine.open.bind(engine);
	engine.open = () => Promise.reject(new InputError('Cannot open "x.wim": the line is down'));
	await withDeck(
		async (deck) => {
			await deck.until(/the line is down {3}r retry {2}o other/);
			engine.open = open;
			await deck.press('r');
			await deck.until(/Windows 11 Home N/);
		},
		{ path: '/srv/sources/install.wim' },
		engine,
	);
});

test('without animation no clock ticks: a silent job stays as it was drawn', () =>
	withDeck(
		async (deck, engine) => {
			engine.jobs.set([jobView(1, { lastEventMs: deck.nowMs })]);
			await deck.until(/1 running/);
			await deck.quiet();
			const before = deck.terminal.bytes;
			deck.nowMs += 60_000;
			await new Promise((resolve) => setTimeout(resolve, 600));
			assert.equal(deck.terminal.bytes, before);
		},
		{ settings: { animation: false } },
	));

for (const name of [
	'Windows 11 Home',
	'größe 名前 Windows イメージ',
	'e\u0301 combined',
	'name with blanks   ',
])
	test(`a table of facts is drawn by its component as the text of the dialog has it: ${name}`, () =>
		withDeck(
			async (deck) => {
				await deck.press('i');
				await deck.until(/FACT.*VALUE/);
				const state = deck.app.store.get();
				const theme = createTheme('unicode', 'never');
				const blocks = deckBlocks(state, theme, deck.app.keymap);
				assert.ok(blocks.some(({ table }) => table));
				const plain = composeFrame(blocks, state.columns, state.rows);
				const drawn = deck.terminal.lines();
				for (const [y, line] of plain.entries())
					assert.equal((drawn[y] ?? '').trimEnd(), line.replace(/\x1b\[[\d;]*m/g, '').trimEnd());
			},
			{},
			new FakeEngine(new FakeFile({}, [{ ...IMAGES[0]!, name }, IMAGES[1]!])),
		));

test('an image whose name its row cuts has it below, whole', () => {
	const name = 'Windows image for the machines of the third floor';
	return withDeck(
		async (deck) => {
			await deck.press('1');
			await deck.until(/^ Windows image for the machines of the third floor/m);
			await deck.press('j');
			await deck.until((screen) => !screen.includes('third floor'));
		},
		{},
		new FakeEngine(new FakeFile({}, [{ ...IMAGES[0]!, name }, IMAGES[1]!])),
	);
});

test('while it waits for its jobs a sign turns, for fewer bytes than the budget; not on slow lines', async () => {
	for (const slow of [false, true]) {
		const engine = new FakeEngine();
		const deck = await DeckOnTerminal.open(engine, { settings: { slow } });
		engine.jobs.set([jobView(1)]);
		await deck.until(/1 running/);
		await deck.press('q', 'right', 'enter');
		await deck.until(/Waiting for verify/);
		const signs = new Set<string>();
		const look = (): void => void signs.add(deck.terminal.lines()[0]?.slice(0, 3) ?? '');
		const before = deck.terminal.bytes;
		const began = performance.now();
		// On a busy machine the first turn may take its time.
		const turns = new Patience(30_000);
		while (performance.now() - began < 600 || (!slow && signs.size < 2 && !turns.isOver)) {
			look();
			await new Promise((resolve) => setTimeout(resolve, 30));
		}
		const perSecond = (deck.terminal.bytes - before) / ((performance.now() - began) / 1000);
		if (slow) assert.deepEqual([...signs], ['   ']);
		else assert.ok(signs.size > 1, [...signs].join());
		assert.ok(perSecond < 400, `${perSecond} bytes a second`);
		engine.jobs.set([]);
		deck.close();
	}
});

test('an image whose metadata cannot be read stays, opens into the damage view, and (unnamed) comes last', async () => {
	const file = new FakeFile();
	file.unreadable.add(2);
	await withDeck(
		async (deck) => {
			await deck.press('j', 'enter');
			const damage = await deck.until(/\[Damage\]/);
			assert.match(damage, /> ERR {2}metadata of image 2/);
			assert.match(damage, /! 1 damaged/);
			await deck.press('q', '1');
			const images = await deck.until(/\(unnamed\)/);
			assert.match(images, /\?2>Windows 11 Home N/);
			// Again: at once, and after another image in between too.
			await deck.press('enter');
			await deck.until(/\[Damage\]/);
			await deck.press('q', '1', 'G');
			assert.match(deck.screen(), /> +\(unnamed\)/);
			await deck.press('space');
			await deck.until(/no image of the file/);
			await deck.press('D');
			await deck.until(/this is no image of the file/);
			await deck.press('enter');
			await deck.until(/2 Files\] \(unnamed\): /);
		},
		{},
		new FakeEngine(file),
	);
});

test('a line that turns out to be slow does not hide what a job came to', () =>
	withDeck(
		async (deck, engine) => {
			const empty = clearStatus(deck.app.store.get());
			assert.equal(mention(empty, 'The line is slow').status?.text, 'The line is slow');
			const both = mention(say(empty, 'verify a.wim: no damage'), 'The line is slow');
			assert.equal(both.status?.text, 'verify a.wim: no damage');
			assert.equal(both.messages.at(-1)?.text, 'The line is slow');
			// The line takes nothing until it is let.
			const held: (() => void)[] = [];
			const { terminal, app } = deck;
			const write = terminal.write.bind(terminal);
			terminal.write = (text, done) => void held.push(() => write(text, done));
			const job = jobView(1, { verb: 'verify', title: 'a.wim' });
			engine.jobs.set([job]);
			engine.jobs.set([{ ...job, state: 'done', endedMs: 1, summary: 'no damage' }]);
			while (!app.store.get().settings.slow) await new Promise((done) => setTimeout(done, 5));
			assert.match(app.store.get().status?.text ?? '', /^verify a\.wim: no damage/);
			terminal.write = write;
			for (const go of held) go();
			await deck.until(/verify a\.wim: no damage/);
		},
		{ writer: { slowMs: 100 } },
	));

/** A file with one long folder of which 300 rows come at once, the others when they are let. */
function longFolder(count: number): { readonly file: FakeFile; finish(): void } {
	const file = new FakeFile();
	const whole = longListing(count);
	const part = {
		...whole,
		positions: whole.positions.slice(0, 300),
		names: whole.names.slice(0, 300),
	};
	let finish: () => void = () => {};
	file.listFolder = (_image, _position, _signal, onPart) => {
		onPart?.(part);
		return new Promise<Listing>((resolve) => {
			finish = () => resolve(whole);
		});
	};
	return { file, finish: () => finish() };
}

test('whoever goes to the end of a folder of which only the first rows are there comes to the end', async () => {
	// The second one is too long to be sorted at once.
	for (const count of [1000, 40_000]) {
		const { file, finish } = longFolder(count);
		await withDeck(
			async (deck) => {
				await deck.press('enter');
				await deck.until(/300 so far/);
				await deck.press('G');
				finish();
				await deck.until((screen) => screen.includes(`name^ ${count.toLocaleString('en')}`));
				await deck.quiet();
				const { files } = deck.app.store.get();
				assert.equal(files.list.cursor, count - 1);
				assert.equal(files.order[count - 1], files.sorted[count - 1]);
				await deck.press('k');
				assert.equal(deck.app.store.get().files.list.cursor, count - 2);
			},
			{},
			new FakeEngine(file),
		);
	}
});

test('the first rows of a long folder come at once; whoever moves among them stays on the entry', async () => {
	const { file, finish } = longFolder(1000);
	await withDeck(
		async (deck) => {
			await deck.press('enter');
			const begun = await deck.until(/300 so far/);
			assert.match(begun, /> file-0\.dll/);
			await deck.press('j');
			assert.match(deck.screen(), /> file-919\.dll/);
			finish();
			const all = await deck.until(/name\^ 1,000/);
			assert.match(all, /> file-919\.dll/);
		},
		{},
		new FakeEngine(file),
	);
});

test('while a file is opened its images are listed by number, as its header tells', async () => {
	const engine = new FakeEngine();
	const open = engine.open.bind(engine);
	let finish = (): void => {};
	engine.open = async (path, options, onHeader) => {
		onHeader?.(3);
		await new Promise<void>((resolve) => {
			finish = resolve;
		});
		return open(path, options);
	};
	await withDeck(
		async (deck) => {
			const screen = await deck.until(/ 3 \.\.\./);
			assert.match(screen, /^ 1 \.\.\. +\.\.\./m);
			finish();
			await deck.until(/Windows 11 Home N/);
		},
		{ path: '/srv/sources/install.wim' },
		engine,
	);
});

test('the palette knows a job by the verb of the command line', () =>
	withDeck(async (deck) => {
		await deck.press(':', 'undo');
		await deck.until(/Take back/);
	}));

test('at 80 columns the preview shows whole hex rows, and its title how much of the file', () =>
	withDeck(async (deck) => {
		await inWindows(deck);
		await deck.press('f', 'explorer', 'enter');
		await deck.until(/\\Windows\\explorer\.exe/);
		await deck.press('x');
		await deck.until(/explorer\.exe.* hex {3}1-18 of \d+/);
		await deck.until(/00000110 {2}(00 ){15}00 {2}\.{16} +│/);
	}));

test('an empty file is called so, as text and as hex', () => {
	const file = new FakeFile();
	file.readContent = async () => ({ bytes: new Uint8Array(), totalSize: 0 });
	return withDeck(
		async (deck) => {
			await inWindows(deck);
			await deck.press('f', 'win.ini', 'enter');
			await deck.until(/> \\Windows\\win\.ini/);
			const areHex = new Set<boolean>();
			for (let k = 0; k < 2; k++) {
				await deck.press('x');
				await deck.quiet();
				await deck.until(/│ the file is empty/);
				const preview = deck.app.store.get().dialogs.at(-1);
				if (preview?.kind === 'pager') areHex.add(preview.asHex);
			}
			assert.equal(areHex.size, 2);
		},
		{},
		new FakeEngine(file),
	);
});

test('at 60 columns the size of an entry stays beside a long path', () =>
	withDeck(
		async (deck) => {
			await deck.press('enter');
			await deck.until(/Users/);
			await deck.press('f', '1394ohci', 'enter');
			await deck.until(/~.*1394ohci\.sys {2}[\d,]+ bytes {2}\d{4}-\d\d/);
		},
		{ columns: 60 },
	));

test('a preview that takes its time says so, and shows nothing of the one before', () => {
	const file = new FakeFile();
	const engine = new FakeEngine(file);
	return withDeck(
		async (deck) => {
			await inWindows(deck);
			await deck.press('f', 'win.ini', 'enter');
			await deck.until(/> \\Windows\\win\.ini/);
			await deck.press('x');
			await deck.until(/16-bit app support/);
			await deck.press('esc', 'f', 'explorer', 'enter');
			await deck.until(/> \\Windows\\explorer\.exe/);
			const read = file.readContent.bind(file);
			let arrive = (): void => {};
			const held = new Promise<void>((resolve) => {
				arrive = resolve;
			});
			file.readContent = async (...wanted) => {
				await held;
				return read(...wanted);
			};
			await deck.press('x');
			deck.nowMs += 200;
			const screen = await deck.until(/reading\.\.\./);
			assert.match(screen, /─ \\Windows\\explorer\.exe ─/);
			assert.doesNotMatch(screen, /16-bit/);
			arrive();
			await deck.until(/explorer\.exe.* hex {3}1-18 of \d+/);
		},
		{},
		engine,
	);
});
