/**
 * Tells the true end of a resource from those that fit by chance where no SHA-1 is known: resources are written back to
 * back, so behind a true end another one begins, behind that one again another. The same from behind.
 */

/** So many resources in a row are as good as any more. */
const DEPTH_MAX = 3;

/** Places that are followed: those nearest to where they come from, since a far one that is false skips true ones. */
const FOLLOWED_MAX = 16;
/** And at the first step, where a chunk of hardly any match may end in hundreds of places. */
const COMPARED_MAX = 128;

export class Chains {
	private readonly next: (place: number) => readonly number[] | 'sure';
	private readonly known = new Map<number, readonly number[] | 'sure'>();

	/** @param next where what begins at a place may end; `sure` where more than an end shows that something begins */
	constructor(next: (place: number) => readonly number[] | 'sure') {
		this.next = next;
	}

	/** Places that may follow `from`, the likeliest first; those that lead nowhere stay in their order. */
	ordered(from: number, places: readonly number[]): readonly number[] {
		if (places.length < 2) return places;
		const near = [...places].sort((a, b) => Math.abs(a - from) - Math.abs(b - from));
		const depths = new Map(
			near.slice(0, COMPARED_MAX).map((place) => [place, this.depth(place, DEPTH_MAX)]),
		);
		const led = near.filter((place) => (depths.get(place) ?? 0) > 0);
		led.sort((a, b) => (depths.get(b) ?? 0) - (depths.get(a) ?? 0));
		return [...led, ...places.filter((place) => (depths.get(place) ?? 0) === 0)];
	}

	/** Whether anything follows at a place. */
	leadsOn(place: number): boolean {
		return this.depth(place, 1) > 0;
	}

	private depth(place: number, most: number): number {
		let places = this.known.get(place);
		if (places === undefined) {
			places = this.next(place);
			this.known.set(place, places);
		}
		if (places === 'sure') return most;
		if (most === 1 || places.length === 0) return Math.min(1, places.length);
		let deepest = 0;
		for (const next of places.slice(0, FOLLOWED_MAX)) {
			deepest = Math.max(deepest, this.depth(next, most - 1));
			if (deepest === most - 1) break;
		}
		return 1 + deepest;
	}
}
