/** From an understood command line to the request of a job: the verbs that write WIMs. */

import { InputError } from '../base/errors.ts';
import { printable } from '../base/print.ts';
import {
	type CommandDefaults,
	parseSourceList,
	parseUpdateCommand,
	parseUpdateFile,
	type UpdateCommand,
} from '../image/update-commands.ts';
import type {
	AppendRequest,
	CapturedImage,
	CaptureRequest,
	DeleteRequest,
	DiffRequest,
	EditRequest,
	ExportRequest,
	JoinRequest,
	OptimizeRequest,
	RequestSource,
	SplitRequest,
	UndoRequest,
	UpdateRequest,
} from '../jobs/request.ts';
import type { DiffSide } from '../operations/diff/diff.ts';
import type { CompressionRequest } from '../operations/rewrite/write-options.ts';
import type { Context } from './context.ts';
import type { OptionName } from './options.ts';
import type { Invocation, Options } from './parse.ts';
import { checkOf, integrityOf, readTextFile, rpfixOf } from './requests.ts';
import { parseCompression, parseProperty, parseSize } from './values.ts';

function compressionOf(options: Options): CompressionRequest {
	const choice = (name: OptionName) => {
		const text = options.text(name);
		return text === null ? null : parseCompression(text, `--${name}`);
	};
	const size = (name: OptionName) => {
		const text = options.text(name);
		return text === null ? null : parseSize(text, `--${name}`);
	};
	return {
		compress: choice('compress'),
		chunkSize: size('chunk-size'),
		solid: options.has('solid'),
		solidCompress: choice('solid-compress'),
		solidChunkSize: size('solid-chunk-size'),
		noSolidSort: options.has('no-solid-sort'),
	};
}

/** What became of `--pipable` and `--not-pipable`: null leaves it as it is. */
function pipableOf(options: Options): boolean | null {
	if (options.has('not-pipable')) return false;
	return options.has('pipable') ? true : null;
}

function propertiesOf(options: Options): CapturedImage['properties'] {
	const flags = options.text('flags');
	return [
		...(flags === null ? [] : [{ path: 'FLAGS', text: flags }]),
		...options.list('image-property').map((text) => {
			const { name, value } = parseProperty(text, '--image-property');
			return { path: name, text: value };
		}),
	];
}

/** `WIM:IMAGE`, or only the image; a colon of a drive letter is no separator. */
export function splitWimImage(text: string): { wim: string | null; image: string } {
	const colon = text.lastIndexOf(':');
	if (colon < 0 || (colon === 1 && /^[A-Za-z]:[\\/]/.test(text))) return { wim: null, image: text };
	return { wim: text.slice(0, colon), image: text.slice(colon + 1) };
}

function updateOf(options: Options): CapturedImage['updateOf'] {
	const text = options.text('update-of');
	if (text === null) return null;
	const { wim, image } = splitWimImage(text);
	const bases = options.list('delta-from');
	return { wim: wim ?? (bases.length === 1 ? (bases[0] ?? null) : null), image };
}

async function sourcesOf(
	source: string,
	options: Options,
	context: Context,
): Promise<readonly RequestSource[]> {
	if (!options.has('source-list')) return [{ path: source, target: '/' }];
	const bytes = await readTextFile(source, context);
	const sources = parseSourceList(bytes, source === '-' ? 'standard input' : source);
	if (sources.length === 0)
		throw new InputError(`Cannot capture: the source list "${printable(source)}" is empty`, {
			hint: 'Write one line of SOURCE DEST for each source.',
		});
	return sources.map((entry) => ({ path: entry.source, target: entry.target }));
}

async function imageOf({ given, options }: Invocation, context: Context): Promise<CapturedImage> {
	return {
		sources: await sourcesOf(given[0] ?? '', options, context),
		name: given[2] ?? null,
		// As wimlib-imagex: after the list, whose sources may have nothing in common.
		namedAfter: options.has('source-list') && given[0] !== '-' ? (given[0] ?? null) : null,
		description: given[3] ?? '',
		properties: propertiesOf(options),
		boot: options.has('boot'),
		config: options.text('config'),
		unixData: options.has('unix-data'),
		dereference: options.has('dereference'),
		acls: options.has('no-acls') ? 'skip' : options.has('strict-acls') ? 'strict' : 'store',
		rpFix: rpfixOf(options),
		updateOf: updateOf(options),
		deltaFrom: options.list('delta-from'),
		wimBoot: options.has('wimboot'),
	};
}

export async function captureRequest(
	invocation: Invocation,
	context: Context,
): Promise<CaptureRequest> {
	const { given, options } = invocation;
	return {
		verb: 'capture',
		image: await imageOf(invocation, context),
		target: given[1] ?? '',
		compression: compressionOf(options),
		check: checkOf(options),
		integrity: integrityOf(options) ?? false,
		pipable: pipableOf(options),
		dryRun: options.has('dry-run'),
	};
}

export async function appendRequest(
	invocation: Invocation,
	context: Context,
): Promise<AppendRequest> {
	const { given, options } = invocation;
	return {
		verb: 'append',
		image: await imageOf(invocation, context),
		target: given[1] ?? '',
		compression: compressionOf(options),
		check: checkOf(options),
		integrity: integrityOf(options),
		rebuild: options.has('rebuild'),
		pipable: pipableOf(options),
		create: options.has('create'),
		dryRun: options.has('dry-run'),
	};
}

