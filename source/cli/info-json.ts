/** The JSON form of `info`. Keys are only ever added. */

import { formatGuid } from '../bytes/guid.ts';
import type { OpenPart } from '../wim/open-part.ts';
import type { PartHeader } from '../wim/part-header.ts';
import type { Wim, WimImage } from '../wim/wim.ts';
import { attributeNames, blobsOf } from './info-text.ts';
import { architectureName, bitLabels, blobJson, HEADER_FLAG_LABELS, isoTime } from './labels.ts';

type Json = Readonly<Record<string, unknown>>;

/** One image. */
export function imageJson(image: WimImage): Json {
	const { facts } = image;
	const { windows } = facts;
	return {
		index: image.index,
		name: facts.name,
		description: facts.description,
		displayName: facts.displayName,
		displayDescription: facts.displayDescription,
		flags: facts.flags,
		directoryCount: facts.directoryCount,
		fileCount: facts.fileCount,
		totalBytes: facts.totalBytes,
		hardLinkBytes: facts.hardLinkBytes,
		creationTime: isoTime(facts.creationTime),
		lastModificationTime: isoTime(facts.lastModificationTime),
		wimBoot: facts.isWimBoot,
		windows:
			windows === null
				? null
				: {
						...windows,
						architectureName:
							windows.architecture === null ? null : architectureName(windows.architecture),
					},
	};
}

/** Every field of a header. */
export function headerJson(header: PartHeader): Json {
	return {
		version: header.version,
		flags: header.flags,
		flagNames: bitLabels(header.flags, HEADER_FLAG_LABELS),
		chunkSize: header.chunkSize,
		guid: formatGuid(header.guid),
		partNumber: header.partNumber,
		partCount: header.partCount,
		imageCount: header.imageCount,
		blobTable: header.blobTable,
		xml: header.xml,
		bootMetadata: header.bootMetadata,
		bootIndex: header.bootIndex,
		integrity: header.integrity,
	};
}

/**
 * The whole object.
 *
 * @param part the one that the user named
 * @param parts which of the optional parts were asked for
 */
export function infoJson(
	wim: Wim,
	part: OpenPart,
	images: readonly WimImage[],
	parts: { readonly header: boolean; readonly blobs: boolean; readonly deadBytes: number },
): Json {
	const { header } = part;
	return {
		path: wim.name,
		guid: formatGuid(header.guid),
		version: header.version,
		imageCount: wim.images.length,
		compression: part.compression,
		chunkSize: part.chunkSize,
		partNumber: header.partNumber,
		partCount: header.partCount,
		missingParts: wim.missingParts,
		bootIndex: wim.bootIndex,
		totalBytes: part.xml?.totalBytes ?? null,
		fileSize: part.source.size,
		deadBytes: parts.deadBytes,
		attributes: attributeNames(part),
		pipable: part.pipable,
		solid: wim.isSolid,
		integrity: header.integrity.offset !== 0,
		warnings: wim.warnings,
		images: images.map(imageJson),
		...(parts.header ? { header: headerJson(header) } : {}),
		...(parts.blobs ? { blobs: blobsOf(part).map(blobJson) } : {}),
	};
}
