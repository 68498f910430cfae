/**
 * The XML data of a WIM (wim.md §5): names, descriptions, statistics and Windows properties of the images.
 */
import { FormatError, InputError } from '../base/errors.ts';
import { IMAGE_COUNT_MAX } from '../base/limits.ts';
import type { Span } from '../bytes/span.ts';
import { decodeUtf16, encodeUtf16 } from '../bytes/utf16.ts';
import {
	copyElement,
	elementsOf,
	formatXml,
	parseXml,
	textOf,
	type XmlElement,
} from './xml-element.ts';

/** What the XML data says of one image; null where it says nothing. */
export interface ImageFacts {
	readonly name: string;
	readonly description: string;
	readonly displayName: string | null;
	readonly displayDescription: string | null;
	/** The edition id. */
	readonly flags: string | null;
	readonly directoryCount: number | null;
	readonly fileCount: number | null;
	readonly totalBytes: number | null;
	readonly hardLinkBytes: number | null;
	/** FILETIME. */
	readonly creationTime: bigint | null;
	readonly lastModificationTime: bigint | null;
	readonly isWimBoot: boolean;
	readonly windows: WindowsFacts | null;
}

export interface WindowsFacts {
	readonly architecture: number | null;
	readonly productName: string | null;
	readonly editionId: string | null;
	readonly installationType: string | null;
	readonly hal: string | null;
	readonly productType: string | null;
	readonly productSuite: string | null;
	readonly languages: readonly string[];
	readonly defaultLanguage: string | null;
	readonly systemRoot: string | null;
	readonly majorVersion: number | null;
	readonly minorVersion: number | null;
	readonly build: number | null;
	readonly servicePackBuild: number | null;
	readonly servicePackLevel: number | null;
}

/** The parsed XML data. Reading never changes it; an editor takes a `copy()`. */
export class XmlData {
	readonly root: XmlElement;

	constructor(root: XmlElement) {
		this.root = root;
	}

	/** XML data with one element per image and nothing in it. */
	static create(imageCount: number): XmlData {
		const root: XmlElement = { name: 'WIM', attributes: {}, children: [] };
		for (let index = 1; index <= imageCount; index++)
			root.children.push({
				name: 'IMAGE',
				attributes: { INDEX: String(index) },
				children: [],
			});
		return new XmlData(root);
	}

	/**
	 * Reads the stored form: UTF-16LE with or without byte order mark, else UTF-8.
	 *
	 * @throws {FormatError}
	 */
	static async parse(span: Span): Promise<XmlData> {
		const text = decodeText(span.bytes).replace(/[\0\s]+$/, '');
		const region = `XML data of ${span.region}`;
		const root = await parseXml(text, region);
		if (root.name !== 'WIM')
			throw new FormatError(
				`Cannot read the XML data: the root element is "${root.name}", expected "WIM"`,
				{ region },
			);
		return new XmlData(root);
	}

	/** The stored form: byte order mark, UTF-16LE, no declaration, a line feed at the end. */
	encode(): Uint8Array {
		return encodeUtf16(`\ufeff${formatXml(this.root)}\n`);
	}

	copy(): XmlData {
		return new XmlData(copyElement(this.root));
	}

	/** How many images the text describes. */
	get imageCount(): number {
		return elementsOf(this.root, 'IMAGE').length;
	}

	/** The numbers of the described images, in the order of the text; null for a missing or absurd INDEX. */
	get indexes(): readonly (number | null)[] {
		return elementsOf(this.root, 'IMAGE').map((image) => {
			const index = parseNumber(image.attributes.INDEX ?? '');
			return index === null || index < 1 || index > IMAGE_COUNT_MAX ? null : index;
		});
	}

	/** True for an ESD whose contents are encrypted (wim.md §5.6). */
	get isEncrypted(): boolean {
		return elementsOf(this.root, 'ESD').some((esd) => elementsOf(esd, 'ENCRYPTED').length > 0);
	}

	/** TOTALBYTES of the whole WIM, in bytes; null when absent. */
	get totalBytes(): number | null {
		return parseNumber(this.get(this.root, 'TOTALBYTES') ?? '');
	}

	/** The element of an image; null when the text has none for it. */
	image(index: number): XmlElement | null {
		const found = elementsOf(this.root, 'IMAGE').find(
			(image) => parseNumber(image.attributes.INDEX ?? '') === index,
		);
		return found ?? null;
	}

	/** The text at a path such as `WINDOWS/LANGUAGES/LANGUAGE[2]` below an element; null when there is none. */
	get(from: XmlElement, path: string): string | null {
		const element = find(from, path);
		return element === null ? null : textOf(element);
	}

