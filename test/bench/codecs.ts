// Speed and size of every codec, in both directions: node .tools/run.mjs test/bench/codecs.js [FOLDER]
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Compression, compressionName } from '../../source/codec/compression.ts';
import { Decoder } from '../../source/codec/decoder.ts';
import { Encoder, LEVEL_FAST, LEVEL_NORMAL, LEVEL_THOROUGH } from '../../source/codec/encoder.ts';
import { CONTENT_KINDS, content } from '../support/contents.ts';
import { median } from './measure.ts';
import { markdown } from './table.ts';

/** One line of the result; speeds are original bytes per second of CPU time, in MB. */
export interface CodecSpeed {
	readonly compression: Compression;
	readonly chunkSize: number;
	readonly level: number;
	/** Stored bytes in percent of the original ones. */
	readonly percent: number;
	readonly encode: number;
	/** Largest minus smallest encoding speed of all rounds. */
	readonly encodeSpread: number;
	readonly decode: number;
	/** Memory of the encoding lane afterwards, in bytes. */
	readonly memorySize: number;
}

const CASES: readonly (readonly [Compression, number, number])[] = [
	['xpress', 2 ** 12, LEVEL_NORMAL],
	['xpress', 2 ** 15, LEVEL_FAST],
	['xpress', 2 ** 15, LEVEL_NORMAL],
	['xpress', 2 ** 15, LEVEL_THOROUGH],
	['lzx', 2 ** 15, LEVEL_FAST],
	['lzx', 2 ** 15, LEVEL_NORMAL],
	['lzx', 2 ** 15, LEVEL_THOROUGH],
	['lzx', 2 ** 21, LEVEL_NORMAL],
	['lzms', 2 ** 17, LEVEL_NORMAL],
];

/** Runs all cases over the given files, each case in `rounds` rounds after one to warm up; gives medians. */
export function benchCodecs(files: readonly Uint8Array[], rounds: number): CodecSpeed[] {
	return CASES.map(([compression, chunkSize, level]) => {
		const chunks = files.flatMap((file) => cut(file, chunkSize));
		const size = chunks.reduce((sum, chunk) => sum + chunk.length, 0);
		const encoder = new Encoder();
		const decoder = new Decoder();
		const encodeOne = (chunk: Uint8Array): Uint8Array | null => {
			encoder.input(chunk.length).set(chunk);
			return encoder.encode(compression, chunkSize, level, chunk.length);
		};
		const stored = chunks.map((chunk) => encodeOne(chunk)?.slice() ?? chunk);
		const encodeAll = (): void => {
			for (const chunk of chunks) encodeOne(chunk);
		};
		const decodeAll = (): void => {
			for (const [position, bytes] of stored.entries()) {
				decoder.input(bytes.length).set(bytes);
				decoder.decode(compression, chunkSize, bytes.length, chunks[position]!.length);
			}
		};
		decodeAll();
		const encode = speeds(encodeAll, size, rounds);
		const decode = speeds(decodeAll, size, rounds);
		const storedSize = stored.reduce((sum, bytes) => sum + bytes.length, 0);
		return {
			compression,
			chunkSize,
			level,
			percent: (100 * storedSize) / size,
			encode: median(encode),
			encodeSpread: Math.max(...encode) - Math.min(...encode),
			decode: median(decode),
			memorySize: encoder.memorySize,
		};
	});
}

/** The result as a Markdown table. */
export function codecTable(speeds: readonly CodecSpeed[]): string {
	const heading = [
		'codec ',
		'level',
		'size %',
		'encode MB/s',
		'spread',
		'decode MB/s',
		'encoder MiB',
	];
	const cells = speeds.map((one) => [
		`${compressionName(one.compression)} ${one.chunkSize / 1024}K`,
		String(one.level),
		one.percent.toFixed(2),
		one.encode.toFixed(1),
		one.encodeSpread.toFixed(1),
		one.decode.toFixed(0),
		(one.memorySize / 2 ** 20).toFixed(1),
	]);
	return markdown([heading, ...cells]);
}

/** Files of a folder up to `limit` bytes in all, spread evenly over it; generated content without a folder. */
export function benchFiles(folder: string | undefined, limit: number): Uint8Array[] {
	if (folder === undefined)
		return CONTENT_KINDS.map((kind, seed) => content(kind, Math.floor(limit / 8), seed));
	const names = readdirSync(folder, { recursive: true, withFileTypes: true })
		.filter((entry) => entry.isFile())
		.map((entry) => path.join(entry.parentPath, entry.name))
		.sort();
	const stride = Math.max(1, Math.floor(names.length / 64));
	const files: Uint8Array[] = [];
	let left = limit;
	for (let at = 0; at < names.length && left > 0; at += stride) {
		const bytes = new Uint8Array(readFileSync(names[at]!)).subarray(0, Math.min(left, limit / 16));
		if (bytes.length > 0) files.push(bytes);
		left -= bytes.length;
	}
	return files;
}

function cut(file: Uint8Array, chunkSize: number): Uint8Array[] {
	const chunks: Uint8Array[] = [];
	for (let at = 0; at < file.length; at += chunkSize)
		chunks.push(file.subarray(at, at + chunkSize));
	return chunks;
}

/** In MB of original data per second of CPU time. */
function speeds(work: () => void, size: number, rounds: number): number[] {
	return Array.from({ length: rounds }, () => {
		const before = process.cpuUsage();
		work();
		const { user, system } = process.cpuUsage(before);
		return size / Math.max(1, user + system);
	});
}

if (process.argv[1] !== undefined && pathToFileURL(process.argv[1]).href === import.meta.url) {
	const files = benchFiles(process.argv[2], 8 << 20);
	process.stdout.write(`${codecTable(benchCodecs(files, 7))}`);
}
