/**
 * Forms name images by their numbers, which mean others once another program, or a job that waited in front, has deleted
 * some. So a form carries what the images were when it was made, and a job looks whether they still are.
 */

import path from 'node:path';
import { InputError } from '../../base/errors.ts';
import { openWim } from '../../wim/wim.ts';
import type { JobRequest } from '../engine.ts';
import { listOf, references, textOf, type Values } from './requests/values.ts';

/** Jobs that do something with, or to, images by their numbers. */
const BY_NUMBER = ['export', 'extract', 'apply', 'delete', 'edit', 'update'];

const numbersOf = (values: Values): readonly number[] =>
	[...listOf(values['images']), textOf(values, 'imageIndex')]
		.map(Number)
		.filter((number) => number > 0);

/** The first of the request's images that is another one by now; null: all are what was seen. */
async function changedImage({ verb, values }: JobRequest): Promise<number | null> {
	const seen = listOf(values['seen']);
	if (!BY_NUMBER.includes(verb) || seen.length === 0) return null;
	const numbers = numbersOf(values);
	if (numbers.length === 0) return null;
	await using wim = await openWim(textOf(values, 'wim'), { references: references(values) });
	const { images } = wim;
	const changed = numbers.find((number) => images[number - 1]?.metadata.sha1 !== seen[number - 1]);
	return changed ?? null;
}

const described = (number: number, { values }: JobRequest): string =>
	`image ${number} of "${path.basename(textOf(values, 'wim'))}" is not the one you saw: the file was changed`;

/** What a form shows when its images are others by now; null: they are not, or the job itself will tell what is wrong. */
export async function unseenFault(request: JobRequest): Promise<string | null> {
	const number = await changedImage(request).catch(() => null);
	return number === null ? null : `${described(number, request)}; Esc, then R reads it again`;
}

/** @throws {InputError} before a job touches an image that nobody chose */
export async function requireSeen(request: JobRequest): Promise<void> {
	const number = await changedImage(request);
	if (number !== null)
		throw new InputError(`Nothing was done: ${described(number, request)}`, {
			hint: 'Press R to read the file again, and choose anew.',
		});
}
