/** The whole table: bindings, footer, help, palette and the README's list of keys all come from here. */

import type { Command } from './command.ts';
import { viewCommands } from './commands/damage.ts';
import { differenceCommands } from './commands/difference.ts';
import { everywhereCommands } from './commands/everywhere.ts';
import { fileCommands } from './commands/files.ts';
import { imageCommands } from './commands/images.ts';
import { jobCommands } from './commands/jobs.ts';
import { fileJobCommands } from './commands/jobs-of-file.ts';
import { listCommands } from './commands/lists.ts';
import { mapCommands } from './commands/map.ts';
import { pagerCommands } from './commands/pager.ts';
import { sizeCommands } from './commands/sizes.ts';
import { stagedCommands } from './commands/staged.ts';
import { textCommands } from './commands/text.ts';

export const COMMANDS: readonly Command[] = [
	...listCommands,
	...imageCommands,
	...fileJobCommands,
	...fileCommands,
	...jobCommands,
	...viewCommands,
	...mapCommands,
	...sizeCommands,
	...differenceCommands,
	...stagedCommands,
	...everywhereCommands,
	...pagerCommands,
	...textCommands,
];
