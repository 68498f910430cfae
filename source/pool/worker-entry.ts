import { existsSync } from 'node:fs';
import { assert } from '../base/errors.ts';

/**
 * Where the compiled entry of a lane lies: beside this file in `dist/source/pool/` and beside the bundled program in
 * `dist/`, one folder up from the bundle's chunks.
 */
export function workerEntry(): URL {
	const places = ['./worker.js', '../worker.js'].map((place) => new URL(place, import.meta.url));
	const found = places.find((place) => existsSync(place));
	assert(found, `worker.js lies beside the program (${places.join(', ')})`);
	return found;
}
