import { Decoder } from '../codec/decoder.ts';
import { Encoder } from '../codec/encoder.ts';
import type { DecodedRoom } from './decoded-room.ts';

/** A lane that holds more than this gives it back when nothing is left to do. */
const IDLE_MEMORY_MAX = 32 << 20;
/** Where memory is tight, a lane among others gives a large chunk back before it begins the next one, from this size on. */
const LARGE_CHUNK_MIN = 32 << 20;

/** What a lane among others has to do with them. */
export interface LaneMemory {
	readonly room: DecodedRoom;
	/** Has V8 free what nobody holds any more. */
	readonly collect: () => void;
}

/** What one thread has for itself: its kernels, with their private memory. Tasks get it as their second argument. */
export class Lane {
	readonly #decoders: () => WebAssembly.Module;
	#decoder: Decoder | null = null;
	#encoder: Encoder | null = null;
	#transfer: ArrayBuffer[] = [];
	#onOffer: ((what: unknown) => void) | null = null;
	readonly #kept = new Map<string, unknown>();
	readonly #memory: LaneMemory | null;
	/** A large chunk was decoded. */
	#isLarge = false;
	/** A large chunk of another lane was looked at. */
	#sawLarge = false;

	/**
	 * @param decoders the compiled kernel; asked for when it is first needed
	 * @param memory null: no other lane needs any
	 */
	constructor(
		decoders: () => WebAssembly.Module = () => Decoder.module(),
		memory: LaneMemory | null = null,
	) {
		this.#decoders = decoders;
		this.#memory = memory;
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

	/** Says that a task works on the memory of another lane's decoder. */
	noteShared(size: number): void {
		this.#sawLarge ||= this.#isTight(size);
	}

	#isTight(chunkSize: number): boolean {
		return chunkSize >= LARGE_CHUNK_MIN && this.#memory?.room.isTight(chunkSize) === true;
	}

	/**
	 * Says how much of a chunk is there, and waits while others hold too much for more: see `DecodedRoom`.
	 *
	 * @param chunkSize that of a whole one; nothing happens where it is small, or memory is plenty
	 */
	hold(size: number, chunkSize: number): void {
		if (this.#memory === null || !this.#isTight(chunkSize)) return;
		this.#isLarge = true;
		this.#memory.room.hold(Math.max(size, this.decoder.writtenSize), chunkSize);
	}

	/** Says that a chunk that `hold` was called for is decoded, as far as it goes. */
	noteDecoded(): void {
		if (this.#isLarge) this.#memory?.room.decoded();
	}

	/**
	 * To be called after each task: gives large chunks back that others may need the memory of. One of which less than half
	 * was written stays, since the next one will have come as far by the time it matters.
	 */
	settle(): void {
		if (this.#memory === null || !(this.#isLarge || this.#sawLarge)) return;
		const written = this.#decoder?.writtenSize ?? 0;
		const room = this.#decoder?.outputBytes.length ?? 0;
		const isGivenBack = this.#isLarge && written >= LARGE_CHUNK_MIN && written > room / 2;
		if (isGivenBack) this.#decoder = null;
		if (isGivenBack || this.#sawLarge) this.#memory.collect();
		if (this.#isLarge) this.#memory.room.end(isGivenBack ? 0 : written);
		this.#isLarge = false;
		this.#sawLarge = false;
	}

	/** Gives back what is only worth keeping while there is work. */
	trim(): void {
		this.#kept.clear();
		if (this.#decoder && this.#decoder.memorySize > IDLE_MEMORY_MAX) {
			this.#decoder = null;
			this.#memory?.room.end(0);
		}
		if (this.#encoder && this.#encoder.memorySize > IDLE_MEMORY_MAX) this.#encoder = null;
	}
}
