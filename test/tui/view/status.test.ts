import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createTheme } from '../../../source/tui/parts/theme.ts';
import { initialState } from '../../../source/tui/state/state.ts';
import { say } from '../../../source/tui/state/status.ts';
import { statusRow } from '../../../source/tui/view/status.ts';

test('what can be pressed now stays whole behind a sentence that is cut', () => {
	const theme = createTheme('ascii', 'never');
	const state = initialState({}, 80, 24, 0);
	const row = (text: string, width: number) =>
		String(statusRow(say(state, text, 'info', { keys: '   r retry' }), theme, width));
	assert.equal(row('Cannot open "a.wim"', 40), ' Cannot open "a.wim"   r retry'.padEnd(40));
	assert.equal(row('Cannot open "a.wim": there is no such file', 40).length, 40);
	assert.match(
		row('Cannot open "a.wim": there is no such file', 40),
		/^ Cannot open .*~ {3}r retry$/,
	);
});

test('a reason stands alone where there is no room for what it is about', () => {
	const theme = createTheme('ascii', 'never');
	const state = say(initialState({}, 80, 24, 0), 'Delete it: no image', 'warning', {
		short: 'no image',
	});
	assert.equal(String(statusRow(state, theme, 20)), ' Delete it: no image');
	assert.equal(String(statusRow(state, theme, 19)), ' no image'.padEnd(19));
	assert.equal(String(statusRow(state, theme, 6)), ' no i~');
});
