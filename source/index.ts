/**
 * What the package offers to other programs: open a WIM and walk its images, and run any job that the command line and
 * the deck run. The only file that re-exports.
 *
 *     import { openImage, openTools, openWim, machineClock, performWith, runJob, pathOf } from 'wimdeck';
 *
 *     await using wim = await openWim('install.wim');
 *     const { tree } = await openImage(wim, wim.image(1));
 *     for (const child of tree.children(0)) console.log(pathOf(tree, child));
 *
 *     await using tools = openTools({ threads: null, input: null, output: null, onFault: console.log });
 *     const request = { verb: 'verify', wim: 'install.wim', references: [], integrity: true, fast: false } as const;
 *     const signal = new AbortController().signal;
 *     const outcome = await runJob(request, { signal, clock: machineClock }, performWith(tools));
 */
export {
	CanceledError,
	DigestError,
	type ErrorCode,
	type ErrorFacts,
	ExitCode,
	exitCodeOf,
	FormatError,
	HostError,
	InputError,
	MissingError,
	UnsupportedError,
	WimError,
} from './base/errors.ts';
export type { Clock, Phase, ProgressEvent, Run } from './base/run.ts';
export type { Sha1 } from './bytes/sha1.ts';
export { type OpenImage, openImage } from './image/open.ts';
export { type Found, PathFinder, pathOf } from './image/paths.ts';
export { type DentryPosition, ImageTree, ROOT, type Stream } from './image/tree.ts';
export { machineClock } from './jobs/clock.ts';
export { Journal, type RunRecord } from './jobs/journal.ts';
export { type OpenTools, openTools } from './jobs/open-tools.ts';
export { performWith } from './jobs/perform.ts';
export type { Progress } from './jobs/progress.ts';
export type { JobRequest, JobVerb } from './jobs/request.ts';
export {
	type JobHooks,
	type JobOutcome,
	type JobState,
	type NotableEvent,
	type Performer,
	runJob,
} from './jobs/run-job.ts';
export type { JobTools } from './jobs/tools.ts';
export { readBlobToMemory, type StreamOptions, streamBlob } from './operations/read/stream-blob.ts';
export { openPool, type Pool } from './pool/pool.ts';
export type { Blob, Resource } from './wim/resource.ts';
export { type OpenOptions, openWim, Wim, type WimImage } from './wim/wim.ts';
