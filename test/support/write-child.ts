/** A process that runs one writing verb, to be killed by a test: `node write-child.js VERB ARGUMENTS...`. */

import { NO_DEFAULTS } from '../../source/image/update-commands.ts';
import { append } from '../../source/operations/append.ts';
import { capture } from '../../source/operations/capture.ts';
import { deleteImages } from '../../source/operations/delete.ts';
import { editProperties } from '../../source/operations/edit-properties.ts';
import { exportImages } from '../../source/operations/export.ts';
import { join } from '../../source/operations/join.ts';
import { optimize } from '../../source/operations/optimize.ts';
import { split } from '../../source/operations/split.ts';
import { undo } from '../../source/operations/undo.ts';
import { update } from '../../source/operations/update.ts';
import { InlineEncoder } from '../../source/pool/tasks/encode.ts';
import { testRun } from './test-run.ts';
import { captureOptions, compressed, imageOptions, USUAL_EXPORT } from './written.ts';

const [verb = '', file = '', source = '', ...rest] = process.argv.slice(2);
const tools = { encoder: new InlineEncoder() };
const run = testRun();
const compression = compressed('xpress');
const sources = [{ path: source, target: '/' }];
const same = { integrity: null, dryRun: false };

const VERBS: Readonly<Record<string, () => Promise<unknown>>> = {
	capture: () => capture(sources, file, captureOptions('new', { compression }), tools, run),
	append: () =>
		append(
			sources,
			file,
			{ ...captureOptions('new', { compression }), integrity: null, rebuild: false },
			tools,
			run,
		),
	'append --rebuild': () =>
		append(
			sources,
			file,
			{ image: imageOptions('new'), compression, ...same, rebuild: true, pipable: null },
			tools,
			run,
		),
	delete: () => deleteImages(file, { images: ['1'], soft: false, ...same }, tools, run),
	'delete --soft': () => deleteImages(file, { images: ['1'], soft: true, ...same }, tools, run),
	export: () => exportImages(source, file, { ...USUAL_EXPORT, name: 'new' }, tools, run),
	info: () =>
		editProperties(
			file,
			{
				change: { image: '1', name: 'changed', description: null, properties: [] },
				boot: '1',
				...same,
			},
			tools,
			run,
		),
	optimize: () =>
		optimize(
			file,
			{ compression: compressed('lzx'), recompress: true, pipable: null, ...same },
			tools,
			run,
		),
	update: () =>
		update(
			file,
			{
				image: '1',
				commands: [
					{ type: 'add', source, target: '/new', flags: NO_DEFAULTS.add },
					{ type: 'delete', path: '/a', force: true, recursive: true },
				],
				rules: { exclusions: [], exceptions: [] },
				rebuild: false,
				done() {},
				...same,
			},
			tools,
			run,
		),
	split: () =>
		split(source, file, { partSize: 20_000, integrity: false, dryRun: false }, tools, run),
	join: () => join(file, [source, ...rest], { integrity: false, dryRun: false }, tools, run),
	undo: () => undo(file, { dryRun: false }, run),
};

process.stdout.write('ready\n');
await VERBS[verb]?.();
process.stdout.write('done\n');
