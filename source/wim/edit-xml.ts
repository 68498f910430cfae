/** Changes of the XML data (wim.md §5): images come and go, their statistics, times and properties are set. */
import { InputError } from '../base/errors.ts';
import type { XmlData } from './xml-data.ts';
import { copyElement, elementsOf, FORBIDDEN, textOf, type XmlElement } from './xml-element.ts';

/** The numbers that describe the tree of an image. */
export interface ImageStatistics {
	readonly directoryCount: number;
	readonly fileCount: number;
	readonly totalBytes: number;
	readonly hardLinkBytes: number;
}

/** Elements that describe what is there, and that a user must not set. */
const FIXED = [
	'DIRCOUNT',
	'FILECOUNT',
	'TOTALBYTES',
	'HARDLINKBYTES',
	'CREATIONTIME',
	'LASTMODIFICATIONTIME',
	'INDEX',
];

/** The element of image `index`, which is made when the text has none. */
export function imageElement(xml: XmlData, index: number): XmlElement {
	const found = xml.image(index);
	if (found !== null) return found;
	const made: XmlElement = { name: 'IMAGE', attributes: { INDEX: String(index) }, children: [] };
	xml.root.children.push(made);
	return made;
}

/** Adds the element of a further image at the end, as a copy of `from` when given; gives the element. */
export function addImageElement(xml: XmlData, index: number, from?: XmlElement): XmlElement {
	const children = from === undefined ? [] : copyElement(from).children;
	const made: XmlElement = { name: 'IMAGE', attributes: { INDEX: String(index) }, children };
	if (from !== undefined) made.attributes = { ...from.attributes, INDEX: String(index) };
	xml.root.children.push(made);
	return made;
}

/**
 * Keeps the elements of some images and numbers them anew.
 *
 * @param kept their indexes so far, in the new order
 */
export function keepImages(xml: XmlData, kept: readonly number[]): void {
	const elements = kept.map((index) => imageElement(xml, index));
	xml.root.children = xml.root.children.filter(
		(child) => typeof child === 'string' || child.name !== 'IMAGE',
	);
	for (const [k, element] of elements.entries()) {
		element.attributes = { ...element.attributes, INDEX: String(k + 1) };
		xml.root.children.push(element);
	}
}

/** Sets TOTALBYTES of the whole file: the offset of the XML data; null removes it. */
export function setTotalBytes(xml: XmlData, totalBytes: number | null): void {
	xml.set(xml.root, 'TOTALBYTES', totalBytes === null ? '' : String(totalBytes));
}

export function setStatistics(xml: XmlData, image: XmlElement, numbers: ImageStatistics): void {
	xml.set(image, 'DIRCOUNT', String(numbers.directoryCount));
	xml.set(image, 'FILECOUNT', String(numbers.fileCount));
	xml.set(image, 'TOTALBYTES', String(numbers.totalBytes));
	xml.set(image, 'HARDLINKBYTES', String(numbers.hardLinkBytes));
}

/** Sets a time as two halves in hexadecimal. */
export function setTime(
	xml: XmlData,
	image: XmlElement,
	name: 'CREATIONTIME' | 'LASTMODIFICATIONTIME',
	ticks: bigint,
): void {
	const half = (value: bigint) => `0x${value.toString(16).toUpperCase().padStart(8, '0')}`;
	xml.set(image, `${name}/HIGHPART`, half(ticks >> 32n));
	xml.set(image, `${name}/LOWPART`, half(ticks & 0xffff_ffffn));
}

/** Empties a whole element, so that it can be collected anew; nothing happens when it is not there. */
export function dropElement(image: XmlElement, name: string): void {
	image.children = image.children.filter(
		(child) => typeof child === 'string' || child.name !== name,
	);
}

/**
 * Sets a property that a user names.
 *
 * @param path such as `WINDOWS/VERSION/BUILD`
 * @throws {InputError} when it is one of the numbers that describe the tree
 */
export function setProperty(xml: XmlData, image: XmlElement, path: string, text: string): void {
	const first = path.split(/[/[]/)[0] ?? '';
	if (FIXED.includes(first.toUpperCase()))
		throw new InputError(`Cannot set "${path}": it describes what is in the image`, {
			hint: 'Set NAME, DESCRIPTION, DISPLAYNAME, DISPLAYDESCRIPTION, FLAGS or a path below WINDOWS.',
		});
	xml.set(image, path, text);
}

/**
 * Refuses a text that XML data cannot hold: writing it would drop characters without a word.
 *
 * @param what such as `the name`
 * @param hint what to do instead
 * @throws {InputError}
 */
export function requireStorable(
	what: string,
	text: string,
	hint = 'Leave it out, or write it in another way.',
): void {
	const [bad] = text.match(FORBIDDEN) ?? [];
	if (bad === undefined) return;
	const code = bad.charCodeAt(0);
	const why =
		code < 32
			? 'a control character'
			: code >= 0xd800 && code < 0xe000
				? 'bytes that are no UTF-8, or half a character'
				: `the character U+${code.toString(16).toUpperCase()}`;
	throw new InputError(`Cannot store ${what} "${text}": XML data cannot hold ${why}`, { hint });
}

/** Refuses names, descriptions and properties that XML data cannot hold; see `requireStorable`. */
export function requireStorableTexts(texts: {
	readonly name: string | null;
	readonly description: string | null;
	readonly properties?: readonly { readonly path: string; readonly text: string }[];
}): void {
	requireStorable('the name', texts.name ?? '');
	requireStorable('the description', texts.description ?? '');
	for (const { path, text } of texts.properties ?? [])
		requireStorable(`the property ${path}`, text);
}

/** Refuses a name that another image has; empty names may repeat (wim.md §5.3). */
export function requireFreeName(xml: XmlData, name: string, fileName: string, except = 0): void {
	if (name === '') return;
	for (const image of elementsOf(xml.root, 'IMAGE')) {
		if (Number(image.attributes['INDEX']) === except) continue;
		const [element] = elementsOf(image, 'NAME');
		if (element === undefined || textOf(element) !== name) continue;
		throw new InputError(
			`Cannot use the name "${name}": image ${image.attributes['INDEX']} of "${fileName}" has it already`,
			{ path: fileName, hint: 'Choose another name.' },
		);
	}
}
