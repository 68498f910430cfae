import type { Span } from './span.ts';

/** A value of fixed width: how wide it is, and how it moves in and out of bytes. */
export interface Field<T> {
	readonly size: number;
	read(from: Span, at: number): T;
	write(to: DataView, at: number, value: T): void;
}

/** A fixed-size record: itself a field, so structs nest. */
export interface Struct<T> extends Field<T> {
	readonly name: string;
	/** Offset of each field, in bytes. */
	readonly offsets: { readonly [K in keyof T]: number };
	parse(from: Span, at?: number): T;
	encode(value: T): Uint8Array;
}

/** The type that a struct parses to. */
export type Infer<S> = S extends Field<infer T> ? T : never;

type Shape = Readonly<Record<string, Field<unknown>>>;
type Values<S extends Shape> = { readonly [K in keyof S]: Infer<S[K]> };

/** Declares a record: one definition gives type, parser, encoder and offsets. Integers are little-endian. */
export function struct<S extends Shape>(name: string, shape: S): Struct<Values<S>> {
	const names = Object.keys(shape);
	const offsets: Record<string, number> = {};
	let size = 0;
	for (const field of names) {
		offsets[field] = size;
		size += shape[field]!.size;
	}
	const read = (from: Span, at: number): Values<S> => {
		const value: Record<string, unknown> = {};
		for (const field of names) value[field] = shape[field]!.read(from, at + offsets[field]!);
		return value as Values<S>;
	};
	const write = (to: DataView, at: number, value: Values<S>): void => {
		for (const field of names) shape[field]!.write(to, at + offsets[field]!, value[field]);
	};
	return {
		name,
		size,
		offsets: offsets as { readonly [K in keyof Values<S>]: number },
		read,
		write,
		parse(from, at = 0) {
			from.need(at, size, name);
			return read(from, at);
		},
		encode(value) {
			const bytes = new Uint8Array(size);
			write(new DataView(bytes.buffer), 0, value);
			return bytes;
		},
	};
}

export const u8: Field<number> = {
	size: 1,
	read: (from, at) => from.view.getUint8(at),
	write: (to, at, value) => to.setUint8(at, value),
};

export const u16: Field<number> = {
	size: 2,
	read: (from, at) => from.view.getUint16(at, true),
	write: (to, at, value) => to.setUint16(at, value, true),
};

export const u32: Field<number> = {
	size: 4,
	read: (from, at) => from.view.getUint32(at, true),
	write: (to, at, value) => to.setUint32(at, value, true),
};

/** An amount of up to 56 bits; refuses what a number cannot hold exactly. */
export const u56: Field<number> = {
	size: 7,
	read(from, at) {
		const high = from.view.getUint16(at + 4, true) + from.view.getUint8(at + 6) * 0x1_0000;
		return amount(from, at, high, from.view.getUint32(at, true));
	},
	write(to, at, value) {
		const high = Math.floor(value / 0x1_0000_0000);
		to.setUint32(at, value >>> 0, true);
		to.setUint16(at + 4, high & 0xffff, true);
		to.setUint8(at + 6, high >>> 16);
	},
};

/** An amount of up to 64 bits; refuses what a number cannot hold exactly. */
export const u64: Field<number> = {
	size: 8,
	read: (from, at) =>
		amount(from, at, from.view.getUint32(at + 4, true), from.view.getUint32(at, true)),
	write(to, at, value) {
		to.setUint32(at, value >>> 0, true);
		to.setUint32(at + 4, value <= 0xffff_ffff ? 0 : Math.floor(value / 0x1_0000_0000), true);
	},
};

/** A 64-bit pattern that is not an amount: FILETIME, hard link group, reparse bits. */
export const pattern64: Field<bigint> = {
	size: 8,
	read: (from, at) => from.view.getBigUint64(at, true),
	write: (to, at, value) => to.setBigUint64(at, value, true),
};

/** A fixed run of bytes; parsing does not copy. */
export function byteRun(size: number): Field<Uint8Array> {
	return {
		size,
		read: (from, at) => from.bytes.subarray(at, at + size),
		write(to, at, value) {
			new Uint8Array(to.buffer, to.byteOffset, to.byteLength).set(value.subarray(0, size), at);
		},
	};
}

function amount(from: Span, at: number, high: number, low: number): number {
	if (high > 0x1f_ffff)
		throw from.error(
			at,
			`Cannot read a number: 0x${high.toString(16)}${low.toString(16).padStart(8, '0')} is absurd`,
		);
	return whole(high, low);
}

/**
 * The number of two halves of 32 bits, rounded where it cannot be held exactly. Nearly all are small: those of V8 need no
 * object until floating point is used, and that is what a product with 2^32 takes, even of 0.
 */
export function whole(high: number, low: number): number {
	return high === 0 ? low : high * 0x1_0000_0000 + low;
}
