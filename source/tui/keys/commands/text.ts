/** Keys of text fields, lines and dialogs. */

import { changeDialog, closeDialog } from '../../state/dialogs.ts';
import {
	changeChoice,
	type FocusableField,
	focusableFields,
	focusedButton,
	focusedField,
	moveFocus,
	toggleField,
	wantsCompletion,
} from '../../state/form.ts';
import { LIST_START, moveTo } from '../../state/list.ts';
import { topDialog } from '../../state/selectors.ts';
import type { ConfirmDialog, State } from '../../state/state.ts';
import { EMPTY_FIELD, insert } from '../../state/text-field.ts';
import type { Api } from '../api.ts';
import { type Command, change } from '../command.ts';
import { editText, runCommand } from '../dispatch.ts';
import { jumpOn } from '../jump.ts';
import { acceptLine, cancelLine } from '../line.ts';
import { matchingCommands } from '../palette.ts';

const EDITS: readonly [id: string, title: string, keys: readonly string[]][] = [
	['text.left', 'One character left', ['left']],
	['text.right', 'One character right', ['right']],
	['text.bol', 'Beginning of the text', ['home', 'C-a']],
	['text.eol', 'End of the text', ['end', 'C-e']],
	['text.back', 'Delete before the cursor', ['backspace']],
	['text.delete', 'Delete under the cursor', ['delete']],
	['text.killLeft', 'Delete to the beginning', ['C-u']],
	['text.killRight', 'Delete to the end', ['C-k']],
	['text.killWord', 'Delete the word before', ['C-w']],
];

const edits: Command[] = EDITS.map(([id, title, keys]) => ({
	id,
	title,
	group: 'dialog',
	when: ['text'],
	keys,
	run: change((state) => editText(state, keys[0]!)),
}));

/** Tab in the go-to line completes a path of the image; where one jumps it goes on to the next such name. */
function completeLine(api: Api): void {
	const { line } = api.state();
	if (line?.purpose === 'goto') api.effects.completeInside(line.field.text);
	else stepJump(api, 1);
}

function stepJump(api: Api, step: 1 | -1): void {
	if (api.state().line?.purpose === 'jump') api.change((state) => jumpOn(state, step));
}

const lines: Command[] = [
	{
		id: 'line.accept',
		title: 'Keep',
		hint: 'keep',
		group: 'dialog',
		when: ['line'],
		keys: ['enter'],
		run: change(acceptLine),
	},
	{
		id: 'line.cancel',
		title: 'Clear',
		hint: 'clear',
		group: 'dialog',
		when: ['line'],
		keys: ['esc', 'C-c'],
		run: change(cancelLine),
	},
	{
		id: 'line.complete',
		title: 'Complete the path, or the next such name',
		group: 'dialog',
		when: ['line'],
		keys: ['tab'],
		run: completeLine,
	},
	{
		id: 'line.next',
		title: 'Next such name',
		group: 'dialog',
		when: ['line'],
		keys: ['down'],
		run: (api) => stepJump(api, 1),
	},
	{
		id: 'line.prev',
		title: 'Previous such name',
		group: 'dialog',
		when: ['line'],
		keys: ['S-tab', 'up'],
		run: (api) => stepJump(api, -1),
	},
];

/** Enter: a button is pressed, a field gives the focus on. */
function acceptField(api: Api): void {
	const dialog = topDialog(api.state());
	if (dialog?.kind !== 'form') return;
	const button = focusedButton(dialog);
	if (button < 0 && dialog.isQuick) pressFormButton(api, 0);
	else if (button < 0)
		api.change((state) => changeDialog(state, 'form', (form) => moveFocus(form, 1)));
	else pressFormButton(api, button);
}

function pressFormButton(api: Api, at: number): void {
	const dialog = topDialog(api.state());
	if (dialog?.kind !== 'form') return;
	const action = dialog.buttons[at]?.action;
	if (action?.type === 'submit') api.effects.submit(dialog, action.isConfirmed);
	else if (action) api.effects.act(action);
}

/** Tab: completes a path, then moves on. */
function nextField(api: Api): void {
	const dialog = topDialog(api.state());
	if (dialog?.kind === 'form' && wantsCompletion(dialog)) {
		api.effects.completePath(dialog);
		return;
	}
	api.change((state) => changeDialog(state, 'form', (form) => moveFocus(form, 1)));
}

