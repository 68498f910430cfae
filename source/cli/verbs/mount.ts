/**
 * Mounting and unmounting. The mounted image is served by a process of its own that stays behind; the one that was
 * called ends when the folder can be used.
 */

import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import type { Readable } from 'node:stream';
import { hostError, InputError } from '../../base/errors.ts';
import { formatSize } from '../../base/print.ts';
import type { MountRequest } from '../../jobs/request.ts';
import { listMounts, type MountedImage } from '../../operations/mount/list-mounts.ts';
import type { MountSummary } from '../../operations/mount/mount.ts';
import type { StreamsInterface } from '../../operations/mount/mount-view.ts';
import { unmount as unmountImage } from '../../operations/mount/unmount.ts';
import type { UnmountLine } from '../../operations/mount/unmount-order.ts';
import type { Context, Handler } from '../context.ts';
import { runOnlyJob } from '../job.ts';
import type { Invocation } from '../parse.ts';
import { warningText } from '../print-error.ts';
import { checkOf } from '../requests.ts';

/** The descriptor through which a process in the background says that the folder can be used. */
const READY_FD = 3;

function mountRequest({ given, options }: Invocation, writable: boolean): MountRequest {
	const streams = (options.text('streams-interface') ?? 'xattr') as StreamsInterface;
	const staging = options.text('staging-dir');
	if (staging !== null && !writable)
		throw new InputError('--staging-dir is for mountrw: a read-only mount keeps no changes');
	return {
		verb: 'mount',
		wim: path.resolve(given[0] ?? ''),
		image: given[1] ?? null,
		target: path.resolve(given[2] ?? ''),
		writable,
		check: checkOf(options),
		references: options.list('ref').map((pattern) => path.resolve(pattern)),
		staging: staging === null ? null : path.resolve(staging),
		streams,
		unixData: options.has('unix-data'),
		allowOther: options.has('allow-other'),
	};
}

const mounting =
	(writable: boolean): Handler =>
	async (invocation, context) => {
		const { options, given } = invocation;
		if (given[0] === null) return printMounts(context);
		const request = mountRequest(invocation, writable);
		if (!options.has('foreground')) return mountInBackground(request, context);
		const isChild = options.has('ready');
		return runOnlyJob<MountSummary>(
			{
				request,
				options,
				onMounted: (folder) => {
					if (isChild) announce();
					else if (!context.quiet) context.err(`Mounted on ${folder}; Ctrl+C unmounts.\n`);
				},
				print: () => {},
			},
			context,
		);
	};

async function printMounts({ out, json }: Context): Promise<number> {
	const mounts = await listMounts();
	if (json) out.line(JSON.stringify({ mounts }));
	else if (mounts.length === 0) out.line('No image is mounted.');
	else
		for (const [k, mount] of mounts.entries()) {
			if (k > 0) out.line('');
			for (const [label, text] of mountLines(mount))
				out.line(`${`${label}:`.padEnd(LABEL_WIDTH)}${out.show(text)}`);
		}
	return 0;
}

/** As the first block of `info`. */
const LABEL_WIDTH = 16;

const MOUNT_STATES: Readonly<Record<MountedImage['state'], string>> = {
	served: 'ok',
	dead: 'its process has ended; take it away with "wimdeck unmount"',
	closed: 'this user may not ask',
};

function mountLines(mount: MountedImage): readonly (readonly [label: string, text: string])[] {
	const { folder, wim, image, isWritable, isChanged, pid, state } = mount;
	const shown =
		image === null ? '' : `${image.index}${image.name === '' ? '' : ` "${image.name}"`}`;
	const changes = isChanged ? 'changed, not committed' : 'nothing changed yet';
	return [
		['Folder', folder],
		['WIM', wim],
		...(image === null ? [] : [['Image', shown] as const]),
		['Writable', isWritable ? `yes${isChanged === null ? '' : `, ${changes}`}` : 'no'],
		['Status', MOUNT_STATES[state]],
		...(pid === null ? [] : [['Process', String(pid)] as const]),
	];
}

