/** Files whose solid resource claims far more than it holds. */
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { TestContext } from 'node:test';
import { COMPRESSIONS, type Compression } from '../../source/codec/compression.ts';
import { blobTable, HEADER_SIZE, metadataPlaces, xmlData } from './damage-kit.ts';
import { captureAs } from './rescue-kit.ts';
import { subfolder, tempFolder } from './temp-tree.ts';

export interface Claim {
	readonly compression: Compression;
	readonly count: number;
	readonly chunkSize: number;
	readonly storedSize: number;
}

/** A WIM whose solid resource says that it holds so many chunks, each of a few bytes without sense. */
export async function claiming(t: TestContext, claim: Claim): Promise<string> {
	const folder = tempFolder(t);
	const tree = subfolder(folder, 'tree');
	for (let k = 0; k < 5; k++)
		writeFileSync(path.join(tree, `${k}.txt`), `note ${k}\r\n`.repeat(50));
	const file = path.join(folder, 'claim.wim');
	await captureAs({ name: 'solid', compression: 'lzx', solid: true }, tree, file);
	const { count, chunkSize, storedSize, compression } = claim;
	const head = Buffer.alloc(16 + 4 * count);
	head.writeBigUInt64LE(BigInt(count) * BigInt(chunkSize), 0);
	head.writeUInt32LE(chunkSize, 8);
	head.writeUInt32LE(COMPRESSIONS.indexOf(compression), 12);
	for (let k = 0; k < count; k++) head.writeUInt32LE(storedSize, 16 + 4 * k);
	const chunks = Buffer.from(
		Array.from({ length: storedSize * count }, (_, k) => (k * 40_503) >> 7),
	);
	writeFileSync(file, withSolid(readFileSync(file), Buffer.concat([head, chunks])));
	return file;
}

/** Puts another solid resource in the place of the first one; what stands behind it moves. */
function withSolid(bytes: Buffer, solid: Buffer): Buffer {
	const behind = metadataPlaces(bytes)[0]?.at ?? 0;
	const table = blobTable(bytes);
	const xml = xmlData(bytes);
	const moved = solid.length - (behind - HEADER_SIZE);
	const whole = Buffer.concat([bytes.subarray(0, HEADER_SIZE), solid, bytes.subarray(behind)]);
	whole.writeBigUInt64LE(BigInt(table.at + moved), 0x38);
	whole.writeBigUInt64LE(BigInt(xml.at + moved), 0x50);
	whole.fill(0, 0x7c, 0x94);
	for (let entry = table.at + moved; entry < table.at + moved + table.size; entry += 50) {
		const isSolid = ((whole[entry + 7] ?? 0) & 0x10) !== 0;
		const isItself = isSolid && whole.readBigUInt64LE(entry + 16) > 0n;
		if (isItself) whole.writeBigUInt64LE(BigInt(solid.length) | (0x10n << 56n), entry);
		else if (!isSolid)
			whole.writeBigUInt64LE(whole.readBigUInt64LE(entry + 8) + BigInt(moved), entry + 8);
	}
	return whole;
}
