/**
 * What an extraction plan puts where, as columns of numbers: there may be 300,000 names. Items are put together when
 * they are asked for, and known again by their numbers.
 */
import { LazyList, type List } from '../../base/list.ts';
import { Float64Column, Uint32Column } from '../../bytes/columns.ts';
import type { Sha1 } from '../../bytes/sha1.ts';
import { Sha1Index } from '../../bytes/sha1-index.ts';
import type { ImageTree } from '../../image/tree.ts';
import type { ExtractBlob } from './extract-data.ts';

/** One name that is put onto this machine. */
export interface ExtractItem {
	/** Names the item within its plan. */
	readonly number: number;
	/** Its position in the tree of the image. */
	readonly dentry: number;
	/** Below the target, without leading separator; '' is the target itself. */
	readonly path: string;
}

/** All items of a plan, 8 bytes each. */
export class ExtractItems {
	readonly #tree: ImageTree;
	readonly #dentries: Uint32Column;
	/** The item of the folder + 1; 0 for what was chosen itself. */
	readonly #folders: Uint32Column;
	/** Paths of what was chosen itself; names that replace those in the image. */
	readonly #names = new Map<number, string>();
	/** Paths of folders, remembered once they are needed. */
	readonly #paths = new Map<number, string>();

	constructor(tree: ImageTree) {
		this.#tree = tree;
		this.#dentries = new Uint32Column(tree.count);
		this.#folders = new Uint32Column(tree.count);
	}

	/** So many there are at most: columns that are made for it at once leave none behind that were too small. */
	get most(): number {
		return this.#tree.count;
	}

	/** Adds what was chosen itself. */
	addRoot(dentry: number, path: string): ExtractItem {
		const number = this.#dentries.push(dentry);
		this.#folders.push(0);
		this.#names.set(number, path);
		return this.get(number);
	}

	/** @param newName replaces the one in the image; null keeps that */
	addChild(folder: ExtractItem, dentry: number, newName: string | null): ExtractItem {
		const number = this.#dentries.push(dentry);
		this.#folders.push(folder.number + 1);
		if (newName !== null) this.#names.set(number, newName);
		return this.get(number);
	}

	get(number: number): ExtractItem {
		return new Item(this, number, this.#dentries.get(number));
	}

	path(number: number): string {
		const folder = this.#folders.get(number) - 1;
		const newName = this.#names.get(number);
		if (folder < 0) return newName ?? '';
		let above = this.#paths.get(folder);
		if (above === undefined) {
			above = this.path(folder);
			this.#paths.set(folder, above);
		}
		const name = newName ?? this.#tree.name(this.#dentries.get(number));
		return above === '' ? name : `${above}/${name}`;
	}
}

class Item implements ExtractItem {
	readonly number: number;
	readonly dentry: number;
	readonly #items: ExtractItems;

	constructor(items: ExtractItems, number: number, dentry: number) {
		this.#items = items;
		this.number = number;
		this.dentry = dentry;
	}

	get path(): string {
		return this.#items.path(this.number);
	}
}

/** Some items of a plan, in order. */
export class ItemList implements List<ExtractItem> {
	readonly #items: ExtractItems;
	readonly #numbers: Uint32Column;

	constructor(items: ExtractItems, numbers = new Uint32Column()) {
		this.#items = items;
		this.#numbers = numbers;
	}

	get length(): number {
		return this.#numbers.length;
	}

	/** Names the items without making them; valid until the next `push`. */
	get numbers(): Uint32Array {
		return this.#numbers.values();
	}

	push(number: number): void {
		this.#numbers.push(number);
	}

	at(position: number): ExtractItem | undefined {
		return position < this.length ? this.#items.get(this.#numbers.get(position)) : undefined;
	}

	*[Symbol.iterator](): Generator<ExtractItem, void, undefined> {
		for (let k = 0; k < this.length; k++) yield this.#items.get(this.#numbers.get(k));
	}

