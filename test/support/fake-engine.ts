/** A scripted engine: an image like the one of the design's screens, and jobs that move only when a test says so. */

import { InputError } from '../../source/base/errors.ts';
import type { KeptChanges, StagedStore } from '../../source/jobs/staged-changes.ts';
import { repairName } from '../../source/operations/repair/output-name.ts';
import type {
	DeckEngine,
	DeckJobs,
	EntryDetails,
	EntryOutline,
	FoundWim,
	HostEntry,
	HostPath,
	ImageFacts,
	JobCheck,
	JobEstimate,
	JobRequest,
	JobView,
	Listing,
	OnDisk,
	OpenFile,
	RepairFacts,
	WimFacts,
} from '../../source/tui/engine.ts';
import { EntryKind } from '../../source/tui/engine.ts';
import type {
	DifferenceFact,
	ImageDifference,
	MapPlace,
	SizeListing,
} from '../../source/tui/engine-views.ts';
import { FOUND } from './fake-found.ts';
import { fakeMaps, fakePlace } from './fake-map.ts';

export { FOUND };

import { type FakeEntry, folder, TREE } from './fake-tree.ts';
import { DIFFERENCES, fakeFacts, fakeSizes, fakeTotal } from './fake-views.ts';

const DAY = 86_400_000;

const image = (index: number, name: string, gib: number): ImageFacts => ({
	index,
	name,
	description: name,
	totalBytes: Math.round(gib * 2 ** 30),
	fileCount: 112_417,
	folderCount: 24_006,
	hardLinkBytes: 3_221_225_472,
	architecture: 'amd64',
	version: '10.0.26100.1',
	edition: 'Professional',
	displayName: name,
	displayDescription: name,
	flags: 'Professional',
	created: 19857 * DAY,
	modified: 19858 * DAY,
	isBootable: false,
	metadata: `metadata of ${index}`,
	more: [['languages', 'en-US (default)']],
});

export const IMAGES: readonly ImageFacts[] = [
	image(1, 'Windows 11 Home', 14.2),
	image(2, 'Windows 11 Home N', 13.9),
	image(3, 'Windows 11 Pro', 14.4),
	image(4, 'Windows 11 Pro N', 14.1),
	image(5, 'Windows 11 Edu', 14.4),
	image(6, 'Windows 11 Ent', 14.4),
];

export const FACTS: WimFacts = {
	path: '/srv/sources/install.wim',
	compression: 'LZX',
	chunkSize: 32_768,
	size: Math.round(4.83 * 2 ** 30),
	partNumber: 1,
	partCount: 1,
	bootIndex: 0,
	guid: '00112233445566778899aabbccddeeff',
	hasIntegrity: true,
	isPipable: false,
	whyReadonly: null,
	deadBytes: null,
	warnings: [],
};

export interface Node {
	readonly entry: FakeEntry;
	readonly path: string;
	readonly parent: number;
	readonly children: readonly number[];
}

/** Positions in the order of the tree, children of a folder side by side. */
function numbered(tree: readonly FakeEntry[]): readonly Node[] {
	const nodes: { entry: FakeEntry; path: string; parent: number; children: number[] }[] = [
		{ entry: folder('', tree), path: '\\', parent: 0, children: [] },
	];
	for (let at = 0; at < nodes.length; at++) {
		const node = nodes[at]!;
		for (const entry of node.entry.children ?? []) {
			node.children.push(nodes.length);
			const path = node.path === '\\' ? `\\${entry.name}` : `${node.path}\\${entry.name}`;
			nodes.push({ entry, path, parent: at, children: [] });
		}
	}
	return nodes;
}

