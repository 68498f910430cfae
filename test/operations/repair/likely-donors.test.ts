import assert from 'node:assert/strict';
import { symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { likelyDonors } from '../../../source/operations/repair/likely-donors.ts';
import { PartHeader } from '../../../source/wim/part-header.ts';
import { captureAs, hurtFile } from '../../support/rescue-kit.ts';
import { subfolder, tempFolder } from '../../support/temp-tree.ts';

const { blobTable, guid, partCount, partNumber } = PartHeader.offsets;

/** A folder with `damaged.wim`, which holds three contents. */
async function besideDamaged(t: TestContext) {
	const folder = tempFolder(t);
	const at = (name: string) => path.join(folder, name);
	/** Captures a tree of files that hold their own names. */
	const wimOf = async (name: string, files: readonly string[]): Promise<void> => {
		const tree = subfolder(folder, `tree of ${name}`);
		for (const file of files) writeFileSync(path.join(tree, file), file.repeat(100));
		await captureAs({ name: 'none', compression: 'none' }, tree, at(name));
		// The tests have one GUID for all.
		hurtFile(at(name), at(name), (bytes) => void bytes.write(name, guid));
	};
	await wimOf('damaged.wim', ['one', 'two', 'three']);
	const hurt = (name: string, damage: (bytes: Buffer) => void) =>
		hurtFile(at('damaged.wim'), at(name), damage);
	const donors = async (...names: string[]) =>
		(await likelyDonors(at('damaged.wim'), names.map(at))).map(
			({ path: file, isCopy, sharedCount }) => [path.basename(file), isCopy, sharedCount],
		);
	return { at, wimOf, hurt, donors };
}

test('copies come first, then what shares most; what shares nothing comes last', async (t) => {
	const { wimOf, hurt, donors } = await besideDamaged(t);
	await wimOf('one more.wim', ['one', 'four', 'five']);
	await wimOf('others.wim', ['six', 'seven']);
	await wimOf('two more.wim', ['two', 'three', 'eight']);
	hurt('copy.wim', (bytes) => void bytes.fill(0, 300, 310));
	hurt(
		'no table.wim',
		(bytes) => void bytes.fill(0xee, guid, guid + 16).fill(0xff, blobTable, blobTable + 24),
	);
	assert.deepEqual(
		await donors('no table.wim', 'one more.wim', 'others.wim', 'two more.wim', 'copy.wim'),
		[
			['copy.wim', true, 3],
			['two more.wim', false, 2],
			['one more.wim', false, 1],
			['no table.wim', false, null],
			['others.wim', false, 0],
		],
	);
});

test('what does not begin as a WIM, and the damaged file under another name, are no donors', async (t) => {
	const { at, hurt, donors } = await besideDamaged(t);
	writeFileSync(at('text.wim'), 'no WIM');
	writeFileSync(at('empty.wim'), '');
	writeFileSync(at('long.wim'), 'no WIM'.repeat(1000));
	symlinkSync(at('damaged.wim'), at('link.wim'));
	hurt('wiped.wim', (bytes) => void bytes.fill(0, 0, 208));
	assert.deepEqual(
		await donors('text.wim', 'empty.wim', 'long.wim', 'link.wim', 'wiped.wim', 'absent.wim'),
		[],
	);
});

test('a damaged file that does not open has donors all the same', async (t) => {
	const { at, wimOf, hurt, donors } = await besideDamaged(t);
	hurt('copy.wim', () => {});
	await wimOf('other.wim', ['six']);
	hurtFile(
		at('copy.wim'),
		at('damaged.wim'),
		(bytes) => void bytes.fill(0xff, blobTable, blobTable + 24),
	);
	assert.deepEqual(await donors('other.wim', 'copy.wim'), [
		['copy.wim', true, null],
		['other.wim', false, null],
	]);
	hurtFile(at('copy.wim'), at('damaged.wim'), (bytes) => void bytes.fill(0, 0, 208));
	assert.deepEqual(await donors('other.wim', 'copy.wim'), [
		['other.wim', false, null],
		['copy.wim', false, null],
	]);
});

test('the other parts of the damaged set are no donors, those of a copy are', async (t) => {
	const { at, hurt } = await besideDamaged(t);
	const part = (number: number) => (bytes: Buffer) => {
		bytes.writeUInt16LE(number, partNumber);
		bytes.writeUInt16LE(2, partCount);
	};
	hurt('set.swm', part(1));
	hurt('set2.swm', part(2));
	hurt('copy.swm', part(1));
	const donors = await likelyDonors(at('set2.swm'), [at('set.swm'), at('copy.swm')]);
	assert.deepEqual(donors, [{ path: at('copy.swm'), isCopy: true, sharedCount: 3 }]);
});
