import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type DeckOnTerminal, inWindows, withDeck } from '../../support/deck.ts';
import { FakeEngine, FakeFile, IMAGES, jobView, longListing } from '../../support/fake-engine.ts';
import { findings } from '../../support/fake-findings.ts';
import { TREE } from '../../support/fake-tree.ts';

const statusOf = (deck: DeckOnTerminal): string => deck.terminal.lines().at(-2) ?? '';

test('a file that cannot be opened: one sentence, and the deck stays', async () => {
	await withDeck(
		async (deck) => {
			await deck.until(/Cannot open "\/srv\/none.wim": there is no such file/);
			assert.deepEqual(deck.exits, []);
		},
		{ path: '/srv/none.wim' },
	);
});

test('coming back to a folder puts the cursor where it was', () =>
	withDeck(async (deck) => {
		await inWindows(deck);
		await deck.press('j', 'j', 'j', 'enter');
		await deck.until(/kernel32/);
		await deck.press('h');
		await deck.until(/> System32/);
		await deck.press('h');
		await deck.until(/> Windows/);
	}));

test('a folder opens at its first row, in whatever order the image stores it', async () => {
	const [, , users] = TREE;
	assert.ok(users?.children);
	const stored = [
		{ name: 'zebra.txt', size: 1 },
		{ name: 'apple.txt', size: 2 },
		{ ...users, name: 'last folder' },
	];
	await withDeck(
		async (deck) => {
			await deck.press('enter');
			await deck.until(/> last folder/);
			await deck.press('j', 'j', 's', 's');
			// A wish of the user keeps the entry.
			await deck.until(/sizev/);
			assert.match(deck.screen(), /> zebra\.txt/);
		},
		{},
		new FakeEngine(new FakeFile({}, IMAGES, stored)),
	);
});

test('a long folder that arrives unsorted is shown from its top once sorted', async () => {
	const file = new FakeFile();
	const names = Array.from({ length: 40_000 }, (_, i) => `f${String(40_000 - i).padStart(6, '0')}`);
	file.listing = { ...longListing(40_000), names };
	await withDeck(
		async (deck) => {
			await deck.press('enter');
			await deck.until(/> f000001/);
		},
		{},
		new FakeEngine(file),
	);
});

test('a filter narrows as one types, Enter keeps it, Esc clears it', () =>
	withDeck(async (deck) => {
		await inWindows(deck);
		await deck.press('/', 'exe');
		await deck.until((screen) => /explorer/.test(screen) && !/bootmgr/.test(screen));
		await deck.press('enter');
		assert.match(deck.screen(), /\/6 of 14/);
		await deck.press('esc');
		await deck.until(/bootmgr/);
	}));

test('letters in a filter are text, not commands', () =>
	withDeck(async (deck) => {
		await inWindows(deck);
		await deck.press('/', 'q');
		assert.deepEqual(deck.exits, []);
		await deck.until(/nothing matches "q"/);
	}));

test('sorting shows its second keys, turns round the second time, and keeps the cursor on its entry', () =>
	withDeck(async (deck) => {
		await inWindows(deck);
		await deck.press('G');
		await deck.until(/> write.exe/);
		await deck.press('s');
		assert.match(deck.screen(), /SORT {2}n name/);
		await deck.press('s');
		await deck.until(/sizev/);
		assert.match(deck.screen(), /> write.exe/);
		await deck.press('s', 's');
		await deck.until(/size\^/);
	}));

test('marks are counted with their bytes, and u takes them back', () =>
	withDeck(async (deck) => {
		await inWindows(deck);
		await deck.press('/', 'twain', 'enter', 'space');
		await deck.until(/1 marked, 68 K/);
		await deck.press('u');
		await deck.until((screen) => !/marked/.test(screen));
	}));

test('a range of marks', () =>
	withDeck(async (deck) => {
		await inWindows(deck);
		await deck.press('v', 'j', 'j', 'v');
		await deck.until(/3 marked/);
	}));

test('find in the whole image lists paths that can be marked, and h goes back', () =>
	withDeck(async (deck) => {
		await inWindows(deck);
		await deck.press('f', 'kernel', 'enter');
		await deck.until(/\\Windows\\System32\\kernel32.dll/);
		await deck.press('space');
		await deck.until(/1 marked/);
		await deck.press('h');
		await deck.until(/notepad/);
	}));

