/** What a repair found, took from where, and could not get back: plain data, and text for people. */
import type { ReadBack } from '../rescue/check-written.ts';
import type { HitFile, Range } from '../verify/verify-report.ts';

/** Where the right bytes of something came from that could not be read where it should be. */
export type RemedyKind =
	/** A donor has the same contents. */
	| 'donor'
	/** Another place of the same file or set. */
	| 'copy'
	/** An entry of a chunk table was worked out from the chunks. */
	| 'chunk-table'
	/** It stands before the damage in its chunk, and could be decoded. */
	| 'before-damage'
	/** A flipped bit was found by trying. */
	| 'bit'
	/** An entry of the blob table was wrong. */
	| 'blob-table'
	/** An older state of the same image, for metadata. */
	| 'older';

export interface Remedy {
	readonly kind: RemedyKind;
	/** The file that gave it; for a folder the file in it. */
	readonly from: string;
	/** Where the flipped bit is, in bytes from the start of that file; null for everything else. */
	readonly offset: number | null;
}

/** Contents that were damaged or missing. */
export interface RepairedBlob {
	readonly sha1: string;
	/** Original bytes; null when nobody knows. */
	readonly size: number | null;
	readonly remedy: Remedy;
	readonly files: readonly HitFile[];
}

export interface StillLost {
	readonly sha1: string;
	readonly size: number | null;
	/** Stretches of the contents that cannot be read; null when that is not known, or nothing can be. */
	readonly lost: readonly Range[] | null;
	/** Something of it stands in the new file, under a name that ends in `.partial`. */
	readonly isPartial: boolean;
	/** A sentence without a final stop. */
	readonly why: string;
	readonly files: readonly HitFile[];
}

export interface RepairedImage {
	/** In the damaged file, from 1; null when no table names it. */
	readonly index: number | null;
	/** In the new file, from 1; null when it is not there. */
	readonly newIndex: number | null;
	readonly name: string;
	/** `damaged`: its tree has holes; `lost`: there is none. */
	readonly state: 'whole' | 'repaired' | 'damaged' | 'lost';
	/** Of its tree; null for one that was whole, or stays damaged. */
	readonly remedy: Remedy | null;
	readonly notes: readonly string[];
}

export interface DonorReport {
	readonly path: string;
	readonly kind: 'wim' | 'folder';
	/** Contents that came from it. */
	readonly blobCount: number;
	/** Their original bytes. */
	readonly bytes: number;
	/** Files that were read to learn their SHA-1. */
	readonly hashedCount: number;
}

/** Where images come from of which the file itself has no tree. */
export interface ImagesFrom {
	/** As it was named. */
	readonly donor: string;
	/** How the donor is known to hold the same images; `contents`: by nothing but contents that both have. */
	readonly proof: 'guid' | 'xml' | 'contents';
	/** The blob table of the donor tells where contents lie in the damaged file. */
	readonly hasTables: boolean;
}

export interface BitSearchReport {
	readonly seconds: number;
	/** Contents and trees that were searched to the end. */
	readonly searched: number;
	readonly found: number;
	/** Left when the time was up. */
	readonly unfinished: number;
	/** About how long those would take, at the speed so far; null when that is not known. */
	readonly neededSeconds: number | null;
}

export interface RepairReport {
	readonly type: 'repair-report';
	readonly file: string;
	/** The new file. */
	readonly target: string;
	readonly isDryRun: boolean;
	/** What was wrong with the structures, and what was used instead. */
	readonly findings: readonly string[];
	readonly images: readonly RepairedImage[];
	/** Null when all of them were named by the file itself. */
	readonly imagesFrom: ImagesFrom | null;
	/** False when a later state of the file was there once, of which no tree was found. */
	readonly isNewest: boolean;
	readonly repaired: readonly RepairedBlob[];
	readonly lost: readonly StillLost[];
	readonly donors: readonly DonorReport[];
	/** Null when nothing was searched. */
	readonly bitSearch: BitSearchReport | null;
	/** Contents that the images name, and how many of them were good where they are. */
	readonly blobCount: number;
	readonly intactCount: number;
	/** In bytes. */
	readonly sizeBefore: number;
	/** In bytes; what it would be about in a dry run. */
	readonly sizeAfter: number;
	/** What was read back of the new file and is good; null in a dry run. */
	readonly readBack: ReadBack | null;
}

/** Nothing stays lost, and the names are known to be those that the file had. */
export function isRepaired(report: RepairReport): boolean {
	return (
		report.isNewest &&
		report.imagesFrom?.proof !== 'contents' &&
		report.lost.length === 0 &&
		report.images.every(({ state }) => state === 'whole' || state === 'repaired')
	);
}