export const mount = mounting(false);
export const mountrw = mounting(true);

/** Lets the process that waits for us go. The folder it was called in must not stay in use. */
function announce(): void {
	process.chdir('/');
	fs.writeSync(READY_FD, 'ready');
	fs.closeSync(READY_FD);
}

async function mountInBackground(request: MountRequest, context: Context): Promise<number> {
	const [program = '', ...words] = context.again;
	// What is ignored needs a /dev/null, which small systems lack.
	const nothing = fs.existsSync('/dev/null') ? 'ignore' : 'pipe';
	const child = spawn(program, [...words, '--foreground', '--ready', '--progress=none'], {
		detached: true,
		stdio: [nothing, context.json ? 'pipe' : nothing, 'pipe', 'pipe'],
	});
	const [, output, errors, ready] = child.stdio as unknown as (Readable | null)[];
	errors?.on('data', (bytes) => context.err(String(bytes)));
	let told = '';
	output?.on('data', (bytes) => {
		told += String(bytes);
	});
	const onAbort = () => child.kill('SIGTERM');
	context.signal.addEventListener('abort', onAbort, { once: true });
	const code = await new Promise<number | null>((resolve, reject) => {
		ready?.once('data', () => resolve(null));
		child.once('error', (error) =>
			reject(hostError('Cannot start the process that shows the image', error)),
		);
		child.once('close', (exitCode) => resolve(exitCode ?? 1));
	});
	context.signal.removeEventListener('abort', onAbort);
	if (code !== null) {
		if (context.json) context.out.write(told);
		return code;
	}
	for (const stream of child.stdio) stream?.destroy();
	child.unref();
	const { json, quiet, out } = context;
	const facts = { folder: request.target, isWritable: request.writable, pid: child.pid };
	if (json) out.line(JSON.stringify({ verb: 'mount', state: 'done', exitCode: 0, ...facts }));
	else if (!quiet) {
		const how = request.writable ? 'for changes ' : '';
		const end = request.writable ? ' --commit' : '';
		out.line(`Mounted ${how}on ${out.show(request.target)}`);
		out.line(`Take it away with: wimdeck unmount ${out.show(request.target)}${end}`);
	}
	return 0;
}

export const unmount: Handler = async ({ given, options }, context) => {
	const { out, json, quiet, progress } = context;
	const order = {
		commit: options.has('commit'),
		force: options.has('force'),
		check: options.has('check'),
		rebuild: options.has('rebuild'),
		asNewImage: options.has('new-image'),
	};
	if (!order.commit && order.asNewImage)
		throw new InputError('--new-image says how to commit', { hint: 'Pass --commit too.' });
	const shows = progress.style === 'line' && !quiet;
	let problems = 0;
	const summary = await unmountImage(given[0] ?? '', order, (line: UnmountLine) => {
		if (line.type === 'problem') {
			problems++;
			context.err(warningText(line.message));
		} else if (line.type === 'progress' && shows) {
			const total = line.totalBytes === null ? '' : ` of ${formatSize(line.totalBytes)}`;
			context.err(`\r\x1b[Kcommitting ${formatSize(line.doneBytes)}${total}`);
		}
	});
	if (shows) context.err('\r\x1b[K');
	const exitCode = problems > 0 ? 3 : 0;
	if (json)
		out.line(JSON.stringify({ verb: 'unmount', state: 'done', exitCode, problems, ...summary }));
	else if (!quiet) {
		out.line(`Unmounted ${out.show(summary.folder)}`);
		if (summary.changes === 'committed') out.line('The changes are part of the WIM now.');
		if (summary.changes === 'discarded')
			out.line('The changes were discarded; --commit would have kept them.');
		if (summary.wasDead)
			out.line(
				'Its process had ended before; the WIM is as it was, and mountrw brings changes back.',
			);
	}
	return exitCode;
};
