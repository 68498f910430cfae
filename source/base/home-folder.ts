/** The folder of the user. */

import os from 'node:os';
import path from 'node:path';

type Environment = Readonly<Record<string, string | undefined>>;

/** What HOME says, unless that is empty or relative: then nothing is to be written into the folder we happen to be in. */
export function homeFolder(environment: Environment = process.env): string {
	const named = environment['HOME'];
	if (named !== undefined && path.isAbsolute(named)) return named;
	try {
		// `os.homedir` would only repeat HOME, also when it is empty (Node 20.20).
		return named === undefined ? os.homedir() : os.userInfo().homedir;
	} catch {
		return path.parse(process.cwd()).root; // a user without an entry in the system's list
	}
}
