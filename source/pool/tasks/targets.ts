import { toWire, WimError, type WireError } from '../../base/errors.ts';
import { type FileTarget, TargetFile } from '../../storage/target-file.ts';
import type { Lane } from '../lane.ts';

/** Makes, completes or removes the files of a blob whose bytes come in several pieces, from several lanes. */
export interface TargetsInput {
	/**
	 * `create`: new files of `size` bytes, all zero. `finish`: they have all their bytes and get owner, mode and
	 * times. `remove`: no half-written file stays.
	 */
	readonly action: 'create' | 'finish' | 'remove';
	readonly targets: readonly FileTarget[];
	readonly size: number;
}

export interface TargetsOutput {
	/** What the machine refused, by position in `targets`. */
	readonly errors: readonly { readonly position: number; readonly error: WireError }[];
}

export function* targetsTask(input: TargetsInput, _: Lane): Generator<number, TargetsOutput, void> {
	const errors: { position: number; error: WireError }[] = [];
	for (const [position, target] of input.targets.entries()) {
		try {
			if (input.action === 'create') create(target, input.size);
			else if (input.action === 'finish') TargetFile.reopen(target).finish();
			else TargetFile.remove(target);
		} catch (error) {
			if (!(error instanceof WimError)) throw error;
			errors.push({ position, error: toWire(error) });
		}
		yield 0;
	}
	return { errors };
}

function create(target: FileTarget, size: number): void {
	const file = TargetFile.create(target);
	try {
		file.resize(size);
		file.close();
	} catch (error) {
		file.discard();
		throw error;
	}
}
