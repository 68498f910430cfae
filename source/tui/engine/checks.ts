/** What must be right before a job may start: quick looks at the names in a form, each error with its field. */

import path from 'node:path';
import { chunkSizeRange, compressionName, isLegalChunkSize } from '../../codec/compression.ts';
import { hostFs as fs } from '../../storage/host-fs.ts';
import type { JobCheck, JobRequest } from '../engine.ts';
import { compressionOf } from './requests/compression.ts';
import {
	hostPath,
	isOn,
	listOf,
	textOf,
	textOrNull,
	trimmed,
	type Values,
} from './requests/values.ts';
import { isWritable, nearestPath, type TargetFacts, targetFacts } from './target-facts.ts';

type Errors = Record<string, string>;

const FINE: JobCheck = { errors: {}, replaces: null };

/** A folder to read; its error stands on the field of that name. */
async function checkFolder(values: Values, field: string, errors: Errors): Promise<void> {
	const name = hostPath(values, field);
	if (name === '') {
		errors[field] = 'name a folder';
		return;
	}
	const stat = await fs.stat(name).catch(() => null);
	if (!stat) errors[field] = 'there is no such folder';
	else if (!stat.isDirectory()) errors[field] = 'this is a file, not a folder';
}

/** A file to be written: what stands there, and whether its folder is there. */
async function checkTarget(
	values: Values,
	errors: Errors,
	field = 'target',
): Promise<TargetFacts | null> {
	const name = hostPath(values, field);
	if (name === '') {
		errors[field] = 'name a file';
		return null;
	}
	const facts = await targetFacts(name);
	if (facts.isFolder || /[\\/]$/.test(name)) {
		errors[field] = 'this is a folder: add the name of a file';
		return null;
	}
	if (facts.exists) {
		if (!facts.isWritable) errors[field] = 'RO: this file may not be written';
		return facts;
	}
	const folder = path.dirname(path.resolve(name));
	const stat = await fs.stat(folder).catch(() => null);
	if (!stat) errors[field] = `there is no folder ${folder}`;
	else if (!stat.isDirectory()) errors[field] = `${folder} is a file, not a folder`;
	else if (!(await isWritable(folder))) errors[field] = 'RO: nothing may be written in this folder';
	return facts;
}

/** Chunk sizes that the type does not allow. */
function checkCompression(values: Values, errors: Errors): void {
	const { compress, chunkSize, solid, solidCompress, solidChunkSize } = compressionOf(values);
	const choice = solid ? solidCompress : compress;
	const size = solid ? solidChunkSize : chunkSize;
	if (!choice || size === null || isLegalChunkSize(choice.type, size)) return;
	const { min, max } = chunkSizeRange(choice.type);
	errors['chunkSize'] =
		`${compressionName(choice.type)} takes chunks of ${min / 1024} K to ${max / 1024} K`;
}

/** Adding to a WIM keeps what it is, and a name is given once. */
function checkAppend(facts: TargetFacts, errors: Errors, name: string | null): void {
	const { wim } = facts;
	if (!wim) {
		errors['target'] = 'this is no WIM that can be added to: choose replace, or another name';
		return;
	}
	if (wim.partCount > 1) errors['target'] = 'this is a part of a set: join the parts first';
	else if (wim.isMarkedReadonly)
		errors['target'] = 'this WIM is marked as read-only: choose replace, or another name';
	if (name === null) return;
	const taken = wim.imageNames.indexOf(name);
	if (taken >= 0) errors['name'] = `image ${taken + 1} of the target has this name already`;
}

/** What happens to a file that is there already. */
function settled(values: Values, facts: TargetFacts | null, errors: Errors): JobCheck {
	const isAsked = values['exists'] === 'replace' || values['exists'] === 'ask';
	const replaces = facts?.exists && isAsked ? { path: facts.path, facts } : null;
	return { errors, replaces };
}

async function checkCapture(values: Values): Promise<JobCheck> {
	const errors: Errors = {};
	await checkFolder(values, 'source', errors);
	const facts = await checkTarget(values, errors);
	checkCompression(values, errors);
	if (values['exclude'] === 'file') await checkFile(values, 'config', errors);
	if (facts?.exists && values['exists'] === 'append')
		checkAppend(facts, errors, textOrNull(values, 'name'));
	const base = textOrNull(values, 'updateOf');
	if (base !== null && values['exists'] === 'append') {
		const images = facts?.wim?.imageNames ?? [];
		const number = Number(base);
		if (!images.includes(base) && !(number >= 1 && number <= images.length))
			errors['updateOf'] = 'the target has no such image';
	}
	return settled(values, facts, errors);
}

async function checkFile(values: Values, field: string, errors: Errors): Promise<void> {
	const name = hostPath(values, field);
	const stat = name === '' ? null : await fs.stat(name).catch(() => null);
	if (name === '') errors[field] = 'name a file';
	else if (!stat) errors[field] = 'there is no such file';
	else if (stat.isDirectory()) errors[field] = 'this is a folder, not a file';
}

/** A report never replaces anything. */
async function checkReport(values: Values, errors: Errors): Promise<void> {
	const name = hostPath(values, 'report');
	if (name === '') return;
	const facts = await checkTarget(values, errors, 'report');
	if (facts?.exists) errors['report'] = 'there is such a file already: choose another name';
}