	/** Sets the text at a path, making what is missing; an empty text removes the element. */
	set(from: XmlElement, path: string, text: string): void {
		let element = from;
		const steps = parsePath(path);
		for (const [k, { name, position }] of steps.entries()) {
			const same = elementsOf(element, name);
			let next = same[position];
			if (next === undefined) {
				if (text === '') return;
				if (position > same.length)
					throw new InputError(
						`Cannot set "${path}": there ${same.length === 1 ? 'is' : 'are'} only ${same.length} of "${name}"`,
					);
				next = { name, attributes: {}, children: [] };
				element.children.push(next);
			}
			if (text === '' && k === steps.length - 1) {
				element.children.splice(element.children.indexOf(next), 1);
				return;
			}
			element = next;
		}
		element.children = [...elementsOf(element), text];
	}

	/** What the text says of an image; everything empty when it says nothing. */
	facts(index: number): ImageFacts {
		const image = this.image(index) ?? {
			name: 'IMAGE',
			attributes: {},
			children: [],
		};
		const text = (path: string) => this.get(image, path);
		const number = (path: string) => parseNumber(text(path) ?? '');
		const windows = find(image, 'WINDOWS');
		return {
			name: text('NAME') ?? '',
			description: text('DESCRIPTION') ?? '',
			displayName: text('DISPLAYNAME'),
			displayDescription: text('DISPLAYDESCRIPTION'),
			flags: text('FLAGS'),
			directoryCount: number('DIRCOUNT'),
			fileCount: number('FILECOUNT'),
			totalBytes: number('TOTALBYTES'),
			hardLinkBytes: number('HARDLINKBYTES'),
			creationTime: this.time(image, 'CREATIONTIME'),
			lastModificationTime: this.time(image, 'LASTMODIFICATIONTIME'),
			isWimBoot: text('WIMBOOT') === '1',
			windows: windows === null ? null : this.windowsFacts(windows),
		};
	}

	private windowsFacts(windows: XmlElement): WindowsFacts {
		const text = (path: string) => this.get(windows, path);
		const number = (path: string) => parseNumber(text(path) ?? '');
		const languages = find(windows, 'LANGUAGES');
		return {
			architecture: number('ARCH'),
			productName: text('PRODUCTNAME'),
			editionId: text('EDITIONID'),
			installationType: text('INSTALLATIONTYPE'),
			hal: text('HAL'),
			productType: text('PRODUCTTYPE'),
			productSuite: text('PRODUCTSUITE'),
			languages: languages === null ? [] : elementsOf(languages, 'LANGUAGE').map(textOf),
			defaultLanguage: text('LANGUAGES/DEFAULT'),
			systemRoot: text('SYSTEMROOT'),
			majorVersion: number('VERSION/MAJOR'),
			minorVersion: number('VERSION/MINOR'),
			build: number('VERSION/BUILD'),
			servicePackBuild: number('VERSION/SPBUILD'),
			servicePackLevel: number('VERSION/SPLEVEL'),
		};
	}

	private time(image: XmlElement, name: string): bigint | null {
		const high = parseNumber(this.get(image, `${name}/HIGHPART`) ?? '');
		const low = parseNumber(this.get(image, `${name}/LOWPART`) ?? '');
		if (high === null || low === null || high > 0xffff_ffff || low > 0xffff_ffff) return null;
		return (BigInt(high) << 32n) | BigInt(low);
	}
}

function decodeText(bytes: Uint8Array): string {
	if (bytes[0] === 0xff && bytes[1] === 0xfe) return decodeUtf16(bytes.subarray(2));
	if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf)
		return new TextDecoder().decode(bytes.subarray(3));
	const isUtf8 = bytes[0] === 0x3c && bytes[1] !== 0;
	return isUtf8 ? new TextDecoder().decode(bytes) : decodeUtf16(bytes);
}

/** A decimal or `0x` number; null for anything else. */
function parseNumber(text: string): number | null {
	const trimmed = text.trim();
	if (!/^(0x[0-9a-f]+|[0-9]+)$/i.test(trimmed)) return null;
	const value = Number(trimmed);
	return Number.isSafeInteger(value) ? value : null;
}

/** Splits `A/B[2]` into steps; positions count from 0. */
function parsePath(path: string): { name: string; position: number }[] {
	return path.split('/').map((step) => {
		// Nearly all are plain, and the classes of Unicode take a millisecond to compile.
		const match =
			/^([a-z_:][a-z0-9_:.-]*)(?:\[([1-9][0-9]{0,4})\])?$/i.exec(step) ??
			/^([\p{L}_:][\p{L}\p{N}\p{M}_:.-]*)(?:\[([1-9][0-9]{0,4})\])?$/u.exec(step);
		if (match === null)
			throw new InputError(
				`Cannot use the property path "${path}": "${step}" is not an element name`,
				{
					hint: 'Write it as in WINDOWS/VERSION/BUILD or WINDOWS/LANGUAGES/LANGUAGE[2].',
				},
			);
		return { name: match[1] ?? '', position: Number(match[2] ?? 1) - 1 };
	});
}

function find(from: XmlElement, path: string): XmlElement | null {
	let element: XmlElement | undefined = from;
	for (const { name, position } of parsePath(path)) {
		element = elementsOf(element, name)[position];
		if (element === undefined) return null;
	}
	return element;
}
