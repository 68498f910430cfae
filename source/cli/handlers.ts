import { UnsupportedError } from '../base/errors.ts';
import type { VerbName } from './commands.ts';
import type { Handler } from './context.ts';

/** A verb of the contract that this version cannot do yet. */
const notYet = (verb: VerbName) => async (): Promise<Handler> => {
	throw new UnsupportedError(`Command ${verb} is not part of this version`);
};

/** The code of each verb, loaded only when it is called for. */
export const HANDLERS: Readonly<Record<VerbName, () => Promise<Handler>>> = {
	info: async () => (await import('./verbs/info.ts')).info,
	dir: async () => (await import('./verbs/dir.ts')).dir,
	verify: notYet('verify'),
	extract: notYet('extract'),
	apply: notYet('apply'),
	capture: notYet('capture'),
	append: notYet('append'),
	update: notYet('update'),
	delete: notYet('delete'),
	export: notYet('export'),
	split: notYet('split'),
	join: notYet('join'),
	optimize: notYet('optimize'),
	undo: notYet('undo'),
	salvage: notYet('salvage'),
	repair: notYet('repair'),
	diff: notYet('diff'),
	mount: notYet('mount'),
	mountrw: notYet('mountrw'),
	unmount: notYet('unmount'),
	jobs: async () => (await import('./verbs/jobs.ts')).jobs,
	explain: async () => (await import('./verbs/explain.ts')).explain,
};
