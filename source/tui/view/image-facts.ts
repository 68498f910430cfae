/** The facts of an image as rows of label and value, for Details and the table of `i`. */

import { formatCount } from '../../base/print.ts';
import type { ImageFacts } from '../engine.ts';
import type { State } from '../state/state.ts';
import { timeText } from './columns.ts';

/** How many hard links there are, once the metadata of the image was read; until then the bytes that its XML data tells. */
export function hardLinksText(
	{ wim }: State,
	{ index, hardLinkBytes }: ImageFacts,
	bytesText: (bytes: number) => string,
): string {
	const count = wim.file?.hardLinkCount(index) ?? null;
	if (count !== null) return count > 0 ? formatCount(count) : '';
	return hardLinkBytes > 0 ? bytesText(hardLinkBytes) : '';
}

export function imageFactRows(
	state: State,
	image: ImageFacts,
): readonly (readonly [label: string, value: string])[] {
	const { utc } = state.settings;
	const rows: (readonly [string, string])[] = [
		['index', String(image.index)],
		['name', image.name],
		['about', image.description],
		['edition', image.edition],
		['arch', image.architecture],
		['version', image.version],
		['files', formatCount(image.fileCount)],
		['folders', formatCount(image.folderCount)],
		['bytes', formatCount(image.totalBytes)],
		['hard links', hardLinksText(state, image, (bytes) => `${formatCount(bytes)} bytes`)],
		['created', image.created === null ? '' : timeText(image.created, 'second', utc)],
		['modified', image.modified === null ? '' : timeText(image.modified, 'second', utc)],
		['boot', image.isBootable ? 'yes' : ''],
		...image.more,
	];
	return rows.filter(([, value]) => value !== '');
}
