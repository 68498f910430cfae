import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GoodRanges } from '../../../source/tui/engine/good-ranges.ts';
import type { MapStretch, PartMap } from '../../../source/tui/engine-views.ts';
import {
	cellStart,
	cellUnderCursor,
	fileAtCursor,
	filesAtCursor,
	MAP_STATES,
	mapCells,
	mapGrid,
	moveCells,
	nextBadCell,
	placeUnderCursor,
} from '../../../source/tui/state/map.ts';
import { initialState, type State } from '../../../source/tui/state/state.ts';
import { jobView } from '../../support/fake-engine.ts';
import { findings } from '../../support/fake-findings.ts';
import { randomSource } from '../../support/random.ts';

function stateOf(part: PartMap, columns = 42, rows = 24): State {
	const state = initialState({}, columns, rows, 0);
	return { ...state, view: 'map', map: { ...state.map, layout: [part] } };
}

/** A part of random stretches without gaps. */
function randomPart(random: (below: number) => number): PartMap {
	const stretches: MapStretch[] = [];
	let offset = 0;
	for (let k = 0; k <= random(40); k++) {
		const size = 1 + random(random(3) === 0 ? 5000 : 40);
		stretches.push({ offset, size, state: MAP_STATES[random(MAP_STATES.length)]! });
		offset += size;
	}
	return { path: 'a.wim', size: offset, stretches };
}

test('a cell is bad when one byte of it is, and otherwise what most of it is', () => {
	const random = randomSource(5);
	for (let round = 0; round < 300; round++) {
		const part = randomPart(random);
		const state = stateOf(part);
		const cells = mapCells(state);
		const { count } = mapGrid(state);
		assert.equal(cells.length, count);
		const bytes = part.stretches.flatMap(({ size, state: what }) => Array<string>(size).fill(what));
		for (let cell = 0; cell < count; cell++) {
			const inside = bytes.slice(
				cellStart(cell, count, part.size),
				cellStart(cell + 1, count, part.size),
			);
			assert.ok(inside.length > 0, 'no cell is empty');
			const sums = MAP_STATES.map((what) => inside.filter((one) => one === what).length);
			const shown = MAP_STATES[cells[cell]!]!;
			if (inside.includes('bad')) assert.equal(shown, 'bad', `round ${round}, cell ${cell}`);
			else assert.equal(sums[cells[cell]!], Math.max(...sums), `round ${round}, cell ${cell}`);
		}
	}
});

test('places of all cells follow each other from the first byte to the last', () => {
	const random = randomSource(6);
	for (let round = 0; round < 50; round++) {
		const part = randomPart(random);
		let state = stateOf(part);
		let end = 0;
		for (let cell = 0; cell < mapGrid(state).count; cell++) {
			assert.equal(cellUnderCursor(state), cell);
			const place = placeUnderCursor(state);
			assert.equal(place?.offset, end);
			end += place?.size ?? 0;
			state = moveCells(state, 1);
		}
		assert.equal(end, part.size);
	}
});

test('the cursor stays on its byte when the screen changes', () => {
	const part = randomPart(randomSource(7));
	const state = moveCells(stateOf(part), 9);
	const small = { ...state, columns: 20 };
	const place = placeUnderCursor(small);
	assert.ok(place && place.offset <= state.map.offset);
	assert.ok(state.map.offset < place.offset + place.size);
});

test('n and N go from one bad cell to the next, and say where there is none', () => {
	const part: PartMap = {
		path: 'a.wim',
		size: 1e6,
		stretches: [
			{ offset: 0, size: 500_000, state: 'good' },
			{ offset: 500_000, size: 10, state: 'bad' },
			{ offset: 500_010, size: 499_990, state: 'good' },
		],
	};
	const found = nextBadCell(stateOf(part), 1);
	const place = placeUnderCursor(found);
	assert.ok(place && place.offset <= 500_000 && place.offset + place.size > 500_000);
	assert.equal(nextBadCell(found, 1).status?.text, 'No damage behind this');
	assert.equal(nextBadCell(stateOf(part), -1).status?.text, 'No damage before this');
});

test('while a check runs, what it has read is good and the rest is not checked yet', () => {
	const part: PartMap = {
		path: '/a.wim',
		size: 1000,
		stretches: [
			{ offset: 0, size: 200, state: 'structure' },
			{ offset: 200, size: 800, state: 'unchecked' },
		],
	};
	const good = new GoodRanges();
	const shown = (): string => {
		const job = jobView(1, { good: good.list() });
		const state = stateOf(part);
		const cells = mapCells({ ...state, jobs: { ...state.jobs, jobs: [job] } });
		const letters = [...cells].map((cell) => MAP_STATES[cell]![0]);
		return letters.filter((letter, i) => letter !== letters[i - 1]).join('');
	};
	assert.equal(shown(), 'su');
	good.add('/a.wim', 200, 300);
	good.add('/b.wim', 0, 1000);
	assert.equal(shown(), 'sgu');
	good.add('/a.wim', 500, 500);
	assert.equal(shown(), 'sg');
	// Told twice, it counts once.
	good.add('/a.wim', 200, 800);
	assert.equal(shown(), 'sg');
});

test('of the files in a cell those that a finding hits come first', () => {
	const whole: PartMap = { path: 'a.wim', size: 1e6, stretches: [] };
	const [, hit] = findings();
	assert.ok(hit);
	const file = (name: string) => ({ imageIndex: 3, path: `\\Windows\\${name}` });
	const place = {
		resources: [],
		resourceCount: 0,
		files: [file('bootmgr'), file('hvax64.exe')],
		fileCount: 2,
		searched: [3],
	};
	const state = stateOf(whole);
	const cursor = { ...state, map: { ...state.map, place } };
	assert.deepEqual(
		filesAtCursor(cursor).map(({ isHit }) => isHit),
		[false, false],
	);
	assert.deepEqual(fileAtCursor(cursor), file('bootmgr'));
	const hurt = { ...hit, place: { part: 'a.wim', offset: 10, size: 10 } };
	const found = { ...cursor, damage: { ...cursor.damage, findings: [hurt] } };
	assert.deepEqual(filesAtCursor(found), [
		{ ...file('hvax64.exe'), isHit: true },
		{ ...file('bootmgr'), isHit: false },
	]);
	assert.deepEqual(fileAtCursor(found), file('hvax64.exe'));
});
