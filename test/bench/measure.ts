/** Runs commands and measures what they take: time, processor time, memory. */
import { spawn, spawnSync } from 'node:child_process';
import {
	closeSync,
	fsyncSync,
	openSync,
	readdirSync,
	readFileSync,
	rmSync,
	statSync,
} from 'node:fs';
import path from 'node:path';
import { root } from '../support/fixture.ts';

/** What one run of a command took. */
export interface Measure {
	readonly ms: number;
	/** Of all threads and child processes, user and system; sampled, so up to 10 ms too little. 0 without /proc. */
	readonly cpuMs: number;
	/** Greatest resident size of the process with its threads, plus that of its children, in MB; sampled. */
	readonly peakMb: number;
	/** Until the disk had what was written, counted from the end of the command; absent where that is not asked for. */
	readonly syncMs?: number;
}

export interface Turns {
	readonly ours: readonly Measure[];
	readonly reference: readonly Measure[];
}

const PROGRAM = path.join(root, 'dist', 'wimdeck.js');
const SAMPLE_MS = 10;
/** Without what this machine asks of every Node program: a file of certificates alone takes 40 ms at each start. */
const UNWANTED = ['NODE_EXTRA_CA_CERTS', 'NODE_OPTIONS'];
/** Linux counts processor time in hundredths of a second for user programs, whatever the kernel's own tick. */
const TICK_MS = 10;

function environment(): NodeJS.ProcessEnv {
	return Object.fromEntries(
		Object.entries(process.env).filter(([name]) => !UNWANTED.includes(name)),
	);
}

function read(file: string): string {
	try {
		return readFileSync(file, 'utf8');
	} catch {
		// The process has ended, or this system has no /proc.
		return '';
	}
}

function descendants(pid: number): number[] {
	const children = read(`/proc/${pid}/task/${pid}/children`).split(' ').filter(Boolean).map(Number);
	return [pid, ...children.flatMap(descendants)];
}

function peakMbOf(pid: number): number {
	return Number(/VmHWM:\s+(\d+)/.exec(read(`/proc/${pid}/status`))?.[1] ?? 0) / 1024;
}

function cpuMsOf(pid: number): number {
	const stat = read(`/proc/${pid}/stat`);
	// Behind the name, which may hold anything: utime, stime, and those of children that have ended.
	const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
	return fields.slice(11, 15).reduce((sum, ticks) => sum + Number(ticks) * TICK_MS, 0);
}

/**
 * Runs a command to its end.
 *
 * @param codes that count as success
 * @throws when it fails
 */
export async function measure(
	command: string,
	args: readonly string[],
	codes: readonly number[] = [0],
): Promise<Measure> {
	const start = performance.now();
	const child = spawn(command, args, {
		stdio: ['ignore', 'ignore', 'pipe'],
		env: environment(),
	});
	let errors = '';
	child.stderr.on('data', (chunk) => {
		errors += chunk;
	});
	let cpuMs = 0;
	let peakMb = 0;
	const sample = setInterval(() => {
		if (child.pid === undefined) return;
		cpuMs = Math.max(cpuMs, cpuMsOf(child.pid));
		peakMb = Math.max(
			peakMb,
			descendants(child.pid).reduce((sum, pid) => sum + peakMbOf(pid), 0),
		);
	}, SAMPLE_MS);
	const code = await new Promise<number | null>((resolve, reject) => {
		child.on('error', reject);
		child.on('exit', resolve);
	}).finally(() => clearInterval(sample));
	const ms = performance.now() - start;
	if (code === null || !codes.includes(code))
		throw new Error(`${command} ${args.join(' ')} ended with ${code}: ${errors}`);
	return { ms, cpuMs, peakMb };
}

/** One side of a comparison: what must be gone or made before each run, and the command. */
export interface Side {
	readonly args: readonly string[];
	/** Removed before each run. */
	readonly target?: string;
	/** Not measured. */
	readonly prepare?: () => void;
	/** Whether the run counts until the files of its target's folder are on the disk. */
	readonly isSynced?: boolean;
}

export const wimlib = (...args: string[]) => measure('wimlib-imagex', args);
export const wimdeck = (args: readonly string[], codes?: readonly number[]) =>
	measure(process.execPath, [PROGRAM, ...args, '--quiet'], codes);

/** How long it takes until all files of a folder are on the disk. */
function syncFiles(folder: string): number {
	const start = performance.now();
	for (const name of readdirSync(folder)) {
		const file = path.join(folder, name);
		if (!statSync(file).isFile()) continue;
		const fd = openSync(file, 'r');
		fsyncSync(fd);
		closeSync(fd);
	}
	return performance.now() - start;
}

async function runSide(side: Side, run: (args: readonly string[]) => Promise<Measure>) {
	const measured = await run(side.args);
	if (!side.isSynced || side.target === undefined) return measured;
	const syncMs = syncFiles(path.dirname(side.target));
	return { ...measured, ms: measured.ms + syncMs, syncMs };
}

/** A B A B, so that whatever else the machine does hits both. What was written before is on the disk by then. */
export async function inTurns(rounds: number, ours: Side, reference: Side): Promise<Turns> {
	const result = { ours: [] as Measure[], reference: [] as Measure[] };
	const ready = ({ target, prepare }: Side) => {
		if (target !== undefined) rmSync(target, { recursive: true, force: true });
		prepare?.();
		spawnSync('sync');
	};
	for (let k = 0; k < rounds; k++) {
		ready(reference);
		result.reference.push(await runSide(reference, (args) => wimlib(...args)));
		ready(ours);
		result.ours.push(await runSide(ours, wimdeck));
	}
	return result;
}

export function median(values: readonly number[]): number {
	const sorted = [...values].sort((a, b) => a - b);
	return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}
