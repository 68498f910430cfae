import '../../support/production.ts';

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { render } from 'ink-testing-library';
import { createElement } from 'react';
import type { JobView } from '../../../source/tui/engine.ts';
import { COMMANDS } from '../../../source/tui/keys/commands.ts';
import { createKeymap } from '../../../source/tui/keys/keymap.ts';
import { createTheme } from '../../../source/tui/parts/theme.ts';
import { DeckScreen } from '../../../source/tui/screens/deck-screen.tsx';
import { applyFindings } from '../../../source/tui/state/damage.ts';
import { jobsChanged } from '../../../source/tui/state/jobs.ts';
import { NO_LOAD } from '../../../source/tui/state/load.ts';
import { initialState, type State } from '../../../source/tui/state/state.ts';
import { createStore } from '../../../source/tui/state/store.ts';
import { withDeck } from '../../support/deck.ts';
import {
	FakeEngine,
	FakeFile,
	FOUND,
	IMAGES,
	jobView,
	longListing,
} from '../../support/fake-engine.ts';
import { findings } from '../../support/fake-findings.ts';

// Every place of the design's table of states (tui.md §6), in each of its states, as a component draws it.

/** Words of other people: beyond ASCII, and trying to command the terminal. */
const REASON = 'Cannot read "größe.wim": störung\x1b]0;owned\x07';
const SHOWN_REASON = /Cannot read "gr.*e\.wim": st.*rung/;

const failed = { request: null, status: 'failed', sinceMs: 0, error: REASON } as const;
const loadingSince = (sinceMs: number) =>
	({ request: null, status: 'loading', sinceMs, error: null }) as const;

const file = new FakeFile();

/** A deck with an open file, `nowMs` at 1000. */
function opened(state: State): State {
	const { facts, images } = file;
	const wim = { ...state.wim, load: { ...NO_LOAD, status: 'ready' as const }, file, facts, images };
	return { ...state, view: 'deck', previousView: 'deck', wim };
}

const inFiles = (state: State, files: Partial<State['files']>): State => ({
	...opened(state),
	focus: 'files',
	files: { ...state.files, ...files },
});

function withListing(state: State, count: number, files: Partial<State['files']> = {}): State {
	const listing = longListing(count);
	const order = Int32Array.from({ length: files.filter ? 0 : count }, (_, i) => i);
	return inFiles(state, { listing, sorted: order, order, ...files });
}

const withJobs = (state: State, ...jobs: readonly JobView[]): State =>
	jobsChanged(opened(state), jobs);

const leaving = (state: State, ...jobs: readonly JobView[]): State => ({
	...withJobs(state, ...jobs),
	isLeaving: true,
});

const onStart = (state: State, start: Partial<State['start']>): State => ({
	...state,
	start: { ...state.start, folder: '/srv', ...start },
});

const withDetails = (state: State, details: Partial<State['details']>): State => ({
	...withListing(state, 3),
	focus: 'details',
	details: { ...state.details, isOpen: true, ...details },
});

interface Case {
	readonly what: string;
	readonly make: (state: State) => State;
	readonly shows: RegExp;
	readonly hides?: RegExp;
}