async function checkExport(values: Values): Promise<JobCheck> {
	const errors: Errors = {};
	const facts = await checkTarget(values, errors);
	if (isSameFile(values, 'target')) errors['target'] = 'this is the file that is exported from';
	if (values['recover'] === 'yes') {
		await checkReport(values, errors);
		const count = listOf(values['images']).length;
		if (count > 1 && count !== values['imageCount'])
			errors['recover'] = 'to skip what is damaged choose one image, or all';
		if (facts?.exists) errors['target'] ??= 'what is damaged is skipped into a new file only';
		return { errors, replaces: null };
	}
	checkCompression(values, errors);
	if (facts?.exists && values['exists'] === 'append')
		checkAppend(facts, errors, textOrNull(values, 'name'));
	return settled(values, facts, errors);
}

const isSameFile = (values: Values, field: string): boolean =>
	path.resolve(hostPath(values, field)) === path.resolve(textOf(values, 'wim'));

/** The first part of a set, or the file that the parts become. */
async function checkNewFile(values: Values): Promise<JobCheck> {
	const errors: Errors = {};
	const facts = await checkTarget(values, errors);
	if (isSameFile(values, 'target')) errors['target'] = 'this is the file itself';
	const size = values['partSize'];
	if (size !== undefined && !(Number(size) > 0)) errors['partSize'] = 'a part needs a size';
	if (values['first'] !== undefined) {
		await checkFile(values, 'first', errors);
		if (path.resolve(hostPath(values, 'first')) === path.resolve(hostPath(values, 'target')))
			errors['target'] = 'this is one of the parts';
	}
	return { errors, replaces: facts?.exists ? { path: facts.path, facts } : null };
}

/** A folder to be written into, or to be made in the nearest one that is there. */
async function checkTargetFolder(target: string, errors: Errors): Promise<TargetFacts> {
	const facts = await targetFacts(target);
	const above = await nearestPath(target);
	const place = facts.exists ? 'this' : above;
	if (!(await targetFacts(above)).isFolder) errors['target'] = `${place} is a file, not a folder`;
	else if (!(await isWritable(above)))
		errors['target'] = `RO: nothing may be written in ${facts.exists ? 'this folder' : above}`;
	return facts;
}

/** Extracted and applied files: the folder is made when it is not there. */
async function checkRestore(values: Values, names: readonly string[]): Promise<JobCheck> {
	const errors: Errors = {};
	const target = hostPath(values, 'target');
	if (values['recover'] === 'yes') await checkReport(values, errors);
	if (target === '') return { errors: { ...errors, target: 'name a folder' }, replaces: null };
	const facts = await checkTargetFolder(target, errors);
	if (values['exists'] === 'replace' || !facts.exists) return { errors, replaces: null };
	const isMet = names.length === 0 ? !facts.isEmptyFolder : await hasAny(target, names);
	return { errors, replaces: isMet ? { path: target, facts } : null };
}

async function hasAny(folder: string, names: readonly string[]): Promise<boolean> {
	for (const name of names)
		if (await fs.lstat(path.join(folder, name)).catch(() => null)) return true;
	return false;
}

/** Names that extracted entries get right below the target. */
function firstNames(values: Values): readonly string[] {
	const first = isOn(values, 'structure') ? 0 : -1;
	return listOf(values['paths']).map((name) => name.split('\\').filter(Boolean).at(first) ?? '');
}

async function checkSalvage(values: Values): Promise<JobCheck> {
	const errors: Errors = {};
	await checkReport(values, errors);
	if (values['into'] === 'wim') {
		const there = await checkTarget(values, errors, 'newWim');
		if (there?.exists) errors['newWim'] = 'something is there already: name a new file';
		return { errors, replaces: null };
	}
	const target = hostPath(values, 'target');
	if (target === '') return { errors: { ...errors, target: 'name a folder' }, replaces: null };
	const facts = await checkTargetFolder(target, errors);
	if (facts.isFolder && !facts.isEmptyFolder)
		errors['target'] ??= 'this folder is not empty: name a new one';
	return { errors, replaces: null };
}

async function checkRepair(values: Values): Promise<JobCheck> {
	const errors: Errors = {};
	await checkReport(values, errors);
	const facts = await checkTarget(values, errors);
	if (facts?.exists) errors['target'] = 'something is there already: name a new file';
	const donor = hostPath(values, 'donor');
	if (donor !== '' && !(await targetFacts(donor)).exists)
		errors['donor'] = 'there is no such file or folder';
	return { errors, replaces: null };
}

function checkEdit(values: Values): JobCheck {
	const errors: Errors = {};
	const name = trimmed(values, 'name');
	const taken = listOf(values['taken']).indexOf(name);
	if (name !== '' && taken >= 0) errors['name'] = 'another image has this name';
	return { errors, replaces: null };
}

async function checkVerify(values: Values): Promise<JobCheck> {
	const errors: Errors = {};
	await checkReport(values, errors);
	return { errors, replaces: null };
}

/** Looks at what a form names; nothing is opened for longer than its header. */
export async function checkRequest({ verb, values }: JobRequest): Promise<JobCheck> {
	switch (verb) {
		case 'capture':
			return checkCapture(values);
		case 'export':
			return checkExport(values);
		case 'split':
		case 'join':
			return checkNewFile(values);
		case 'extract':
			return checkRestore(values, firstNames(values));
		case 'apply':
			return checkRestore(values, []);
		case 'salvage':
			return checkSalvage(values);
		case 'repair':
			return checkRepair(values);
		case 'verify':
			return checkVerify(values);
		case 'edit':
			return checkEdit(values);
		case 'optimize': {
			const errors: Errors = {};
			checkCompression(values, errors);
			return { errors, replaces: null };
		}
		default:
			return FINE;
	}
}
