/**
 * Undoes what transfers do to a file: its head cut away, something put in front or in between, a piece that fell out, a
 * carriage return before every line feed. The tables at its end state where things were; where their own place, or that
 * of the XML data, is another, everything before was moved (wim.md §5.3, §13.11).
 */
import { plural } from '../../base/print.ts';
import { breathe, type Run } from '../../base/run.ts';
import { DisplacedSource } from '../../storage/displaced-source.ts';
import { readExactly } from '../../storage/read.ts';
import type { Source } from '../../storage/source.ts';
import { TextModeIndexer, TextModeSource } from '../../storage/text-mode-source.ts';
import { HEADER_SIZE } from '../part-header.ts';
import { type Decodes, Displacement } from './displacement.ts';
import { type FoundXml, findXmlStarts, XmlReader } from './find-xml.ts';
import { readBothHeaders } from './recover-header.ts';

/** How a file becomes what it was before it was transferred, as far as that can be told. */
export interface Straightening {
	/** What it makes owns what it is given, which may come back as it is. */
	readonly straight: (source: Source) => Source;
	/** What is undone: sentences without a final stop. */
	readonly findings: readonly string[];
}

/** Finds out what a transfer has done, where the header does not lead to the XML data. */
export async function straighten(
	source: Source,
	decodes: Decodes,
	run: Run,
): Promise<Straightening> {
	const asIs = (one: Source) => one;
	if (source.size <= HEADER_SIZE || (await leadsToXml(source)))
		return { straight: asIs, findings: [] };
	const asItIs = await look(source, run);
	const findings: string[] = [];
	let straight: (one: Source) => Source = asIs;
	let { xmls } = asItIs;
	if (isText(asItIs)) {
		const index = asItIs.text.index();
		const text = new TextModeSource(source, index);
		const restored = await look(text, run);
		if (restored.xmls.length > 0 || asItIs.binaryReturnCount >= BINARY_LEAST) {
			findings.push(
				`The file was transferred as text: ${plural(asItIs.returnCount, 'carriage return')} that ${asItIs.returnCount === 1 ? 'was' : 'were'} put before line feeds ${asItIs.returnCount === 1 ? 'is' : 'are'} left out`,
			);
			straight = (one) => new TextModeSource(one, index);
			xmls = restored.xmls;
			if (await leadsToXml(text)) return { straight, findings };
		}
	} else findings.push(...(await beyondRemedy(asItIs, source)));
	const displaced = await new Displacement(straight(source), decodes, run).find(xmls);
	if (displaced === null) return { straight, findings };
	const { pieces, finding } = displaced;
	return {
		straight: (one) => new DisplacedSource(straight(one), pieces),
		findings: [...findings, finding],
	};
}

/** A byte order mark and `<`. */
const XML_START = 0x003c_feff;

/** The ordinary case: some header of the file says where the XML data is, and there it is. */
async function leadsToXml(source: Source): Promise<boolean> {
	const { first, last } = await readBothHeaders(source);
	for (const header of [first, last]) {
		const xml = header?.xml;
		if (xml == null || xml.storedSize < 4) continue;
		const { view } = await readExactly(source, xml.offset, 4, 'XML data');
		if (view.getUint32(0, true) === XML_START) return true;
	}
	return false;
}

/** Whether the header is good and says so: then line feeds are as frequent as other bytes, and stand behind any byte. */
async function isCompressed(source: Source): Promise<boolean> {
	const { first } = await readBothHeaders(source);
	return first.magic !== null && first.compression !== null && first.compression !== 'none';
}

/** What one pass over a file tells. */
interface Look {
	/** Those that say where they stood. */
	readonly xmls: readonly FoundXml[];
	readonly lineFeedCount: number;
	/** Carriage returns before line feeds. */
	readonly returnCount: number;
	/** Of those, how many stand between bytes that no text has. */
	readonly binaryReturnCount: number;
	readonly text: TextModeIndexer;
	/** No byte is above 127. */
	readonly isSevenBit: boolean;
}

/** Bytes that are looked through at a time. */
const WINDOW_SIZE = 2 << 20;

/** XML data begins with so many bytes that tell. */
const OVERLAP = 16;

const LINE_FEED = 0x0a;
const RETURN = 0x0d;

async function look(source: Source, run: Run): Promise<Look> {
	run.report({ type: 'phase', phase: 'search', totalBytes: source.size });
	const text = new TextModeIndexer(source.size);
	const xmls: FoundXml[] = [];
	const reader = new XmlReader(source);
	let lineFeedCount = 0;
	let returnCount = 0;
	let binaryReturnCount = 0;
	let isSevenBit = true;
	let before = -1;
	for (let at = 0; at < source.size; at += WINDOW_SIZE) {
		const size = Math.min(WINDOW_SIZE, source.size - at);
		const all = new Uint8Array(Math.min(size + OVERLAP, source.size - at));
		const got = all.subarray(0, await source.read(at, all));
		const bytes = got.subarray(0, size);
		text.add(bytes, got[size] ?? -1);
		for (let k = bytes.indexOf(LINE_FEED); k >= 0; k = bytes.indexOf(LINE_FEED, k + 1)) {
			lineFeedCount++;
			if ((k === 0 ? before : bytes[k - 1]) !== RETURN) continue;
			returnCount++;
			if (isControl(bytes[k - 2]) || isControl(bytes[k + 1])) binaryReturnCount++;
		}
		before = bytes.at(-1) ?? -1;
		isSevenBit &&= bytes.every((byte) => byte < 0x80);
		for (const start of findXmlStarts(got, at)) {
			const found = await reader.at(start);
			await breathe(run);
			if (found !== null) xmls.push(found);
		}
		run.report({ type: 'advance', bytes: size });
		await breathe(run);
	}
	return { xmls, lineFeedCount, returnCount, binaryReturnCount, text, isSevenBit };
}

/** A character that texts do not hold. */
function isControl(byte: number | undefined): boolean {
	return byte !== undefined && (byte < 0x09 || (byte > RETURN && byte < 0x20));
}

/** Fewer line feeds prove nothing. */
const LINE_FEEDS_LEAST = 32;

/** So many between bytes that no text has are in no text. */
const BINARY_LEAST = 8;

/** Damage of another kind may have taken some. */
const RETURNS_SHARE = 0.999;

function isText({ lineFeedCount, returnCount }: Look): boolean {
	return lineFeedCount >= LINE_FEEDS_LEAST && returnCount >= lineFeedCount * RETURNS_SHARE;
}

/** What cannot be undone, but should be known. */
async function beyondRemedy(
	{ isSevenBit, lineFeedCount, returnCount }: Look,
	source: Source,
): Promise<string[]> {
	if (isSevenBit && source.size > 4 * HEADER_SIZE)
		return [
			'No byte of the file is above 127: a transfer took the highest bit of each, which nothing brings back; get the file again, in binary mode',
		];
	// In one of 256 cases a carriage return stands before a line feed by chance.
	const isRare = returnCount * 256 * 8 < lineFeedCount;
	if (isRare && lineFeedCount >= 16 * 256 && (await isCompressed(source)))
		return [
			'Hardly a carriage return stands before a line feed: a transfer as text took those out, and what lay behind each was moved; get the file again, in binary mode',
		];
	return [];
}