test('go to a path, with either slash', () =>
	withDeck(async (deck) => {
		await inWindows(deck);
		await deck.press('p', '/windows/system32/drivers', 'enter');
		await deck.until(/1394ohci/);
		await deck.press('p', '\\nowhere', 'enter');
		await deck.until(/There is no "\\nowhere" in image 1/);
	}));

test('going to a file shows it in its folder', () =>
	withDeck(async (deck) => {
		await deck.press('enter');
		await deck.until(/Users/);
		await deck.press('p', '/windows/EXPLORER.exe', 'enter');
		await deck.until(/\[2 Files\] 1: \\Windows\\ [\s\S]*> explorer\.exe/);
	}));

test('the same path in the next image', () =>
	withDeck(async (deck) => {
		await inWindows(deck);
		await deck.press(']');
		await deck.until(/2: \\Windows/);
		await deck.press('[');
		await deck.until(/1: \\Windows/);
	}));

test('details follow the cursor in wide screens', () =>
	withDeck(
		async (deck) => {
			await inWindows(deck);
			await deck.press('/', 'arial', 'esc');
			await deck.until(/3 Details/);
			await deck.press('j');
			await deck.until(/│ EFI/);
			await deck.press('j');
			await deck.until(/│ Fonts/);
		},
		{ columns: 120, rows: 40 },
	));

test('extract asks where, and starts a job with the paths', () =>
	withDeck(async (deck, engine) => {
		await inWindows(deck);
		await deck.press('/', 'win.ini', 'enter', 'e');
		await deck.until(/Extract files/);
		await deck.press('\x15', '/tmp/out', '\x18');
		await deck.until(/Job 1 started/);
		const [request] = engine.jobs.started;
		assert.equal(request?.verb, 'extract');
		assert.deepEqual(request?.values['paths'], ['\\Windows\\win.ini']);
		assert.equal(request?.values['target'], '/tmp/out');
		assert.equal(request?.values['imageIndex'], 1);
	}));

test('an error of a form stands on its field, and nothing starts', () =>
	withDeck(async (deck, engine) => {
		engine.jobs.check_ = { errors: { target: 'this is a file' }, replaces: null };
		await inWindows(deck);
		await deck.press('e');
		await deck.until(/Extract files/);
		await deck.press('\x18');
		await deck.until(/! this is a file/);
		assert.equal(engine.jobs.started.length, 0);
	}));

test('a form keeps its values when it was closed with Esc', () =>
	withDeck(async (deck) => {
		await inWindows(deck);
		await deck.press('e');
		await deck.until(/Extract files/);
		await deck.press('\x15', '/mnt/usb', 'esc');
		await deck.until((screen) => !/Extract files/.test(screen));
		await deck.press('e');
		await deck.until(/\/mnt\/usb/);
	}));

