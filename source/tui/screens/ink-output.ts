/** Ink's own painter, which its package does not export. The bundle replaces this file. */

import { createRequire } from 'node:module';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

const ink = createRequire(import.meta.url).resolve('ink');

/** The class, or null in a release of Ink that keeps it elsewhere. */
export const InkOutput: unknown = await import(
	pathToFileURL(path.join(path.dirname(ink), 'output.js')).href
).then(
	(module: { default?: unknown }) => module.default ?? null,
	() => null,
);
