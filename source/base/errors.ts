/**
 * The one hierarchy of errors. Whatever a public function throws on purpose is a `WimError`;
 * anything else is a defect and ends the program with exit code 1.
 */

/** What kind of failure it is: the contract that programs may rely on; the exit code follows from it. */
export type ErrorCode =
	| 'bad-input'
	| 'bad-format'
	| 'bad-digest'
	| 'missing-data'
	| 'unsupported'
	| 'host-refused'
	| 'canceled';

/** Process exit codes, by what they mean (product.md §1). */
export const ExitCode = {
	done: 0,
	defect: 1,
	badInput: 2,
	problems: 3,
	badFormat: 4,
	badDigest: 5,
	missingData: 6,
	unsupported: 7,
	hostRefused: 8,
	canceled: 130,
} as const;

const EXIT_CODES: Readonly<Record<ErrorCode, number>> = {
	'bad-input': ExitCode.badInput,
	'bad-format': ExitCode.badFormat,
	'bad-digest': ExitCode.badDigest,
	'missing-data': ExitCode.missingData,
	unsupported: ExitCode.unsupported,
	'host-refused': ExitCode.hostRefused,
	canceled: ExitCode.canceled,
};

/** What an error knows besides its message; the printer adds it. */
export interface ErrorFacts {
	/** The file on this machine, or the path inside an image, that the attempt was about. */
	path?: string;
	/** What `offset` counts in: a file, or "metadata resource of image 2". */
	region?: string;
	/** In bytes from the start of `region`. */
	offset?: number;
	/** One imperative sentence that the user can obey. */
	hint?: string;
}

/** What public functions throw on purpose: a message for people, a code for programs, and facts. */
export abstract class WimError extends Error {
	/** The contract; messages may be reworded. */
	abstract readonly code: ErrorCode;
	readonly facts: ErrorFacts;

	constructor(message: string, facts: ErrorFacts = {}, cause?: unknown) {
		super(message, cause === undefined ? undefined : { cause });
		this.name = new.target.name;
		this.facts = { ...facts };
	}

	/** Adds what a caller further out knows. What is already known stays. */
	note(facts: ErrorFacts): this {
		Object.assign(this.facts, { ...facts, ...this.facts });
		return this;
	}
}

/** Wrong arguments, no such image or path. */
export class InputError extends WimError {
	readonly code = 'bad-input';
}

/** Bytes that break the format: truncated, out of range, contradictory. */
export class FormatError extends WimError {
	readonly code = 'bad-format';
}

/** Well-formed bytes with the wrong SHA-1. */
export class DigestError extends WimError {
	readonly code = 'bad-digest';
}

/** A part or a blob is absent. */
export class MissingError extends WimError {
	readonly code = 'missing-data';
}

/** Valid, but not handled. */
export class UnsupportedError extends WimError {
	readonly code = 'unsupported';
}

/** The machine said no: permission, space, lock. Keeps `cause`. */
export class HostError extends WimError {
	readonly code = 'host-refused';
}

/** The signal was aborted. */
export class CanceledError extends WimError {
	readonly code = 'canceled';
	constructor(message = 'Canceled', facts: ErrorFacts = {}, cause?: unknown) {
		super(message, facts, cause);
	}
}

const CLASSES = {
	'bad-input': InputError,
	'bad-format': FormatError,
	'bad-digest': DigestError,
	'missing-data': MissingError,
	unsupported: UnsupportedError,
	'host-refused': HostError,
	canceled: CanceledError,
} as const;

/** The process exit code for an error; 1 for what is not a `WimError`. */
export function exitCodeOf(error: unknown): number {
	return error instanceof WimError ? EXIT_CODES[error.code] : ExitCode.defect;
}

/** An error as plain data: `structuredClone` strips class, code and facts, so threads exchange this. */
export interface WireError {
	readonly code: ErrorCode | null;
	readonly message: string;
	readonly facts: ErrorFacts;
	/** What the machine called the cause: `ENOSPC`. */
	readonly systemCode?: string;
	readonly stack?: string;
}

export function toWire(error: unknown): WireError {
	if (error instanceof WimError) {
		const { code, message, facts } = error;
		const systemCode = (error.cause as NodeJS.ErrnoException | null | undefined)?.code;
		return { code, message, facts, ...(typeof systemCode === 'string' ? { systemCode } : {}) };
	}
	if (error instanceof Error)
		return {
			code: null,
			message: error.message,
			facts: {},
			stack: error.stack ?? '',
		};
	return { code: null, message: String(error), facts: {} };
}

/** The inverse of `toWire`; what was no `WimError` comes back as a plain `Error`. */
export function fromWire(wire: WireError): Error {
	if (wire.code !== null) return reviveError(wire as WireError & { code: ErrorCode });
	const error = new Error(wire.message);
	if (wire.stack) error.stack = wire.stack;
	return error;
}

