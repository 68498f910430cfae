/** The files that get the bytes of one piece of a blob. */
import { toWire, WimError, type WireError } from '../../base/errors.ts';
import { type FileTarget, TargetFile } from '../../storage/target-file.ts';

/** More files than this are not kept open: a system may allow a process 1024, and some lanes work side by side. */
const OPEN_FILES_MAX = 32;

/** A file that nothing keeps open between two writes. */
type Parked = 'new' | 'made' | 'out';

export class PieceFiles {
	/** What the machine refused, by position in the targets. */
	readonly errors: { position: number; error: WireError }[] = [];
	readonly #targets: readonly FileTarget[];
	/** Of the whole blob: the files are new. Otherwise null: they are there, and have their size. */
	readonly #newSize: number | null;
	readonly #open: (TargetFile | null)[] = [];
	readonly #parked: Parked[];
	#isOpened = false;

	constructor(targets: readonly FileTarget[], newSize: number | null) {
		this.#targets = targets;
		this.#newSize = newSize;
		const count = Math.max(0, targets.length - OPEN_FILES_MAX);
		this.#parked = new Array<Parked>(count).fill(newSize === null ? 'made' : 'new');
	}

	write(bytes: Uint8Array, offset: number): void {
		if (!this.#isOpened) this.#openFirst();
		this.#eachOpen((file) => file.write(bytes, offset), true);
		for (const [k, state] of this.#parked.entries())
			if (state !== 'out') this.#writeParked(k, bytes, offset);
	}

	/** New files get their times and so on; all are closed. */
	finish(): void {
		const isNew = this.#newSize !== null;
		this.#eachOpen((file) => (isNew ? file.finish() : file.close()));
		if (isNew)
			this.#eachMade((position, target) =>
				this.#guard(position, () => TargetFile.reopen(target).finish()),
			);
	}

	/** New files go away, the others keep what they have; all are closed. */
	discard(): void {
		const isNew = this.#newSize !== null;
		this.#open.forEach((file, position) => {
			if (file === null) return;
			this.#open[position] = null;
			this.#guard(position, () => (isNew ? file.discard() : file.close()));
		});
		if (isNew)
			this.#eachMade((position, target) => this.#guard(position, () => TargetFile.remove(target)));
	}

	#openFirst(): void {
		this.#isOpened = true;
		for (const [position, target] of this.#targets.slice(0, OPEN_FILES_MAX).entries()) {
			this.#open[position] = null;
			this.#guard(position, () => {
				this.#open[position] =
					this.#newSize === null ? TargetFile.reopen(target) : TargetFile.create(target);
			});
		}
	}

	#writeParked(k: number, bytes: Uint8Array, offset: number): void {
		const position = OPEN_FILES_MAX + k;
		const target = this.#targets[position];
		if (target === undefined) return;
		const isNew = this.#parked[k] === 'new';
		const isDone = this.#guard(position, () => {
			const file = isNew ? TargetFile.create(target) : TargetFile.reopen(target);
			this.#parked[k] = 'made';
			try {
				// Its end may be a hole, which only a file that stays open remembers.
				if (isNew && target.isSparse) file.resize(this.#newSize ?? 0);
				file.write(bytes, offset);
			} finally {
				file.close();
			}
		});
		if (isDone) return;
		if (this.#parked[k] === 'made' && this.#newSize !== null)
			this.#guard(position, () => TargetFile.remove(target), false);
		this.#parked[k] = 'out';
	}

	/** Does something with every parked file that was made, the last time. */
	#eachMade(action: (position: number, target: FileTarget) => void): void {
		for (const [k, state] of this.#parked.entries()) {
			const position = OPEN_FILES_MAX + k;
			const target = this.#targets[position];
			if (state === 'made' && target) action(position, target);
			this.#parked[k] = 'out';
		}
	}

	/** Does something with every open file; one that fails is out, and gone if its bytes are not complete. */
	#eachOpen(action: (file: TargetFile) => void, isWriting = false): void {
		this.#open.forEach((file, position) => {
			if (file === null || this.#guard(position, () => action(file))) return;
			this.#open[position] = null;
			if (isWriting && this.#newSize !== null) this.#guard(position, () => file.discard(), false);
			else this.#guard(position, () => file.close(), false);
		});
	}

	#guard(position: number, action: () => void, isNews = true): boolean {
		try {
			action();
			return true;
		} catch (error) {
			if (!(error instanceof WimError)) throw error;
			if (isNews) this.errors.push({ position, error: toWire(error) });
			return false;
		}
	}
}