const CASES: readonly Case[] = [
	{ what: 'start, empty', make: (s) => onStart(s, {}), shows: /o open a file.*\? help/ },
	{
		what: 'start, loading',
		make: (s) => onStart(s, { load: loadingSince(0) }),
		shows: /looking for images/,
	},
	{
		what: 'start, files of which one is broken',
		make: (s) => onStart(s, { found: [{ ...FOUND[1]!, problem: REASON }, FOUND[0]!] }),
		shows: /!.*Cannot read/,
	},
	{
		what: 'a file that cannot be opened',
		make: (s) => ({
			...s,
			view: 'deck',
			wim: {
				...s.wim,
				load: { ...failed, request: { path: '/größe.wim', refs: [], keepPlace: false } },
			},
		}),
		shows: /Cannot read[\s\S]*r retry {2}o other/,
	},
	{
		what: 'images, none',
		make: (s) => ({ ...opened(s), wim: { ...opened(s).wim, images: [] } }),
		shows: /no images/,
	},
	{
		what: 'images, one unreadable',
		make: (s) => ({
			...opened(s),
			wim: { ...opened(s).wim, unreadable: new Map([[1, REASON]]) },
		}),
		shows: /\?1.Windows 11 Home/,
	},
	{
		what: 'files, empty',
		make: (s) => withListing(s, 0),
		shows: /empty folder/,
	},
	{
		what: 'files, nothing matches',
		make: (s) => withListing(s, 3, { filter: 'größe' }),
		shows: /nothing matches "gr.*e" \(Esc clears\)/,
	},
	{
		what: 'files, loading for a moment',
		make: (s) => inFiles({ ...s, nowMs: 1000 }, { load: loadingSince(950) }),
		shows: /2 Files/,
		hides: /reading/,
	},
	{
		what: 'files, loading for longer',
		make: (s) => inFiles({ ...s, nowMs: 1000 }, { load: loadingSince(500) }),
		shows: /reading\.\.\./,
	},
	{
		what: 'files, failed',
		make: (s) => inFiles(s, { load: failed }),
		shows: /Cannot read[\s\S]*R read again/,
	},
	{ what: 'details, nothing', make: (s) => withDetails(s, {}), shows: /nothing selected/ },
	{ what: 'details, failed', make: (s) => withDetails(s, { load: failed }), shows: /Cannot read/ },
	{ what: 'jobs, none', make: (s) => opened(s), shows: /1 Images/, hides: /4 Jobs/ },
	{
		what: 'jobs, waiting',
		make: (s) => withJobs(s, jobView(1), jobView(3, { state: 'queued', waitsFor: 1 })),
		shows: /queued \(waits for job 1\)/,
	},
	{
		what: 'jobs, failed',
		make: (s) => withJobs(s, jobView(1, { state: 'failed', summary: REASON, endedMs: 1 })),
		shows: /FAILED/,
	},
	{
		what: 'jobs, done with problems',
		make: (s) => withJobs(s, jobView(1, { state: 'done', problemCount: 3, endedMs: 1 })),
		shows: /done.*3 damaged or skipped/,
	},
	{
		what: 'jobs, done with notes',
		make: (s) => withJobs(s, jobView(1, { state: 'done', warningCount: 2, endedMs: 1 })),
		shows: /done.*2 notes/,
	},
	{
		what: 'jobs, killed, of another process',
		make: (s) =>
			withJobs(
				s,
				jobView(-12, {
					label: '#12',
					state: 'interrupted',
					isForeign: true,
					leftovers: ['left: größe'],
					summary: 'left 3.0 M',
				}),
			),
		shows: /#12 .*INTERRUPTED, left 3\.0 M.*c clean/,
	},
	{
		what: 'jobs, silent for long',
		make: (s) => withJobs({ ...s, nowMs: 20_000 }, jobView(1, { startedMs: 0, lastEventMs: 8000 })),
		shows: /no progress for 12 s/,
	},
	{
		what: 'damage, not checked',
		make: (s) => ({ ...opened(s), view: 'damage' }),
		shows: /not checked yet/,
	},
	{
		what: 'damage, found',
		make: (s) => ({
			...applyFindings(
				opened(s),
				findings().map((one) => ({ ...one, what: REASON })),
			),
			view: 'damage',
		}),
		shows: /ERR[\s\S]*Finding 1/,
	},
	{
		what: 'map, failed',
		make: (s) => ({ ...opened(s), view: 'map', map: { ...s.map, load: failed } }),
		shows: SHOWN_REASON,
	},
	{
		what: 'waiting for a job before the end: one progress line',
		make: (s) =>
			leaving(
				s,
				jobView(1, { doneBytes: 410, etaMs: 372_000, startedMs: -9000, lastEventMs: 900 }),
			),
		shows:
			/^ [-\\|/] Waiting for verify install\.wim \[#+\.+\] {2}41% {2}6:12 left +\^C cancels *\s*$/,
	},
	{
		what: 'waiting for several jobs: what they have done together, and no time while one is queued',
		make: (s) =>
			leaving(
				s,
				jobView(1, { doneBytes: 500, etaMs: 9000, startedMs: -9000, lastEventMs: 900 }),
				jobView(2, { state: 'queued' }),
				jobView(3, { state: 'done', doneBytes: 1000, endedMs: 1 }),
			),
		shows: /^ [-\\|/] Waiting for 2 jobs \[#+\.+\] {2}25% +\^C cancels *\s*$/,
	},
	{
		what: 'waiting for a job of which nothing is heard',
		make: (s) => leaving({ ...s, nowMs: 20_000 }, jobView(1, { lastEventMs: 8000 })),
		shows: /^ [-\\|/] Waiting for .* 0% {2}no progress for 12 s +\^C cancels *\s*$/,
	},
	{
		what: 'waiting for a job with a long name',
		make: (s) => leaving(s, jobView(1, { title: `${'größe'.repeat(40)}\x1b[2J` })),
		shows: /^ [-\\|/] Waiting for verify gr.*~ \[.* 0% +\^C cancels *\s*$/,
	},
];

const SIZES = [
	[80, 24],
	[120, 40],
] as const;

for (const [columns, rows] of SIZES)
	for (const symbols of ['unicode', 'ascii'] as const)
		for (const { what, make, shows, hides } of CASES)
			test(`${what}, at ${columns}x${rows} with ${symbols} symbols`, () => {
				const state = make(initialState({ symbols, color: 'never' }, columns, rows, 1000));
				const store = createStore(state, () => 250);
				const keymap = createKeymap(COMMANDS, { keys: {}, isReadonly: false, canSuspend: true });
				const theme = createTheme(symbols, 'never');
				const { lastFrame, unmount } = render(createElement(DeckScreen, { store, theme, keymap }));
				const styled = lastFrame() ?? '';
				unmount();
				const screen = styled.replace(/\x1b\[[\d;]*m/g, '');
				assert.match(screen, shows);
				if (hides) assert.doesNotMatch(screen, hides);
				const lines = screen.split('\n');
				assert.ok(lines.length <= rows, `${lines.length} rows`);
				for (const line of lines)
					assert.ok(line.length <= columns, `${line.length} columns: ${line}`);
				assert.doesNotMatch(
					screen,
					/[\x00-\x09\x0b-\x1f\x7f-\x9f]/,
					'nothing commands the terminal',
				);
				if (symbols === 'ascii') assert.doesNotMatch(screen, /[^\n\x20-\x7e]/);
			});

test('an image without a name shows what else it is called, and has no name to copy', () => {
	const [first, second] = IMAGES.map((image) => ({
		...image,
		name: '',
		displayName: '',
		description: '',
	}));
	return withDeck(
		async (deck) => {
			await deck.until(/1 \(no name\) .*\n.*2 Rescue disk /);
			await deck.press('y');
			await deck.until(/There is nothing to copy here/);
		},
		{},
		new FakeEngine(new FakeFile({}, [first!, { ...second!, description: 'Rescue disk' }])),
	);
});