function reviveError({
	code,
	message,
	facts,
	systemCode,
}: WireError & { code: ErrorCode }): WimError {
	if (systemCode === undefined) return new CLASSES[code](message, facts);
	const cause = Object.assign(new Error(systemCode), { code: systemCode });
	return new CLASSES[code](message, facts, cause);
}

const SYSTEM_REASONS: Readonly<Record<string, readonly [reason: string, hint: string]>> = {
	ENOENT: ['there is no such file or folder', 'Check the path.'],
	EACCES: ['permission denied', 'Check the permissions, or run as a user who may.'],
	EPERM: ['the operation is not permitted', 'Check the permissions, or run as a user who may.'],
	EISDIR: ['it is a folder', 'Name a file.'],
	ENOTDIR: ['a part of the path is not a folder', 'Check the path.'],
	ENOSPC: ['the disk is full', 'Free some space, or choose another place.'],
	EDQUOT: ['the disk quota is used up', 'Free some space, or choose another place.'],
	ENOSYS: ['this file system has no such thing', 'Choose a place on another file system.'],
	ENOTSUP: ['this file system has no such thing', 'Choose a place on another file system.'],
	EOPNOTSUPP: ['this file system has no such thing', 'Choose a place on another file system.'],
	EROFS: ['the file system is read-only', 'Choose another place.'],
	EEXIST: ['it exists already', 'Choose another name.'],
	EMFILE: ['too many files are open', 'Raise the limit with ulimit -n.'],
	ENAMETOOLONG: [
		'the name or path is too long for this system',
		'Choose a shorter path, or start from a folder nearer to it.',
	],
	EIO: [
		'the device reports a read or write error',
		'Check the disk and its cable, then copy the file elsewhere.',
	],
	EBUSY: ['it is in use', 'Close the program that uses it.'],
	ETXTBSY: ['it is in use', 'Close the program that uses it.'],
	ELOOP: ['there are too many symbolic links', 'Check the path.'],
	ESTALE: ['the network share went away', 'Mount the share again.'],
	EPIPE: ['nobody reads it any more', 'Look at the program that it was piped into.'],
	EFBIG: ['the file would be too large for this file system', 'Choose another place.'],
};

/**
 * Turns what `node:fs` throws into a `HostError` (or an `InputError` when the thing is not there at all).
 *
 * @param attempt what was tried, as in `Cannot open "x.wim"`
 */
export function hostError(attempt: string, error: unknown, facts: ErrorFacts = {}): WimError {
	if (error instanceof WimError) return error.note(facts);
	const code = (error as NodeJS.ErrnoException | null)?.code ?? '';
	const [reason, hint] = SYSTEM_REASONS[code] ?? [
		error instanceof Error ? error.message : String(error),
		undefined,
	];
	const all = hint === undefined || facts.hint !== undefined ? facts : { ...facts, hint };
	const Class =
		code === 'ENOENT' || code === 'ENOTDIR' || code === 'EISDIR' ? InputError : HostError;
	return new Class(`${attempt}: ${reason}`, all, error);
}

/**
 * What is thrown where a kernel cannot have the memory that it needs now. That says nothing of the bytes it was to work
 * on: see `isMemoryError`.
 *
 * @param attempt what was tried, as in `Cannot decode`
 * @param size bytes that were wanted in all
 */
export function memoryError(attempt: string, size: number, error: unknown): HostError {
	return new HostError(
		`${attempt}: ${size} bytes of memory for one lane cannot be had`,
		{ hint: 'Use fewer threads (--threads=1), or close other programs.' },
		Object.assign(new Error(String(error)), { code: 'ENOMEM' }),
	);
}

/** Whether an error, also one of another thread, says that memory ran out: whatever was read is then no worse for it. */
export function isMemoryError(error: unknown): boolean {
	const cause = error instanceof HostError ? error.cause : null;
	return (cause as NodeJS.ErrnoException | null)?.code === 'ENOMEM';
}

/** Whether what was thrown says something of the bytes that were read: no defect, no cancel, no lack of memory. */
export function isFinding(error: unknown): error is WimError {
	return error instanceof WimError && error.code !== 'canceled' && !isMemoryError(error);
}

/** How V8 says that the machine gives no more: to a kernel (its addresses are set aside at once), or to an array. */
const NO_MEMORY =
	/^WebAssembly\.\w+\(\): (Out of memory|could not allocate)|^Array buffer allocation failed/;

/**
 * What ended a run, as it is: a machine without memory or addresses for it is no bug of ours.
 *
 * @returns anything but that unchanged
 */
export function endingError(error: unknown): unknown {
	if (error instanceof WimError || !(error instanceof Error) || !NO_MEMORY.test(error.message))
		return error;
	const hint =
		'Raise or lift the limit (ulimit -v: each thread sets aside 10 GB), or use --threads=1.';
	return new HostError(
		'Cannot go on: the machine gives this process no more memory or addresses',
		{ hint },
		error,
	);
}

/** For what only a bug can break. Throws a plain `Error`, never a `WimError`. */
export function assert(condition: unknown, why: string): asserts condition {
	if (!condition) throw new Error(`Internal check failed: ${why}`);
}