function columns(
	nodes: readonly Node[],
	positions: readonly number[],
	name: (node: Node) => string,
) {
	const entries = positions.map((position) => nodes[position]!);
	return {
		positions: Int32Array.from(positions),
		names: entries.map(name),
		sizes: Float64Array.from(entries, ({ entry }) => entry.size ?? 0),
		packed: Float64Array.from(entries, ({ entry }) => Math.floor((entry.size ?? 0) * 0.45)),
		times: Float64Array.from(entries, ({ entry }) =>
			entry.day === undefined ? Number.NaN : entry.day * DAY,
		),
		attributes: Uint32Array.from(entries, ({ entry }) => entry.attributes ?? 0),
		kinds: Uint8Array.from(
			entries,
			({ entry }) => (entry.kind ?? 0) | (entry.children ? EntryKind.folder : 0),
		),
	};
}

/** A listing of `count` files, for tests of long lists. */
export function longListing(count: number): Listing {
	const names = Array.from({ length: count }, (_, i) => `file-${(i * 7919) % count}.dll`);
	return {
		imageIndex: 1,
		folder: 0,
		parent: 0,
		path: '\\',
		positions: Int32Array.from({ length: count }, (_, i) => i + 1),
		names,
		sizes: Float64Array.from({ length: count }, (_, i) => (i * 104_729) % 1_000_000),
		packed: new Float64Array(count),
		times: new Float64Array(count).fill(19_850 * DAY),
		attributes: new Uint32Array(count).fill(0x20),
		kinds: new Uint8Array(count),
	};
}

export class FakeFile implements OpenFile {
	readonly facts: WimFacts;
	readonly images: readonly ImageFacts[];
	readonly #nodes: readonly Node[];
	/** Set to answer with this instead of the tree. */
	listing: Listing | null = null;
	/** Image indexes whose metadata cannot be read. */
	readonly unreadable = new Set<number>();
	/** What comparing two images answers. */
	differences: readonly ImageDifference[] = DIFFERENCES;
	/** Image indexes whose hard links are counted. */
	readonly linkCounts = new Map<number, number>();
	/** Names of files whose first bytes take long. */
	readonly slowStarts = new Set<string>();
	/** Names of the files whose contents were asked for. */
	readonly contentReads: string[] = [];
	isClosed = false;
	/** Images that are no longer kept in memory. */
	readonly evicted = new Set<number>();
	/** What another program did to it. */
	disk: OnDisk = 'same';

	constructor(
		facts: Partial<WimFacts> = {},
		images: readonly ImageFacts[] = IMAGES,
		tree: readonly FakeEntry[] = TREE,
	) {
		this.facts = { ...FACTS, ...facts };
		this.images = images;
		this.#nodes = numbered(tree);
	}

