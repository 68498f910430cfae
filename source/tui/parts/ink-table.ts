/** ink-table is CommonJS and asks for Ink by require(), which an ES module with top-level await refuses: hand it the loaded one. The bundle replaces this file. */

import Module, { createRequire } from 'node:module';
import * as ink from 'ink';

type TableModule = typeof import('ink-table');

const require = createRequire(import.meta.url);
const inkFile = createRequire(require.resolve('ink-table')).resolve('ink');
if (!require.cache[inkFile]) {
	const entry = new Module(inkFile);
	entry.filename = inkFile;
	entry.loaded = true;
	entry.exports = ink;
	require.cache[inkFile] = entry;
}

/** The table component, for short fixed tables of safe text only. */
export const Table = (require('ink-table') as TableModule).default;
