/** Results of `verify` from a file: whatever stands there is checked before anybody believes it. */
import { FormatError, InputError } from '../../base/errors.ts';
import { formatSize } from '../../base/print.ts';
import { type Stamp, stampOf } from '../../storage/file-stamp.ts';
import type { Fault, VerifyReport } from './verify-report.ts';

type Check = (value: unknown) => boolean;

const text: Check = (value) => typeof value === 'string';
const number: Check = (value) => typeof value === 'number' && Number.isFinite(value);
const flag: Check = (value) => typeof value === 'boolean';
const oneOf =
	(...words: readonly string[]): Check =>
	(value) =>
		typeof value === 'string' && words.includes(value);
const orNull =
	(check: Check): Check =>
	(value) =>
		value === null || check(value);
const listOf =
	(check: Check): Check =>
	(value) =>
		Array.isArray(value) && value.every(check);
const object =
	(fields: Readonly<Record<string, Check>>): Check =>
	(value) =>
		typeof value === 'object' &&
		value !== null &&
		Object.entries(fields).every(([name, check]) =>
			check((value as Readonly<Record<string, unknown>>)[name]),
		);

const CLASSES: Readonly<Record<Fault['class'], true>> = {
	header: true,
	xml: true,
	'blob-table': true,
	'integrity-table': true,
	integrity: true,
	metadata: true,
	blob: true,
	'missing-blob': true,
	'missing-part': true,
	pipable: true,
	oddity: true,
};
const STATES = ['structure', 'good', 'bad', 'unchecked', 'unreferenced'];

const range = { offset: number, size: number };

const isFault = object({
	id: number,
	class: oneOf(...Object.keys(CLASSES)),
	severity: oneOf('error', 'warning'),
	message: text,
	code: text,
	part: orNull(text),
	range: orNull(object(range)),
	sha1: orNull(text),
	blobSize: orNull(number),
	lost: orNull(listOf(object(range))),
	images: listOf(number),
	blocksImage: flag,
	files: listOf(object({ image: number, path: text })),
	copies: listOf(object({ part: text, offset: number, isGood: flag })),
	notes: listOf(text),
});

const isReport = object({
	type: oneOf('verify-report'),
	path: text,
	files: listOf(object({ path: text, size: number, writeTime: text })),
	faults: listOf(isFault),
	parts: listOf(
		object({
			path: text,
			partNumber: number,
			size: number,
			integrity: oneOf('none', 'good', 'bad', 'stale', 'unchecked'),
			map: listOf(object({ ...range, state: oneOf(...STATES) })),
		}),
	),
	coverage: object({
		blobs: number,
		blobsChecked: number,
		blobsBad: number,
		blobBytes: number,
		blobBytesChecked: number,
		images: number,
		imagesRead: number,
		integrityBytes: number,
	}),
	isFast: flag,
});

/**
 * Reads a saved report, or what `--json` printed.
 *
 * @param file its name, for messages
 * @throws {FormatError} when it is none
 */
export function parseVerifyReport(json: string, file: string): VerifyReport {
	let value: unknown;
	try {
		value = JSON.parse(json);
	} catch {
		throw notReport(file, 'it is not JSON');
	}
	const outer = value as { readonly verb?: unknown; readonly result?: unknown } | null;
	const report = outer?.verb === 'verify' ? outer.result : value;
	if (!isReport(report)) throw notReport(file, 'it does not hold what verify writes');
	return report as VerifyReport;
}

function notReport(file: string, why: string): FormatError {
	return new FormatError(`Cannot show "${file}": ${why}`, {
		path: file,
		hint: 'Name a file that wimdeck verify WIM --report=FILE wrote.',
	});
}

/**
 * Makes sure that the files are still what they were when they were checked.
 *
 * @throws {InputError} when one of them changed, or is gone
 */
export async function requireUnchanged(report: VerifyReport, file: string): Promise<void> {
	if (report.files.length === 0)
		throw stale(file, 'it does not say which files it is about', report.path);
	for (const stamp of report.files) {
		const why = await changeOf(stamp);
		if (why !== null) throw stale(file, why, stamp.path);
	}
}

async function changeOf({ path, size, writeTime }: Stamp): Promise<string | null> {
	let now: Stamp;
	try {
		now = await stampOf(path);
	} catch {
		return `"${path}" is not there any more`;
	}
	if (now.size !== size)
		return `"${path}" had ${formatSize(size)} bytes then and has ${formatSize(now.size)} now`;
	return now.writeTime === writeTime ? null : `"${path}" was written to since`;
}

function stale(file: string, why: string, path: string): InputError {
	return new InputError(`Cannot trust "${file}": ${why}`, {
		path,
		hint: 'Run wimdeck verify again.',
	});
}
