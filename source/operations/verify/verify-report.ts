/** What `verify` finds: plain data, so that it can be saved, loaded, sent to a screen or printed. */

import type { ErrorCode, WimError } from '../../base/errors.ts';
import type { Stamp } from '../../storage/file-stamp.ts';

/** A stretch of bytes. */
export interface Range {
	readonly offset: number;
	readonly size: number;
}

/** What kind of thing is damaged. */
export type FaultClass =
	/** A field of the header, or the header as a whole. */
	| 'header'
	| 'xml'
	| 'blob-table'
	| 'integrity-table'
	/** A stretch that differs from the integrity table. */
	| 'integrity'
	/** The tree of an image. */
	| 'metadata'
	/** The contents of one or more files. */
	| 'blob'
	/** Contents that no table lists. */
	| 'missing-blob'
	| 'missing-part'
	/** Something that only a reader from a pipe needs. */
	| 'pipable'
	/** Something odd that reading works around. */
	| 'oddity';

/** A file that a fault hits. */
export interface HitFile {
	/** Of the image, from 1. */
	readonly image: number;
	/** With the stream behind a colon when it is a named one. */
	readonly path: string;
}

/** Another place that has the same contents. */
export interface BlobCopy {
	readonly part: string;
	readonly offset: number;
	/** Whether it was read and has the right SHA-1. */
	readonly isGood: boolean;
}

export interface Fault {
	/** From 1, in the order found; a fault that is told again with more known keeps its number. */
	readonly id: number;
	readonly class: FaultClass;
	/** A warning costs no data. */
	readonly severity: 'error' | 'warning';
	/** A sentence without a final stop. */
	readonly message: string;
	readonly code: ErrorCode;
	/** The file it is in; null when it is in none. */
	readonly part: string | null;
	/** Where in that file; null when there is no single place. */
	readonly range: Range | null;
	/** Of the blob; null when it is not about one. */
	readonly sha1: string | null;
	/** Original bytes of the blob. */
	readonly blobSize: number | null;
	/** Original bytes of the blob that cannot be read; the rest can. Null when that is not known. */
	readonly lost: readonly Range[] | null;
	/** Indexes of the images that it hits. */
	readonly images: readonly number[];
	/** The whole image cannot be browsed because of it. */
	readonly blocksImage: boolean;
	readonly files: readonly HitFile[];
	readonly copies: readonly BlobCopy[];
	/** Every other place that the tables give for these contents was looked at. */
	readonly copiesSought: boolean;
	/** How the resource is stored: `LZX`, `LZMS, solid`, `not compressed`; null when it is about none. */
	readonly storedAs: string | null;
	/** What to do, or what else is known; one sentence each. */
	readonly notes: readonly string[];
}

/** What a stretch of a part turned out to be. */
export type CellState = 'structure' | 'good' | 'bad' | 'unchecked' | 'unreferenced';

export interface MapRange extends Range {
	readonly state: CellState;
}

/** One file of the set. */
export interface PartReport {
	readonly path: string;
	readonly partNumber: number;
	readonly size: number;
	/**
	 * `stale`: it differs, but everything that is used was read and is good; `unchecked`: not asked for, or the table
	 * is broken.
	 */
	readonly integrity: 'none' | 'good' | 'bad' | 'stale' | 'unchecked';
	/** Without gaps from the first byte to the last. */
	readonly map: readonly MapRange[];
}

/** How much was really looked at. */
export interface Coverage {
	readonly blobs: number;
	readonly blobsChecked: number;
	readonly blobsBad: number;
	/** Original bytes. */
	readonly blobBytes: number;
	readonly blobBytesChecked: number;
	readonly images: number;
	/** Images whose whole tree was read. */
	readonly imagesRead: number;
	/** Raw bytes compared with integrity tables. */
	readonly integrityBytes: number;
}

export interface VerifyReport {
	readonly type: 'verify-report';
	readonly path: string;
	/** Of every file that was read; empty when the bytes did not come from files. */
	readonly files: readonly Stamp[];
	readonly faults: readonly Fault[];
	readonly parts: readonly PartReport[];
	readonly coverage: Coverage;
	/** Structures and integrity table only. */
	readonly isFast: boolean;
}

/** What is known of a fault when it is found; the rest is empty. */
export type FaultFacts = Pick<Fault, 'class'> &
	Partial<Omit<Fault, 'id' | 'class' | 'message' | 'code'>>;

/** Keeps the faults of one run, numbered. */
export class FaultList {
	readonly #faults: Fault[] = [];
	readonly #onFault: (fault: Fault) => void;

	/** @param onFault told of each fault when it is found, and again when more is known */
	constructor(onFault: (fault: Fault) => void) {
		this.#onFault = onFault;
	}

	get all(): readonly Fault[] {
		return this.#faults;
	}

	add(error: Pick<WimError, 'message' | 'code' | 'facts'>, facts: FaultFacts): Fault {
		const { hint, offset } = error.facts;
		const fault: Fault = {
			id: this.#faults.length + 1,
			severity: 'error',
			message: error.message,
			code: error.code,
			part: null,
			range: facts.part != null && offset !== undefined ? { offset, size: 0 } : null,
			sha1: null,
			blobSize: null,
			lost: null,
			images: [],
			blocksImage: false,
			files: [],
			copies: [],
			copiesSought: false,
			storedAs: null,
			notes: hint === undefined ? [] : [hint],
			...facts,
		};
		this.#faults.push(fault);
		this.#onFault(fault);
		return fault;
	}

	/** Says more about a fault. */
	extend(id: number, more: Partial<Fault>): void {
		const old = this.#faults[id - 1];
		if (old === undefined) throw new Error(`There is no fault ${id}`);
		const fault = { ...old, ...more };
		this.#faults[id - 1] = fault;
		this.#onFault(fault);
	}
}
