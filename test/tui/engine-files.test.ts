import assert from 'node:assert/strict';
import path from 'node:path';
import { test } from 'node:test';
import { nameTest } from '../../source/tui/engine/listing.ts';
import { openFile } from '../../source/tui/engine/open-wim-file.ts';
import type { Listing } from '../../source/tui/engine.ts';
import { makeMetadata } from '../bench/tree.ts';
import { fixture } from '../support/fixture.ts';
import { writeLargeWim } from '../support/large-wim.ts';
import { tempFolder } from '../support/temp-tree.ts';

const { signal } = new AbortController();

const NAMES: readonly [pattern: string, name: string, passes: boolean][] = [
	['ini', 'win.INI', true],
	['*.ini', 'win.ini', true],
	['*.ini', 'win.ini.bak', false],
	['=win.ini', 'WIN.INI', true],
	['=win', 'win.ini', false],
	['!*.ini', 'win.ini', false],
	['!=win.ini', 'a', true],
	['!', 'what!', true],
];

for (const [pattern, name, passes] of NAMES)
	test(`find "${pattern}" ${passes ? 'means' : 'does not mean'} ${name}`, () => {
		assert.equal(nameTest(pattern)(name), passes);
	});

test('details tell where else a content lies, in the images that were opened', async () => {
	const file = await openFile(fixture('vectors/v02.wim'), []);
	try {
		const seen = new Map<string, { imageIndex: number; position: number }[]>();
		for (const { index } of file.images) {
			const all = await file.find(index, '*', signal);
			for (const [row, position] of all.positions.entries()) {
				if (all.sizes[row] === 0) continue;
				const { digest } = await file.details(index, position, signal);
				if (digest === null) continue;
				const places = seen.get(digest) ?? [];
				seen.set(digest, [...places, { imageIndex: index, position }]);
			}
		}
		let shared = 0;
		for (const places of seen.values()) {
			const [first] = places;
			const { usedBy, otherNames } = await file.details(first!.imageIndex, first!.position, signal);
			assert.equal(usedBy.length + otherNames.length, places.length - 1);
			for (const place of usedBy) assert.match(place, /^image \d+ \\/);
			if (usedBy.length > 0) shared++;
		}
		assert.ok(shared > 0, 'the sample holds a content twice');
	} finally {
		await file.close();
	}
});

test('details find a shared content in an image that nobody has opened yet', async () => {
	const file = await openFile(fixture('vectors/v02.wim'), []);
	try {
		const [first, second] = file.images.map(({ index }) => index);
		const all = await file.find(second!, '*', signal);
		const rows = [...all.positions.keys()].filter((row) => all.sizes[row]! > 0);
		const shared = new Set<string>();
		for (const row of rows) {
			const fresh = await openFile(fixture('vectors/v02.wim'), []);
			try {
				const { usedBy } = await fresh.details(second!, all.positions[row]!, signal);
				for (const place of usedBy) if (place.startsWith(`image ${first} `)) shared.add(place);
			} finally {
				await fresh.close();
			}
		}
		assert.ok(shared.size > 0);
	} finally {
		await file.close();
	}
});

test('marked folders count what is below them, each file once', async () => {
	const file = await openFile(fixture('vectors/v02.wim'), []);
	try {
		const root = await file.sizes(1, 0, signal);
		const tops = [...root.positions];
		const all = await file.find(1, '*', signal);
		const ofTops = await file.total(1, tops, signal);
		const ofAll = await file.total(1, [...all.positions], signal);
		assert.equal(ofTops.files, root.total.files);
		assert.deepEqual(ofAll, ofTops);
	} finally {
		await file.close();
	}
});

test('times of an entry are times, not text: the deck writes them as its setting says', async () => {
	const file = await openFile(fixture('vectors/v02.wim'), []);
	try {
		const { positions } = await file.find(1, '*', signal);
		const { facts } = await file.details(1, positions[0]!, signal);
		for (const label of ['written', 'created', 'accessed'])
			assert.equal(typeof facts.find((fact) => fact.label === label)?.value, 'number', label);
	} finally {
		await file.close();
	}
});

test('hard links are counted when the metadata was read: names beyond the first of each file', async () => {
	const file = await openFile(fixture('vectors/v08-ntfs-current.wim'), []);
	try {
		assert.equal(file.hardLinkCount(1), null);
		const { positions } = await file.find(1, '*', signal);
		let further = 0;
		for (const position of positions) {
			const { otherNames } = await file.details(1, position, signal);
			if (otherNames.length > 0) further += otherNames.length / (otherNames.length + 1);
		}
		assert.ok(further > 0);
		assert.equal(file.hardLinkCount(1), Math.round(further));
	} finally {
		await file.close();
	}
});

test('the first rows of a long folder are told while the others are read', async (t) => {
	const folder = tempFolder(t);
	const wim = path.join(folder, 'long.wim');
	writeLargeWim(wim, {
		size: 1e9,
		blobCount: 10,
		images: [{ metadata: makeMetadata({ folderCount: 1, filesPerFolder: 100_000 }), name: 'long' }],
	});
	const counts: number[] = [];
	const file = await openFile(wim, [], (count) => counts.push(count));
	try {
		assert.deepEqual(counts, [1]);
		const root = await file.listFolder(1, 0, signal);
		const parts: Listing[] = [];
		const whole = await file.listFolder(1, root.positions[0]!, signal, (part) => parts.push(part));
		assert.equal(whole.names.length, 100_000);
		assert.ok(parts.length > 0);
		for (const part of parts) {
			const count = part.positions.length;
			assert.deepEqual(part.names, whole.names.slice(0, count));
			assert.deepEqual(part.sizes, whole.sizes.slice(0, count));
		}
	} finally {
		await file.close();
	}
});

test('a folder with one named stream has one, a file its unnamed one besides', async () => {
	const file = await openFile(fixture('vectors/v08-ntfs-current.wim'), []);
	try {
		const all = await file.find(1, '*', signal);
		const counts = new Map<string, number>();
		for (const position of all.positions) {
			const { path: name, streamCount } = await file.details(1, position, signal);
			counts.set(name, streamCount);
		}
		assert.equal(counts.get('\\dirads'), 1);
		assert.equal(counts.get('\\adsonly.txt'), 2);
		assert.equal(counts.get('\\sub2'), 0);
	} finally {
		await file.close();
	}
});