/** The field that has the keys; null: a button. */
function fieldOf(state: State): FocusableField | null {
	const dialog = topDialog(state);
	return dialog?.kind === 'form' ? focusedField(dialog) : null;
}

/** Where text is typed a space is text. */
function cannotToggle(state: State): string | null {
	const field = fieldOf(state);
	if (!field) return 'Enter presses the button';
	return 'field' in field ? 'a text field has the keys' : null;
}

/** Left and right go through choices and buttons; a check has neither. */
const hasNoChoice = (state: State): string | null =>
	fieldOf(state)?.kind === 'check' ? 'Space turns this on or off' : null;

const forms: Command[] = [
	{
		id: 'field.next',
		title: 'Next field',
		hint: 'next',
		group: 'dialog',
		when: ['form'],
		keys: ['tab'],
		footer: 1,
		run: nextField,
	},
	{
		id: 'field.down',
		title: 'Next field',
		group: 'dialog',
		when: ['form'],
		keys: ['down'],
		run: change((state) => changeDialog(state, 'form', (form) => moveFocus(form, 1))),
	},
	{
		id: 'field.prev',
		title: 'Previous field',
		group: 'dialog',
		when: ['form'],
		keys: ['S-tab', 'up'],
		run: change((state) => changeDialog(state, 'form', (form) => moveFocus(form, -1))),
	},
	{
		id: 'field.change',
		title: 'Next choice',
		hint: 'choose',
		group: 'dialog',
		when: ['form'],
		keys: ['right'],
		footer: 2,
		disabled: hasNoChoice,
		run: change((state) => stepInForm(state, 1)),
	},
	{
		id: 'field.changeBack',
		title: 'Previous choice',
		group: 'dialog',
		when: ['form'],
		keys: ['left'],
		disabled: hasNoChoice,
		run: change((state) => stepInForm(state, -1)),
	},
	{
		id: 'field.toggle',
		title: 'Turn on or off',
		hint: 'toggle',
		group: 'dialog',
		when: ['form'],
		keys: ['space'],
		footer: 3,
		disabled: cannotToggle,
		run: change((state) => changeDialog(state, 'form', toggleField)),
	},
	{
		id: 'field.accept',
		title: 'Press the button, or go on',
		group: 'dialog',
		when: ['form'],
		keys: ['enter'],
		run: acceptField,
	},
	{
		id: 'dialog.submit',
		title: 'Press the main button',
		hint: 'start',
		group: 'dialog',
		when: ['form'],
		keys: ['C-x'],
		footer: 4,
		run: (api) => pressFormButton(api, 0),
	},
	{
		id: 'dialog.cancel',
		title: 'Close the dialog',
		hint: 'close',
		group: 'dialog',
		when: ['form', 'confirm', 'facts', 'pager', 'help', 'palette'],
		keys: ['esc', 'C-c'],
		footer: 5,
		run: change(closeDialog),
	},
];

/** Left and right: another choice in a field, another button beside it. */
function stepInForm(state: State, step: 1 | -1): State {
	return changeDialog(state, 'form', (form) => {
		if (focusedField(form)) return changeChoice(form, step);
		const first = focusableFields(form).length;
		const count = form.buttons.length;
		return { ...form, focus: first + ((form.focus - first + step + count) % count) };
	});
}

const moveButton = (state: State, step: 1 | -1): State =>
	changeDialog(state, 'confirm', (dialog) => ({
		...dialog,
		focus: (dialog.focus + step + dialog.buttons.length) % dialog.buttons.length,
	}));

const isWordMissing = (dialog: ConfirmDialog, button: number): boolean =>
	dialog.word !== null &&
	button === dialog.buttons.length - 1 &&
	dialog.typed.text.trim() !== dialog.word;

function pressButton(api: Api): void {
	const dialog = topDialog(api.state());
	if (dialog?.kind !== 'confirm' || isWordMissing(dialog, dialog.focus)) return;
	const action = dialog.buttons[dialog.focus]?.action;
	if (action) api.effects.act(action);
}

/** `y` and `n` count only where the dialog prints them. */
function answer(api: Api, button: 'first' | 'last'): void {
	const dialog = topDialog(api.state());
	if (dialog?.kind !== 'confirm' || !dialog.allowsLetters) return;
	const action = dialog.buttons.at(button === 'first' ? 0 : -1)?.action;
	if (action) api.effects.act(action);
}

