import assert from 'node:assert/strict';
import { copyFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { parseUpdateCommand } from '../../source/image/update-commands.ts';
import { append } from '../../source/operations/capture/append.ts';
import {
	type CaptureOptions,
	type CaptureSummary,
	capture,
} from '../../source/operations/capture/capture.ts';
import { update } from '../../source/operations/capture/update.ts';
import { subfolder, tempFolder } from '../support/temp-tree.ts';
import { testRun } from '../support/test-run.ts';
import { captureOptions, compressed, imageOptions, noise, tools } from '../support/written.ts';

/** Small files that nothing compresses, so that names and tables weigh much. */
function fill(folder: string): string {
	for (let k = 0; k < 300; k++)
		writeFileSync(path.join(subfolder(folder, `folder ${k % 20}`), `file ${k}`), noise(1 + k * 3));
	return folder;
}

type Sizes = Pick<CaptureSummary, 'fileSize' | 'writtenBytes' | 'isEstimate'>;

/** What is kept free for the properties of an image. */
const SLACK = 5000;

/** A dry run first. What compresses or drops nothing is known up to `SLACK`. */
async function compare(
	name: string,
	isClose: boolean,
	perform: (dryRun: boolean) => Promise<Sizes>,
	file: string,
): Promise<void> {
	const planned = await perform(true);
	const done = await perform(false);
	assert.deepEqual([planned.isEstimate, done.isEstimate], [true, false]);
	assert.equal(done.fileSize, statSync(file).size);
	for (const which of ['fileSize', 'writtenBytes'] as const) {
		const [most, real] = [planned[which], done[which]];
		assert.ok(real <= most, `${name}: ${which} is ${real}, at most ${most} were named`);
		if (isClose) assert.ok(real >= most - SLACK, `${name}: ${which} is ${real}, far below ${most}`);
	}
}

const SHAPES: Readonly<Record<string, Partial<CaptureOptions>>> = {
	none: { compression: compressed('none') },
	XPRESS: { compression: compressed('xpress') },
	solid: { compression: compressed('lzms', { solid: true }) },
	pipable: { compression: compressed('lzx'), pipable: true },
	'integrity table': { compression: compressed('none'), integrity: true },
};

for (const [name, shape] of Object.entries(SHAPES))
	test(`${name}: a dry run of capture and append never names less than is written`, async (t) => {
		const isStored = shape.compression?.compress?.type === 'none';
		const folder = tempFolder(t);
		const [file, tree, more] = [`${folder}/a.wim`, `${folder}/tree`, `${folder}/more`];
		for (const one of [tree, more]) fill(subfolder(folder, path.basename(one)));
		const options = (dryRun: boolean, updateOf: string | null) => ({
			...captureOptions('', shape),
			image: imageOptions(`${updateOf}`, {
				updateOf: updateOf === null ? null : { wim: null, image: updateOf },
			}),
			dryRun,
			integrity: shape.integrity ?? false,
		});
		const sources = (place: string) => [{ path: place, target: '/' }];
		await compare(
			name,
			isStored,
			(dryRun) => capture(sources(tree), file, options(dryRun, null), tools, testRun()),
			file,
		);
		const first = `${folder}/first.wim`;
		copyFileSync(file, first);
		for (const [place, rebuild, updateOf] of [
			[tree, false, '1'],
			[more, false, null],
			[more, true, null],
		] as const) {
			copyFileSync(first, file);
			const asked = (dryRun: boolean) => {
				const given = options(dryRun, updateOf);
				const image = { ...given.image, name: 'second' };
				return { ...given, image, integrity: null, rebuild };
			};
			await compare(
				`append of ${path.basename(place)}`,
				isStored && !rebuild,
				(dryRun) => append(sources(place), file, asked(dryRun), tools, testRun()),
				file,
			);
		}
	});

test('a dry run of update never names less than is written', async (t) => {
	const folder = tempFolder(t);
	const [file, tree] = [`${folder}/a.wim`, fill(subfolder(folder, 'tree'))];
	const options = captureOptions('one', { compression: compressed('none'), integrity: true });
	await capture([{ path: tree, target: '/' }], file, options, tools, testRun());
	const other = path.join(folder, 'other');
	writeFileSync(other, noise(5000));
	for (const rebuild of [false, true])
		await compare(
			'update',
			!rebuild,
			(dryRun) =>
				update(
					file,
					{
						image: '1',
						commands: [parseUpdateCommand(`add ${other} /new${rebuild}`)],
						rules: { exclusions: [], exceptions: [] },
						integrity: null,
						rebuild,
						done() {},
						dryRun,
					},
					tools,
					testRun(),
				),
			file,
		);
});
