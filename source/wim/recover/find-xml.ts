/**
 * Finds XML data in bytes of unknown structure, whole or in part (wim.md §13.3).
 */
import { WimError } from '../../base/errors.ts';
import { XML_SIZE_MAX } from '../../base/limits.ts';
import { Span } from '../../bytes/span.ts';
import { decodeUtf16, encodeUtf16 } from '../../bytes/utf16.ts';
import type { Source } from '../../storage/source.ts';
import { XmlData } from '../xml-data.ts';
import { elementsOf, parseXml, type XmlElement } from '../xml-element.ts';

/** A copy of the XML data that was found by its text. */
export interface FoundXml {
	/** Of the byte order mark, in bytes from the start of the part. */
	readonly offset: number;
	/** In bytes; the line feed at the end included. */
	readonly size: number;
	readonly xml: XmlData;
	/** False when only some IMAGE elements could be kept. */
	readonly isWhole: boolean;
}

const START = new Uint8Array([0xff, 0xfe, ...encodeUtf16('<WIM>')]);
const END = encodeUtf16('</WIM>');
const IMAGE = encodeUtf16('<IMAGE INDEX=');
const IMAGE_END = encodeUtf16('</IMAGE>');

/** Positions in `bytes` where `needle` occurs. */
export function* positionsOf(
	bytes: Uint8Array,
	needle: Uint8Array,
	from = 0,
): Generator<number, void, undefined> {
	const [first = 0, second] = needle;
	for (let at = bytes.indexOf(first, from); at >= 0; at = bytes.indexOf(first, at + 1)) {
		if (bytes[at + 1] !== second) continue;
		let k = 2;
		while (k < needle.length && bytes[at + k] === needle[k]) k++;
		if (k >= needle.length) yield at;
	}
}

/** Where a copy of the XML data may begin in a stretch of a part: in bytes from its start. */
export function findXmlStarts(bytes: Uint8Array, origin: number): number[] {
	return [...positionsOf(bytes, START)].map((at) => origin + at);
}

/** Where the pieces of broken XML data lie: `<IMAGE INDEX=`, in bytes from the start of the part. */
export function findImageElements(bytes: Uint8Array, origin: number): number[] {
	return [...positionsOf(bytes, IMAGE)].map((at) => origin + at);
}

/**
 * Reads XML data that begins at the start of `bytes`; null when its end is missing or it does not parse, then try
 * `readImageElements`.
 */
export async function readXmlAt(bytes: Uint8Array, offset: number): Promise<FoundXml | null> {
	const limit = bytes.subarray(0, XML_SIZE_MAX);
	for (const at of positionsOf(limit, END)) {
		if (at % 2 !== 0) continue;
		let size = at + END.length;
		if (bytes[size] === 0x0a && bytes[size + 1] === 0) size += 2;
		try {
			const xml = await XmlData.parse(new Span(bytes.subarray(0, size), 'damaged file', offset));
			return { offset, size, xml, isWhole: true };
		} catch (error) {
			if (error instanceof WimError) return null;
			throw error;
		}
	}
	return null;
}

/** Bytes that are read in vain, behind beginnings of XML data that is not there: a file may hold nothing but beginnings. */
const VAIN_MAX = 2 ** 30;

/** Reads XML data at the places of one file where it may begin. */
export class XmlReader {
	readonly #source: Source;
	#vain = 0;

	constructor(source: Source) {
		this.#source = source;
	}

	/** @returns null as `readXmlAt`, and once too much was read in vain */
	async at(offset: number): Promise<FoundXml | null> {
		if (this.#vain >= VAIN_MAX) return null;
		const bytes = new Uint8Array(Math.min(XML_SIZE_MAX, this.#source.size - offset));
		await this.#source.read(offset, bytes);
		const found = await readXmlAt(bytes, offset);
		if (found === null) this.#vain += bytes.length;
		return found;
	}
}

/**
 * Keeps the whole IMAGE elements of broken XML data.
 *
 * @param bytes a stretch that begins somewhere in or before it
 */
export async function readImageElements(
	bytes: Uint8Array,
	offset: number,
): Promise<FoundXml | null> {
	const kept: XmlElement[] = [];
	let first: number | null = null;
	let end = 0;
	for (const at of positionsOf(bytes, IMAGE)) {
		if (at < end) continue;
		const [close] = positionsOf(bytes, IMAGE_END, at);
		if (close === undefined) break;
		const size = close + IMAGE_END.length - at;
		const element = await readElement(bytes.subarray(at, at + size));
		if (element === null) continue;
		kept.push(element);
		first ??= at;
		end = at + size;
	}
	if (first === null) return null;
	const root: XmlElement = { name: 'WIM', attributes: {}, children: kept };
	return { offset: offset + first, size: end - first, xml: new XmlData(root), isWhole: false };
}

async function readElement(bytes: Uint8Array): Promise<XmlElement | null> {
	try {
		const root = await parseXml(`<WIM>${decodeUtf16(bytes)}</WIM>`, 'damaged file');
		return elementsOf(root, 'IMAGE')[0] ?? null;
	} catch (error) {
		if (error instanceof WimError) return null;
		throw error;
	}
}
