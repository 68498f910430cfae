/** Fetches what the views wish for. */

import type { ImageDifference, MapPlace } from './engine-views.ts';
import { inSlices, type Slot, slot } from './loader-slot.ts';
import type { LoaderHost } from './loaders.ts';
import { sentence } from './sentence.ts';
import {
	differenceFactsFailed,
	differenceFactsLoaded,
	differenceFailed,
	differenceLoaded,
} from './state/difference.ts';
import type { DifferenceRequest } from './state/difference-state.ts';
import { differenceSteps } from './state/difference-tree.ts';
import { mapFailed, mapLoaded, placeFailed, placeLoaded } from './state/map.ts';
import { sizeSteps, sizesFailed, sizesLoaded, sizesSorted } from './state/sizes.ts';
import type { SizesRequest, SizesState } from './state/sizes-state.ts';
import { stagedMeasured, unmeasured } from './state/staged.ts';
import type { StagedChange } from './state/staged-state.ts';
import type { Marks, State } from './state/state.ts';

export function viewSlots(host: LoaderHost): readonly Slot[] {
	return [
		slot(
			({ map }) => map.load.request,
			(wish, signal) => loadMap(host, wish, signal),
		),
		slot(
			({ map }) => map.placeLoad.request,
			(wish, signal) => loadPlace(host, wish, signal),
		),
		slot(
			({ sizes }) => sizes.load.request,
			(wish, signal) => loadSizes(host, wish, signal),
		),
		slot(
			({ difference }) => difference.load.request,
			(wish, signal) => loadDifference(host, wish, signal),
		),
		slot(
			({ difference }) => difference.factsLoad.request,
			(wish, signal) => loadDifferenceFacts(host, wish, signal),
		),
		slot(uncountedMarks, (wish, signal) => countMarks(host, wish, signal)),
		slot(unmeasured, (wish, signal) => measure(host, wish, signal)),
		slot(
			({ sizes }) => sizes.reorder,
			(wish, signal) => sortSizes(host, wish, signal),
		),
	];
}

/** A cursor that only passes by looks nothing up. */
const PLACE_DELAY_MS = 120;

async function loadMap(host: LoaderHost, wish: object, signal: AbortSignal): Promise<void> {
	const { file } = host.state().wim;
	if (!file) return;
	try {
		const maps = await file.maps(signal);
		host.arrived((state) => mapLoaded(state, wish, maps));
	} catch (error) {
		if (!signal.aborted) host.arrived((state) => mapFailed(state, wish, sentence(error)));
	}
}

async function loadPlace(host: LoaderHost, wish: MapPlace, signal: AbortSignal): Promise<void> {
	await new Promise((resolve) => setTimeout(resolve, PLACE_DELAY_MS));
	const { file } = host.state().wim;
	if (!file || signal.aborted) return;
	try {
		const facts = await file.placeFacts(wish, signal);
		host.arrived((state) => placeLoaded(state, wish, facts));
	} catch (error) {
		if (!signal.aborted) host.arrived((state) => placeFailed(state, wish, sentence(error)));
	}
}

async function loadSizes(host: LoaderHost, wish: SizesRequest, signal: AbortSignal): Promise<void> {
	const { arrived } = host;
	const { file } = host.state().wim;
	if (!file) return;
	try {
		const listing = await file.sizes(wish.imageIndex, wish.position, signal);
		const sorted = await inSlices(sizeSteps(listing, host.state().sizes.sort), signal);
		if (sorted) arrived((state) => sizesLoaded(state, wish, listing, sorted));
	} catch (error) {
		if (!signal.aborted) arrived((state) => sizesFailed(state, wish, sentence(error)));
	}
}

async function sortSizes(
	host: LoaderHost,
	wish: NonNullable<SizesState['reorder']>,
	signal: AbortSignal,
): Promise<void> {
	const sorted = await inSlices(sizeSteps(wish.listing, wish.sort), signal);
	if (sorted) host.arrived((state) => sizesSorted(state, wish, sorted));
}

async function loadDifference(
	host: LoaderHost,
	wish: DifferenceRequest,
	signal: AbortSignal,
): Promise<void> {
	const { arrived } = host;
	const { file } = host.state().wim;
	if (!file) return;
	try {
		const differences = await file.difference(wish.before, wish.after, signal);
		const root = await inSlices(differenceSteps(differences), signal);
		if (root) arrived((state) => differenceLoaded(state, wish, root));
	} catch (error) {
		if (!signal.aborted) arrived((state) => differenceFailed(state, wish, sentence(error)));
	}
}

/** A cursor that only passes by loads no facts. */
const FACTS_DELAY_MS = 40;

async function loadDifferenceFacts(
	host: LoaderHost,
	wish: ImageDifference,
	signal: AbortSignal,
): Promise<void> {
	const { arrived } = host;
	const { wim, difference } = host.state();
	const { pair } = difference;
	await new Promise((resolve) => setTimeout(resolve, FACTS_DELAY_MS));
	if (signal.aborted || !wim.file || !pair) return;
	try {
		const facts = await wim.file.differenceFacts(pair.before, pair.after, wish);
		arrived((state) => differenceFactsLoaded(state, wish, facts));
	} catch (error) {
		if (!signal.aborted) arrived((state) => differenceFactsFailed(state, wish, sentence(error)));
	}
}

/** Counts what lies at and below a staged change: on this machine, or in the image. */
async function measure(host: LoaderHost, wish: StagedChange, signal: AbortSignal): Promise<void> {
	const { engine, arrived } = host;
	const { wim } = host.state();
	try {
		if (wish.type === 'add') {
			const facts = await engine.measure(wish.source, signal);
			arrived((state) => stagedMeasured(state, wish.id, facts));
			return;
		}
		if (!wim.file) return;
		const { total } = await wim.file.sizes(wish.imageIndex, wish.position, signal);
		const facts = { size: total.size, fileCount: total.files };
		arrived((state) => stagedMeasured(state, wish.id, facts));
	} catch {
		// The commit says what is wrong with it.
		if (!signal.aborted)
			arrived((state) => stagedMeasured(state, wish.id, { size: 0, fileCount: 0 }));
	}
}

const uncountedMarks = ({ marks, wim }: State): Marks | null =>
	marks.size > 0 && wim.file ? marks : null;

/** Counts what lies below marked folders. */
async function countMarks(host: LoaderHost, wish: Marks, signal: AbortSignal): Promise<void> {
	const { file } = host.state().wim;
	let size = 0;
	let files = 0;
	try {
		for (const [imageIndex, marks] of wish) {
			const total = await file?.total(imageIndex, [...marks.keys()], signal);
			size += total?.size ?? 0;
			files += total?.files ?? 0;
		}
	} catch {
		return; // the sizes of the marked files alone stay
	}
	if (signal.aborted) return;
	host.arrived((state) =>
		state.marks === wish ? { ...state, markTotals: { of: wish, size, files } } : state,
	);
}
