/** The engine of this program behind the deck's interface. */

import path from 'node:path';
import type { Clock } from '../../base/run.ts';
import type { Journal } from '../../jobs/journal.ts';
import { recentFiles } from '../../jobs/recent-files.ts';
import { stagedStore } from '../../jobs/staged-changes.ts';
import { likelyDonors } from '../../operations/repair/likely-donors.ts';
import { freeRepairName } from '../../operations/repair/output-name.ts';
import type {
	DeckEngine,
	FoundWim,
	HostEntry,
	HostPath,
	OpenFile,
	RepairFacts,
} from '../engine.ts';
import { type DeckPerformer, QueuedJobs } from './deck-jobs.ts';
import { withHome } from './home-path.ts';
import {
	complete,
	findWims,
	isFolder,
	look,
	lookAt,
	measure,
	wimsIn,
	writeReport,
} from './host-files.ts';
import { openFile } from './open-wim-file.ts';

export interface WimEngineOptions {
	readonly clock: Clock;
	readonly journal: Journal | null;
	readonly perform: DeckPerformer;
	readonly verbs: readonly string[];
	/** Ends threads and what else runs beside the jobs. */
	readonly dispose: () => Promise<void>;
}

export class WimEngine implements DeckEngine {
	readonly jobs: QueuedJobs;
	readonly staged = stagedStore();
	readonly #recent = recentFiles();
	readonly #dispose: () => Promise<void>;

	constructor(options: WimEngineOptions) {
		this.jobs = new QueuedJobs(options);
		this.#dispose = options.dispose;
	}

	open(
		path: string,
		{ refs }: { readonly refs: readonly string[] },
		onHeader: ((imageCount: number) => void) | null = null,
	): Promise<OpenFile> {
		return openFile(withHome(path), refs.map(withHome), onHeader);
	}

	findWims(
		folder: string,
		isDeep: boolean,
		onBatch: (found: readonly FoundWim[]) => void,
		signal: AbortSignal,
	): Promise<void> {
		return findWims(withHome(folder), isDeep, onBatch, signal);
	}

	async repairFacts(damaged: string): Promise<RepairFacts> {
		const file = path.resolve(withHome(damaged));
		const beside = await wimsIn(path.dirname(file)).catch(() => []);
		return {
			target: await freeRepairName(withHome(damaged)),
			donors: await likelyDonors(file, beside),
		};
	}

	complete(path: string): Promise<readonly HostEntry[]> {
		return complete(withHome(path));
	}

	look(path: string): Promise<HostPath> {
		return look(withHome(path));
	}

	async folderAt(folder: string): Promise<string | null> {
		const whole = path.resolve(withHome(folder));
		return (await isFolder(whole)) ? whole : null;
	}

	lookAt(
		paths: readonly string[],
		onBatch: (found: readonly FoundWim[]) => void,
		signal: AbortSignal,
	): Promise<void> {
		return lookAt(paths, onBatch, signal);
	}

	recentFiles(): Promise<readonly string[]> {
		return this.#recent.list();
	}

	remember(file: string): Promise<void> {
		return this.#recent.add(path.resolve(withHome(file)));
	}

	measure(top: string, signal: AbortSignal) {
		return measure(withHome(top), signal);
	}

	writeReport(path: string, text: string): Promise<void> {
		return writeReport(withHome(path), text);
	}

	close(): Promise<void> {
		this.jobs.close();
		return this.#dispose();
	}
}
