/** Choices that several forms share. */

import type { Field, Option, State } from '../state/state.ts';
import { check, choice, radio, shownWhen } from './build.ts';

const LEVELS: readonly Option[] = [
	{ value: 'none', label: 'none' },
	{ value: 'xpress:20', label: 'XPRESS fast' },
	{ value: 'xpress:50', label: 'XPRESS' },
	{ value: 'lzx:20', label: 'LZX fast' },
	{ value: 'lzx:50', label: 'LZX (normal)' },
	{ value: 'lzx:100', label: 'LZX maximum' },
	{ value: 'lzms:50', label: 'LZMS' },
	{ value: 'lzms-solid:50', label: 'LZMS solid (small, slow)' },
	{ value: 'lzms-solid:100', label: 'LZMS solid maximum' },
	{ value: 'wimboot', label: 'XPRESS 4K for WIMBoot' },
];

/** `usual` is what the operation takes by itself; the label says what that is. */
export const compressionField = (usual: string): Field =>
	choice('compression', 'Compression', [{ value: 'usual', label: usual }, ...LEVELS], 'usual');

const K = 1024;
const CHUNK_SIZES = [4 * K, 32 * K, 64 * K, 128 * K, 512 * K, 2048 * K, 65_536 * K];

const sizeLabel = (size: number): string =>
	size < 1024 * K ? `${size / K} K` : `${size / (1024 * K)} M`;

/** Only where chunks exist and the preset does not settle them. */
export const chunkSizeField: readonly Field[] = shownWhen(
	[
		{
			field: 'compression',
			is: LEVELS.map(({ value }) => value).filter(
				(value) => value !== 'none' && value !== 'wimboot',
			),
		},
	],
	choice(
		'chunkSize',
		'Chunk size',
		[
			{ value: 'usual', label: 'usual' },
			...CHUNK_SIZES.map((size) => ({ value: String(size), label: sizeLabel(size) })),
		],
		'usual',
	),
);

export const integrityField = (value: boolean): Field =>
	check('integrity', 'Integrity', 'write an integrity table', value);

export const verifyAfterField = check('verifyAfter', 'Check after', 'verify when done', true);

export const unixDataField = (text: string): Field => check('unixData', 'Unix data', text);

/** What happens to a file that is there already. */
export const existsField = (append: string, value: string): Field =>
	radio(
		'exists',
		'If it exists',
		[
			{ value: 'append', label: append },
			{ value: 'replace', label: 'replace' },
			{ value: 'ask', label: 'ask' },
		],
		value,
	);

/** A path in the work folder. */
export function inWorkFolder(state: State, name: string): string {
	const { workFolder, pathSeparator } = state.settings;
	return workFolder.endsWith(pathSeparator)
		? `${workFolder}${name}`
		: `${workFolder}${pathSeparator}${name}`;
}

/** A name for something made of the open file: `install` of `/srv/install.wim`. */
export const stemOf = (name: string): string => name.replace(/\.[^.]*$/, '');

/** The path with another ending. */
export const withEnding = (path: string, ending: string): string =>
	path.replace(/(\.[^.\\/]*)?$/, ending);
