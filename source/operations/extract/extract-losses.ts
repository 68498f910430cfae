/** Counts what an image holds and the target cannot, so that the run says it once, with numbers, before it starts. */

import { plural } from '../../base/print.ts';
import { Attribute } from '../../image/dentry.ts';

/** What one file has beyond names, contents and times. */
export interface FileExtras {
	readonly attributes: number;
	readonly hasNamedStreams: boolean;
	readonly hasDescriptor: boolean;
	readonly hasShortName: boolean;
	readonly hasObjectId: boolean;
	readonly hasUnixData: boolean;
	readonly hasExtendedAttributes: boolean;
	/** Reparse data of another kind than symbolic link and junction. */
	readonly hasOtherReparse: boolean;
}

export interface LossOptions {
	readonly unixData: boolean;
	readonly acls: 'restore' | 'skip' | 'strict';
	readonly attributes: boolean;
}

/** Attributes that mean something on Windows and have no place on Unix; "archive" is set on nearly every file and worth no word. */
const LOST_ATTRIBUTES: readonly (readonly [name: string, bit: number])[] = [
	['read-only', Attribute.readonly],
	['hidden', Attribute.hidden],
	['system', Attribute.system],
	['temporary', Attribute.temporary],
	['compressed', Attribute.compressed],
	['offline', Attribute.offline],
	['not indexed', Attribute.notContentIndexed],
	['encrypted', Attribute.encrypted],
	['integrity', Attribute.integrityStream],
];

/** What ntfs-3g sets. */
const SETTABLE: ReadonlySet<string> = new Set([
	'read-only',
	'hidden',
	'system',
	'temporary',
	'offline',
	'not indexed',
]);

const LOST_MASK = LOST_ATTRIBUTES.reduce((mask, [, bit]) => mask | bit, 0);

export class LossCounter {
	/** Names that hold a backslash, which stays an ordinary character. */
	backslashNames = 0;
	readonly #options: LossOptions;
	readonly #keepsNtfs: boolean;
	readonly #attributes = new Map<string, number>();
	#streams = 0;
	#descriptors = 0;
	#shortNames = 0;
	#objectIds = 0;
	#unixData = 0;
	#extendedAttributes = 0;
	#otherReparse = 0;

	/** @param keepsNtfs the target is an NTFS volume, which holds nearly all of it */
	constructor(options: LossOptions, keepsNtfs: boolean) {
		this.#options = options;
		this.#keepsNtfs = keepsNtfs;
	}

	get descriptorCount(): number {
		return this.#descriptors;
	}

	add(file: FileExtras): void {
		if (file.hasNamedStreams) this.#streams++;
		if (file.hasDescriptor) this.#descriptors++;
		if (file.hasShortName) this.#shortNames++;
		if (file.hasObjectId) this.#objectIds++;
		if (file.hasUnixData) this.#unixData++;
		if (file.hasExtendedAttributes) this.#extendedAttributes++;
		if (file.hasOtherReparse) this.#otherReparse++;
		if ((file.attributes & LOST_MASK) === 0) return;
		for (const [name, bit] of LOST_ATTRIBUTES)
			if (file.attributes & bit) this.#attributes.set(name, (this.#attributes.get(name) ?? 0) + 1);
	}

	/** One sentence a feature, without final stops. */
	sentences(): string[] {
		const { acls, attributes, unixData } = this.#options;
		const sentences: string[] = [];
		const add = (count: number, what: string, hint = '') => {
			if (count > 0) sentences.push(`Left out: ${what} of ${plural(count, 'file')}${hint}`);
		};
		if (!this.#keepsNtfs) {
			add(this.#streams, 'named data streams');
			if (acls !== 'skip') add(this.#descriptors, 'Windows security descriptors');
			add(this.#shortNames, 'short names');
			add(this.#objectIds, 'object ids');
			add(this.#otherReparse, 'reparse data that are neither symbolic link nor junction');
		}
		if (attributes)
			for (const [name, count] of this.#attributes)
				if (!this.#keepsNtfs || !SETTABLE.has(name)) add(count, `the attribute "${name}"`);
		if (!unixData) {
			add(this.#unixData, 'Unix owners and modes', '; pass --unix-data to restore them');
			add(this.#extendedAttributes, 'extended attributes', '; pass --unix-data to restore them');
		}
		if (this.backslashNames > 0)
			sentences.push(
				`${plural(this.backslashNames, 'name')} with a backslash: it is an ordinary character here, but not for every program`,
			);
		return sentences;
	}
}
