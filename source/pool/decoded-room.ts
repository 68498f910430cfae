/**
 * How much the lanes hold of large chunks. Pages of a chunk become memory as it is decoded, and a lane gives them back when it is
 * done with it: lanes that are half a chunk apart hold half a chunk less each. They come apart, and stay so, because a
 * lane waits where all together would hold more than that; but never the one that began before all others that decode, and
 * never for one that writes files: that takes as long as it takes. All this only where memory is tight, since it costs a
 * seventh of the time: each chunk gets fresh pages, and a lane begins later.
 */

/** In units of the cells: KiB. */
const UNIT_SHIFT = 10;

// One cell for the number that the next chunk gets, one that changes with every change, and one for the KiB that are
// nothing much on this machine; then two for each lane.
const NEXT = 0;
const CHANGES = 1;
const PLENTY = 2;
const LANES = 3;
/** KiB that the lane holds. */
const HELD = 0;
/** The number of the chunk that it decodes, from 1; 0 when it does not. */
const CHUNK = 1;
const WIDTH = 2;

/** How long a wait lasts at most before it begins anew: a thread that is to end is not kept from it. */
const WAIT_MS = 50;

/** Shared by all lanes. */
export type RoomCells = Int32Array<SharedArrayBuffer>;

/** @param plenty so many bytes are nothing much on this machine: where whole chunks for all lanes take no more, nobody waits */
export function roomCells(laneCount: number, plenty: number): RoomCells {
	const cells = new Int32Array(new SharedArrayBuffer(4 * (LANES + WIDTH * laneCount)));
	cells[PLENTY] = Math.min(plenty / 2 ** UNIT_SHIFT, 0x7fff_ffff);
	return cells;
}

/** For whoever sees that the thread of a lane has ended: it holds nothing any more. */
export function clearLane(cells: RoomCells, lane: number): void {
	new DecodedRoom(cells, lane).end(0);
}

/** A lane's view. */
export class DecodedRoom {
	readonly #cells: RoomCells;
	readonly #at: number;

	/** @param lane from 0 */
	constructor(cells: RoomCells, lane: number) {
		this.#cells = cells;
		this.#at = LANES + WIDTH * lane;
	}

	/** Whether it matters what the lanes hold, if each has a chunk of this size, in bytes. */
	isTight(chunkSize: number): boolean {
		const laneCount = (this.#cells.length - LANES) / WIDTH;
		return (chunkSize >> UNIT_SHIFT) * laneCount > Atomics.load(this.#cells, PLENTY);
	}

	/**
	 * Says that the lane holds so much of a large chunk now, in bytes, and waits while there is no room for more of it.
	 *
	 * @param chunkSize that of a whole one
	 */
	hold(size: number, chunkSize: number): void {
		const cells = this.#cells;
		if (Atomics.load(cells, this.#at + CHUNK) === 0)
			Atomics.store(cells, this.#at + CHUNK, Atomics.add(cells, NEXT, 1) + 1);
		Atomics.store(cells, this.#at + HELD, size >> UNIT_SHIFT);
		for (;;) {
			const changes = Atomics.load(cells, CHANGES);
			if (this.#hasRoom(chunkSize >> UNIT_SHIFT)) return;
			Atomics.wait(cells, CHANGES, changes, WAIT_MS);
		}
	}

	/** Says that the lane has all of its chunk, and holds it on. */
	decoded(): void {
		Atomics.store(this.#cells, this.#at + CHUNK, 0);
		this.#wakeOthers();
	}

	/** Says that the lane is done with its chunk. @param size what it still holds, in bytes */
	end(size: number): void {
		const cells = this.#cells;
		Atomics.store(cells, this.#at + HELD, size >> UNIT_SHIFT);
		Atomics.store(cells, this.#at + CHUNK, 0);
		this.#wakeOthers();
	}

	#wakeOthers(): void {
		Atomics.add(this.#cells, CHANGES, 1);
		Atomics.notify(this.#cells, CHANGES);
	}

	#hasRoom(chunkSize: number): boolean {
		const cells = this.#cells;
		const own = Atomics.load(cells, this.#at + CHUNK);
		let isFirst = true;
		let held = 0;
		let laneCount = 0;
		for (let at = LANES; at < cells.length; at += WIDTH) {
			const chunk = Atomics.load(cells, at + CHUNK);
			if (chunk !== 0 && chunk < own) isFirst = false;
			held += Atomics.load(cells, at + HELD);
			laneCount++;
		}
		return isFirst || held <= (chunkSize * (laneCount + 1)) / 2;
	}
}