test('verify starts without a dialog, and findings mark files, folders and images', () =>
	withDeck(async (deck, engine) => {
		await deck.press('j', 'j');
		await deck.press('V');
		assert.equal(engine.jobs.started[0]?.verb, 'verify');
		engine.jobs.update(1, { findings: findings() });
		await deck.until(/! 1 damaged/);
		assert.match(deck.screen(), /^!3/m);
		await deck.press('enter');
		await deck.until(/! Windows\//);
		await deck.press('n', 'enter');
		await deck.until(/hvax64/);
		await deck.press('n', 'n');
		await deck.until(/chunk 12 of 21 does not unpack, see !/);
	}));

test('the damage view shows a finding, goes to its file, and marks its files', () =>
	withDeck(async (deck, engine) => {
		engine.jobs.set([jobView(1, { findings: findings(), state: 'done' })]);
		await deck.until(/! 1 damaged/);
		await deck.press('!');
		await deck.until(/Finding 1: resource/);
		await deck.press('m');
		await deck.until(/2 marked/);
		await deck.press('o');
		await deck.until(/3: \\Windows/);
		await deck.until(/hvax64.exe: chunk 12/);
	}));

test('from a damaged file ! goes to what was found of it, and back', () =>
	withDeck(async (deck, engine) => {
		const [, second] = findings();
		assert.ok(second);
		const third = { ...second, id: 'c', where: 'resource @0x5', what: 'its SHA-1 differs' };
		const hits = ['\\Windows\\notepad.exe', '\\Windows\\regedit.exe', '\\Windows\\write.exe'];
		const more = { ...second, files: hits.map((name) => ({ path: name, imageIndex: 3 })) };
		const hvax = { ...third, files: [{ path: '\\Windows\\hvax64.exe', imageIndex: 3 }] };
		engine.jobs.set([jobView(1, { findings: [more, hvax], state: 'done' })]);
		await deck.until(/! 2 damaged/);
		await deck.press('!');
		await deck.until(/Finding 1: resource @0x1a3f00/);
		await deck.press('j', 'o');
		await deck.until(/hvax64\.exe: its SHA-1 differs, see !/);
		await deck.press('!', 'k', '!', '!');
		await deck.until(/Finding 2: resource @0x5/);
		await deck.press('!');
		await deck.until(/hvax64\.exe: its SHA-1 differs, see !/);
	}));

test('a path that several images have stands once in a finding', () =>
	withDeck(async (deck, engine) => {
		const [, second] = findings();
		assert.ok(second);
		const files = [1, 2, 3, 5].map((imageIndex) => ({ path: '\\Windows\\a.dll', imageIndex }));
		engine.jobs.set([jobView(1, { findings: [{ ...second, files }], state: 'done' })]);
		await deck.until(/! 1 damaged/);
		await deck.press('!');
		const screen = await deck.until(/\\Windows\\a\.dll +images 1-3,5/);
		assert.doesNotMatch(screen, /more \(m marks/);
	}));

test('a damage report is written as text', () =>
	withDeck(async (deck, engine) => {
		engine.jobs.set([jobView(1, { findings: findings(), state: 'done' })]);
		await deck.until(/! 1 damaged/);
		await deck.press('!', 'w');
		await deck.until(/Write a damage report/);
		await deck.press('\x18');
		await deck.until(/Wrote/);
		assert.match(engine.reports[0]!.path, /install-damage.txt$/);
		assert.match(engine.reports[0]!.text, /image 3: \\Windows\\hvax64.exe/);
	}));

test('a job tells its end, its log can be read, and it can be dismissed', () =>
	withDeck(async (deck, engine) => {
		await deck.press('V');
		engine.jobs.update(1, {
			state: 'failed',
			endedMs: 5,
			summary: 'Cannot read: the device reports an error',
			log: ['problem: chunk 3'],
		});
		await deck.until(/FAILED/);
		assert.match(statusOf(deck), /Cannot read/);
		await deck.press('4', 'enter');
		await deck.until(/problem: chunk 3/);
		await deck.press('q', 'd');
		await deck.until((screen) => !/4 Jobs/.test(screen));
	}));

test('of the jobs that are over the newest comes first, so that it is never behind "more"', () =>
	withDeck(async (deck, engine) => {
		const over = [1, 2, 3, 4, 5].map((id) =>
			jobView(id, {
				title: `part ${id}`,
				state: id % 2 === 0 ? 'canceled' : 'done',
				endedMs: id * 10,
			}),
		);
		engine.jobs.set([...over, jobView(6, { title: 'part 6' })]);
		const screen = await deck.until(/part 6/);
		assert.match(screen, /part 6[\s\S]*part 5[\s\S]*part 4/);
		assert.match(screen, /\+3 more/);
	}));

test('canceling a job asks first; pause and retry do not', () =>
	withDeck(async (deck, engine) => {
		await deck.press('V', '4', 'p');
		await deck.until(/paused/);
		await deck.press('p', 'x');
		await deck.until(/Cancel job 1/);
		await deck.press('enter');
		assert.deepEqual(engine.jobs.asked, ['pause 1', 'resume 1']);
		await deck.press('x', 'right', 'enter');
		await deck.until(/canceled/);
		await deck.press('r');
		assert.equal(engine.jobs.started.length, 2);
	}));

test('a question about a job tells how far it is, and that it is over', () =>
	withDeck(async (deck, engine) => {
		await deck.press('V', '4', 'x');
		await deck.until(/Cancel job 1\?/);
		engine.jobs.update(1, { doneBytes: 50, totalBytes: 100 });
		await deck.until(/verify .* 50%/);
		await deck.press('right');
		engine.jobs.update(1, { state: 'done', endedMs: 1, summary: '3 blobs checked' });
		await deck.until(/Job 1 is over/);
		await deck.until(/verify .*: 3 blobs checked/);
		await deck.press('enter');
		await deck.until((screen) => !/is over/.test(screen));
		assert.deepEqual(engine.jobs.asked, [], 'nothing was canceled');
	}));

test('the question before leaving knows when the last job has ended', () =>
	withDeck(async (deck, engine) => {
		await deck.press('V', 'q');
		await deck.until(/1 job is running/);
		engine.jobs.update(1, { state: 'done', endedMs: 1 });
		await deck.until(/No job is running any more/);
		await deck.press('enter');
		await deck.until((screen) => !/any more/.test(screen));
		assert.deepEqual(deck.exits, []);
		await deck.press('q');
		assert.deepEqual(deck.exits, [0]);
	}));

test('a silent job says since when', () =>
	withDeck(async (deck, engine) => {
		engine.jobs.set([jobView(1, { lastEventMs: 1000, rate: 5 })]);
		await deck.until(/verify/);
		deck.nowMs = 13_000;
		await deck.until(/no progress for 12 s/);
	}));

test('quit ends at once without jobs, and asks with them', () =>
	withDeck(async (deck, engine) => {
		engine.jobs.set([jobView(1)]);
		await deck.until(/verify/);
		await deck.press('q');
		await deck.until(/1 job is running/);
		await deck.press('enter', 'q', 'right', 'right', 'enter');
		await deck.until(/Waiting for|All jobs have ended/);
		await deck.settle();
		assert.deepEqual(engine.jobs.asked, ['cancel 1']);
		for (let i = 0; i < 50 && deck.exits.length === 0; i++)
			await new Promise((resolve) => setTimeout(resolve, 2));
		assert.deepEqual(deck.exits, [0]);
	}));

test('quit when they finish: held jobs are let go, for nobody could do it later; ^C cancels', () =>
	withDeck(async (deck, engine) => {
		engine.jobs.set([
			jobView(1, { state: 'paused' }),
			jobView(2),
			jobView(-3, { state: 'paused', isForeign: true }),
		]);
		await deck.until(/3 paused|2 paused/);
		await deck.press('q', 'right', 'enter');
		await deck.until(/Waiting for 2 jobs/);
		assert.deepEqual(engine.jobs.asked, ['resume 1']);
		await deck.press('q', 'x', '\x03');
		await deck.until(/All jobs have ended/);
		assert.deepEqual(engine.jobs.asked, ['resume 1', 'cancel 1', 'cancel 2']);
	}));

test('pasted text never runs commands', () =>
	withDeck(async (deck) => {
		await deck.press('\x1b[200~q\rV\x1b[201~');
		await deck.until(/Pasted text is ignored/);
		assert.deepEqual(deck.exits, []);
	}));

test('a command that cannot be used says why', () =>
	withDeck(async (deck) => {
		await deck.press('tab', 's');
		await deck.until(/open an image first/);
	}));

test('help finds a command by its key and runs it', () =>
	withDeck(async (deck) => {
		await deck.press('?', 'V');
		await deck.until(/Verify the file/);
		await deck.press('enter');
		await deck.until(/Job 1 started/);
	}));

test('the palette runs what it found', () =>
	withDeck(async (deck) => {
		await deck.press(':', 'facts of', 'enter');
		await deck.until(/Image 1/);
		await deck.until(/10\.0\.26100\.1/);
	}));

test('y copies the path through the terminal', () =>
	withDeck(async (deck) => {
		await inWindows(deck);
		await deck.press('y');
		await deck.until(/Copied \\Windows\\Boot/);
		assert.deepEqual(deck.terminal.events.copies, [`c;${btoa('\\Windows\\Boot')}`]);
	}));

test('a resize keeps the cursor in view', () =>
	withDeck(async (deck) => {
		await inWindows(deck);
		await deck.press('G');
		await deck.until(/> write.exe/);
		deck.terminal.resize(40, 10);
		await deck.until(/> write.exe/);
		deck.terminal.resize(120, 40);
		await deck.until(/3 Details/);
		assert.match(deck.screen(), /> write.exe/);
	}));

test('repainting mends a screen that others wrote over', () =>
	withDeck(async (deck) => {
		const before = deck.screen();
		deck.terminal.write('\x1b[5;5Hkernel: oops');
		await deck.terminal.drawn();
		assert.notEqual(deck.screen(), before);
		await deck.press('\x0c');
		assert.equal(deck.screen(), before);
	}));

test('readonly says RO', () =>
	withDeck(async (deck) => assert.match(deck.screen(), / RO/), { settings: { readonly: true } }));

test('own keys work', () =>
	withDeck(
		async (deck) => {
			await deck.press('Y');
			await deck.until(/Job 1 started/);
		},
		{ keys: { 'job.verify': ['Y'] } },
	));

test('problems of the configuration are said at the start, and stay readable', () =>
	withDeck(
		async (deck) => {
			await deck.until(/v is bound to both/);
			await deck.press(':', 'messages', 'enter');
			await deck.until(/v is bound to both/);
		},
		{ keys: { 'list.sort': ['v'] } },
	));

test('ascii screens hold nothing but ASCII, whatever the names', () =>
	withDeck(
		async (deck) => {
			await deck.press('enter');
			await deck.until(/\?\?\?\.txt/);
			for (const line of deck.terminal.lines()) assert.match(line, /^[\x20-\x7e]*$/);
		},
		{ profile: { symbols: 'ascii' } },
		new FakeEngine(new FakeFile({}, IMAGES, [{ name: 'äöü.txt', size: 1 }])),
	));

const HOSTILE = [
	'\x1b]0;owned\x07.txt',
	'\x1b]52;c;ZXZpbA==\x07',
	'bell\x07\x07\x07',
	'\x9b2J',
	'back\b\b\b\b\rhome',
	'\x1b[2J\x1b[H',
	'new\nline',
	'rtl\u202e\u2066',
];

test('no name, title, path or error can send a control sequence', async () => {
	const evil = HOSTILE.join(' ');
	const file = new FakeFile(
		{ warnings: [evil] },
		IMAGES.slice(0, 2).map((image) => ({
			...image,
			name: evil,
			description: evil,
			edition: evil,
			version: evil,
			more: [[evil, evil]],
		})),
		HOSTILE.map((name) => ({ name, size: 1, content: evil, streams: [{ name: evil, size: 1 }] })),
	);
	const engine = new FakeEngine(file);
	await withDeck(
		async (deck) => {
			const sent = () => deck.terminal.sent;
			await deck.press('i', 'esc', 'enter');
			await deck.until(/owned/);
			await deck.press('j', 'j', 'x', 'esc', 'enter');
			await deck.settle();
			engine.jobs.set([
				jobView(1, {
					title: evil,
					verb: evil,
					state: 'failed',
					summary: evil,
					log: [evil],
					findings: [
						{
							id: '1',
							severity: 'error',
							where: evil,
							what: evil,
							about: evil,
							files: [{ path: `\\${evil}`, imageIndex: 1 }],
							isIntegrityBlock: false,
							blocksImage: false,
							imageIndexes: [1],
							notes: [evil],
							digest: null,
							place: { part: evil, offset: 0, size: 1 },
						},
					],
				}),
			]);
			await deck.until(/FAILED/);
			await deck.press(
				'4',
				'enter',
				'q',
				'!',
				'enter',
				'esc',
				'w',
				'esc',
				':',
				'messages',
				'enter',
			);
			await deck.settle();
			assert.deepEqual(deck.terminal.events, { titles: [], bells: [], copies: [] });
			// Only what the writer itself sends: positions, erasing, styles, status requests.
			const rest = sent().replace(/\x1b\[[\d;]*[HGKJmn]/g, '');
			assert.doesNotMatch(rest, /[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/);
		},
		{ columns: 120, rows: 40 },
		engine,
	);
});

test('a list of 300,000 entries: moving, filtering and sorting stay quick to show', async () => {
	const file = new FakeFile();
	file.listing = longListing(300_000);
	await withDeck(
		async (deck) => {
			await deck.press('enter');
			await deck.until(/300,000/);
			await deck.press('G');
			await deck.until(/file-/);
			await deck.press('/', '99999', 'enter');
			await deck.until(/\/\d of 300,000/);
			await deck.press('esc', 's', 's');
			await deck.until(/sizev 300,000/);
		},
		{},
		new FakeEngine(file),
	);
});
