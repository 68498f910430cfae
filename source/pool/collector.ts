/** Memory that is to be free at once: V8 does not know how much of it there is, and waits for its own heap to fill. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** Has V8 free what nobody on this thread holds any more; does nothing where it has no means for that. */
export function collector(): () => void {
	let collect: (() => void) | null = null;
	return () => {
		collect ??= exposed();
		collect();
	};
}

/** The collector of this thread, as tests of V8 see it; flags are back as they were, since code caches depend on them. */
function exposed(): () => void {
	setFlagsFromString('--expose-gc');
	try {
		const collect: unknown = runInNewContext('globalThis.gc');
		return typeof collect === 'function' ? () => collect() : () => undefined;
	} finally {
		setFlagsFromString('--no-expose-gc');
	}
}
