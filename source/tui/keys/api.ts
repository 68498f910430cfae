/** What a command may do: change the state, or ask for something outside it. */

import type { FindingFile, JobRequest } from '../engine.ts';
import type { DialogAction, FormDialog, State } from '../state/state.ts';
import type { Keymap } from './keymap.ts';

/** Things that happen outside the state; each answers by changing it later. */
export interface Effects {
	/** Copies through the terminal; the text, or `what` instead, is shown in the status row as well. */
	copy(text: string, what?: string): void;
	repaint(): void;
	suspend(): void;
	/** `now`, after the jobs, or after canceling them. */
	quit(mode: 'now' | 'whenDone' | 'cancelJobs'): void;
	act(action: DialogAction): void;
	startJob(request: JobRequest): void;
	cancelJob(id: number): void;
	pauseJob(id: number): void;
	resumeJob(id: number): void;
	dismissJobs(ids: readonly number[]): void;
	/** Lists jobs of the past too, or no longer. */
	showHistory(): void;
	/** Checks a form, asks what must be asked, and starts its job. */
	submit(form: FormDialog, isConfirmed: boolean): void;
	/** Completes the path in the focused field of a form. */
	completePath(form: FormDialog): void;
	/** Completes a path inside the open image, for the go-to line. */
	completeInside(text: string): void;
	/** Marks files of the open WIM that are known by their paths. */
	markFiles(files: readonly FindingFile[]): void;
	/** Goes on once the image of the chosen entries is in memory, which it nearly always is. */
	withChosen(run: () => void): void;
	/** Looks for donors beside the open file, then opens the repair dialog. */
	openRepair(): void;
	writeReport(path: string, text: string): void;
}

export interface Api {
	state(): State;
	change(change: (state: State) => State): void;
	readonly effects: Effects;
	/** All bindings, for help, palette and footer. */
	readonly keymap: Keymap;
}
