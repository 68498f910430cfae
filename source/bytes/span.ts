import { FormatError } from '../base/errors.ts';

/** Bytes that remember where they came from, so that an error can say where it is. */
export class Span {
	readonly bytes: Uint8Array;
	readonly view: DataView;
	/** What `origin` counts in: a file, or "metadata resource of image 2". */
	readonly region: string;
	/** Where `bytes[0]` lies within `region`. */
	readonly origin: number;

	constructor(bytes: Uint8Array, region: string, origin = 0) {
		this.bytes = bytes;
		this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
		this.region = region;
		this.origin = origin;
	}

	get size(): number {
		return this.bytes.length;
	}

	/** @throws {FormatError} when fewer than `size` bytes remain at `at` */
	need(at: number, size: number, what: string): void {
		const left = this.bytes.length - at;
		if (at < 0 || size > left)
			throw this.error(at, `Cannot read ${what}: ${size} bytes needed, ${Math.max(0, left)} left`);
	}

	/** A `FormatError` that says where in the region it stands. */
	error(at: number, message: string): FormatError {
		return new FormatError(message, {
			region: this.region,
			offset: this.origin + at,
		});
	}

	/** A part of these bytes, without copying. */
	part(at: number, size: number, what: string): Span {
		this.need(at, size, what);
		return new Span(this.bytes.subarray(at, at + size), this.region, this.origin + at);
	}
}