	/** The same items from the last to the first. */
	reversed(): List<ExtractItem> {
		return new LazyList(this.length, (k) =>
			this.#items.get(this.#numbers.get(this.length - 1 - k)),
		);
	}
}

/** A further name of a file whose first name stands in another list. */
export interface HardLinkItem {
	readonly item: ExtractItem;
	readonly first: ExtractItem;
}

/** Further names of files. */
export class HardLinkList implements List<HardLinkItem> {
	readonly items: ItemList;
	readonly #firsts: ItemList;

	constructor(items: ExtractItems) {
		this.items = new ItemList(items);
		this.#firsts = new ItemList(items);
	}

	get length(): number {
		return this.items.length;
	}

	push(item: number, first: number): void {
		this.items.push(item);
		this.#firsts.push(first);
	}

	at(position: number): HardLinkItem | undefined {
		const item = this.items.at(position);
		const first = this.#firsts.at(position);
		return item === undefined || first === undefined ? undefined : { item, first };
	}

	*[Symbol.iterator](): Generator<HardLinkItem, void, undefined> {
		for (let k = 0; k < this.length; k++) yield this.at(k) as HardLinkItem;
	}
}

/** No further holder. */
const NONE = 0xffff_ffff;

/** What holds each blob, in the order in which the blobs were added: about 60 bytes a blob. */
export class ItemsByBlob {
	readonly #items: ExtractItems;
	readonly #index = new Sha1Index();
	readonly #sizes = new Float64Column();
	#totalSize = 0;
	/** Holders of one blob are chained: the first and last of each, and by holder its item and the next one. */
	readonly #firsts = new Uint32Column();
	readonly #lasts = new Uint32Column();
	readonly #holders: Uint32Column;
	readonly #nexts: Uint32Column;

	constructor(items: ExtractItems) {
		this.#items = items;
		this.#holders = new Uint32Column(items.most);
		this.#nexts = new Uint32Column(items.most);
	}

	/** Of blobs. */
	get size(): number {
		return this.#index.size;
	}

	add({ sha1, size }: ExtractBlob, item: ExtractItem): void {
		const row = this.#index.add(sha1);
		const holder = this.#holders.push(item.number);
		this.#nexts.push(NONE);
		if (row < this.#firsts.length) {
			this.#nexts.set(this.#lasts.get(row), holder);
			this.#lasts.set(row, holder);
			return;
		}
		this.#sizes.push(size);
		this.#totalSize += size;
		this.#firsts.push(holder);
		this.#lasts.push(holder);
	}

	/** Learns the size of a blob that came through a pipe. */
	noteSize({ sha1, size }: ExtractBlob): void {
		const row = this.#index.find(sha1);
		if (row < 0) return;
		this.#totalSize += size - this.#sizes.get(row);
		this.#sizes.set(row, size);
	}

	/** Of all blobs, each counted once. */
	get totalSize(): number {
		return this.#totalSize;
	}

	blobSize(row: number): number {
		return this.#sizes.get(row);
	}

	/** The items that hold a blob. */
	get({ sha1 }: Pick<ExtractBlob, 'sha1'>): ExtractItem[] {
		const row = this.#index.find(sha1);
		const items: ExtractItem[] = [];
		let holder = row < 0 ? NONE : this.#firsts.get(row);
		for (; holder !== NONE; holder = this.#nexts.get(holder))
			items.push(this.#items.get(this.#holders.get(holder)));
		return items;
	}

	/** The numbers of the items that hold the blob of a row; none for -1. */
	*numbers(row: number): Generator<number, void, undefined> {
		if (row < 0) return;
		for (let holder = this.#firsts.get(row); holder !== NONE; holder = this.#nexts.get(holder))
			yield this.#holders.get(holder);
	}

	/** By row. */
	blobs(): List<ExtractBlob> {
		return new LazyList(this.size, (row) => ({
			sha1: this.#index.name(row),
			size: this.#sizes.get(row),
		}));
	}

	has(sha1: Sha1): boolean {
		return this.#index.find(sha1) >= 0;
	}

	/** All items, in the order in which they were added. */
	get holders(): Omit<ItemList, 'push'> {
		return new ItemList(this.#items, this.#holders);
	}

	*[Symbol.iterator](): Generator<[ExtractBlob, ExtractItem[]], void, undefined> {
		for (const blob of this.blobs()) yield [blob, this.get(blob)];
	}
}
