import type { ImageTree } from '../image/tree.ts';
import type { ExtractBlob } from './extract-data.ts';

/** One name that is put onto this machine. */
export interface ExtractItem {
	/** Its position in the tree of the image. */
	readonly dentry: number;
	/** Below the target, without leading separator; '' is the target itself. */
	readonly path: string;
}

/** A name below a folder that is extracted. Its path is put together when it is asked for: there may be 300,000 of them. */
export class ChildItem implements ExtractItem {
	readonly dentry: number;
	readonly #tree: ImageTree;
	readonly #folder: ExtractItem;
	readonly #newName: string | null;

	/** @param newName replaces the one in the image; null keeps that */
	constructor(tree: ImageTree, folder: ExtractItem, dentry: number, newName: string | null) {
		this.dentry = dentry;
		this.#tree = tree;
		this.#folder = folder;
		this.#newName = newName;
	}

	get path(): string {
		const name = this.#newName ?? this.#tree.name(this.dentry);
		const above = this.#folder.path;
		return above === '' ? name : `${above}/${name}`;
	}
}

/** What holds each blob, in the order in which the blobs were added. Most blobs have one holder, which gets no list. */
export class ItemsByBlob {
	readonly #items = new Map<ExtractBlob, ExtractItem | ExtractItem[]>();

	/** Of blobs. */
	get size(): number {
		return this.#items.size;
	}

	add(blob: ExtractBlob, item: ExtractItem): void {
		const known = this.#items.get(blob);
		if (known === undefined) this.#items.set(blob, item);
		else if (Array.isArray(known)) known.push(item);
		else this.#items.set(blob, [known, item]);
	}

	get(blob: ExtractBlob): readonly ExtractItem[] {
		return listOf(this.#items.get(blob));
	}

	blobs(): Iterable<ExtractBlob> {
		return this.#items.keys();
	}

	/** All items, blob by blob. */
	*items(): Generator<ExtractItem, void, undefined> {
		for (const items of this.#items.values()) yield* listOf(items);
	}

	*[Symbol.iterator](): Generator<[ExtractBlob, readonly ExtractItem[]], void, undefined> {
		for (const [blob, items] of this.#items) yield [blob, listOf(items)];
	}
}

function listOf(items: ExtractItem | ExtractItem[] | undefined): readonly ExtractItem[] {
	if (items === undefined) return [];
	return Array.isArray(items) ? items : [items];
}
