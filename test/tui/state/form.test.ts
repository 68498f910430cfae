import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
	behindMore,
	buildForm,
	check,
	moreOptions,
	note,
	numberField,
	pathField,
	radio,
	shownWhen,
	textField,
} from '../../../source/tui/forms/build.ts';
import {
	changeChoice,
	editField,
	focusableFields,
	focusedButton,
	focusedField,
	moveFocus,
	requestOf,
	toggleField,
	typeInField,
	valuesOf,
	withErrors,
} from '../../../source/tui/state/form.ts';
import { type FormDialog, initialState } from '../../../source/tui/state/state.ts';

const state = initialState({}, 80, 24, 0);

const HOWS = [
	{ value: 'new', label: 'new' },
	{ value: 'list', label: 'from a list' },
];

const sample = (isDangerous = false): FormDialog =>
	buildForm(state, {
		form: 'sample',
		subject: '',
		title: 'Sample',
		isDangerous,
		fields: [
			note('From', 'here'),
			radio('how', 'How', HOWS, 'new'),
			...shownWhen([{ field: 'how', is: ['list'] }], pathField('list', 'List', '/a')),
			numberField('size', 'Size', 3800, {
				unit: 'MB',
				presets: [
					{ key: 'F', label: 'FAT32', value: 3800 },
					{ key: 'D', label: 'DVD', value: 4400 },
				],
			}),
			moreOptions,
			...behindMore(textField('name', 'Name'), check('boot', 'Boot', 'boots')),
		],
	});

const names = (form: FormDialog): string[] => focusableFields(form).map(({ name }) => name);

test('a field is shown only while its condition holds, and keeps its value meanwhile', () => {
	const form = sample();
	assert.deepEqual(names(form), ['how', 'size', 'more']);
	const listed = changeChoice(form, 1);
	assert.deepEqual(names(listed), ['how', 'list', 'size', 'more']);
	assert.equal(focusedField(listed)?.name, 'how');
	assert.equal(valuesOf(form)['list'], '/a');
	assert.deepEqual(names(changeChoice(listed, 1)), ['how', 'size', 'more']);
});

test('the other options open with their check, and the focus stays on it', () => {
	const atMore = moveFocus(moveFocus(sample(), 1), 1);
	assert.equal(focusedField(atMore)?.name, 'more');
	const open = toggleField(atMore);
	assert.deepEqual(names(open), ['how', 'size', 'more', 'name', 'boot']);
	assert.equal(focusedField(open)?.name, 'more');
});

test('an error on a hidden option opens the options, and one without a field stands below', () => {
	const form = withErrors(sample(), { name: 'is taken', nowhere: 'odd' });
	assert.equal(focusedField(form)?.name, 'name');
	assert.deepEqual(form.errors, { '': 'odd', name: 'is taken' });
});

test('the focus jumps to the first of several errors; typing takes that one away', () => {
	const form = withErrors(sample(), { size: 'too small', more: 'no' });
	assert.equal(focusedField(form)?.name, 'size');
	assert.deepEqual(Object.keys(typeInField(form, '1').errors), ['more']);
});

test('a number takes digits, letters of presets, and steps through presets', () => {
	const atSize = moveFocus(sample(), 1);
	const size = (form: FormDialog | null) => form && valuesOf(form)['size'];
	assert.equal(size(typeInField(atSize, 'x1')), 38001);
	assert.equal(size(typeInField(atSize, 'd')), 4400);
	assert.equal(size(editField(atSize, 'right')), 4400);
	assert.equal(size(editField(editField(atSize, 'right')!, 'right')), 3800);
	assert.equal(size(editField(typeInField(atSize, '1'), 'left')), 4400);
	assert.equal(size(editField(atSize, 'C-u')), null);
});

test('a dangerous form starts on its safe button; any change asks for a new estimate', () => {
	const form = sample(true);
	assert.equal(focusedButton(form), 1);
	assert.equal(form.buttons[1]?.label, 'Cancel');
	const changed = changeChoice(sample(), 1);
	assert.deepEqual(changed.estimate?.request, requestOf(changed));
	assert.equal(changed.isEstimating, true);
});
