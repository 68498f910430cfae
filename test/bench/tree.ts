/** How long the metadata of 300,000 files takes to parse, and its folders to measure: npm run bench -- --only=tree */
import { Span } from '../../source/bytes/span.ts';
import { encodeUtf16 } from '../../source/bytes/utf16.ts';
import { Attribute, align8, Dentry, NO_SECURITY } from '../../source/image/dentry.ts';
import { folderSizeSteps } from '../../source/image/folder-sizes.ts';
import { ImageTree } from '../../source/image/tree.ts';

const FOLDERS = 300;
const FILES = 999;

function dentry(name: string, attributes: number, subdirOffset: number, seed: number): Uint8Array {
	const text = encodeUtf16(name);
	const length = align8(Dentry.size + (text.length === 0 ? 0 : text.length + 2));
	const bytes = new Uint8Array(length);
	const isFolder = attributes === Attribute.directory;
	bytes.set(
		Dentry.encode({
			length,
			attributes,
			securityId: NO_SECURITY,
			subdirOffset,
			unused1: 0n,
			unused2: 0n,
			creationTime: 0n,
			lastAccessTime: 0n,
			lastWriteTime: 0n,
			mainHash: new Uint8Array(20).fill(isFolder ? 0 : 1 + (seed % 250)),
			unknown: 0,
			// Every other folder consists of hard-linked pairs.
			union: !isFolder && seed % 2000 >= 1000 ? BigInt((seed >> 1) + 1) : 0n,
			streamCount: 0,
			shortNameSize: 0,
			nameSize: text.length,
		}),
	);
	bytes.set(text, Dentry.size);
	return bytes;
}

export interface MetadataShape {
	readonly folderCount: number;
	readonly filesPerFolder: number;
	/** Other numbers change a third of the contents and rename a tenth of the files. */
	readonly salt: number;
}

/** The metadata resource of an image with that many folders of that many files each. */
export function makeMetadata({
	folderCount = FOLDERS,
	filesPerFolder = FILES,
	salt = 0,
}: Partial<MetadataShape> = {}): Uint8Array {
	const folderName = (k: number) =>
		`amd64_microsoft-windows-component_31bf3856ad364e35_10.0.26100.1_none_${k}`;
	const end = new Uint8Array(8);
	const rootSize = dentry('', Attribute.directory, 1, 0).length;
	let at = 8 + rootSize + 8;
	const rootList = at;
	for (let k = 0; k < folderCount; k++)
		at += dentry(folderName(k), Attribute.directory, 1, k).length;
	at += 8;
	const folders: Uint8Array[] = [];
	const lists: Uint8Array[] = [];
	for (let k = 0; k < folderCount; k++) {
		folders.push(dentry(folderName(k), Attribute.directory, at, k));
		for (let n = 0; n < filesPerFolder; n++) {
			const name = `file_with_long_name_${k}_${n}${n % 10 === 0 && salt > 0 ? `.${salt}` : ''}.dll`;
			const seed = k * 1000 + n + (n % 3 === 0 ? 2 * salt : 0);
			const file = dentry(name, Attribute.archive, 0, seed);
			lists.push(file);
			at += file.length;
		}
		lists.push(end);
		at += 8;
	}
	const security = Uint8Array.of(8, 0, 0, 0, 0, 0, 0, 0);
	const root = dentry('', Attribute.directory, rootList, 0);
	return new Uint8Array(Buffer.concat([security, root, end, ...folders, end, ...lists]));
}

/** Prints medians of five parses, and what walking all links and streams takes. */
export function benchTree(): void {
	const bytes = makeMetadata();
	const parses: number[] = [];
	let tree = ImageTree.parse(new Span(bytes, 'bench'));
	for (let k = 0; k < 5; k++) {
		const start = performance.now();
		tree = ImageTree.parse(new Span(bytes, 'bench'));
		parses.push(performance.now() - start);
	}
	const start = performance.now();
	for (let at = 0; at < tree.count; at++) tree.linksOf(at);
	const links = performance.now() - start;
	const median = parses.sort((a, b) => a - b)[2] ?? 0;
	process.stdout.write(
		`metadata of ${tree.count} dentries (${(bytes.length / 1e6).toFixed(0)} MB): parsed in ${median.toFixed(0)} ms, links grouped in ${links.toFixed(0)} ms\n`,
	);
	benchSizes(tree);
}

/** What adding up the sizes of all folders takes, and the longest step of it, which keys may have to wait for. */
function benchSizes(tree: ImageTree): void {
	const steps = folderSizeSteps(tree, () => ({ size: 4096, storedSize: 2048 }));
	const start = performance.now();
	let longest = 0;
	for (let last = start; !steps.next().done; last = performance.now())
		longest = Math.max(longest, performance.now() - last);
	const all = performance.now() - start;
	process.stdout.write(
		`sizes by folder of ${tree.count} dentries: ${all.toFixed(0)} ms, longest step ${longest.toFixed(1)} ms\n`,
	);
}
