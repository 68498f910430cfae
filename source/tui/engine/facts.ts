/** What a WIM and its images say of themselves, as the deck shows it. */

import { accessSync, constants } from 'node:fs';
import path from 'node:path';
import { filetimeToMs } from '../../bytes/filetime.ts';
import { formatGuidBytes } from '../../bytes/guid.ts';
import { compressionName } from '../../codec/compression.ts';
import { nodePath } from '../../storage/host-fs.ts';
import { HeaderFlag } from '../../wim/part-header.ts';
import type { Wim, WimImage } from '../../wim/wim.ts';
import type { ImageFacts, WimFacts } from '../engine.ts';

const ARCHITECTURES: Readonly<Record<number, string>> = {
	0: 'x86',
	5: 'arm',
	6: 'ia64',
	9: 'amd64',
	12: 'arm64',
};

function whyReadonly({ name, header }: Wim): string | null {
	if (header.flags & HeaderFlag.readonly) return 'marked as read-only: export it (e)';
	try {
		accessSync(nodePath(name), constants.W_OK);
		return null;
	} catch {
		return 'this file cannot be written';
	}
}

export function wimFacts(wim: Wim): WimFacts {
	const { header } = wim;
	const solid = wim.isSolid ? ' solid' : '';
	return {
		path: path.resolve(wim.name),
		compression: compressionName(wim.compression) + solid,
		chunkSize: wim.chunkSize,
		size: wim.size,
		partNumber: header.partNumber,
		partCount: header.partCount,
		bootIndex: wim.bootIndex,
		guid: formatGuidBytes(header.guid),
		hasIntegrity: header.integrity.offset !== 0,
		isPipable: wim.isPipable,
		whyReadonly: whyReadonly(wim),
		deadBytes: null,
		warnings: [
			...(wim.missingParts.length > 0
				? [
						`Parts ${wim.missingParts.join(', ')} of ${header.partCount} are missing: files in them cannot be read`,
					]
				: []),
			...wim.warnings.map(({ message }) => message),
			...wim.faults.map(({ message }) => message),
		],
	};
}

const timeOf = (ticks: bigint | null): number | null =>
	ticks === null || ticks === 0n ? null : filetimeToMs(ticks);

/** `10.0.26100.1`, as far as the XML data knows it. */
export function versionOf(facts: WimImage['facts']): string {
	const { windows } = facts;
	if (windows?.majorVersion == null) return '';
	const numbers = [
		windows.majorVersion,
		windows.minorVersion,
		windows.build,
		windows.servicePackBuild,
	];
	return numbers.filter((number) => number !== null).join('.');
}

export const architectureOf = (facts: WimImage['facts']): string => {
	const number = facts.windows?.architecture;
	return number == null ? '' : (ARCHITECTURES[number] ?? `type ${number}`);
};

export function imageFacts(wim: Wim, image: WimImage): ImageFacts {
	const { facts, index } = image;
	const { windows } = facts;
	const more: (readonly [string, string])[] = [
		['title', facts.displayName ?? ''],
		['about it', facts.displayDescription ?? ''],
		['product', windows?.productName ?? ''],
		['type', windows?.installationType ?? ''],
		['suite', windows?.productSuite ?? ''],
		['languages', languagesOf(facts)],
		['root', windows?.systemRoot ?? ''],
		['WIMBoot', facts.isWimBoot ? 'yes' : ''],
	];
	return {
		index,
		name: facts.name,
		description: facts.description,
		totalBytes: facts.totalBytes ?? 0,
		fileCount: facts.fileCount ?? 0,
		folderCount: facts.directoryCount ?? 0,
		hardLinkBytes: facts.hardLinkBytes ?? 0,
		architecture: architectureOf(facts),
		version: versionOf(facts),
		edition: windows?.editionId ?? facts.flags ?? '',
		displayName: facts.displayName ?? '',
		displayDescription: facts.displayDescription ?? '',
		flags: facts.flags ?? '',
		created: timeOf(facts.creationTime),
		modified: timeOf(facts.lastModificationTime),
		isBootable: wim.bootIndex === index,
		metadata: image.metadata.sha1,
		more,
	};
}

export function languagesOf(facts: WimImage['facts']): string {
	const { windows } = facts;
	if (!windows) return '';
	return windows.languages
		.map((language) => (language === windows.defaultLanguage ? `${language} (default)` : language))
		.join(', ');
}
