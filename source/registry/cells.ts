/**
 * Registry hives (regf.md): base block and cells. Everything above works with offsets relative to the hive bins area,
 * which begins at byte 4096 of the file; every access to a cell is checked here and nowhere else.
 */
import type { FormatError } from '../base/errors.ts';
import type { Span } from '../bytes/span.ts';
import { byteRun, type Infer, pattern64, struct, u32 } from '../bytes/struct.ts';

/** Windows' own limit is 2 GiB; an installed SOFTWARE hive has about 100 MB (regf.md §12). */
export const HIVE_SIZE_MAX = 512 * 1024 * 1024;

/** "None" as an offset. */
export const NO_CELL = 0xffff_ffff;

/** Of the base block, in front of the bins area. */
export const BASE_SIZE = 4096;

/** The part of the base block that matters (regf.md §3). */
export const BaseBlock = struct('base block', {
	magic: u32, //             +0x00
	primarySequence: u32, //   +0x04
	secondarySequence: u32, // +0x08
	lastWritten: pattern64, // +0x0C
	major: u32, //             +0x14
	minor: u32, //             +0x18
	type: u32, //              +0x1C
	format: u32, //            +0x20
	root: u32, //              +0x24
	binsSize: u32, //          +0x28
	clustering: u32, //        +0x2C
	fileName: byteRun(64), //  +0x30
	rest: byteRun(396), //     +0x70
	checksum: u32, //          +0x1FC
});
export type BaseBlock = Infer<typeof BaseBlock>;

/** "regf" */
export const REGF = 0x6667_6572;

/** The bytes of a hive with checked access to its cells. */
export class Cells {
	readonly base: BaseBlock;
	/** What is odd but does not stop the reader. */
	readonly warnings: readonly string[];
	readonly #file: Span;
	/** End of the cells, in bytes from the start of the bins area. */
	readonly #end: number;

	/** @throws {FormatError} when the bytes are not a hive that can be read */
	constructor(file: Span) {
		const fail = (why: string) => file.error(0, `Cannot read the registry hive: ${why}`);
		if (file.size > HIVE_SIZE_MAX)
			throw fail(`it has ${file.size} bytes, at most ${HIVE_SIZE_MAX} are sensible`);
		const base = BaseBlock.parse(file);
		if (base.magic !== REGF) throw fail('the magic is missing');
		if (base.major !== 1 || base.minor < 3)
			throw fail(`version ${base.major}.${base.minor} is not supported`);
		if (base.type !== 0 || base.format !== 1) throw fail('it is a transaction log, not a hive');
		const warnings: string[] = [];
		const present = Math.max(0, file.size - BASE_SIZE);
		if (base.checksum !== checksumOf(file)) {
			if (base.binsSize === 0 || base.binsSize % BASE_SIZE !== 0)
				throw fail('its header is damaged');
			warnings.push('The header checksum is wrong');
		}
		if (base.primarySequence !== base.secondarySequence)
			warnings.push('The hive was not closed cleanly; the newest changes may be missing');
		if (present < base.binsSize)
			warnings.push(`The hive is cut short: ${present} of ${base.binsSize} bytes are there`);
		this.base = base;
		this.warnings = warnings;
		this.#file = file;
		this.#end = Math.min(base.binsSize, present);
	}

	/**
	 * The data of a cell in use, behind its size field.
	 *
	 * @throws {FormatError} when there is no such cell, or it is too small
	 */
	data(offset: number, least: number, what: string): Span {
		if (offset % 8 !== 0 || offset < 32 || offset + 8 > this.#end)
			throw this.error(offset, `Cannot read ${what}: it lies outside the hive`);
		const size = -this.#file.view.getInt32(BASE_SIZE + offset, true);
		if (size < 8 || size % 8 !== 0 || offset + size > this.#end)
			throw this.error(offset, `Cannot read ${what}: there is no cell in use`);
		const span = this.#file.part(BASE_SIZE + offset + 4, size - 4, what);
		span.need(0, least, what);
		return span;
	}

	error(offset: number, message: string): FormatError {
		return this.#file.error(BASE_SIZE + offset, message);
	}
}

/** What the base block of a hive or a log should have as its checksum. */
export function checksumOf(file: Span): number {
	let sum = 0;
	for (let at = 0; at < 508; at += 4) sum ^= file.view.getUint32(at, true);
	sum >>>= 0;
	return sum === 0xffff_ffff ? 0xffff_fffe : sum === 0 ? 1 : sum;
}

/** Text of a name: one byte a character, or UTF-16LE. */
export function decodeName(bytes: Uint8Array, isLatin1: boolean): string {
	let name = '';
	if (isLatin1) for (const byte of bytes) name += String.fromCharCode(byte);
	else
		for (let k = 0; k + 1 < bytes.length; k += 2)
			name += String.fromCharCode((bytes[k] ?? 0) | ((bytes[k + 1] ?? 0) << 8));
	return name;
}

/** The signature of a record: two letters. */
export function signatureOf(cell: Span): string {
	return String.fromCharCode(cell.view.getUint8(0), cell.view.getUint8(1));
}
