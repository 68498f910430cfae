/**
 * Fetches what the state wishes for. Every wish is an object in the state; a new object drops the one before,
 * so that moving on never shows what came late.
 */

import type { DeckEngine, FoundWim, Listing, OpenFile } from './engine.ts';
import { inSlices, type Slot, slot } from './loader-slot.ts';
import { sentence } from './sentence.ts';
import {
	CONTENT_SIZE,
	contentFailed,
	contentLoaded,
	detailsFailed,
	detailsLoaded,
} from './state/details.ts';
import { changeForm } from './state/dialogs.ts';
import {
	folderBegun,
	folderFailed,
	folderLoaded,
	folderMissing,
	orderReady,
} from './state/files.ts';
import { estimated } from './state/form.ts';
import { loweredSteps, orderSteps } from './state/order.ts';
import { isDamagedRow } from './state/selectors.ts';
import type { FilesRequest, StartRequest, State } from './state/state.ts';
import { findWimsFailed, headerRead, wimFailed, wimOpened, wimsFound } from './state/wim.ts';
import { viewSlots } from './view-loaders.ts';

/** A cursor that only passes by loads no details. */
const DETAILS_DELAY_MS = 40;

export interface LoaderHost {
	readonly engine: DeckEngine;
	state(): State;
	/** A change to show at once. */
	arrived(change: (state: State) => State): void;
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

export class Loaders {
	readonly #host: LoaderHost;
	readonly #slots: readonly Slot[];
	#isClosed = false;

	constructor(host: LoaderHost) {
		this.#host = host;
		this.#slots = [
			slot(
				({ wim: { load } }) => (load.status === 'loading' ? load.request : null),
				(wish) => this.#open(wish),
			),
			slot(
				({ start: { load } }) => load.request,
				(wish, signal) => this.#findWims(wish, signal),
			),
			slot(
				({ files: { load } }) => load.request,
				(wish, signal) => this.#files(wish, signal),
			),
			slot(
				({ files }) => files.reorder,
				(wish, signal) => this.#reorder(wish, signal),
			),
			slot(
				({ details }) => details.load.request,
				(wish, signal) => this.#details(wish, signal),
			),
			slot(
				({ details }) => details.contentLoad.request,
				(wish, signal) => this.#content(wish, signal),
			),
			slot(estimateOf, (wish, signal) => this.#estimate(wish, signal)),
			...viewSlots(host),
		];
	}

	/** Starts what is newly wished for and drops what no longer is; called after every change. */
	react(): void {
		if (this.#isClosed) return;
		const state = this.#host.state();
		for (const slot of this.#slots) {
			const wish = slot.wish(state);
			if (wish === slot.handled) continue;
			slot.handled = wish;
			slot.abort?.abort();
			slot.abort = wish === null ? null : new AbortController();
			if (wish !== null && slot.abort) void slot.load(wish as never, slot.abort.signal);
		}
	}

	close(): void {
		this.#isClosed = true;
		for (const slot of this.#slots) slot.abort?.abort();
	}

	get #file(): OpenFile | null {
		return this.#host.state().wim.file;
	}

	async #open(wish: NonNullable<State['wim']['load']['request']>): Promise<void> {
		const { engine, arrived } = this.#host;
		const before = this.#file;
		try {
			const file = await engine.open(wish.path, { refs: wish.refs }, (imageCount) =>
				arrived((state) => headerRead(state, wish, imageCount)),
			);
			if (this.#host.state().wim.load.request !== wish) {
				await file.close();
				return;
			}
			arrived((state) => wimOpened(state, wish, file));
			if (this.#host.state().settings.remember) await engine.remember(file.facts.path);
			await before?.close();
		} catch (error) {
			arrived((state) => wimFailed(state, wish, sentence(error)));
		}
	}

	async #findWims(wish: StartRequest, signal: AbortSignal): Promise<void> {
		const { engine, arrived } = this.#host;
		try {
			const batch = (found: readonly FoundWim[]): void =>
				arrived((state) => wimsFound(state, wish, found, false));
			if (wish.recent) await engine.lookAt(wish.recent, batch, signal);
			else await engine.findWims(wish.folder, wish.isDeep, batch, signal);
			arrived((state) => wimsFound(state, wish, state.start.found, true));
		} catch (error) {
			if (!signal.aborted) arrived((state) => findWimsFailed(state, wish, sentence(error)));
		}
	}

