import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { salvage } from '../../../source/operations/salvage/salvage.ts';
import { digests, makeSpecimen } from '../../support/damage-formats.ts';
import { inlineWriter } from '../../support/inline-writer.ts';
import { oracle } from '../../support/oracles.ts';
import { USUAL_SALVAGE } from '../../support/rescue-kit.ts';
import { tempFolder } from '../../support/temp-tree.ts';
import { testRun } from '../../support/test-run.ts';

test(
	'small LZMS contents come back one by one where no tree says what is wanted',
	oracle('wimlib-imagex'),
	async (t) => {
		const folder = tempFolder(t);
		const { files, blobs } = makeSpecimen('split LZMS', folder);
		const [[name, bytes] = ['', Buffer.alloc(0)]] = files;
		const own = blobs.filter(({ file, isMetadata }) => file === name && !isMetadata);
		// Noise compresses to nothing less: the last one of this part is stored as it is.
		const raw = own.find(({ size, place }) => place?.size === size)?.place?.offset ?? 0;
		const small = own.filter(({ place }) => (place?.offset ?? raw) < raw);
		assert.ok(small.length > 20, `${small.length} contents`);
		const file = path.join(folder, 'cut.wim');
		writeFileSync(file, bytes.subarray(0, raw));
		const out = path.join(folder, 'out');
		await salvage(file, out, inlineWriter, USUAL_SALVAGE, testRun());
		const found = new Set(digests(out).values());
		assert.deepEqual(
			small
				.filter(({ sha1 }) => !found.has(sha1))
				.map(({ sha1, size }) => `${sha1} of ${size} bytes`),
			[],
		);
	},
);
