import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
	applyFindings,
	findingUnderCursor,
	shownFindings,
} from '../../../source/tui/state/damage.ts';
import { initialState, type State } from '../../../source/tui/state/state.ts';
import { findings } from '../../support/fake-findings.ts';

/** Findings of one file each, at these offsets; null for one that is at no single place. */
function withFindings(offsets: readonly (number | null)[], sort: State['damage']['sort']): State {
	const state = initialState({}, 80, 24, 0);
	const [model] = findings();
	assert.ok(model);
	const all = offsets.map((offset, k) => ({
		...model,
		id: String(k),
		where: offset === null ? 'header' : `resource @0x${offset.toString(16)}`,
		place: offset === null ? null : { part: '/install.wim', offset, size: 10 },
	}));
	return { ...state, damage: { ...state.damage, findings: all, sort } };
}

test('findings of equal weight stand in the order of the file, not of the digits of their offsets', () => {
	for (const sort of ['severity', 'files', 'where'] as const) {
		const shown = shownFindings(withFindings([0x1045ec8, 0x13dfc2, null, 0x200], sort));
		assert.deepEqual(
			shown.map(({ place }) => place?.offset ?? null),
			[null, 0x200, 0x13dfc2, 0x1045ec8],
			sort,
		);
	}
});

test('findings are numbered as the view and the report list them', () => {
	const found = withFindings([0x300, 0x100, 0x200], 'severity').damage.findings;
	const state = applyFindings(initialState({}, 80, 24, 0), found);
	assert.deepEqual(state.damage.findings, shownFindings(state));
	assert.deepEqual(
		state.damage.findings.map(({ id }) => id),
		['1', '2', '0'],
	);
});

test('while a check goes on the cursor of its view stays on the same finding', () => {
	const found = withFindings([0x300, 0x100, 0x200, 0x50], 'severity').damage.findings;
	const seen: State = {
		...applyFindings(initialState({}, 80, 24, 0), found.slice(0, 2)),
		view: 'damage',
	};
	const second = { ...seen, damage: { ...seen.damage, list: { cursor: 1, top: 0 } } };
	assert.equal(findingUnderCursor(second)?.id, '0');
	const more = applyFindings(second, found);
	assert.equal(findingUnderCursor(more)?.id, '0');
	assert.equal(more.damage.list.cursor, 3);
	// Who comes to it only afterwards begins with the worst.
	const elsewhere = applyFindings({ ...seen, view: 'deck' }, found);
	assert.equal(findingUnderCursor(elsewhere)?.id, '3');
});
