import { openPool } from '../pool/pool.ts';
import { PoolEncoder } from '../pool/pool-encoder.ts';
import type { JobTools } from './tools.ts';

/** The tools of a process, to be disposed of when it has no more jobs. */
export interface OpenTools extends JobTools, AsyncDisposable {}

/**
 * Makes the tools of this process.
 *
 * @param how `threads` null: as many as this machine runs at once
 */
export function openTools(
	how: { readonly threads: number | null } & Pick<
		JobTools,
		'input' | 'output' | 'onFault' | 'onMounted'
	>,
): OpenTools {
	const pool = openPool(how.threads);
	return {
		pool,
		encoder: new PoolEncoder(pool),
		get input() {
			return how.input;
		},
		output: how.output,
		onFault: how.onFault,
		onMounted: how.onMounted ?? (() => {}),
		[Symbol.asyncDispose]: () => pool[Symbol.asyncDispose](),
	};
}
