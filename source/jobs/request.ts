/**
 * What a front end asks for: plain data only (paths, designations, options), so that a request can be written
 * to the journal, run again, or run by another process. `jobs/` opens what it names.
 */

import type { UpdateCommand } from '../image/update-commands.ts';
import type { DiffSide } from '../operations/diff/diff.ts';
import type { StreamsInterface } from '../operations/mount/mount-view.ts';
import type { RepairOptions } from '../operations/repair/repair-options.ts';
import type { LostPolicy } from '../operations/rescue/mark-lost.ts';
import type { DeleteOptions } from '../operations/rewrite/delete.ts';
import type { EditPropertiesOptions } from '../operations/rewrite/edit-properties.ts';
import type { ExportOptions } from '../operations/rewrite/export.ts';
import type { JoinOptions } from '../operations/rewrite/join.ts';
import type { OptimizeOptions } from '../operations/rewrite/optimize.ts';
import type { SplitOptions } from '../operations/rewrite/split.ts';
import type { UndoOptions } from '../operations/rewrite/undo.ts';
import type { CompressionRequest } from '../operations/rewrite/write-options.ts';
import type { SalvageOptions } from '../operations/salvage/salvage.ts';

/** Options of everything that puts files onto this machine. */
export interface RestoreOptions {
	/** Check the integrity table before anything is read. */
	readonly check: boolean;
	/** Patterns of further files to take blobs from. */
	readonly references: readonly string[];
	readonly unixData: boolean;
	readonly acls: 'restore' | 'skip' | 'strict';
	readonly attributes: boolean;
	readonly includeInvalidNames: boolean;
	readonly recoverData: boolean;
	/** Move absolute links along with the target; null: as the header of the WIM says. Single files keep theirs. */
	readonly rpfix: boolean | null;
	readonly dryRun: boolean;
}

export interface VerifyRequest {
	readonly verb: 'verify';
	readonly wim: string;
	readonly references: readonly string[];
	/** Compare the file with its integrity table too. */
	readonly integrity: boolean;
	/** Structures and integrity table only. */
	readonly fast: boolean;
}

export interface ExtractRequest extends RestoreOptions {
	readonly verb: 'extract';
	readonly wim: string;
	readonly image: string;
	/** `/` is the whole image; none is nothing. */
	readonly paths: readonly ExtractPath[];
	/** A folder; `-` is standard output, for the contents of files. */
	readonly target: string;
	readonly globs: boolean;
	/** A pattern without a match is a warning. */
	readonly nullGlob: boolean;
}

export interface ExtractPath {
	readonly path: string;
	/** Keep the folders above it. */
	readonly keepFolders: boolean;
}

export interface ApplyRequest extends RestoreOptions {
	readonly verb: 'apply';
	/** `-` is standard input. */
	readonly wim: string;
	/** Null: the only one. `all`: each into a folder of its own. */
	readonly image: string | null;
	readonly target: string;
}

/** A file or folder to be captured, and where it goes in the image. */
export interface RequestSource {
	readonly path: string;
	/** `/` is the root. */
	readonly target: string;
}

/** What a captured image is to be called, and how its files are looked at. */
export interface CapturedImage {
	readonly sources: readonly RequestSource[];
	/** Null: after `namedAfter`, with a number behind it when it is taken. */
	readonly name: string | null;
	/** The path whose last component names the image when nothing else does; null: that of the first source. */
	readonly namedAfter: string | null;
	/** '' for none. */
	readonly description: string;
	/** Paths such as `FLAGS` or `WINDOWS/VERSION/BUILD`. */
	readonly properties: readonly { readonly path: string; readonly text: string }[];
	readonly boot: boolean;
	/** A file with the list of what to leave out; null: the usual list. */
	readonly config: string | null;
	readonly unixData: boolean;
	readonly dereference: boolean;
	readonly acls: 'store' | 'skip' | 'strict';
	/** Null: as usual. */
	readonly rpFix: boolean | null;
	/** Files that have not changed since this image are not read; its file, null for the target. */
	readonly updateOf: { readonly wim: string | null; readonly image: string } | null;
	readonly deltaFrom: readonly string[];
	/** WIMBoot: the configuration becomes part of the image, or is taken from there (wim.md §10.2). */
	readonly wimBoot: boolean;
}

