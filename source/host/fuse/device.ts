/**
 * A connection to the kernel: `/dev/fuse` opened here, and bound to a folder by `mount(8)`, which inherits the open
 * file. Requests are read on a thread of Node's own pool, one at a time; answers are written at once.
 */
import { execFile, spawn } from 'node:child_process';
import fs from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { HostError, hostError, InputError } from '../../base/errors.ts';
import { pathText } from '../../storage/host-fs.ts';
import { WRITE_SIZE_MAX } from './protocol.ts';

/** Shown in the list of mounts as `fuse.wimdeck`. */
const SUBTYPE = 'wimdeck';

/** A write with its header. */
const REQUEST_SIZE_MAX = WRITE_SIZE_MAX + (1 << 16);

/** What the kernel says of a connection that is over. */
const OVER: ReadonlySet<string> = new Set(['ENODEV', 'EBADF']);
/** A request that was withdrawn, or an answer to one: nothing to do. */
const WITHDRAWN: ReadonlySet<string> = new Set(['ENOENT', 'EINTR', 'EAGAIN']);

const codeOf = (error: unknown) => (error as NodeJS.ErrnoException | null)?.code ?? '';

/** Whether the kernel has the file system, so that at most its device is missing. */
function kernelHasFuse(): boolean {
	try {
		return /\tfuse$/m.test(fs.readFileSync('/proc/filesystems', 'utf8'));
	} catch {
		return false;
	}
}

/** Why the device cannot be opened: it is not for this user, or not there. */
function unusable(folder: string, error: unknown): HostError {
	const code = codeOf(error);
	const isForOthers = code === 'EACCES' || code === 'EPERM';
	const why = isForOthers ? 'only root may use /dev/fuse here' : 'this machine offers no /dev/fuse';
	const missing = kernelHasFuse()
		? 'Make it with "mknod /dev/fuse c 10 229" (a container gets it with --device=/dev/fuse)'
		: 'Load the module with "modprobe fuse"';
	const way = isForOthers ? 'Run it as root' : missing;
	return new HostError(
		`Cannot mount on "${folder}": ${why} (${code})`,
		{ path: folder, hint: `${way}, or use "wimdeck extract".` },
		error,
	);
}

export interface MountPlan {
	/** A folder, as an absolute path. */
	readonly folder: string;
	/** What the list of mounts says is mounted: the WIM. */
	readonly source: string;
	readonly readonly: boolean;
	readonly allowOther: boolean;
}

export class FuseDevice {
	readonly folder: string;
	readonly #fd: number;
	readonly #buffer = new Uint8Array(REQUEST_SIZE_MAX);
	#isOpen = true;

	private constructor(folder: string, fd: number) {
		this.folder = folder;
		this.#fd = fd;
	}

	/**
	 * Mounts.
	 *
	 * @throws {HostError} when this machine or this user cannot
	 * @throws {InputError} when the folder is not there
	 */
	static async mount(plan: MountPlan): Promise<FuseDevice> {
		const { folder } = plan;
		const mode = folderMode(folder);
		let fd: number;
		try {
			fd = fs.openSync('/dev/fuse', fs.constants.O_RDWR);
		} catch (error) {
			throw unusable(folder, error);
		}
		const options = [
			`fd=3,rootmode=${mode.toString(8)},user_id=${process.getuid?.() ?? 0},group_id=${process.getgid?.() ?? 0}`,
			plan.readonly ? 'ro' : 'rw',
			'nosuid,nodev,default_permissions',
			`max_read=${WRITE_SIZE_MAX}`,
			`subtype=${SUBTYPE}`,
			...(plan.allowOther ? ['allow_other'] : []),
		].join(',');
		const words = ['-i', '-n', '-t', 'fuse', '-o', options, '--', plan.source, folder];
		const refusal = await runMount(words, fd);
		if (refusal !== null) {
			fs.closeSync(fd);
			const { why, way } = refusal;
			throw new HostError(`Cannot mount on "${folder}": ${why}`, {
				path: folder,
				hint: `${way}, or use "wimdeck extract".`,
			});
		}
		return new FuseDevice(folder, fd);
	}

