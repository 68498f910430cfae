import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
	PiecePacker,
	PieceUnpacker,
	type ReadStretch,
} from '../../source/pool/tasks/packed-pieces.ts';
import type { ReadPiece } from '../../source/pool/tasks/pieces.ts';
import type { FileTarget } from '../../source/storage/target-file.ts';

/** Records as the program makes them. */
function plain<T>(fields: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<T> {
	return fc.record(fields, { noNullPrototype: true }) as fc.Arbitrary<T>;
}

const amount = fc.integer({ min: 0, max: 2 ** 50 });
const seconds = fc.double({ min: -1e10, max: 1e10, noNaN: true });
const time = seconds.map((value) => (value < 0 ? String(value) : value));
const pathText = fc.string({ unit: 'binary', minLength: 1 }).filter((text) => !text.includes('\0'));
const pathBytes = fc.uint8Array({ minLength: 1, maxLength: 20 });

const target: fc.Arbitrary<FileTarget> = plain({
	path: fc.oneof(pathText, pathBytes),
	mode: fc.option(fc.integer({ min: 0, max: 0o7777 })),
	owner: fc.option(plain({ uid: fc.nat(2 ** 32 - 1), gid: fc.nat(2 ** 32 - 1) })),
	times: fc.option(fc.tuple(time, time)),
	isSparse: fc.boolean(),
});

const hex = fc
	.uint8Array({ minLength: 20, maxLength: 20 })
	.map((b) => Buffer.from(b).toString('hex'));

const piece = plain({
	start: amount,
	end: amount,
	blobOffset: amount,
	whole: fc.boolean(),
	sha1: fc.option(hex),
	targets: fc.array(target, { maxLength: 3 }),
	isKept: fc.boolean(),
});

const stretch = plain({
	resource: plain({
		offset: amount,
		storedSize: amount,
		originalSize: amount,
		layout: fc.constantFrom(
			'raw' as const,
			'chunked' as const,
			'pipable' as const,
			'solid' as const,
		),
		compression: fc.constantFrom(
			'none' as const,
			'xpress' as const,
			'lzx' as const,
			'lzms' as const,
		),
		chunkSize: amount,
	}),
	pieces: fc.array(piece, { maxLength: 4 }),
});

test('what a lane unpacks is what was packed', () => {
	fc.assert(
		fc.property(fc.array(stretch, { maxLength: 5 }), (stretches) => {
			const packer = new PiecePacker();
			const keep = new SharedArrayBuffer(8);
			const expected: ReadStretch[] = [];
			let keepAt = 0;
			let count = 0;
			for (const { resource, pieces } of stretches) {
				packer.addStretch(resource);
				const list: ReadPiece[] = [];
				for (const { isKept, targets, ...one } of pieces) {
					const id = packer.add(one, isKept);
					if (targets.length > 0) packer.setTargets(id, targets);
					list.push({
						id: count++,
						...one,
						targets,
						keep: isKept ? { buffer: keep, at: keepAt } : null,
					});
					if (isKept) keepAt += one.end - one.start;
				}
				expected.push({ resource, pieces: list });
			}
			assert.equal(packer.keepSize, keepAt);
			// As it arrives on another thread.
			const unpacker = new PieceUnpacker(structuredClone(packer.pack(keep)));
			const unpacked = Array.from({ length: unpacker.stretchCount }, (_, k) => unpacker.stretch(k));
			assert.deepEqual(
				unpacked.map(({ resource, pieces }) => ({
					resource,
					pieces: pieces.map((one) => ({ ...one, keep: one.keep?.at ?? null })),
				})),
				expected.map(({ resource, pieces }) => ({
					resource,
					pieces: pieces.map((one) => ({ ...one, keep: one.keep?.at ?? null })),
				})),
			);
			for (const [k, { pieces }] of expected.entries())
				assert.equal(
					unpacker.wantedEnd(k),
					pieces.reduce((most, { end }) => Math.max(most, end), 0),
				);
		}),
	);
});
