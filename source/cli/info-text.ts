/** The text of `info`, with the labels and paddings that scripts grep for. */

import { formatGuidBytes } from '../bytes/guid.ts';
import type { OpenPart } from '../wim/open-part.ts';
import { HeaderFlag, type PartHeader } from '../wim/part-header.ts';
import type { Blob } from '../wim/resource.ts';
import type { Wim, WimImage } from '../wim/wim.ts';
import { architectureName, bitLabels, blobLines, HEADER_FLAG_LABELS, timeText } from './labels.ts';

/** Makes text from the file fit for where it goes: harmless on a terminal, unchanged in a pipe. */
export type ShowText = (text: string) => string;

const field = (width: number) => (label: string, value: string | number | bigint) =>
	`${`${label}:`.padEnd(width)}${value}`;

const fileField = field(16);
const imageField = field(24);

/** What the first block calls attributes of the file. */
export function attributeNames(part: OpenPart): readonly string[] {
	const { flags, integrity } = part.header;
	const all: readonly (readonly [boolean, string])[] = [
		[part.pipable, 'Pipable'],
		[integrity.offset !== 0, 'Integrity info'],
		[(flags & HeaderFlag.rpFix) !== 0, 'Relative path junction'],
		[(flags & HeaderFlag.resourceOnly) !== 0, 'Resource only'],
		[(flags & HeaderFlag.metadataOnly) !== 0, 'Metadata only'],
		[(flags & HeaderFlag.readonly) !== 0, 'Readonly'],
	];
	return all.flatMap(([holds, name]) => (holds ? [name] : []));
}

const COMPRESSION_LABELS = { none: 'None', xpress: 'XPRESS', lzx: 'LZX', lzms: 'LZMS' } as const;

/**
 * The first block.
 *
 * @param part the one that the user named
 * @param deadBytes bytes of the file that nothing refers to
 */
export function wimLines(
	wim: Wim,
	part: OpenPart,
	deadBytes: number,
	show: ShowText,
): readonly string[] {
	const { header } = part;
	return [
		'WIM Information:',
		'----------------',
		fileField('Path', show(wim.name)),
		fileField('GUID', `0x${formatGuidBytes(header.guid)}`),
		fileField('Version', header.version),
		fileField('Image Count', header.imageCount),
		fileField('Compression', COMPRESSION_LABELS[part.compression]),
		fileField('Chunk Size', `${part.chunkSize} bytes`),
		fileField('Part Number', `${header.partNumber}/${header.partCount}`),
		fileField('Boot Index', wim.bootIndex),
		fileField('Size', `${part.xml?.totalBytes ?? 0} bytes`),
		fileField('Attributes', attributeNames(part).join(', ')),
		...(deadBytes > 0 ? [fileField('Dead Bytes', `${deadBytes} bytes`)] : []),
		'',
	];
}

/** The block of one image. */
export function imageLines(wim: Wim, image: WimImage, show: ShowText): readonly string[] {
	const { facts } = image;
	const lines: string[] = [];
	const put = (label: string, value: string | number | bigint) =>
		lines.push(imageField(label, typeof value === 'string' ? show(value) : value));
	const maybe = (label: string, value: string | null) => {
		if (value !== null && value !== '') put(label, value);
	};
	put('Index', image.index);
	put('Name', facts.name);
	put('Description', facts.description);
	maybe('Display Name', facts.displayName);
	maybe('Display Description', facts.displayDescription);
	put('Directory Count', facts.directoryCount ?? 0);
	put('File Count', facts.fileCount ?? 0);
	put('Total Bytes', facts.totalBytes ?? 0);
	put('Hard Link Bytes', facts.hardLinkBytes ?? 0);
	put('Creation Time', timeText(facts.creationTime ?? 0n));
	put('Last Modification Time', timeText(facts.lastModificationTime ?? 0n));
	const { windows } = facts;
	if (windows !== null) {
		put('Architecture', architectureName(windows.architecture ?? 0));
		maybe('Product Name', windows.productName);
		maybe('Edition ID', windows.editionId);
		maybe('Installation Type', windows.installationType);
		maybe('HAL', windows.hal);
		maybe('Product Type', windows.productType);
		maybe('Product Suite', windows.productSuite);
		if (windows.languages.length > 0 || windows.defaultLanguage !== null)
			put('Languages', windows.languages.map((language) => `${language} `).join(''));
		maybe('Default Language', windows.defaultLanguage);
		maybe('System Root', windows.systemRoot);
		const element = wim.xml.image(image.index);
		if (element !== null && wim.xml.get(element, 'WINDOWS/VERSION') !== null) {
			put('Major Version', windows.majorVersion ?? 0);
			put('Minor Version', windows.minorVersion ?? 0);
			put('Build', windows.build ?? 0);
			put('Service Pack Build', windows.servicePackBuild ?? 0);
			put('Service Pack Level', windows.servicePackLevel ?? 0);
		}
	}
	maybe('Flags', facts.flags);
	put('WIMBoot compatible', facts.isWimBoot ? 'yes' : 'no');
	lines.push('');
	return lines;
}

/** The text of `info --header`. */
export function headerLines(header: PartHeader, pipable: boolean): readonly string[] {
	const line = (label: string, value: string | number) => `${label.padEnd(28)}= ${value}`;
	const hex = (value: number) => `0x${value.toString(16)}`;
	const resource = (
		name: string,
		{ storedSize, flags, offset, originalSize }: PartHeader['xml'],
		original: string,
	) => [
		line(`${name} Size`, storedSize),
		line(`${name} Flags`, hex(flags)),
		line(`${name} Offset`, offset),
		line(`${name} ${original}`, originalSize),
	];
	return [
		line('Magic Characters', pipable ? 'WLPWM\\0\\0\\0' : 'MSWIM\\0\\0\\0'),
		line('Header Size', header.headerSize),
		line('Version', hex(header.version)),
		line('Flags', hex(header.flags)),
		...bitLabels(header.flags, HEADER_FLAG_LABELS).map(
			(label) => `    WIM_HDR_FLAG_${label} is set`,
		),
		line('Chunk Size', header.chunkSize),
		line('GUID', formatGuidBytes(header.guid)),
		line('Part Number', header.partNumber),
		line('Total Parts', header.partCount),
		line('Image Count', header.imageCount),
		...resource('Blob Table', header.blobTable, 'Original_size'),
		...resource('XML Data', header.xml, 'Original Size'),
		...resource('Boot Metadata', header.bootMetadata, 'Original Size'),
		line('Boot Index', header.bootIndex),
		...resource('Integrity', header.integrity, 'Original_size'),
	];
}

/** All blobs of a part, metadata first, then in the order of the table. */
export function blobsOf(part: OpenPart): readonly Blob[] {
	return [...part.table.metadata, ...part.table.blobs.values()];
}

/** The text of `info --blobs` for one blob. */
export function blobText(blob: Blob): string {
	return `${blobLines(blob.sha1, blob).join('\n')}\n\n`;
}
