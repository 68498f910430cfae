import { CanceledError } from '../../base/errors.ts';
import { Wakeup } from '../../pool/task-pool.ts';

/** Smaller buffers are not worth telling apart. */
const SMALL_SIZE = 64 << 10;

/** Buffers that bytes cross threads in: reused, and never more of them than the budget says. */
export class KeepBudget {
	/** In bytes. */
	readonly limit: number;
	#taken = 0;
	/** The most that was ever taken at once. */
	#peak = 0;
	#closed = false;
	#free: SharedArrayBuffer[] = [];
	readonly #returned = new Wakeup();

	constructor(limit: number) {
		this.limit = limit;
	}

	get peak(): number {
		return this.#peak;
	}

	/**
	 * A buffer of at least `size` bytes, as soon as there is room; one alone may be larger than the limit.
	 *
	 * @throws {CanceledError} after `close`
	 */
	async take(size: number): Promise<SharedArrayBuffer> {
		while (!this.#closed && this.#taken > 0 && this.#taken + size > this.limit)
			await this.#returned.wait();
		if (this.#closed) throw new CanceledError();
		const most = Math.max(size * 2, SMALL_SIZE);
		const fits = (buffer: SharedArrayBuffer) =>
			buffer.byteLength >= size && buffer.byteLength <= most;
		const at = this.#free.findIndex(fits);
		const [known] = at < 0 ? [] : this.#free.splice(at, 1);
		if (known === undefined) this.#makeRoom(size);
		const buffer = known ?? new SharedArrayBuffer(Math.max(size, SMALL_SIZE));
		this.#taken += buffer.byteLength;
		this.#peak = Math.max(this.#peak, this.#taken);
		return buffer;
	}

	give(buffer: SharedArrayBuffer): void {
		this.#taken -= buffer.byteLength;
		this.#free.push(buffer);
		this.#returned.signal();
	}

	/** Nobody gets a buffer any more, and nobody waits for one. */
	close(): void {
		this.#closed = true;
		this.#free = [];
		this.#returned.signal();
	}

	/** Forgets buffers that would only be kept on top of a new one. */
	#makeRoom(size: number): void {
		const idle = this.#free.reduce((sum, { byteLength }) => sum + byteLength, 0);
		if (this.#taken + idle + size > this.limit) this.#free = [];
	}
}
