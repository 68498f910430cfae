import type { TestContext } from 'node:test';
import { sha1 } from '../../source/bytes/sha1.ts';
import type { Compression } from '../../source/codec/compression.ts';
import {
	type BlobResult,
	readBlobs,
	type WantedBlob,
} from '../../source/operations/read/read-blobs.ts';
import { openPool, type Pool } from '../../source/pool/pool.ts';
import { MemorySource } from '../../source/storage/memory-source.ts';
import type { Source } from '../../source/storage/source.ts';
import type { Blob } from '../../source/wim/resource.ts';
import { openWim, type Wim } from '../../source/wim/wim.ts';
import { content, dice } from './contents.ts';
import { smallWim } from './small-wim.ts';
import { testRun } from './test-run.ts';

/** Files for reading tests, and the WIM that holds them. */
export interface PooledWim {
	readonly wim: Wim;
	readonly files: Readonly<Record<string, Uint8Array>>;
	readonly bytes: Uint8Array;
	blob(name: string): Blob;
}

/** Contents that compress fast and well, but are nowhere the same. */
export function easyBytes(size: number, seed: number): Uint8Array {
	const roll = dice(seed);
	const bytes = new Uint8Array(size);
	for (let at = 0; at < size; at += 512)
		bytes.fill(roll(256), at, at + 300).fill(at >> 9, at, at + 4);
	return bytes;
}

export interface WimShape {
	readonly compression: Compression;
	readonly chunkSize: number;
	/** Null: an ordinary resource for each file. */
	readonly solidChunkSize?: number;
	/** How the bytes are offered; memory that lanes can read, if not given. */
	readonly source?: (bytes: Uint8Array) => Source;
	/** Changes the bytes of the file before it is opened. */
	readonly damage?: (bytes: Uint8Array, intact: Wim) => void;
}

/** Writes and opens a WIM. */
export async function pooledWim(
	t: TestContext,
	files: Readonly<Record<string, Uint8Array>>,
	shape: WimShape,
): Promise<PooledWim> {
	const { compression, solidChunkSize = null } = shape;
	const chunkSize = shape.chunkSize || 1 << 20;
	const bytes = smallWim({ compression, chunkSize, level: 20, solidChunkSize, files });
	if (shape.damage) {
		await using intact = await openWim(new MemorySource('intact.wim', bytes));
		shape.damage(bytes, intact);
	}
	const source = shape.source?.(bytes) ?? new MemorySource('test.wim', bytes);
	const wim = await openWim(source);
	t.after(() => wim[Symbol.asyncDispose]());
	return {
		wim,
		files,
		bytes,
		blob(name) {
			return wim.blob(sha1(files[name] ?? new Uint8Array()));
		},
	};
}

/** A pool that goes away with the test. */
export function testPool(t: TestContext, threads: number): Pool {
	const pool = openPool(threads);
	t.after(() => pool[Symbol.asyncDispose]());
	return pool;
}

/** The same, never without threads, so that small tests use them too. */
export function threadsOnly(pool: Pool): Pool {
	return {
		laneCount: pool.laneCount,
		lanesFor: (size) => pool.lanesFor(size),
		run: (name, input, options) => pool.run(name, input, options),
		ordered: (name, inputs, options) => pool.ordered(name, inputs, options),
		forWork: () => threadsOnly(pool),
		expect: (bytes) => pool.expect(bytes),
		trim: () => pool.trim(),
		rest: () => pool.rest(),
		[Symbol.asyncDispose]: () => pool[Symbol.asyncDispose](),
	};
}

/** A source that only the main thread can read. */
export class PrivateSource implements Source {
	readonly name: string;
	readonly size: number;
	readonly #memory: MemorySource;

	constructor(name: string, bytes: Uint8Array) {
		this.name = name;
		this.size = bytes.length;
		this.#memory = new MemorySource(name, bytes);
	}

	read(offset: number, into: Uint8Array): Promise<number> {
		return this.#memory.read(offset, into);
	}

	share(): null {
		return null;
	}

	async [Symbol.asyncDispose](): Promise<void> {}
}

/** Reads and collects what is reported, by SHA-1. */
export async function readAll<W extends WantedBlob>(
	pool: Pool,
	wanted: readonly W[],
	options: { readonly recover?: boolean; readonly verify?: boolean } = {},
): Promise<{ results: Map<string, BlobResult<W>>; advanced: number }> {
	const run = testRun();
	const results = new Map<string, BlobResult<W>>();
	const all = { recover: options.recover ?? false, verify: options.verify ?? true };
	await readBlobs(pool, wanted, all, run, (result) => {
		results.set(result.wanted.blob.sha1, { ...result, bytes: result.bytes?.slice() ?? null });
	});
	let advanced = 0;
	for (const event of run.events) if (event.type === 'advance') advanced += event.bytes;
	return { results, advanced };
}

/** A few files of different kinds, small enough for slow encoders. */
export function variousFiles(): Record<string, Uint8Array> {
	const files: Record<string, Uint8Array> = { one: Uint8Array.of(65) };
	for (const [k, kind] of (['random', 'text', 'zeros', 'code', 'mixed'] as const).entries())
		files[kind] = content(kind, 40_000 + k * 70_001, k + 1);
	return files;
}
