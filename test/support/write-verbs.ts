/** Every verb that writes a WIM, called in the same way: by a test itself, or in a process that it kills. */

import type { Run } from '../../source/base/run.ts';
import { NO_DEFAULTS } from '../../source/image/update-commands.ts';
import { append } from '../../source/operations/capture/append.ts';
import { capture } from '../../source/operations/capture/capture.ts';
import { update } from '../../source/operations/capture/update.ts';
import { repair } from '../../source/operations/repair/repair.ts';
import { salvageToWim } from '../../source/operations/rescue/salvage-to-wim.ts';
import { deleteImages } from '../../source/operations/rewrite/delete.ts';
import { editProperties } from '../../source/operations/rewrite/edit-properties.ts';
import { exportImages } from '../../source/operations/rewrite/export.ts';
import { join } from '../../source/operations/rewrite/join.ts';
import { optimize } from '../../source/operations/rewrite/optimize.ts';
import { split } from '../../source/operations/rewrite/split.ts';
import { undo } from '../../source/operations/rewrite/undo.ts';
import { InlinePool } from '../../source/pool/pool.ts';
import { USUAL_REPAIR } from './rescue-kit.ts';
import { testRun } from './test-run.ts';
import { captureOptions, compressed, imageOptions, tools, USUAL_EXPORT } from './written.ts';

const compression = compressed('xpress');
const rescueTools = { ...tools, pool: new InlinePool() };
const same = { integrity: null, dryRun: false };
const asNew = captureOptions('new', { compression });

interface Call {
	/** What is written. */
	readonly file: string;
	/** A folder or WIM to read from. */
	readonly source: string;
	readonly donors: readonly string[];
	readonly run: Run;
}

const tree = ({ source }: Call) => [{ path: source, target: '/' }];

const VERBS: Readonly<Record<string, (call: Call) => Promise<unknown>>> = {
	capture: (call) => capture(tree(call), call.file, asNew, tools, call.run),
	'capture --pipable': (call) =>
		capture(tree(call), call.file, { ...asNew, pipable: true }, tools, call.run),
	append: (call) => {
		const options = { ...asNew, integrity: null, rebuild: false };
		return append(tree(call), call.file, options, tools, call.run);
	},
	'append --rebuild': (call) => {
		const options = { image: imageOptions('new'), compression, ...same, rebuild: true };
		return append(tree(call), call.file, { ...options, pipable: null }, tools, call.run);
	},
	delete: ({ file, run }) =>
		deleteImages(file, { images: ['1'], soft: false, ...same }, tools, run),
	'delete --soft': ({ file, run }) =>
		deleteImages(file, { images: ['1'], soft: true, ...same }, tools, run),
	export: ({ file, source, run }) =>
		exportImages(source, file, { ...USUAL_EXPORT, name: 'new' }, tools, run),
	info: ({ file, run }) => {
		const change = { image: '1', name: 'changed', description: null, properties: [] };
		return editProperties(file, { change, boot: '1', ...same }, tools, run);
	},
	optimize: ({ file, run }) => {
		const options = { compression: compressed('lzx'), recompress: true, pipable: null, ...same };
		return optimize(file, options, tools, run);
	},
	update: ({ file, source, run }) => {
		const options = {
			image: '1',
			commands: [
				{ type: 'add', source, target: '/new', flags: NO_DEFAULTS.add },
				{ type: 'delete', path: '/a', force: true, recursive: true },
			],
			rules: { exclusions: [], exceptions: [] },
			rebuild: false,
			done() {},
			...same,
		} as const;
		return update(file, options, tools, run);
	},
	split: ({ file, source, run }) =>
		split(source, file, { partSize: 20_000, integrity: false, dryRun: false }, tools, run),
	join: ({ file, source, run }) =>
		join(file, [source], { integrity: false, dryRun: false }, tools, run),
	undo: ({ file, run }) => undo(file, { dryRun: false }, run),
	repair: ({ file, source, donors, run }) =>
		repair(source, file, { ...USUAL_REPAIR, donors }, rescueTools, run),
	'salvage --to-wim': ({ file, source, run }) => {
		const options = { references: [], image: null, lost: 'mark', dryRun: false } as const;
		return salvageToWim(source, file, options, rescueTools, run);
	},
};

/** Runs a verb on a file; `sources` are what it reads from, and then donors. */
export async function performVerb(
	verb: string,
	file: string,
	[source = '', ...donors]: readonly string[],
): Promise<void> {
	const perform = VERBS[verb];
	if (perform === undefined) throw new Error(`There is no verb "${verb}"`);
	await perform({ file, source, donors, run: testRun() });
}
