import assert from 'node:assert/strict';
import { test } from 'node:test';
import { InputError } from '../../../source/base/errors.ts';
import type { Finding, FoundWim, JobView } from '../../../source/tui/engine.ts';
import { DeckOnTerminal } from '../../support/deck.ts';
import { FakeEngine, FakeFile, IMAGES, jobView } from '../../support/fake-engine.ts';
import { FOUND } from '../../support/fake-found.ts';
import { difference } from '../../support/fake-views.ts';
import { randomSource } from '../../support/random.ts';

// Whatever a name, an XML value, an error, a neighbour in a folder or another process says, and wherever it is shown:
// no byte of it may command the terminal. A walk of random keys through a deck whose every text is hostile.

const FRAGMENTS: readonly string[] = [
	'\x1b]0;owned\x07',
	'\x1b]52;c;b3duZWQ=\x1b\\',
	'\x1b[2J',
	'\x1b[31m',
	'\x1bc',
	'\x1b',
	'\x9b2J',
	'\x9d0;t\x9c',
	'\x90q\x9c',
	'\r\n',
	'\n',
	'\t',
	'\b\b',
	'\x07',
	'\x0e\x0f',
	'\x7f',
	'\x00',
	'\u202etxt.exe\u202c',
	'\u2066a\u2069',
	'\u200b\u200d\ufeff',
	'\u2028',
	'\ud800',
	'\udfff',
	`e${'\u0301'.repeat(40)}`,
	'\u{1f468}\u200d\u{1f469}\u200d\u{1f467}',
	'漢字',
	'plain',
	'..',
	'%s%n',
	'x'.repeat(300),
];

/** Keys that open views, move and change; none that quits. */
const KEYS = [
	...'jkgGhlxieVcaDrSJOPTFXCM!?:/fpsnN12345z=%tuyovm+*.R[]\\-w',
	'enter',
	'enter',
	'esc',
	'tab',
	'space',
	'up',
	'down',
	'right',
	'pagedown',
	'\x18',
	'\x03',
	'\x0c',
];

type Hostile = () => string;

const finding = (evil: Hostile): Finding => ({
	id: evil(),
	severity: 'error',
	where: evil(),
	what: evil(),
	about: evil(),
	files: [{ path: `\\${evil()}`, imageIndex: 1 }],
	isIntegrityBlock: false,
	blocksImage: false,
	imageIndexes: [1],
	notes: [evil()],
	digest: evil(),
	place: { part: evil(), offset: 0, size: 1 },
});

function jobs(evil: Hostile): JobView[] {
	const states = ['running', 'failed', 'done', 'interrupted', 'queued', 'canceled'] as const;
	return states.map((state, k) =>
		jobView(k % 2 === 0 ? k + 1 : -k, {
			label: evil(),
			verb: evil(),
			title: evil(),
			phase: evil(),
			state,
			summary: evil(),
			log: [evil(), evil()],
			endedMs: 5,
			isForeign: k % 2 === 1,
			leftovers: [evil()],
			findings: k === 2 ? [finding(evil)] : [],
		}),
	);
}

function hostileEngine(evil: Hostile): FakeEngine {
	const images = IMAGES.slice(0, 3).map((image) => ({
		...image,
		name: evil(),
		description: evil(),
		edition: evil(),
		version: evil(),
		architecture: evil(),
		displayName: evil(),
		displayDescription: evil(),
		flags: evil(),
		more: [[evil(), evil()]] as const,
	}));
	const entry = () => ({
		name: evil(),
		size: 1,
		content: evil(),
		streams: [{ name: evil(), size: 1 }],
	});
	const tree = [
		entry(),
		{ name: evil(), children: [entry(), entry(), { name: evil(), children: [entry()] }] },
		entry(),
	];
	const file = new FakeFile(
		{ warnings: [evil()], guid: evil(), compression: evil() },
		images,
		tree,
	);
	file.differences = [
		difference('added', `\\${evil()}`),
		difference('changed', `\\${evil()}\\${evil()}`),
	];
	file.unreadable.add(3);
	const engine = new FakeEngine(file);
	engine.jobs.estimate_ = { notes: [evil()], warnings: [evil()] };
	engine.jobs.check_ = { errors: { target: evil(), source: evil(), '': evil() }, replaces: null };
	engine.hostNames.push({ name: evil(), isFolder: true }, { name: evil(), isFolder: false });
	engine.found = FOUND.map((found): FoundWim => {
		const { summary } = found;
		return {
			...found,
			path: `/srv/sources/${evil()}`,
			problem: summary ? null : evil(),
			summary: summary && {
				...summary,
				title: evil(),
				edition: evil(),
				languages: evil(),
				build: evil(),
			},
		};
	});
	engine.writeReport = async () => {
		throw new InputError(evil(), { path: evil(), hint: evil() });
	};
	return engine;
}

const SIZES = [
	{ columns: 80, rows: 24 },
	{ columns: 120, rows: 40 },
	{ columns: 40, rows: 10 },
] as const;

for (const seed of [1, 2, 3, 4, 5, 6])
	test(`no text commands the terminal: walk ${seed}`, async () => {
		const random = randomSource(seed);
		const evil: Hostile = () =>
			Array.from({ length: 1 + random(3) }, () => FRAGMENTS[random(FRAGMENTS.length)]).join('');
		const engine = hostileEngine(evil);
		const symbols = (['unicode', 'console', 'ascii'] as const)[seed % 3]!;
		const deck = await DeckOnTerminal.open(engine, {
			...SIZES[seed % 3]!,
			profile: { symbols },
			path: seed % 2 === 0 ? '/srv/sources' : '/srv/sources/install.wim',
			settings: { remember: true },
			// Copying is the one sequence that a user asks for; it is tested where it belongs.
			keys: { 'copy.path': [], [evil()]: [evil()] },
		});
		const walked: string[] = [];
		for (let step = 0; step < 150; step++) {
			if (step % 30 === 10) engine.jobs.set(jobs(evil));
			const isTyped = random(12) === 0;
			const key = isTyped
				? `\x1b[200~${evil().replaceAll('\x1b', '')}\x1b[201~`
				: KEYS[random(KEYS.length)]!;
			walked.push(key);
			await deck.press(key);
			assert.deepEqual(deck.crashes, [], JSON.stringify(walked.slice(-10)));
		}
		await deck.settle();
		assert.deepEqual(deck.terminal.events, { titles: [], bells: [], copies: [] });
		assert.match(deck.terminal.sent, /\^\[|\^G|<202E>|<009B>|\?/, 'hostile text was shown');
		// Only what the writer itself sends: positions, erasing, styles, status requests.
		const rest = deck.terminal.sent.replace(/\x1b\[[\d;]*[HGKJmn]/g, '');
		const found =
			/[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]/u.exec(
				rest,
			);
		assert.equal(
			found,
			null,
			JSON.stringify(rest.slice((found?.index ?? 0) - 40, (found?.index ?? 0) + 40)),
		);
		deck.close();
	});