const confirms: Command[] = [
	{
		id: 'button.next',
		title: 'Next button',
		hint: 'choose',
		group: 'dialog',
		when: ['confirm'],
		keys: ['right', 'tab', 'down'],
		footer: 1,
		run: change((state) => moveButton(state, 1)),
	},
	{
		id: 'button.prev',
		title: 'Previous button',
		group: 'dialog',
		when: ['confirm'],
		keys: ['left', 'S-tab', 'up'],
		run: change((state) => moveButton(state, -1)),
	},
	{
		id: 'button.press',
		title: 'Press the button',
		hint: 'press',
		group: 'dialog',
		when: ['confirm'],
		keys: ['enter'],
		footer: 2,
		run: pressButton,
	},
	{
		id: 'button.yes',
		title: 'Yes',
		group: 'dialog',
		when: ['confirm'],
		keys: ['y'],
		run: (api) => answer(api, 'last'),
	},
	{
		id: 'button.no',
		title: 'No',
		group: 'dialog',
		when: ['confirm'],
		keys: ['n'],
		run: (api) => answer(api, 'first'),
	},
];

/** Rows that help and palette show at once. */
const MENU_HEIGHT = 10;

function moveMenu(api: Api, step: number): void {
	const dialog = topDialog(api.state());
	if (dialog?.kind !== 'help' && dialog?.kind !== 'palette') return;
	const count = matchingCommands(api.keymap, api.state(), dialog.kind, dialog.query.text).length;
	const list = moveTo(dialog.list, dialog.list.cursor + step, {
		count,
		height: MENU_HEIGHT,
		scroll: 'line',
	});
	api.change((state) =>
		changeDialog(state, dialog.kind, (current) => ({ ...current, list }) as typeof current),
	);
}

/** Tab in the palette: the whole name of the command under the cursor. */
function completeMenu(api: Api): void {
	const dialog = topDialog(api.state());
	if (dialog?.kind !== 'palette') return;
	const at = dialog.list.cursor;
	const chosen = matchingCommands(api.keymap, api.state(), 'palette', dialog.query.text)[at];
	if (!chosen) return;
	const query = insert(EMPTY_FIELD, chosen.command.title);
	api.change((state) =>
		changeDialog(state, 'palette', (palette) => ({ ...palette, query, list: LIST_START })),
	);
}

function runMenu(api: Api): void {
	const dialog = topDialog(api.state());
	if (dialog?.kind !== 'help' && dialog?.kind !== 'palette') return;
	const chosen = matchingCommands(api.keymap, api.state(), dialog.kind, dialog.query.text)[
		dialog.list.cursor
	];
	api.change(closeDialog);
	if (chosen) runCommand(api, chosen.command);
}

const menus: Command[] = [
	{
		id: 'menu.next',
		title: 'Next',
		group: 'dialog',
		when: ['help', 'palette'],
		keys: ['down', 'C-n'],
		run: (api) => moveMenu(api, 1),
	},
	{
		id: 'menu.prev',
		title: 'Previous',
		group: 'dialog',
		when: ['help', 'palette'],
		keys: ['up', 'C-p'],
		run: (api) => moveMenu(api, -1),
	},
	{
		id: 'menu.pageDown',
		title: 'Next page',
		group: 'dialog',
		when: ['help', 'palette'],
		keys: ['pagedown'],
		run: (api) => moveMenu(api, MENU_HEIGHT),
	},
	{
		id: 'menu.pageUp',
		title: 'Previous page',
		group: 'dialog',
		when: ['help', 'palette'],
		keys: ['pageup'],
		run: (api) => moveMenu(api, -MENU_HEIGHT),
	},
	{
		id: 'menu.complete',
		title: 'Complete the name',
		group: 'dialog',
		when: ['palette'],
		keys: ['tab'],
		run: completeMenu,
	},
	{
		id: 'menu.run',
		title: 'Run',
		hint: 'run',
		group: 'dialog',
		when: ['help', 'palette'],
		keys: ['enter'],
		footer: 1,
		run: runMenu,
	},
];

export const textCommands: readonly Command[] = [
	...edits,
	...lines,
	...forms,
	...confirms,
	...menus,
];
