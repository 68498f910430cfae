import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { DigestError, FormatError, MissingError, WimError } from '../../source/base/errors.ts';
import { sha1 } from '../../source/bytes/sha1.ts';
import { Span } from '../../source/bytes/span.ts';
import { type OpenImage, openImage } from '../../source/image/open.ts';
import { PathFinder, pathOf } from '../../source/image/paths.ts';
import { MemorySource } from '../../source/storage/memory-source.ts';
import { PartHeader } from '../../source/wim/part-header.ts';
import { readWholeResource } from '../../source/wim/read-resource.ts';
import { openWim, type Wim } from '../../source/wim/wim.ts';
import { fixture } from '../support/fixture.ts';

/** What a hardened reader was seen to do with one malformed file. */
interface Seen {
	readonly wim: Wim;
	readonly image: OpenImage;
	readonly paths: readonly string[];
	/** Warnings of container and tree. */
	readonly warnings: string;
	/** Path to what became of its contents: `ok`, or the code of the error. */
	readonly contents: Readonly<Record<string, string>>;
}

async function contentsOf(wim: Wim, { tree }: OpenImage, dentry: number): Promise<string> {
	try {
		const name = tree.dataSha1(dentry);
		if (/^0+$/.test(name)) return 'ok';
		const blob = wim.blob(name);
		if (blob.defect !== null) throw new FormatError(blob.defect);
		const end = blob.offsetInResource + blob.size;
		const bytes = await readWholeResource(blob.resource, 1 << 24, blob.offsetInResource, end);
		if (sha1(bytes) !== name) throw new DigestError('wrong');
		return 'ok';
	} catch (error) {
		if (!(error instanceof WimError)) throw error;
		return error.code;
	}
}

async function see(name: string): Promise<Seen> {
	const wim = await openWim(fixture(`vectors/malformed/${name}.wim`));
	try {
		return await look(wim);
	} catch (error) {
		await wim[Symbol.asyncDispose]();
		throw error;
	}
}

async function look(wim: Wim): Promise<Seen> {
	const first = wim.images[0];
	assert.ok(first);
	const image = await openImage(wim, first);
	const { tree } = image;
	const paths: string[] = [];
	const contents: Record<string, string> = {};
	for (let dentry = 1; dentry < tree.count; dentry++) {
		const path = pathOf(tree, dentry);
		paths.push(path);
		if (!tree.isDirectory(dentry)) contents[path] = await contentsOf(wim, image, dentry);
	}
	const warnings = [...wim.warnings, ...tree.warnings].map(({ message }) => message).join('\n');
	return { wim, image, paths, warnings, contents };
}