	/** The next request; null when the file system was unmounted. */
	async next(): Promise<Uint8Array | null> {
		while (this.#isOpen)
			try {
				const size = await readOnce(this.#fd, this.#buffer);
				return this.#buffer.slice(0, size);
			} catch (error) {
				if (OVER.has(codeOf(error))) return null;
				if (!WITHDRAWN.has(codeOf(error)))
					throw hostError(`Cannot serve "${this.folder}"`, error, { path: this.folder });
			}
		return null;
	}

	/** Sends an answer, which must be one write. */
	answer(bytes: Uint8Array): void {
		if (!this.#isOpen) return;
		try {
			fs.writeSync(this.#fd, bytes);
		} catch (error) {
			if (!OVER.has(codeOf(error)) && !WITHDRAWN.has(codeOf(error))) throw error;
		}
	}

	close(): void {
		if (!this.#isOpen) return;
		this.#isOpen = false;
		fs.closeSync(this.#fd);
	}
}

function readOnce(fd: number, into: Uint8Array): Promise<number> {
	return new Promise((resolve, reject) => {
		fs.read(fd, into, 0, into.length, null, (error, size) => {
			if (error) reject(error);
			else resolve(size);
		});
	});
}

/** The kind and permissions of the folder to mount on. */
function folderMode(folder: string): number {
	try {
		const stat = fs.statSync(folder);
		if (stat.isDirectory()) return stat.mode;
	} catch (error) {
		throw hostError(`Cannot mount on "${folder}"`, error, { path: folder });
	}
	throw new InputError(`Cannot mount on "${folder}": it is no folder`, {
		path: folder,
		hint: 'Make an empty folder for it.',
	});
}

/** @returns null, or why `mount` refused and what can be done */
function runMount(
	words: readonly string[],
	fd: number,
): Promise<{ readonly why: string; readonly way: string } | null> {
	return new Promise((resolve) => {
		// Pipes, because what is ignored needs a /dev/null.
		const child = spawn('mount', words, { stdio: ['pipe', 'pipe', 'pipe', fd] });
		child.stdin?.on('error', () => {});
		child.stdin?.end();
		child.stdout?.resume();
		let text = '';
		child.stderr?.on('data', (bytes) => {
			text += String(bytes);
		});
		child.on('error', (error) => {
			const isMissing = codeOf(error) === 'ENOENT';
			resolve({
				why: `mount(8) ${isMissing ? 'is not on this machine' : 'cannot be run'} (${codeOf(error)})`,
				way: isMissing ? 'Install it (Debian: the package mount)' : 'Run it as root',
			});
		});
		child.on('close', (code) => {
			const [line = ''] = text.trim().split('\n');
			const why = line || `mount(8) ended with ${code}`;
			resolve(code === 0 ? null : { why, way: 'Mounting needs root: run it with sudo' });
		});
	});
}

/** One of our mounts as the system lists it. */
export interface ListedMount {
	/** An absolute path. */
	readonly folder: string;
	/** What it shows: the WIM. */
	readonly source: string;
	readonly isWritable: boolean;
}

/** Our mounts, those of processes that are gone too. */
export async function listedMounts(): Promise<readonly ListedMount[]> {
	const bytes = await readFile('/proc/self/mountinfo').catch(() => Buffer.alloc(0));
	const found: ListedMount[] = [];
	for (const line of pathText(bytes).split('\n')) {
		const [before = '', after = ''] = line.split(' - ');
		const [, , , , folder, options = ''] = before.split(' ');
		const [type, source = ''] = after.split(' ');
		if (folder !== undefined && type === `fuse.${SUBTYPE}`)
			found.push({
				folder: unescaped(folder),
				source: unescaped(source),
				isWritable: options.split(',').includes('rw'),
			});
	}
	return found;
}

/** Whether a folder of `mountedFolder` takes changes. */
export async function isWritableMount(folder: string): Promise<boolean> {
	return (await listedMounts()).some((mount) => mount.folder === folder && mount.isWritable);
}

/** Blanks, tabs, line feeds and backslashes stand as octal digits in the list. */
const unescaped = (text: string) =>
	text.replace(/\\([0-7]{3})/g, (_, digits: string) =>
		String.fromCharCode(Number.parseInt(digits, 8)),
	);

/** The mounted folder that a name means; null when it is none of ours. */
export async function mountedFolder(name: string): Promise<string | null> {
	// A dead mount cannot be resolved: the folder above it can.
	const absolute = path.resolve(name);
	const folder = await fs.promises
		.realpath(path.dirname(absolute))
		.then((real) => path.join(real, path.basename(absolute)))
		.catch(() => absolute);
	const mounted = (await listedMounts()).map((mount) => mount.folder);
	return [absolute, folder].find((candidate) => mounted.includes(candidate)) ?? null;
}

/**
 * Takes a mounted folder away.
 *
 * @param force also while it is in use: it vanishes, and what programs still hold of it answers with an error
 * @throws {HostError} when it is in use
 */
export async function unmountFolder(folder: string, force: boolean): Promise<void> {
	try {
		await promisify(execFile)('umount', [...(force ? ['-f', '-l'] : []), '--', folder]);
	} catch (error) {
		const { stderr = '' } = error as { stderr?: string };
		const isBusy = /busy/.test(stderr);
		const [line = ''] = stderr.trim().split('\n');
		throw new HostError(
			`Cannot unmount "${folder}": ${isBusy ? 'a program uses it' : line || codeOf(error)}`,
			{
				path: folder,
				hint: isBusy
					? 'Leave the folder and close what is open in it, or pass --force.'
					: 'Unmounting needs root: run it with sudo.',
			},
			error,
		);
	}
}
