/**
 * XML text to a tree of elements and back, through fast-xml-parser. Unknown elements and attributes are kept, entities
 * beyond the five predefined ones and document types are refused (wim.md §5.1).
 */

import { FormatError } from '../base/errors.ts';
import { XML_DEPTH_MAX } from '../base/limits.ts';
import { nextTurn } from '../base/slices.ts';

/** An element; text stands between its child elements as strings. Mutable: an editor works on its own copy. */
export interface XmlElement {
	name: string;
	attributes: Record<string, string>;
	children: (XmlElement | string)[];
}

/** What fast-xml-parser gives with `preserveOrder`. */
type ParsedNode = Readonly<Record<string, unknown>>;

/**
 * Parses one document.
 *
 * @throws {FormatError} when the text is not well-formed, too deep, or uses what is not allowed
 */
export async function parseXml(text: string, region: string): Promise<XmlElement> {
	const bad = (why: string) =>
		new FormatError(`Cannot read the XML data: ${why.slice(0, 160)}`, { region });
	if (/<!DOCTYPE/i.test(text)) throw bad('it has a document type');
	const { XMLParser, XMLValidator } = await import('fast-xml-parser');
	await nextTurn();
	const valid = XMLValidator.validate(text);
	if (valid !== true) {
		// The validator gives no column for a text without any element.
		const { msg, line, col } = valid.err as { msg: string; line: number; col?: number };
		throw bad(`${msg} (line ${line}${col === undefined ? '' : `, column ${col}`})`);
	}
	const parser = new XMLParser({
		preserveOrder: true,
		ignoreAttributes: false,
		attributeNamePrefix: '',
		parseTagValue: false,
		parseAttributeValue: false,
		trimValues: false,
		processEntities: false,
		cdataPropName: '#cdata',
		ignoreDeclaration: true,
		ignorePiTags: true,
		maxNestedTags: XML_DEPTH_MAX,
	});
	let nodes: readonly ParsedNode[];
	try {
		nodes = parser.parse(text) as readonly ParsedNode[];
	} catch (error) {
		throw bad(error instanceof Error ? error.message : String(error));
	}
	const roots = nodes.filter((node) => elementName(node) !== null);
	const [root] = roots;
	if (root === undefined || roots.length !== 1) throw bad('it has no single root element');
	return convert(root, bad);
}

function elementName(node: ParsedNode): string | null {
	for (const key of Object.keys(node)) if (key !== ':@' && !key.startsWith('#')) return key;
	return null;
}

function convert(node: ParsedNode, bad: (why: string) => FormatError): XmlElement {
	const name = elementName(node) ?? '';
	const attributes: Record<string, string> = {};
	for (const [key, value] of Object.entries((node[':@'] ?? {}) as Record<string, string>))
		attributes[key] = decodeEntities(value, bad);
	const children: (XmlElement | string)[] = [];
	for (const child of node[name] as readonly ParsedNode[]) {
		if (typeof child['#text'] === 'string') children.push(decodeEntities(child['#text'], bad));
		else if (Array.isArray(child['#cdata']))
			for (const part of child['#cdata'] as readonly ParsedNode[])
				children.push(String(part['#text'] ?? ''));
		else if (elementName(child) !== null) children.push(convert(child, bad));
	}
	return { name, attributes, children };
}

const PREDEFINED: Readonly<Record<string, string>> = {
	amp: '&',
	lt: '<',
	gt: '>',
	quot: '"',
	apos: "'",
};

function decodeEntities(text: string, bad: (why: string) => FormatError): string {
	if (!text.includes('&')) return text;
	return text.replace(/&(?:#x([0-9a-f]+)|#([0-9]+)|([^;&\s]*));?/gi, (all, hex, decimal, name) => {
		const code = hex ? Number.parseInt(hex, 16) : decimal ? Number.parseInt(decimal, 10) : null;
		if (code !== null) {
			if (code > 0x10_ffff) throw bad(`character reference ${all} is out of range`);
			return String.fromCodePoint(code);
		}
		const value = PREDEFINED[name];
		if (value === undefined || !all.endsWith(';')) throw bad(`unknown entity "${all}"`);
		return value;
	});
}

/** What XML 1.0 forbids, in any form. */
export const FORBIDDEN =
	/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;

/** What a reader of XML would turn into something else: a carriage return; in attributes white space of any kind. */
function escapeText(text: string, isAttribute: boolean): string {
	const safe = text
		.replace(FORBIDDEN, '')
		.replace(/&/g, '&amp;')
		.replace(/</g, '&lt;')
		.replace(/>/g, '&gt;')
		.replace(isAttribute ? /[\t\n\r]/g : /\r/g, (space) => `&#${space.charCodeAt(0)};`);
	return isAttribute ? safe.replace(/"/g, '&quot;') : safe;
}

/** The text of an element, without declaration and without added white space. */
export function formatXml(element: XmlElement): string {
	const attributes = Object.entries(element.attributes)
		.map(([name, value]) => ` ${name}="${escapeText(value, true)}"`)
		.join('');
	const inside = element.children
		.map((child) => (typeof child === 'string' ? escapeText(child, false) : formatXml(child)))
		.join('');
	return `<${element.name}${attributes}>${inside}</${element.name}>`;
}

/** The text directly inside an element. */
export function textOf(element: XmlElement): string {
	return element.children.filter((child) => typeof child === 'string').join('');
}

/** Child elements, all or those of one name. */
export function elementsOf(element: XmlElement, name?: string): XmlElement[] {
	return element.children.filter(
		(child): child is XmlElement =>
			typeof child !== 'string' && (name === undefined || child.name === name),
	);
}

/** A copy with everything in it. `structuredClone` would load half of Node's messaging first. */
export function copyElement({ name, attributes, children }: XmlElement): XmlElement {
	return {
		name,
		attributes: { ...attributes },
		children: children.map((child) => (typeof child === 'string' ? child : copyElement(child))),
	};
}
