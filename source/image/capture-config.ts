/** Capture configuration files, as ImageX and DISM name them `wimscript.ini` (wim.md §10.2). */
import { InputError, WimError } from '../base/errors.ts';
import { type CapturePattern, type ExclusionRules, parseCapturePattern } from './patterns.ts';
import { decodeTextFile, significantLines, unquoted } from './text-file.ts';

export interface CaptureConfig extends ExclusionRules {
	/** WIMBoot: files that are extracted in full. */
	readonly prepopulated: readonly CapturePattern[];
}

export interface CaptureConfigOptions {
	/** Right for trees of Windows; on Unix names differ by case. */
	readonly ignoreCase: boolean;
	/** Told of what is ignored. */
	readonly warn: (message: string) => void;
}

/** What counts when no configuration is given. */
export const DEFAULT_CAPTURE_CONFIG = `[ExclusionList]
\\$ntfs.log
\\hiberfil.sys
\\pagefile.sys
\\swapfile.sys
\\System Volume Information
\\RECYCLER
\\$RECYCLE.BIN
\\$Recycle.Bin
\\Windows\\CSC
`;

/** Where a WIMBoot image keeps the configuration that it was captured with. */
export const WIMBOOT_CONFIG_PATH = '/Windows/System32/WimBootCompress.ini';

/** Sections that other programs use and that change nothing here. */
const WITHOUT_EFFECT = ['CompressionExclusionList', 'CompressionFolderList'];

/**
 * Reads a configuration.
 *
 * @param name of the file, for messages
 * @throws {InputError} naming the line with an unusable pattern
 */
export function parseCaptureConfig(
	bytes: Uint8Array,
	name: string,
	options: CaptureConfigOptions,
): CaptureConfig {
	return parseConfigText(decodeTextFile(bytes, name), name, options);
}

/** The configuration for when none is given. */
export function defaultCaptureConfig(options: CaptureConfigOptions): CaptureConfig {
	return parseConfigText(DEFAULT_CAPTURE_CONFIG, 'default configuration', options);
}

function parseConfigText(text: string, name: string, options: CaptureConfigOptions): CaptureConfig {
	const sections = new Map<string, CapturePattern[]>(
		['ExclusionList', 'ExclusionException', 'PrepopulateList'].map((section) => [section, []]),
	);
	let target: CapturePattern[] | null = null;
	let isIgnored = false;
	for (const line of significantLines(text)) {
		const section = /^\[(.*)\]$/.exec(line.text)?.[1];
		if (section !== undefined) {
			target = sections.get(section) ?? null;
			isIgnored = target === null;
			if (isIgnored && !WITHOUT_EFFECT.includes(section))
				options.warn(`${name}, line ${line.number}: the section "[${section}]" is ignored`);
			continue;
		}
		if (target === null) {
			if (!isIgnored)
				options.warn(`${name}, line ${line.number}: ignored, it stands before any section`);
			continue;
		}
		target.push(parseLine(unquoted(line.text), `${name}, line ${line.number}`, options));
	}
	return {
		exclusions: sections.get('ExclusionList') ?? [],
		exceptions: sections.get('ExclusionException') ?? [],
		prepopulated: sections.get('PrepopulateList') ?? [],
	};
}

function parseLine(text: string, place: string, options: CaptureConfigOptions): CapturePattern {
	try {
		return parseCapturePattern(text, options.ignoreCase, (message) =>
			options.warn(`${place}: ${message}`),
		);
	} catch (error) {
		if (!(error instanceof WimError)) throw error;
		throw new InputError(`${place}: ${error.message}`, error.facts);
	}
}