	async #files(wish: FilesRequest, signal: AbortSignal): Promise<void> {
		const file = this.#file;
		if (!file) return;
		const { arrived } = this.#host;
		try {
			const found = await listingFor(file, wish, signal, (part) => {
				if (!signal.aborted) arrived((state) => folderBegun(state, wish, part));
			});
			if (found) await inSlices(loweredSteps(found.listing), signal);
			if (signal.aborted) return;
			arrived((state) =>
				found ? folderLoaded(state, wish, found.listing, found.wanted) : folderMissing(state, wish),
			);
		} catch (error) {
			if (!signal.aborted) arrived((state) => folderFailed(state, wish, sentence(error)));
		}
	}

	/** Sorts a long listing in slices, so that keys stay alive. */
	async #reorder(wish: NonNullable<State['files']['reorder']>, signal: AbortSignal): Promise<void> {
		const { arrived } = this.#host;
		const state = this.#host.state();
		const steps = orderSteps(wish.listing, {
			sort: wish.sort,
			isDamaged: (row) => isDamagedRow(state, row),
		});
		const sorted = await inSlices(steps, signal);
		if (sorted) arrived((current) => orderReady(current, wish, sorted));
	}

	async #details(
		wish: NonNullable<State['details']['load']['request']>,
		signal: AbortSignal,
	): Promise<void> {
		const { arrived } = this.#host;
		await pause(DETAILS_DELAY_MS);
		const file = this.#file;
		if (signal.aborted || !file) return;
		try {
			const details = await file.details(wish.imageIndex, wish.position, signal);
			arrived((state) => detailsLoaded(state, wish, details));
		} catch (error) {
			if (!signal.aborted) arrived((state) => detailsFailed(state, wish, sentence(error)));
		}
	}

	async #content(
		wish: NonNullable<State['details']['contentLoad']['request']>,
		signal: AbortSignal,
	): Promise<void> {
		const { arrived } = this.#host;
		await pause(DETAILS_DELAY_MS);
		const file = this.#file;
		if (signal.aborted || !file) return;
		try {
			const { bytes, totalSize } = await file.readContent(
				wish.imageIndex,
				wish.position,
				0,
				CONTENT_SIZE,
				signal,
			);
			arrived((state) => contentLoaded(state, wish, bytes, totalSize));
		} catch (error) {
			if (!signal.aborted) arrived((state) => contentFailed(state, wish, sentence(error)));
		}
	}

	async #estimate(
		wish: NonNullable<ReturnType<typeof estimateOf>>,
		signal: AbortSignal,
	): Promise<void> {
		const { arrived, engine } = this.#host;
		await pause(DETAILS_DELAY_MS * 5);
		if (signal.aborted) return;
		const estimate = await engine.jobs
			.estimate(wish.request, signal)
			.catch((error: unknown) => ({ notes: [], warnings: [sentence(error)] }));
		if (!signal.aborted)
			arrived((state) => changeForm(state, (form) => estimated(form, wish, estimate)));
	}
}

function estimateOf(state: State) {
	// A question above the form does not end it.
	const form = state.dialogs.findLast((dialog) => dialog.kind === 'form');
	return form?.estimate ?? null;
}

interface FoundListing {
	readonly listing: Listing;
	/** The entry that was meant, where it is no folder. */
	readonly wanted: number | null;
}

async function listingFor(
	file: OpenFile,
	wish: FilesRequest,
	signal: AbortSignal,
	onPart: (part: Listing) => void,
): Promise<FoundListing | null> {
	const { imageIndex } = wish;
	switch (wish.type) {
		case 'folder':
			return {
				listing: await file.listFolder(imageIndex, wish.position, signal, onPart),
				wanted: null,
			};
		case 'find':
			return { listing: await file.find(imageIndex, wish.pattern, signal, onPart), wanted: null };
		case 'path': {
			const trail = (await file.locate(imageIndex, wish.path, signal)) ?? [];
			const position = trail.at(-1);
			if (position === undefined) return null;
			// A file is shown in its folder.
			const { isFolder } = file.describe(imageIndex, position);
			const folder = isFolder ? position : (trail.at(-2) ?? 0);
			const listing = await file.listFolder(imageIndex, folder, signal, onPart);
			return { listing, wanted: isFolder ? null : position };
		}
	}
}
