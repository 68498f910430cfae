import { Decoder } from '../codec/decoder.ts';
import { Encoder } from '../codec/encoder.ts';

/** A lane that holds more than this gives it back when nothing is left to do. */
const IDLE_MEMORY_MAX = 32 << 20;

/** What one thread has for itself: its kernels, with their private memory. Tasks get it as their second argument. */
export class Lane {
	readonly #decoders: () => WebAssembly.Module;
	#decoder: Decoder | null = null;
	#encoder: Encoder | null = null;
	#transfer: ArrayBuffer[] = [];
	#onOffer: ((what: unknown) => void) | null = null;
	readonly #kept = new Map<string, unknown>();

	/** @param decoders the compiled kernel; asked for when it is first needed */
	constructor(decoders: () => WebAssembly.Module = () => Decoder.module()) {
		this.#decoders = decoders;
	}

	get decoder(): Decoder {
		this.#decoder ??= new Decoder(this.#decoders());
		return this.#decoder;
	}

	get encoder(): Encoder {
		this.#encoder ??= new Encoder();
		return this.#encoder;
	}

	/** Whether somebody hears what is offered. */
	get canOffer(): boolean {
		return this.#onOffer !== null;
	}

	/** Says in the midst of a task what other lanes could help with; plain data. */
	offer(what: unknown): void {
		this.#onOffer?.(what);
	}

	/** For the loop around the tasks: who hears of offers. */
	setListener(onOffer: ((what: unknown) => void) | null): void {
		this.#onOffer = onOffer;
	}

	/** Hands a buffer of the task's output over instead of copying it; only its `ArrayBuffer` may be named. */
	transfer(buffer: ArrayBuffer): void {
		this.#transfer.push(buffer);
	}

	/** For the loop around the tasks: the buffers named since the last call. */
	takeTransfers(): ArrayBuffer[] {
		const buffers = this.#transfer;
		this.#transfer = [];
		return buffers;
	}

	/** Remembers one small thing per kind of task from one batch to the next, as long as its key stays the same. */
	remember<T>(kind: string, key: string, make: () => T): T {
		const known = this.#kept.get(kind) as { key: string; value: T } | undefined;
		if (known?.key === key) return known.value;
		const value = make();
		this.#kept.set(kind, { key, value });
		return value;
	}

	/** Gives back what is only worth keeping while there is work. */
	trim(): void {
		this.#kept.clear();
		if (this.#decoder && this.#decoder.memorySize > IDLE_MEMORY_MAX) this.#decoder = null;
		if (this.#encoder && this.#encoder.memorySize > IDLE_MEMORY_MAX) this.#encoder = null;
	}
}