/** Files that open; the check says what is special. */
const READABLE: Readonly<Record<string, (seen: Seen) => void>> = {
	'm01-dot-names': ({ warnings, paths }) => {
		assert.match(warnings, /named "\."/);
		assert.match(warnings, /named "\.\."/);
		assert.ok(!paths.some((path) => /\/\.\.?(\/|$)/.test(path)));
	},
	'm02-slash-names': ({ paths }) => assert.ok(paths.includes('/a/b')),
	'm03-duplicate-names': ({ warnings, image: { tree } }) => {
		assert.match(warnings, /second entry of the same name/);
		const names = [...tree.children(0)].map((dentry) => tree.name(dentry));
		assert.deepEqual(names.sort(), ['X', 'x']);
	},
	'm05-file-with-children': ({ warnings }) =>
		assert.match(warnings, /children of something that is not a directory/),
	'm08-blob-missing': ({ contents }) => assert.ok(Object.values(contents).includes('missing-data')),
	'm09-duplicate-blob': ({ warnings, contents }) => {
		assert.match(warnings, /listed twice/);
		assert.ok(Object.values(contents).every((state) => state === 'ok'));
	},
	'm10-raw-size-mismatch': ({ wim, contents }) => {
		assert.equal([...wim.blobs.values()].filter(({ defect }) => defect !== null).length, 1);
		assert.ok(Object.values(contents).every((state) => state === 'ok'));
	},
	'm11-offset-past-end': ({ contents }) =>
		assert.ok(Object.values(contents).includes('bad-format')),
	'm12-offset-wraps': ({ contents }) => assert.ok(Object.values(contents).includes('bad-format')),
	'm13-header-image-count': ({ warnings, wim }) => {
		assert.match(warnings, /counts 2 images, there is metadata for 1/);
		assert.equal(wim.images.length, 1);
	},
	'm14-blob-table-short': ({ warnings }) => assert.match(warnings, /ends inside an entry/),
	'm15-link-group-conflict': ({ image: { tree } }) => {
		const groups = [...tree.children(0)].map((dentry) =>
			tree
				.linksOf(dentry)
				.map((link) => tree.name(link))
				.sort()
				.join(),
		);
		assert.deepEqual(groups.sort(), ['a,c', 'a,c', 'b']);
	},
	'm16-bad-security-id': ({ warnings, image: { tree } }) => {
		assert.match(warnings, /Security id 5/);
		assert.ok([...tree.children(0)].every((dentry) => tree.securityId(dentry) === null));
	},
	'm17-interrupted-append': ({ warnings, contents }) => {
		assert.match(warnings, /interrupted/);
		assert.ok(Object.values(contents).every((state) => state === 'ok'));
	},
	'm19-wrong-data': ({ contents }) => assert.ok(Object.values(contents).includes('bad-digest')),
	'm24-wrong-part': ({ warnings }) => assert.match(warnings, /entry for part 3 is ignored/),
	'm25-case-symlink-escape': ({ paths }) =>
		assert.ok(paths.some((path) => path.startsWith('/link/'))),
	'm26-windows-names': ({ paths }) => assert.ok(paths.includes('/CON')),
	'm27-null-in-name': ({ warnings }) => assert.match(warnings, /NUL in its name/),
	'm28-surrogates': ({ paths }) => assert.ok(paths.some((path) => /[\ud800-\udfff]/.test(path))),
	'm29-main-hash-and-streams': ({ image: { tree } }) => {
		const file = [...tree.children(0)][0] ?? 0;
		assert.equal(tree.dataSha1(file), tree.rawStreams(file).mainHash);
		assert.ok(tree.streams(file).some(({ type }) => type === 'named'));
	},
	'm30-named-stream-first': ({ image: { tree }, contents }) => {
		const file = [...tree.children(0)][0] ?? 0;
		assert.ok(tree.streams(file).some(({ type }) => type === 'named'));
		assert.ok(Object.values(contents).every((state) => state === 'ok'));
	},
	'm31-empty-blob-listed': ({ contents }) =>
		assert.ok(Object.values(contents).every((state) => state === 'ok')),
	'm32-metadata-refcount-2': ({ warnings }) => assert.match(warnings, /referenced 2 times/),
	'm33-no-bom': ({ wim }) => assert.notEqual(wim.images[0]?.facts.name, ''),
	'm34-entries-before-metadata': ({ warnings }) => assert.equal(warnings, ''),
	'm35-raw-with-chunk-size': ({ contents }) =>
		assert.ok(Object.values(contents).every((state) => state === 'ok')),
	'm36-no-end-after-root': ({ paths }) => assert.ok(paths.length > 0),
	'm37-unaligned-lengths': ({ contents }) =>
		assert.ok(Object.values(contents).every((state) => state === 'ok')),
	'm39-overlapping-blobs': ({ contents }) =>
		assert.ok(Object.values(contents).every((state) => state === 'ok')),
	'm40-solid-straddle': ({ contents }) => assert.ok(Object.values(contents).includes('bad-format')),
	'm41-solid-stored': ({ contents }) =>
		assert.ok(Object.values(contents).every((state) => state === 'ok')),
	'm42-chunk-table-decreasing': ({ contents }) =>
		assert.ok(Object.values(contents).includes('bad-format')),
	'm43-chunk-size-zero': ({ contents }) =>
		assert.ok(Object.values(contents).includes('bad-format')),
	'm44-chunk-table-past-end': ({ contents }) =>
		assert.ok(Object.values(contents).includes('bad-format')),
	'm45-absurd-original-size': ({ contents }) =>
		assert.ok(Object.values(contents).includes('bad-format')),
};

