import path from 'node:path';
import { fileURLToPath } from 'node:url';

/** The checkout: the compiled test lies in dist/test/support/. */
export const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../../..');

/** The path of a file in `fixtures/`. */
export function fixture(name: string): string {
	return path.join(root, 'fixtures', name);
}
