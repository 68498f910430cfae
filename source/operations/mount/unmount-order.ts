/** What passes between `wimdeck unmount` and the process that serves the mounted image: an order, then lines. */
import { InputError, type WireError } from '../../base/errors.ts';

/** What `unmount` asks for. */
export interface UnmountOrder {
	readonly commit: boolean;
	/** Also while files are open. */
	readonly force: boolean;
	/** Write an integrity table even if there was none. */
	readonly check: boolean;
	readonly rebuild: boolean;
	/** Leave the image as it was, and add the changed one behind the others. */
	readonly asNewImage: boolean;
}

/** The answer, line by line; `done` or `failed` is the last. */
export type UnmountLine =
	| {
			readonly type: 'hello';
			readonly pid: number;
			readonly index: number;
			/** Of the image. */
			readonly name: string;
	  }
	| {
			readonly type: 'progress';
			readonly doneBytes: number;
			readonly totalBytes: number | null;
	  }
	| { readonly type: 'problem'; readonly message: string }
	| { readonly type: 'done'; readonly changes: 'committed' | 'discarded' | null }
	| { readonly type: 'failed'; readonly error: WireError };

const SWITCHES = ['commit', 'force', 'check', 'rebuild', 'asNewImage'] as const;

/** What a read-only mount is told. */
const NO_ORDER: UnmountOrder = {
	commit: false,
	force: false,
	check: false,
	rebuild: false,
	asNewImage: false,
};

/**
 * @param value null: nothing was said
 * @throws {InputError} for what is no order
 */
export function parseOrder(value: unknown): UnmountOrder {
	if (value === null) return NO_ORDER;
	const given = (typeof value === 'object' ? value : {}) as Record<string, unknown>;
	for (const name of SWITCHES)
		if (typeof given[name] !== 'boolean')
			throw new InputError(`Cannot understand the order: "${name}" is missing`, {
				hint: 'Unmount with the version of wimdeck that mounted.',
			});
	return given as unknown as UnmountOrder;
}