for (const [name, check] of Object.entries(READABLE))
	test(`${name} is read as recommended`, async () => {
		const seen = await see(name);
		await using _ = seen.wim;
		check(seen);
	});

/** Files that must be refused; with what the message says. */
const REFUSED: Readonly<Record<string, RegExp>> = {
	'm04-cycle': /cycle/,
	'm06-root-is-file': /root dentry is not a directory/,
	'm07-stream-count-too-big': /stream entry/,
	'm18-interrupted-creation': /creation was interrupted/,
	'm20-subdir-past-end': /does not lie behind the root/,
	'm21-security-data-too-long': /security data/,
	'm22-odd-name-length': /not UTF-16/,
	'm23-name-past-dentry': /do not fit into a dentry/,
	'm38-solid-absurd-size': /solid resource header/,
	'm46-truncated-file': /bytes needed|does not lie inside|says it is/,
};

for (const [name, message] of Object.entries(REFUSED))
	test(`${name} is refused with a place and a next step`, async () => {
		await assert.rejects(
			async () => {
				const { wim } = await see(name);
				await wim[Symbol.asyncDispose]();
			},
			(error) => {
				assert.ok(error instanceof FormatError);
				assert.match(error.message, message);
				assert.match(error.facts.hint ?? '', /salvage/);
				assert.ok(error.facts.offset !== undefined);
				return true;
			},
		);
	});

test('a directory whose list is broken loses only its children when the reader is tolerant', async () => {
	await using wim = await openWim(fixture('vectors/malformed/m20-subdir-past-end.wim'));
	const image = wim.images[0];
	assert.ok(image);
	const { tree } = await openImage(wim, image, { tolerant: true });
	assert.equal(tree.faults.length, 1);
	assert.ok(tree.count > 1);
});

test('a file that is cut short anywhere says so, with what is missing and where it should be', async () => {
	const whole = readFileSync(fixture('vectors/v12-nested.wim'));
	const { xml, blobTable } = PartHeader.parse(new Span(whole, 'whole'));
	assert.ok(xml.offset > blobTable.offset);
	for (const size of [blobTable.offset, blobTable.offset + 1, xml.offset, whole.length - 1])
		await assert.rejects(openWim(new MemorySource('cut.wim', whole.subarray(0, size))), (error) => {
			assert.ok(error instanceof FormatError);
			assert.match(
				error.message,
				/^Cannot open "cut.wim": the file is cut short, its XML data at 0x/,
			);
			assert.equal(error.facts.offset, xml.offset);
			assert.match(error.facts.hint ?? '', /salvage/);
			return true;
		});
});

test('a missing blob says which file to pass', async () => {
	await using wim = await openWim(fixture('vectors/v11-delta.wim'));
	const error = wim.missingBlob('a'.repeat(40));
	assert.ok(error instanceof MissingError);
	assert.match(error.facts.hint ?? '', /--ref/);
});

test('a part set finds its other parts by their names, and says which are missing', async () => {
	await using whole = await openWim(fixture('vectors/v04-part.swm'));
	assert.deepEqual(whole.missingParts, []);
	assert.equal(whole.blobs.size, 3);
	await using second = await openWim(fixture('vectors/v04-part2.swm'));
	assert.deepEqual(
		second.missingParts,
		[1].filter(() => second.parts.length === 1),
	);
});

test('paths are found exactly first, then without case when that is unique', async () => {
	await using wim = await openWim(fixture('vectors/v12-nested.wim'));
	const image = wim.images[0];
	assert.ok(image);
	const { tree } = await openImage(wim, image);
	const finder = new PathFinder(tree);
	assert.equal(pathOf(tree, finder.need('\\A\\X//Deep/', 'x')), '/a/x/deep');
	assert.throws(() => finder.need('/a/nothing', 'x'), /there is no "\/a\/nothing"/);
	await using twins = await openWim(fixture('vectors/malformed/m03-duplicate-names.wim'));
	const other = twins.images[0];
	assert.ok(other);
	const second = new PathFinder((await openImage(twins, other)).tree);
	assert.equal(second.find('X').kind, 'found');
	assert.equal(second.find('x').kind, 'found');
});
