import assert from 'node:assert/strict';
import { test } from 'node:test';
import { shownFindings } from '../../../source/tui/state/damage.ts';
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
