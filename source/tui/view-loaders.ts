/** Fetches what the views wish for. */

import { inSlices, type Slot, slot } from './loader-slot.ts';
import type { LoaderHost } from './loaders.ts';
import { sentence } from './sentence.ts';
import { sizeSteps, sizesFailed, sizesLoaded, sizesSorted } from './state/sizes.ts';
import type { SizesRequest, SizesState } from './state/sizes-state.ts';

export function viewSlots(host: LoaderHost): readonly Slot[] {
	return [
		slot(
			({ sizes }) => sizes.load.request,
			(wish, signal) => loadSizes(host, wish, signal),
		),
		slot(
			({ sizes }) => sizes.reorder,
			(wish, signal) => sortSizes(host, wish, signal),
		),
	];
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