export interface CaptureRequest {
	readonly verb: 'capture';
	readonly image: CapturedImage;
	/** `-` is standard output. */
	readonly target: string;
	readonly compression: CompressionRequest;
	/** Check the integrity tables of the files that the image builds on. */
	readonly check: boolean;
	readonly integrity: boolean;
	/** Null: only what goes to standard output. */
	readonly pipable: boolean | null;
	readonly dryRun: boolean;
}

export interface AppendRequest {
	readonly verb: 'append';
	readonly image: CapturedImage;
	readonly target: string;
	readonly compression: CompressionRequest;
	/** Check the integrity table before anything is changed. */
	readonly check: boolean;
	/** Null: as the file has it. */
	readonly integrity: boolean | null;
	readonly rebuild: boolean;
	/** Null: as the file is. */
	readonly pipable: boolean | null;
	/** Make the file when it does not exist. */
	readonly create: boolean;
	readonly dryRun: boolean;
}

export interface UpdateRequest {
	readonly verb: 'update';
	readonly wim: string;
	/** Null: the only one. */
	readonly image: string | null;
	/** Update commands (wim.md §10.4), one a line, with the options that were given for all of them. */
	readonly commands: readonly UpdateCommand[];
	readonly config: string | null;
	readonly rebuild: boolean;
	readonly check: boolean;
	/** Null: as the file has it. */
	readonly integrity: boolean | null;
	readonly dryRun: boolean;
}

/** Changes names, descriptions, properties or the boot index. */
export interface EditRequest extends EditPropertiesOptions {
	readonly verb: 'edit';
	readonly wim: string;
	readonly check: boolean;
}

export interface DeleteRequest extends DeleteOptions {
	readonly verb: 'delete';
	readonly wim: string;
	readonly check: boolean;
}

export interface ExportRequest extends ExportOptions {
	readonly verb: 'export';
	readonly wim: string;
	readonly target: string;
	readonly check: boolean;
}

export interface SplitRequest extends SplitOptions {
	readonly verb: 'split';
	readonly wim: string;
	/** The first part, as `install.swm`; the others are numbered after it. */
	readonly target: string;
	readonly check: boolean;
}

export interface JoinRequest extends JoinOptions {
	readonly verb: 'join';
	readonly target: string;
	readonly parts: readonly string[];
	readonly check: boolean;
}

export interface OptimizeRequest extends OptimizeOptions {
	readonly verb: 'optimize';
	readonly wim: string;
	readonly check: boolean;
}

export interface UndoRequest extends UndoOptions {
	readonly verb: 'undo';
	readonly wim: string;
}

/** Gets back what is left of a damaged WIM. */
export interface SalvageRequest extends SalvageOptions {
	readonly verb: 'salvage';
	readonly wim: string;
	/** A folder, or the new WIM. */
	readonly target: string;
	/** Into a new WIM, where nothing may be yet, instead of a folder. */
	readonly toWim: boolean;
	/** In a new WIM: what becomes of files whose contents are not whole. */
	readonly lost: LostPolicy;
}

/** Writes a whole file from a damaged one and donors. */
export interface RepairRequest extends RepairOptions {
	readonly verb: 'repair';
	/** A file, or the first part of a set. */
	readonly wim: string;
	/** The new file; nothing may be there. */
	readonly target: string;
}

/** Shows an image as a folder, until it is unmounted. */
export interface MountRequest {
	readonly verb: 'mount';
	readonly wim: string;
	/** Null: the only one. */
	readonly image: string | null;
	/** The folder. */
	readonly target: string;
	readonly writable: boolean;
	readonly check: boolean;
	readonly references: readonly string[];
	/** Where changed files are kept; null: beside the WIM. */
	readonly staging: string | null;
	readonly streams: StreamsInterface;
	readonly unixData: boolean;
	readonly allowOther: boolean;
}

export interface DiffRequest {
	readonly verb: 'diff';
	readonly before: DiffSide;
	readonly after: DiffSide;
	readonly content: boolean;
}

/** What changes WIM files, or compares them. */
export type WriteRequest =
	| UpdateRequest
	| EditRequest
	| DeleteRequest
	| ExportRequest
	| SplitRequest
	| JoinRequest
	| OptimizeRequest
	| UndoRequest
	| DiffRequest;

/** Everything that can be asked for; `verb` tells which. */
export type JobRequest =
	| VerifyRequest
	| ExtractRequest
	| ApplyRequest
	| CaptureRequest
	| AppendRequest
	| WriteRequest
	| SalvageRequest
	| RepairRequest
	| MountRequest;

/** The verbs of requests: those of the command line, and `edit` for what `info` changes. */
export type JobVerb = JobRequest['verb'];
