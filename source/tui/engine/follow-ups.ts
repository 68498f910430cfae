/** What a form asked to be done once its job is. */

import path from 'node:path';
import { hostError } from '../../base/errors.ts';
import type { Run } from '../../base/run.ts';
import type { JobRequest as EngineRequest } from '../../jobs/request.ts';
import { hostFs as fs } from '../../storage/host-fs.ts';
import type { JobRequest } from '../engine.ts';
import { sentence } from '../sentence.ts';
import { hostPath, isOn, textOf, type Values } from './requests/values.ts';

/** The check of what was written, when the form asked for it. */
export function checkAfter(real: EngineRequest, values: Values): JobRequest | null {
	const wroteNothing = 'dryRun' in real && real.dryRun;
	// What these write into a WIM they read back themselves, before it gets its name.
	const isRead = real.verb === 'salvage' || real.verb === 'repair';
	if (!isOn(values, 'verifyAfter') || wroteNothing || isRead) return null;
	const wim = 'target' in real ? real.target : 'wim' in real ? real.wim : null;
	return wim === null ? null : { verb: 'verify', values: { wim: path.resolve(wim), refs: [] } };
}

/** Problems that a report of losses lists; more are only counted. */
const LOSSES_MAX = 100_000;

/** What went wrong in a job that goes on at damage; its report is written when there was anything. */
export class Losses {
	readonly #lines: string[] = [];
	#count = 0;

	/** The run with its problems taken down. */
	watch(run: Run): Run {
		return {
			...run,
			report: (event) => {
				if (event.type === 'problem' && ++this.#count <= LOSSES_MAX)
					this.#lines.push(sentence(event.error));
				run.report(event);
			},
		};
	}

	/** @throws {HostError} also when something is there by now */
	async save(values: Values): Promise<void> {
		if (this.#count === 0) return;
		const more = this.#count - this.#lines.length;
		const lines = [
			`${textOf(values, 'wim')} -> ${hostPath(values, 'target')}`,
			...this.#lines,
			...(more > 0 ? [`and ${more} more`] : []),
		];
		await writeNew(hostPath(values, 'report'), `${lines.join('\n')}\n`);
	}
}

async function writeNew(file: string, text: string): Promise<void> {
	if (file === '') return;
	try {
		await fs.writeFile(file, text, { flag: 'wx' });
	} catch (error) {
		throw hostError(`Cannot write the report "${file}"`, error, { path: file });
	}
}

/**
 * Writes the result of a job as JSON where the form asked for it.
 *
 * @throws {HostError} also when something is there by now
 */
export async function saveReport(values: Values, result: unknown): Promise<void> {
	// The report of losses, where none may be.
	if (values['recover'] === 'no') return;
	await writeNew(hostPath(values, 'report'), `${JSON.stringify(result)}\n`);
}