async function commandsOf(options: Options, context: Context): Promise<readonly UpdateCommand[]> {
	const defaults: CommandDefaults = {
		add: {
			noReplace: options.has('no-replace'),
			dereference: options.has('dereference'),
			unixData: options.has('unix-data'),
			noAcls: options.has('no-acls'),
			strictAcls: options.has('strict-acls'),
		},
		force: options.has('force'),
		recursive: options.has('recursive'),
	};
	const commands = options.list('command').map((line) => parseUpdateCommand(line, defaults));
	if (commands.length === 0 && !options.has('wimboot-config'))
		commands.push(...parseUpdateFile(await context.readInput(), 'standard input', defaults));
	const config = options.text('wimboot-config');
	if (config === null) return commands;
	const target = '/Windows/System32/WimBootCompress.ini';
	const added = { type: 'add', source: config, target, flags: defaults.add } as const;
	// Last of all, but into the image that the command line names.
	const others = commands.findIndex(({ type }) => type === 'image');
	return commands.toSpliced(others < 0 ? commands.length : others, 0, added);
}

export async function updateRequest(
	{ given, options }: Invocation,
	context: Context,
): Promise<UpdateRequest> {
	return {
		verb: 'update',
		wim: given[0] ?? '',
		image: given[1] ?? null,
		commands: await commandsOf(options, context),
		config: options.text('config'),
		rebuild: options.has('rebuild'),
		check: checkOf(options),
		integrity: integrityOf(options),
		dryRun: options.has('dry-run'),
	};
}

/** Whether `info` is to change something. */
export function isEdit({ given, options }: Invocation): boolean {
	return (given[2] ?? null) !== null || options.has('boot') || options.has('image-property');
}

/**
 * The request of an `info` that changes something.
 *
 * @param only the index of the only image, for when none was named; null when there are several
 */
export function editRequest({ given, options }: Invocation, only: string | null): EditRequest {
	const [wim, named, name = null, description = null] = given;
	const image = named ?? only;
	const properties = propertiesOf(options);
	if (image === null)
		throw new InputError(`Cannot change an image of "${printable(wim ?? '')}": name which one`, {
			hint: 'wimdeck info lists the images.',
		});
	const hasChange = name !== null || properties.length > 0;
	return {
		verb: 'edit',
		wim: wim ?? '',
		change: hasChange ? { image, name, description, properties } : null,
		boot: options.has('boot') ? image : null,
		check: checkOf(options),
		integrity: integrityOf(options),
		dryRun: options.has('dry-run'),
	};
}

export function deleteRequest({ given, options }: Invocation): DeleteRequest {
	return {
		verb: 'delete',
		wim: given[0] ?? '',
		images: [given[1] ?? ''],
		soft: options.has('soft'),
		check: checkOf(options),
		integrity: integrityOf(options),
		dryRun: options.has('dry-run'),
	};
}

export function exportRequest({ given, options }: Invocation): ExportRequest {
	return {
		verb: 'export',
		wim: given[0] ?? '',
		images: [given[1] ?? ''],
		target: given[2] ?? '',
		name: given[3] ?? null,
		description: given[4] ?? null,
		boot: options.has('boot'),
		references: options.list('ref'),
		compression: compressionOf(options),
		recompress: options.has('recompress'),
		wimBoot: options.has('wimboot'),
		rebuild: options.has('rebuild'),
		replace: options.has('replace'),
		pipable: pipableOf(options),
		check: checkOf(options),
		integrity: integrityOf(options),
		dryRun: options.has('dry-run'),
	};
}

/** A number of MiB, which may have a fraction. */
function parseMebibytes(text: string): number {
	const value = /^\d{1,9}(?:\.\d{1,6})?$/.test(text) ? Number(text) : 0;
	if (value <= 0)
		throw new InputError(`Cannot split into parts of "${printable(text)}" MiB`, {
			hint: 'Give the size of a part in MiB, as 3800 for parts that fit FAT32.',
		});
	return Math.floor(value * 1024 * 1024);
}

export function splitRequest({ given, options }: Invocation): SplitRequest {
	return {
		verb: 'split',
		wim: given[0] ?? '',
		target: given[1] ?? '',
		partSize: parseMebibytes(given[2] ?? ''),
		check: checkOf(options),
		integrity: integrityOf(options),
		dryRun: options.has('dry-run'),
	};
}

export function joinRequest({ given, rest, options }: Invocation): JoinRequest {
	return {
		verb: 'join',
		target: given[0] ?? '',
		parts: [given[1] ?? '', ...rest],
		check: checkOf(options),
		integrity: integrityOf(options) ?? false,
		dryRun: options.has('dry-run'),
	};
}

export function optimizeRequest({ given, options }: Invocation): OptimizeRequest {
	return {
		verb: 'optimize',
		wim: given[0] ?? '',
		compression: compressionOf(options),
		recompress: options.has('recompress'),
		pipable: pipableOf(options),
		check: checkOf(options),
		integrity: integrityOf(options),
		dryRun: options.has('dry-run'),
	};
}

export function undoRequest({ given, options }: Invocation): UndoRequest {
	return { verb: 'undo', wim: given[0] ?? '', dryRun: options.has('dry-run') };
}

/**
 * One side of a comparison.
 *
 * @param isFolder whether there is a folder of exactly this name
 */
export function diffSide(text: string, isFolder: boolean, references: readonly string[]): DiffSide {
	if (isFolder) return { type: 'folder', path: text };
	const { wim, image } = splitWimImage(text);
	if (wim === null) return { type: 'image', wim: text, image: '1', references };
	return { type: 'image', wim, image, references };
}

export function diffRequest(before: DiffSide, after: DiffSide, options: Options): DiffRequest {
	return { verb: 'diff', before, after, content: options.has('content') };
}