	async listFolder(
		imageIndex: number,
		position: number,
		_signal?: AbortSignal,
		_onPart?: (part: Listing) => void,
	): Promise<Listing> {
		if (this.unreadable.has(imageIndex)) throw unreadableImage(imageIndex);
		if (this.listing) return this.listing;
		const node = this.#nodes[position]!;
		return {
			imageIndex,
			folder: position,
			parent: node.parent,
			path: node.path,
			...columns(this.#nodes, node.children, ({ entry }) => entry.name),
		};
	}

	async locate(_image: number, path: string): Promise<readonly number[] | null> {
		const wanted = path.toLowerCase().replace(/\\$/, '') || '\\';
		const at = this.#nodes.findIndex((node) => node.path.toLowerCase() === wanted);
		if (at < 0) return null;
		const trail = [at];
		while (trail[0] !== 0) trail.unshift(this.#nodes[trail[0]!]!.parent);
		return trail;
	}

	hardLinkCount(imageIndex: number): number | null {
		return this.linkCounts.get(imageIndex) ?? null;
	}

	isLoaded(imageIndex: number): boolean {
		return !this.evicted.has(imageIndex);
	}

	async load(imageIndex: number): Promise<void> {
		this.evicted.delete(imageIndex);
	}

	pathOf(image: number, position: number): string {
		if (this.evicted.has(image)) throw new Error(`image ${image} is not loaded`);
		return this.#nodes[position]?.path ?? '';
	}

	describe(image: number, position: number): EntryOutline {
		if (this.evicted.has(image)) throw new Error(`image ${image} is not loaded`);
		const { entry, path } = this.#nodes[position]!;
		const isFolder = entry.children !== undefined;
		return { position, path, isFolder, size: isFolder ? 0 : (entry.size ?? 0) };
	}

	async entryAt(imageIndex: number, path: string): Promise<EntryOutline | null> {
		const trail = await this.locate(imageIndex, path);
		const position = trail?.at(-1);
		return position === undefined ? null : this.describe(imageIndex, position);
	}

	async details(_image: number, position: number): Promise<EntryDetails> {
		const { entry, path } = this.#nodes[position]!;
		const isFile = !entry.children;
		return {
			name: entry.name,
			path,
			facts: [
				{ label: 'size', value: String(entry.size ?? 0) },
				{ label: 'packed', value: String(Math.floor((entry.size ?? 0) * 0.45)) },
				{ label: 'written', value: Date.UTC(2024, 4, 7, 4, 12, 31) },
				...(isFile ? [{ label: 'sha1', value: '9f0c2a7d41be55a0c03e77128a6d90f40b12ee5c' }] : []),
			],
			startsQuickly: isFile && !this.slowStarts.has(entry.name),
			target: entry.kind === EntryKind.link ? '\\Users' : null,
			otherNames: entry.name === 'afd.sys' ? ['\\Windows\\WinSxS\\amd64_afd\\afd.sys'] : [],
			usedBy: isFile ? ['images 1-6'] : [],
			streamCount: (entry.streams?.length ?? 0) + (entry.children ? 0 : 1),
			streams: entry.streams ?? [],
			problems: [],
			digest: isFile ? '9f0c2a7d41be55a0c03e77128a6d90f40b12ee5c' : null,
		};
	}

	async readContent(_image: number, position: number, offset: number, size: number) {
		this.contentReads.push(this.#nodes[position]!.entry.name);
		const { entry } = this.#nodes[position]!;
		const bytes =
			typeof entry.content === 'string'
				? new TextEncoder().encode(entry.content)
				: (entry.content ?? new Uint8Array(Math.min(size, entry.size ?? 0)));
		return { bytes: bytes.subarray(offset, offset + size), totalSize: bytes.length };
	}

	async find(imageIndex: number, pattern: string): Promise<Listing> {
		const wanted = pattern.toLowerCase().replaceAll('*', '');
		const hits = this.#nodes.flatMap(({ entry }, position) =>
			position > 0 && entry.name.toLowerCase().includes(wanted) ? [position] : [],
		);
		return {
			imageIndex,
			folder: 0,
			parent: 0,
			path: '\\',
			...columns(this.#nodes, hits, ({ path }) => path),
		};
	}

	async sizes(imageIndex: number, position: number): Promise<SizeListing> {
		if (this.unreadable.has(imageIndex)) throw unreadableImage(imageIndex);
		return fakeSizes(this.#nodes, imageIndex, position);
	}

	async difference(before: number): Promise<readonly ImageDifference[]> {
		if (this.unreadable.has(before)) throw unreadableImage(before);
		return this.differences;
	}

	async differenceFacts(
		_before: number,
		_after: number,
		difference: ImageDifference,
	): Promise<readonly DifferenceFact[]> {
		return fakeFacts(difference);
	}

	async maps() {
		return fakeMaps(this.facts.path);
	}

	async placeFacts(place: MapPlace) {
		return fakePlace(place);
	}

	async total(_image: number, positions: readonly number[]) {
		const all = positions.map((at) => fakeTotal(this.#nodes, at));
		return all.reduce((a, b) => ({ size: a.size + b.size, files: a.files + b.files }), {
			size: 0,
			files: 0,
		});
	}

	async onDisk(): Promise<OnDisk> {
		return this.disk;
	}

	async close(): Promise<void> {
		this.isClosed = true;
	}
}

const REQUEST: JobRequest = { verb: 'verify', values: {} };

export const jobView = (id: number, change: Partial<JobView> = {}): JobView => ({
	id,
	verb: 'verify',
	title: 'install.wim',
	state: 'running',
	phase: 'verify',
	doneBytes: 0,
	totalBytes: 1000,
	rate: null,
	etaMs: null,
	startedMs: 0,
	lastEventMs: 0,
	endedMs: null,
	problemCount: 0,
	warningCount: 0,
	summary: null,
	waitsFor: null,
	log: [],
	logCount: 0,
	findings: [],
	good: [],
	map: null,
	canPause: true,
	writes: [],
	request: REQUEST,
	whyOnce: null,
	isForeign: false,
	label: String(id),
	leftovers: [],
	...change,
});

export class FakeJobs implements DeckJobs {
	readonly verbs: ReadonlySet<string>;
	#jobs: readonly JobView[] = [];
	readonly #listeners = new Set<() => void>();
	readonly started: JobRequest[] = [];
	readonly asked: string[] = [];
	check_: JobCheck = { errors: {}, replaces: null };
	estimate_: JobEstimate = { notes: ['needs 5.1 M, 118 G free'], warnings: [] };

	constructor(
		verbs: readonly string[] = [
			'verify',
			'extract',
			'apply',
			'export',
			'capture',
			'append',
			'split',
			'join',
			'optimize',
			'delete',
			'update',
			'edit',
			'undo',
			'salvage',
			'repair',
		],
	) {
		this.verbs = new Set(verbs);
	}

	/** Replaces the jobs, as a running engine would. */
	set(jobs: readonly JobView[]): void {
		this.#jobs = jobs;
		for (const listener of this.#listeners) listener();
	}

	update(id: number, change: Partial<JobView>): void {
		this.set(this.#jobs.map((job) => (job.id === id ? { ...job, ...change } : job)));
	}

	list(): readonly JobView[] {
		return this.#jobs;
	}

	subscribe(listener: () => void): () => void {
		this.#listeners.add(listener);
		return () => void this.#listeners.delete(listener);
	}

	start(request: JobRequest): number {
		this.started.push(request);
		const id = this.#jobs.length + 1;
		this.set([...this.#jobs, jobView(id, { verb: request.verb, request })]);
		return id;
	}

	cancel(id: number): void {
		this.asked.push(`cancel ${id}`);
		this.update(id, { state: 'canceled', endedMs: 1 });
	}

	pause(id: number): void {
		this.asked.push(`pause ${id}`);
		this.update(id, { state: 'paused' });
	}

	resume(id: number): void {
		this.asked.push(`resume ${id}`);
		this.update(id, { state: 'running' });
	}

	async again(id: number): Promise<number> {
		this.asked.push(`again ${id}`);
		return this.start({ verb: this.#jobs.find((job) => job.id === id)?.verb ?? '', values: {} });
	}

	async clean(id: number): Promise<string> {
		this.asked.push(`clean ${id}`);
		this.set(this.#jobs.filter((job) => job.id !== id));
		return 'Cleaned up';
	}

	isHistoryShown = false;

	showHistory(isShown: boolean): void {
		this.isHistoryShown = isShown;
	}

	detach(): void {
		this.asked.push('detach');
	}

	dismiss(id: number): void {
		this.asked.push(`dismiss ${id}`);
		this.set(this.#jobs.filter((job) => job.id !== id));
	}

	async check(_request: JobRequest): Promise<JobCheck> {
		return this.check_;
	}

	async estimate(_request: JobRequest, _signal: AbortSignal): Promise<JobEstimate> {
		return this.estimate_;
	}

	async idle(): Promise<void> {
		while (this.#jobs.some(({ state }) => state === 'running' || state === 'queued'))
			await new Promise((resolve) => setTimeout(resolve, 2));
	}
}

export class FakeEngine implements DeckEngine {
	readonly jobs: FakeJobs;
	/** Files by path; others cannot be opened. */
	readonly files = new Map<string, FakeFile>();
	readonly reports: { path: string; text: string }[] = [];
	readonly folders = new Set(['/srv/sources']);
	readonly hostNames: HostEntry[] = [];
	found: readonly FoundWim[] = FOUND;
	/** Opening a file waits for this: a disk that is slow. */
	slowDisk: Promise<void> = Promise.resolve();

	constructor(file = new FakeFile(), jobs = new FakeJobs()) {
		this.jobs = jobs;
		this.files.set(file.facts.path, file);
	}

	async open(
		path: string,
		_options?: { readonly refs: readonly string[] },
		_onHeader?: (imageCount: number) => void,
	): Promise<OpenFile> {
		await this.slowDisk;
		const found = this.files.get(path);
		if (!found)
			throw new InputError(`Cannot open "${path}": there is no such file or folder`, {
				hint: 'Check the path.',
			});
		return found;
	}

	async findWims(
		_folder: string,
		_isDeep: boolean,
		onBatch: (found: readonly FoundWim[]) => void,
		_signal: AbortSignal,
	): Promise<void> {
		onBatch(this.found);
	}

	async repairFacts(damaged: string): Promise<RepairFacts> {
		const beside = (name: string) => damaged.replace(/[^/]*$/, name);
		return {
			target: repairName(damaged),
			donors: [
				{ path: beside('backup.wim'), isCopy: true, sharedCount: 112_417 },
				{ path: beside('boot.wim'), isCopy: false, sharedCount: 1204 },
				{ path: beside('cut.wim'), isCopy: false, sharedCount: null },
				{ path: beside('linux.wim'), isCopy: false, sharedCount: 0 },
			],
		};
	}

	async complete(): Promise<readonly HostEntry[]> {
		return this.hostNames;
	}

	async look(path: string): Promise<HostPath> {
		const isFolder = this.folders.has(path);
		return {
			path: path.startsWith('/') ? path : `/srv/${path}`,
			exists: isFolder || this.files.has(path),
			isFolder,
			isEmptyFolder: false,
			size: 100,
			modified: null,
			imageCount: null,
		};
	}

	async folderAt(path: string): Promise<string | null> {
		return this.folders.has(path) ? path : null;
	}

	/** Files that were opened before. */
	readonly recent: string[] = [];

	async lookAt(
		paths: readonly string[],
		onBatch: (found: readonly FoundWim[]) => void,
	): Promise<void> {
		onBatch(FOUND.filter(({ path }) => paths.includes(path)));
	}

	async recentFiles(): Promise<readonly string[]> {
		return this.recent;
	}

	async remember(path: string): Promise<void> {
		this.recent.unshift(path);
	}

	async measure(): Promise<{ size: number; fileCount: number }> {
		return { size: 5_000_000, fileCount: 12 };
	}

	/** What is kept of staged changes, by file. */
	readonly kept = new Map<string, KeptChanges>();
	readonly staged: StagedStore = {
		load: async (wim) => this.kept.get(wim) ?? null,
		save: async (wim, kept) => {
			if (kept === null) this.kept.delete(wim);
			else this.kept.set(wim, kept);
		},
	};

	async writeReport(path: string, text: string): Promise<void> {
		this.reports.push({ path, text });
	}

	async close(): Promise<void> {}
}

const TREE_NODES = numbered(TREE);

/** Position of a path of `TREE`. */
export function positionOf(path: string): number {
	return TREE_NODES.findIndex((node) => node.path === path);
}

function unreadableImage(imageIndex: number): InputError {
	return new InputError(`Cannot read the metadata of image ${imageIndex}: its SHA-1 differs`);
}
