/** Values of registry keys (regf.md §8 and §9). */
import type { Span } from '../bytes/span.ts';
import { type Cells, decodeName, signatureOf } from './cells.ts';

/** The types that are decoded; all others are bytes. */
export const ValueType = {
	none: 0,
	text: 1,
	expandText: 2,
	binary: 3,
	number: 4,
	bigEndianNumber: 5,
	link: 6,
	texts: 7,
	number64: 11,
} as const;

/** Longer data is stored in segments of this size (minor version 4 and later). */
const SEGMENT_SIZE = 16_344;
/** The longest value of any real hive has 270 KB. */
const DATA_SIZE_MAX = 64 * 1024 * 1024;
const INLINE = 0x8000_0000;

export class RegistryValue {
	/** '' for the default value. */
	readonly name: string;
	/** See `ValueType`; unknown types occur. */
	readonly type: number;
	/** Of the data, in bytes. */
	readonly size: number;
	readonly #cells: Cells;
	readonly #record: Span;

	/** @throws {FormatError} when the record is broken; the data is looked at when asked for */
	constructor(cells: Cells, offset: number) {
		const record = cells.data(offset, 20, 'registry value');
		if (signatureOf(record) !== 'vk') throw record.error(0, 'Cannot read registry value: no "vk"');
		const nameSize = record.view.getUint16(2, true);
		const name = record.part(20, nameSize, 'name of registry value').bytes;
		this.name = decodeName(name, (record.view.getUint16(16, true) & 1) !== 0);
		this.type = record.view.getUint32(12, true);
		this.size = (record.view.getUint32(4, true) & ~INLINE) >>> 0;
		this.#cells = cells;
		this.#record = record;
	}

	/**
	 * The data as bytes.
	 *
	 * @throws {FormatError} when the cells do not hold as many bytes as the value says
	 */
	data(): Uint8Array {
		const { size } = this;
		const what = 'data of registry value';
		if (this.#record.view.getUint32(4, true) & INLINE) {
			if (size > 4) throw this.#record.error(4, `Cannot read ${what}: ${size} bytes in the record`);
			return this.#record.bytes.subarray(8, 8 + size);
		}
		if (size === 0) return new Uint8Array(0);
		if (size > DATA_SIZE_MAX)
			throw this.#record.error(4, `Cannot read ${what}: ${size} bytes are too many`);
		const offset = this.#record.view.getUint32(8, true);
		if (size > SEGMENT_SIZE && this.#cells.base.minor >= 4) return this.#segments(offset);
		return this.#cells.data(offset, size, what).bytes.subarray(0, size);
	}

	/** A text up to its first NUL; null for other types and for damaged data. */
	get text(): string | null {
		const isText =
			this.type === ValueType.text ||
			this.type === ValueType.expandText ||
			this.type === ValueType.link;
		if (!isText) return null;
		return decodeName(this.data(), false).split('\0')[0] ?? '';
	}

	/** A list of texts, empty ones included; null for other types. */
	get texts(): string[] | null {
		if (this.type !== ValueType.texts) return null;
		const text = decodeName(this.data(), false).replace(/\0$/, '').replace(/\0$/, '');
		return text === '' ? [] : text.split('\0');
	}

	/** A 32-bit number; null for other types and for data that is too short. */
	get number(): number | null {
		const isNumber = this.type === ValueType.number || this.type === ValueType.bigEndianNumber;
		const bytes = isNumber ? this.data() : new Uint8Array(0);
		if (bytes.length < 4) return null;
		const view = new DataView(bytes.buffer, bytes.byteOffset, 4);
		return view.getUint32(0, this.type === ValueType.number);
	}

	#segments(offset: number): Uint8Array {
		const head = this.#cells.data(offset, 8, 'big data of registry value');
		if (signatureOf(head) !== 'db') throw head.error(0, 'Cannot read big data: no "db"');
		const count = head.view.getUint16(2, true);
		if (count * SEGMENT_SIZE < this.size)
			throw head.error(2, `Cannot read big data: ${count} segments for ${this.size} bytes`);
		const list = this.#cells.data(head.view.getUint32(4, true), count * 4, 'segments of big data');
		const whole = new Uint8Array(this.size);
		for (let k = 0, at = 0; at < this.size; k++, at += SEGMENT_SIZE) {
			const size = Math.min(SEGMENT_SIZE, this.size - at);
			const segment = this.#cells.data(
				list.view.getUint32(k * 4, true),
				size,
				'segment of big data',
			);
			whole.set(segment.bytes.subarray(0, size), at);
		}
		return whole;
	}
}
