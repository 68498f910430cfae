/**
 * What was changed in a mounted image, written down beside the staged contents while it is mounted: one line of JSON for
 * each change. When the serving process is killed, the next mount of the image plays it back.
 */
import path from 'node:path';
import { LineLog, readLines } from '../../host/line-log.ts';
import type { StreamsInterface } from './mount-view.ts';

/** The file in the staging folder. */
const NAME = 'changes';
const VERSION = 1;

/** What the changes are of: they can only be played back on the same. */
export interface LogSubject {
	/** An absolute path. */
	readonly wim: string;
	readonly index: number;
	/** SHA-1 of the metadata of the image. */
	readonly metadata: string;
	readonly unixData: boolean;
	readonly streams: StreamsInterface;
}

/** Numbers stand for files and folders; 1 is the root. Names are text that stands for bytes. */
export type Change =
	| { readonly type: 'look'; readonly node: number; readonly folder: number; readonly name: string }
	| {
			readonly type: 'file' | 'folder' | 'link';
			readonly node: number;
			readonly folder: number;
			readonly name: string;
			readonly mode: number;
			readonly rdev: number;
			readonly uid: number;
			readonly gid: number;
			/** Of a symbolic link, in base64; else empty. */
			readonly target: string;
	  }
	| { readonly type: 'name'; readonly node: number; readonly folder: number; readonly name: string }
	| { readonly type: 'unlink' | 'rmdir'; readonly folder: number; readonly name: string }
	| {
			readonly type: 'rename';
			readonly folder: number;
			readonly name: string;
			readonly toFolder: number;
			readonly toName: string;
	  }
	| {
			readonly type: 'attributes';
			readonly node: number;
			readonly mode?: number;
			readonly uid?: number;
			readonly gid?: number;
			/** Nanoseconds since 1970. */
			readonly access?: string;
			readonly write?: string;
	  }
	| {
			readonly type: 'xattr';
			readonly node: number;
			readonly name: string;
			/** In base64; null removes it. */
			readonly value: string | null;
	  }
	/** Since then the contents are those of the staged file of that number. */
	| { readonly type: 'staged'; readonly node: number; readonly file: number };

/** A change and when it was made: FILETIME. */
export interface LoggedChange {
	readonly time: bigint;
	readonly change: Change;
}

/** A log as it was read. */
export interface ReadLog {
	/** Null where this version does not understand the log, or cannot read it. */
	readonly subject: LogSubject | null;
	readonly changes: readonly LoggedChange[];
}

/**
 * Reads the log of a staging folder. A line that was cut off by a kill was not answered yet, and is cut away.
 *
 * @returns null when there is none
 */
export function readChanges(folder: string): ReadLog | null {
	let read: readonly string[] | null;
	try {
		read = readLines(path.join(folder, NAME));
	} catch {
		// Whoever took it for none would remove what was changed.
		return { subject: null, changes: [] };
	}
	const [first, ...lines] = read ?? [];
	if (first === undefined) return null;
	try {
		const { version, subject } = JSON.parse(first) as { version: number; subject: LogSubject };
		if (version !== VERSION) return { subject: null, changes: [] };
		const changes = lines.map((line) => {
			const { time, ...change } = JSON.parse(line) as Change & { time: string };
			return { time: BigInt(time), change };
		});
		return { subject, changes };
	} catch (error) {
		if (error instanceof SyntaxError) return { subject: null, changes: [] };
		throw error;
	}
}

/** Whether nothing was changed. */
export const isEmpty = ({ subject, changes }: ReadLog): boolean =>
	subject !== null && changes.length === 0;

/** Takes down changes as they are made. */
export class ChangeLog {
	readonly #lines: LineLog;

	private constructor(folder: string) {
		this.#lines = new LineLog(path.join(folder, NAME));
	}

	/** Begins a log. */
	static create(folder: string, subject: LogSubject): ChangeLog {
		const log = new ChangeLog(folder);
		log.#lines.add(JSON.stringify({ version: VERSION, subject }));
		return log;
	}

	/** Goes on with the log of a folder that was taken over. */
	static resume(folder: string): ChangeLog {
		return new ChangeLog(folder);
	}

	/** @throws what `node:fs` throws; nothing is written down any more then */
	add(time: bigint, change: Change): void {
		this.#lines.add(JSON.stringify({ ...change, time: String(time) }));
	}

	close(): void {
		this.#lines.close();
	}

	/**
	 * Removes the log: what it says is stored elsewhere by now.
	 *
	 * @throws what `node:fs` throws
	 */
	remove(): void {
		this.#lines.remove();
	}
}
