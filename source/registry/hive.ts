/** Keys and values of a registry hive (regf.md §6 to §9), read by following references only. */
import { FormatError } from '../base/errors.ts';
import type { Span } from '../bytes/span.ts';
import { upperUnits } from '../bytes/upper-case.ts';
import { Cells, decodeName, NO_CELL, signatureOf } from './cells.ts';
import { RegistryValue } from './value.ts';

/** More subkeys or values in one key mean a damaged count (regf.md §12). */
const ENTRIES_MAX = 1_000_000;
/** A walk stops at this depth; Windows' own limit. */
export const KEY_DEPTH_MAX = 512;

/** Flags of a key that matter here. */
const KeyFlag = { latin1Name: 0x20, predefinedHandle: 0x40 } as const;

/** A branch that cannot be read; its siblings still can. */
export interface HiveProblem {
	/** Of the key it belongs to, from the root, with `\`. */
	readonly path: string;
	readonly error: FormatError;
}

/** An open hive. */
export class Hive {
	readonly root: RegistryKey;
	/** What was odd in the header. */
	readonly warnings: readonly string[];
	/** Grows while keys are read. */
	readonly problems: HiveProblem[] = [];
	readonly minorVersion: number;

	/** @throws {FormatError} when the bytes are not a readable hive */
	constructor(file: Span) {
		const cells = new Cells(file);
		this.warnings = cells.warnings;
		this.minorVersion = cells.base.minor;
		this.root = new RegistryKey({ cells, problems: this.problems }, cells.base.root, '', 0);
	}

	/** The key at a path with `\` between names, compared ignoring case; null when there is none. */
	key(path: string): RegistryKey | null {
		let key: RegistryKey | null = this.root;
		for (const name of path.split('\\').filter((part) => part !== ''))
			key = key?.subkey(name) ?? null;
		return key;
	}

	/** The value of a key; null when key or value is not there. The name '' is the default value. */
	value(path: string, name: string): RegistryValue | null {
		return this.key(path)?.value(name) ?? null;
	}

	/** The name of the control set in use: `ControlSet001`, as `Select` says (regf.md §12). */
	get currentControlSet(): string {
		for (const name of ['Current', 'Default']) {
			const number = this.value('Select', name)?.number ?? null;
			const control = `ControlSet${String(number).padStart(3, '0')}`;
			if (number !== null && this.key(control) !== null) return control;
		}
		return 'ControlSet001';
	}
}

interface Context {
	readonly cells: Cells;
	readonly problems: HiveProblem[];
}

export class RegistryKey {
	readonly name: string;
	/** From the root, with `\`; '' for the root itself. */
	readonly path: string;
	/** FILETIME. */
	readonly lastWritten: bigint;
	readonly depth: number;
	readonly #context: Context;
	readonly #record: Span;
	/** Offsets of this key and those above it: a key below itself is a loop. */
	readonly #chain: readonly number[];

	constructor(
		context: Context,
		offset: number,
		parentPath: string,
		depth: number,
		chain: readonly number[] = [],
	) {
		const record = context.cells.data(offset, 76, 'registry key');
		if (signatureOf(record) !== 'nk') throw record.error(0, 'Cannot read registry key: no "nk"');
		if (chain.includes(offset))
			throw record.error(0, 'Cannot read registry key: it lies below itself');
		const size = record.view.getUint16(72, true);
		const flags = record.view.getUint16(2, true);
		const name = decodeName(
			record.part(76, size, 'name of registry key').bytes,
			(flags & KeyFlag.latin1Name) !== 0,
		);
		this.name = name;
		this.depth = depth;
		this.path = depth === 0 ? '' : parentPath === '' ? name : `${parentPath}\\${name}`;
		this.lastWritten = record.view.getBigUint64(4, true);
		this.#context = context;
		this.#record = record;
		this.#chain = [...chain, offset];
	}

	/** All subkeys in the order of the lists. Those that cannot be read are left out and reported in `Hive.problems`. */
	subkeys(): RegistryKey[] {
		const list = this.#record.view.getUint32(28, true);
		if (this.#record.view.getUint32(20, true) === 0 || list === NO_CELL) return [];
		if (this.depth >= KEY_DEPTH_MAX) return [];
		const keys: RegistryKey[] = [];
		for (const offset of this.#attempt(() => this.#keyOffsets(list, true)) ?? []) {
			const key = this.#attempt(
				() => new RegistryKey(this.#context, offset, this.path, this.depth + 1, this.#chain),
			);
			if (key !== null) keys.push(key);
		}
		return keys;
	}

	/** The subkey of that name, ignoring case; null when there is none. */
	subkey(name: string): RegistryKey | null {
		const wanted = upperUnits(name);
		return this.subkeys().find((key) => upperUnits(key.name) === wanted) ?? null;
	}

	/** All values in the order of their creation. */
	values(): RegistryValue[] {
		const count = this.#record.view.getUint32(36, true);
		const list = this.#record.view.getUint32(40, true);
		const flags = this.#record.view.getUint16(2, true);
		if (count === 0 || list === NO_CELL || flags & KeyFlag.predefinedHandle) return [];
		const { cells } = this.#context;
		const offsets = this.#attempt(() => {
			if (count > ENTRIES_MAX)
				throw cells.error(list, `Cannot read registry values: ${count} are too many`);
			return cells.data(list, count * 4, 'list of registry values');
		});
		const values: RegistryValue[] = [];
		for (let k = 0; offsets !== null && k < count; k++) {
			const offset = offsets.view.getUint32(k * 4, true);
			const value = this.#attempt(() => new RegistryValue(cells, offset));
			if (value !== null) values.push(value);
		}
		return values;
	}

	/** The value of that name, ignoring case; the first one of several. '' is the default value. */
	value(name: string): RegistryValue | null {
		const wanted = upperUnits(name);
		return this.values().find((value) => upperUnits(value.name) === wanted) ?? null;
	}

	#keyOffsets(list: number, mayBranch: boolean): number[] {
		const { cells } = this.#context;
		const head = cells.data(list, 4, 'list of subkeys');
		const signature = signatureOf(head);
		const count = head.view.getUint16(2, true);
		const width = signature === 'lf' || signature === 'lh' ? 8 : 4;
		if (!['lf', 'lh', 'li', 'ri'].includes(signature))
			throw head.error(0, 'Cannot read list of subkeys: unknown signature');
		head.need(4, count * width, 'list of subkeys');
		const offsets = Array.from({ length: count }, (_, k) =>
			head.view.getUint32(4 + k * width, true),
		);
		if (signature !== 'ri') return offsets;
		if (!mayBranch) throw head.error(0, 'Cannot read list of subkeys: lists of lists of lists');
		const all: number[] = [];
		for (const offset of offsets) {
			for (const key of this.#attempt(() => this.#keyOffsets(offset, false)) ?? []) all.push(key);
			if (all.length > ENTRIES_MAX)
				throw head.error(0, `Cannot read list of subkeys: more than ${ENTRIES_MAX}`);
		}
		return all;
	}

	#attempt<T>(action: () => T): T | null {
		try {
			return action();
		} catch (error) {
			if (!(error instanceof FormatError)) throw error;
			this.#context.problems.push({ path: this.path, error });
			return null;
		}
	}
}
