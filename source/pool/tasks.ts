import { assistTask } from './tasks/assist.ts';
import { encodeTask } from './tasks/encode.ts';
import { flipTask } from './tasks/flip.ts';
import { followTask } from './tasks/follow.ts';
import { hashTask } from './tasks/hash.ts';
import { helpTask } from './tasks/help.ts';
import { intakeTask } from './tasks/intake.ts';
import { readTask } from './tasks/read.ts';
import { searchTask } from './tasks/search.ts';
import { seekTask } from './tasks/seek.ts';
import { targetsTask } from './tasks/targets.ts';
import { unpackTask } from './tasks/unpack.ts';
import { walkTask } from './tasks/walk.ts';

/** Everything that lanes can do. A new kind of work is one line here and a file in `tasks/`. */
export const TASKS = {
	read: readTask,
	help: helpTask,
	targets: targetsTask,
	hash: hashTask,
	encode: encodeTask,
	assist: assistTask,
	intake: intakeTask,
	flip: flipTask,
	follow: followTask,
	search: searchTask,
	seek: seekTask,
	unpack: unpackTask,
	walk: walkTask,
};

export type Tasks = typeof TASKS;
