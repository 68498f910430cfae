/**
 * Writes a whole, valid WIM of what could be had from a damaged one: intact resources as they are, everything else decoded
 * and compressed again, trees as they were except for the names whose contents stay lost.
 */
import { InputError } from '../../base/errors.ts';
import { breathe, type Run } from '../../base/run.ts';
import { type Sha1, sha1, ZERO_SHA1 } from '../../bytes/sha1.ts';
import { Sha1Counts } from '../../bytes/sha1-counts.ts';
import { visitBlobs } from '../../image/blob-users.ts';
import { Attribute } from '../../image/dentry.ts';
import { type EditStream, EditTree, type Inode, newInode } from '../../image/edit-tree.ts';
import { countReferences, encodeTree, treeStatistics } from '../../image/encode-tree.ts';
import type { ImageTree } from '../../image/tree.ts';
import { readWindowsProperties } from '../../image/windows-properties.ts';
import type { LargeChunks } from '../../pool/large-chunks.ts';
import type { Pool } from '../../pool/pool.ts';
import { BytesContent, type Content } from '../../storage/content.ts';
import { isFile } from '../../storage/find-files.ts';
import { freeSpace, requireSpace } from '../../storage/output-file.ts';
import { BlobContents } from '../../wim/blob-content.ts';
import { canCopy, copyBlobs, type StorageShape } from '../../wim/copy-resources.ts';
import { setStatistics } from '../../wim/edit-xml.ts';
import { ResourceFlag } from '../../wim/part-header.ts';
import type { Blob, Resource } from '../../wim/resource.ts';
import type { Wim } from '../../wim/wim.ts';
import { NewSession } from '../../wim/write-session.ts';
import type { TableBlob } from '../../wim/write-table.ts';
import type { WimShape } from '../../wim/write-wim.ts';
import type { XmlData } from '../../wim/xml-data.ts';
import type { XmlElement } from '../../wim/xml-element.ts';
import { filesOf, setWindowsProperties } from '../capture/store-image.ts';
import { copiedSize, tablesEnd } from '../rewrite/predict-size.ts';
import { type ExtraContent, storeBlobs } from '../rewrite/rebuild.ts';
import {
	type CompressionPlan,
	planCompression,
	USUAL_COMPRESSION,
	type WriteTools,
} from '../rewrite/write-options.ts';
import { forgetDecoded } from '../salvage/read-damaged.ts';
import { UNNAMED_FOLDER } from '../salvage/unnamed.ts';
import { checkWritten, type ReadBack } from './check-written.ts';
import { DamagedContent } from './damaged-content.ts';
import type { Contents } from './find-contents.ts';
import { looseEnds } from './loose-ends.ts';
import { addFolderOf, type LostPolicy, markLost } from './mark-lost.ts';
import {
	type KnownStretch,
	type MendedSolid,
	mendedSize,
	planMend,
	writeMended,
} from './mend-solid.ts';

/** An image that the new file is to hold. */
export interface RescuedImage {
	readonly name: string;
	/** What the XML data says of it; null when nothing is left of that. */
	readonly element: XmlElement | null;
	readonly tree: ImageTree;
	/** With its SHA-1 proved; null when the tree has to be encoded anew. */
	readonly metadata: Blob | null;
	readonly isBoot: boolean;
}

/** Contents without a name of their own: they go into a folder of the only image, or of an image of their own. */
export interface UnnamedContents {
	readonly name: string;
	readonly sha1: Sha1;
	readonly content: Content;
}

export interface RescueRequest {
	/** Where everything was; names, shape and XML data come from it. */
	readonly wim: Wim;
	readonly images: readonly RescuedImage[];
	readonly contents: Contents;
	/** Every place in the file where contents may be. */
	readonly places: ReadonlyMap<Sha1, readonly Blob[]>;
	/** Decode large chunks of damaged resources. */
	readonly lanes: LargeChunks;
	readonly unnamed: readonly UnnamedContents[];
	readonly lost: LostPolicy;
	readonly integrity: boolean;
}

/** How large the new file is, or would be. */
export interface RescueSummary {
	/** In bytes. */
	readonly size: number;
	readonly imageCount: number;
	/** Null where nothing was written. */
	readonly readBack: ReadBack | null;
}

export interface RescueTools extends WriteTools {
	readonly pool: Pool;
}

/**
 * Nothing may stand at the target: what was rescued must not replace anything.
 *
 * @throws {InputError} when something does
 */
export async function requireFreeTarget(target: string): Promise<void> {
	if (await isFile(target))
		throw new InputError(`Cannot write "${target}": there is a file of that name`, {
			path: target,
			hint: 'Choose another name, or move that file away.',
		});
}

/** Says how large the file would be about, without writing it. */
export async function predictRescue(request: RescueRequest, run: Run): Promise<RescueSummary> {
	const rescue = await Rescue.prepare(request, run);
	return { size: rescue.predictedSize(), imageCount: rescue.imageCount, readBack: null };
}

/** Writes the file; it gets its name once it was read back. */
export async function writeRescued(
	target: string,
	request: RescueRequest,
	tools: RescueTools,
	run: Run,
): Promise<RescueSummary> {
	await requireFreeTarget(target);
	const rescue = await Rescue.prepare(request, run);
	requireSpace(target, rescue.predictedSize(), await freeSpace(target));
	return await rescue.write(target, tools);
}

/** An image with what its metadata becomes. */
interface PlannedImage {
	readonly image: RescuedImage | null;
	readonly name: string;
	/** Copied or decoded as it is; null for a tree that changes. */
	readonly metadata: Blob | null;
	/** Null for a tree that stays as it is. */
	readonly tree: EditTree | null;
}

class Rescue {
	readonly #request: RescueRequest;
	readonly #run: Run;
	readonly #images: PlannedImage[] = [];
	readonly #references = new Sha1Counts();
	readonly #names = new Map<Sha1, string>();
	readonly #extras = new Map<Sha1, ExtraContent>();
	readonly #shape: WimShape;
	readonly #mended: MendedSolid[] = [];
	#copied: Blob[] = [];
	#recoded: Blob[] = [];

	private constructor(request: RescueRequest, run: Run) {
		this.#request = request;
		this.#run = run;
		this.#shape = shapeOf(request, run);
	}

	get imageCount(): number {
		return this.#images.length;
	}

	static async prepare(request: RescueRequest, run: Run): Promise<Rescue> {
		const rescue = new Rescue(request, run);
		for (const image of request.images) {
			await breathe(run);
			rescue.#images.push(rescue.#planImage(image, request.images.length === 1));
		}
		if (request.images.length !== 1 && request.unnamed.length > 0) rescue.#addUnnamedImage();
		await rescue.#planSolid();
		rescue.#planBlobs();
		return rescue;
	}

	#planImage(image: RescuedImage, isOnly: boolean): PlannedImage {
		const { tree, metadata, name } = image;
		const { whole } = this.#request.contents;
		let isWhole = true;
		visitBlobs(tree, (sha1, dentry) => {
			isWhole &&= whole.has(sha1);
			if (!this.#names.has(sha1)) this.#names.set(sha1, tree.name(dentry));
		});
		const unnamed = isOnly ? this.#request.unnamed : [];
		if (isWhole && metadata !== null && unnamed.length === 0) {
			visitBlobs(tree, (sha1) => this.#count(sha1, 1));
			return { image, name, metadata, tree: null };
		}
		const edited = EditTree.from(tree);
		this.#mark(edited);
		this.#addUnnamed(edited, unnamed);
		countReferences(edited, this.#references);
		return { image, name, metadata: null, tree: edited };
	}

	#addUnnamedImage(): void {
		const tree = new EditTree(newInode(Attribute.directory));
		this.#addUnnamed(tree, this.#request.unnamed);
		countReferences(tree, this.#references);
		this.#images.push({ image: null, name: 'unnamed contents', metadata: null, tree });
	}

	#count(sha1: Sha1, count: number): void {
		this.#references.add(sha1, count);
	}

	/** What is not whole gets a name that says so, and contents that can be stored. */
	#mark(tree: EditTree): void {
		const { whole, hurt } = this.#request.contents;
		const fateOf = (sha1: Sha1) => (whole.has(sha1) ? 'whole' : (hurt.get(sha1)?.fate ?? 'lost'));
		const marks = markLost(tree, fateOf, this.#request.lost);
		for (const [former, streams] of marks.partial) {
			const left = hurt.get(former)?.left;
			if (left == null) throw new Error('Partial contents are nowhere');
			const fileName = this.#names.get(former) ?? '';
			this.#extra({ sha1: left.sha1, content: left.content, fileName }, streams);
		}
		for (const [former, streams] of marks.lost) {
			const bytes = new TextEncoder().encode(noteOn(former, hurt.get(former) ?? null));
			const content = new BytesContent(`note on ${former}`, bytes);
			this.#extra({ sha1: sha1(bytes), content, fileName: '' }, streams);
		}
	}

	#addUnnamed(tree: EditTree, unnamed: readonly UnnamedContents[]): void {
		const streams = addFolderOf(
			tree,
			UNNAMED_FOLDER,
			unnamed.map(({ name }) => name),
		);
		for (const [k, { sha1: name, content }] of unnamed.entries()) {
			const stream = streams[k];
			if (stream !== undefined) this.#extra({ sha1: name, content, fileName: '' }, [stream]);
		}
	}

	#extra(extra: ExtraContent, streams: readonly EditStream[]): void {
		for (const stream of streams) stream.sha1 = extra.content.size === 0 ? ZERO_SHA1 : extra.sha1;
		if (extra.content.size > 0 && !this.#extras.has(extra.sha1))
			this.#extras.set(extra.sha1, extra);
	}

	/** Of a damaged solid resource only the hurt chunks are compressed anew. */
	async #planSolid(): Promise<void> {
		const { wim, places, contents, lanes } = this.#request;
		if (this.#shape.isPipable) return;
		const decoder = new BlobContents(lanes);
		const known = new Map<string, KnownStretch[]>();
		for (const sha1 of this.#references.keys()) {
			const found = contents.whole.get(sha1);
			const place = places.get(sha1)?.find(({ resource }) => resource.layout === 'solid');
			if (found === undefined || place === undefined) continue;
			const { part, offset } = place.resource;
			if (!wim.parts.some(({ source }) => source === part.source)) continue;
			const isElsewhere = found.blob === null || !isSamePlace(found.blob, place);
			const elsewhere = isElsewhere ? found.blob : null;
			const content = found.content ?? (elsewhere === null ? null : decoder.content(elsewhere));
			const key = `${part.source.name} ${offset}`;
			const stretches = known.get(key) ?? [];
			known.set(key, stretches);
			stretches.push({ blob: place, content, elsewhere });
		}
		for (const stretches of known.values()) {
			const [
				{
					blob: { resource },
				} = { blob: { resource: null } },
			] = stretches;
			if (resource === null || contents.soundSolid.has(resource)) continue;
			const plan = await planMend(resource, stretches, { lanes, run: this.#run });
			if (plan !== null) this.#mended.push(plan);
		}
	}

	#planBlobs(): void {
		const { whole, soundSolid } = this.#request.contents;
		const mended = new Set(this.#mended.flatMap(({ known }) => known.map(({ blob }) => blob.sha1)));
		const loose = looseEnds(
			[...whole.values()].flatMap(({ blob }) => (blob === null ? [] : [blob.resource])),
		);
		for (const sha1 of this.#references.keys()) {
			const found = whole.get(sha1);
			if (found === undefined || mended.has(sha1)) continue;
			const fileName = this.#names.get(sha1) ?? '';
			if (found.content !== null)
				this.#extras.set(sha1, { sha1, content: found.content, fileName });
			if (found.blob === null) continue;
			this.#extras.delete(sha1);
			const { resource } = found.blob;
			const isSound = resource.layout === 'solid' ? soundSolid.has(resource) : !loose.has(resource);
			(isSound && canTakeOver(resource, this.#shape) ? this.#copied : this.#recoded).push(
				found.blob,
			);
		}
		this.#copied = inOrder(this.#copied);
		this.#recoded = inOrder(this.#recoded);
	}

	/** Blobs take at most what they take now, or their original size. */
	predictedSize(): number {
		const { isPipable } = this.#shape;
		const copied = copiedSize(this.#copied, isPipable);
		let start = 208 + copied.size;
		for (const { size } of this.#recoded) start += size;
		for (const mended of this.#mended) start += mendedSize(mended);
		for (const { content } of this.#extras.values()) start += content.size;
		for (const { metadata, tree } of this.#images)
			start += metadata?.resource.storedSize ?? (tree === null ? 0 : encodeTree(tree).length);
		return tablesEnd({
			start,
			entryCount:
				copied.entries +
				this.#mendedCount() +
				this.#recoded.length +
				this.#extras.size +
				this.imageCount,
			xml: this.#xml(() => 0),
			isPipable,
			integrityChunkSize: null,
			isPart: false,
		});
	}

	/** Entries of the blob table: one for each content and for the resource itself. */
	#mendedCount(): number {
		return this.#mended.reduce((sum, { known }) => sum + known.length + 1, 0);
	}

	async write(target: string, tools: RescueTools): Promise<RescueSummary> {
		const run = this.#run;
		const plan = this.#compression();
		const { integrity } = this.#request;
		const settings = { level: plan.level, integrity, encoder: tools.encoder, foreign: new Map() };
		const xml = this.#xml((name) => this.#sizeOf(name));
		await this.#addWindows(xml);
		await using session = await NewSession.create(target, this.#shape, xml, settings, run);
		session.references.addAll(this.#references);
		await session.begin();
		if (this.#shape.isPipable) await this.#storeTrees(session);
		// What is kept of decoding is as much as compressing needs.
		await letGo(tools);
		await this.#storeMended(session, plan, tools);
		await this.#storeContents(session, plan, tools);
		if (!this.#shape.isPipable) await this.#storeTrees(session);
		const size = await session.complete();
		const { imageCount } = this;
		await letGo(tools);
		const written = session.writtenPath ?? target;
		const readBack = await checkWritten(written, target, imageCount, tools.pool, run);
		await session.publish();
		return { size, imageCount, readBack };
	}

	#sizeOf(name: Sha1): number {
		const { contents } = this.#request;
		return contents.whole.get(name)?.size ?? this.#extras.get(name)?.content.size ?? 0;
	}

	/** New solid contents go into a resource like the one that they were in. */
	#compression(): CompressionPlan {
		const plan = planCompression(USUAL_COMPRESSION, this.#shape);
		const solid = this.#recoded.find(
			({ resource }) =>
				resource.layout === 'solid' &&
				this.#request.wim.parts.some(({ source }) => source === resource.part.source),
		)?.resource;
		if (solid === undefined || this.#shape.isPipable) return plan;
		const { compression, chunkSize } = solid;
		const { level } = plan;
		return { ...plan, solid: { layout: 'solid', compression, chunkSize, level, sorted: false } };
	}

	async #storeTrees(session: NewSession): Promise<void> {
		const decoder = new BlobContents();
		for (const { metadata, tree } of this.#images) {
			await breathe(this.#run);
			if (tree !== null) session.metadata.push(await session.writeMetadata(encodeTree(tree)));
			else if (metadata !== null)
				session.metadata.push(await this.#copyTree(session, metadata, decoder));
		}
	}

	async #copyTree(session: NewSession, metadata: Blob, decoder: BlobContents): Promise<TableBlob> {
		if (canTakeOver(metadata.resource, this.#shape)) {
			// One that was found without a table does not know what it is.
			const flags = metadata.resource.flags | ResourceFlag.metadata;
			const marked = { ...metadata, resource: { ...metadata.resource, flags } };
			this.#run.report({ type: 'phase', phase: 'write', totalBytes: metadata.size });
			const [copied] = await copyBlobs(session.output, [marked], this.#run);
			if (copied !== undefined) return copied;
		}
		const reader = await decoder.content(metadata).open();
		const bytes = new Uint8Array(metadata.size);
		await reader.read(bytes);
		return session.writeMetadata(bytes);
	}

	async #storeMended(
		session: NewSession,
		{ level }: CompressionPlan,
		{ encoder }: RescueTools,
	): Promise<void> {
		const { lanes } = this.#request;
		for (const mended of this.#mended) {
			const tools = { encoder, lanes };
			const resource = await writeMended(mended, session.output, level, tools, this.#run);
			for (const { blob } of mended.known) {
				const { sha1, size, offsetInResource } = blob;
				session.store.keep({ sha1, size, resource, offsetInResource });
			}
		}
	}

	async #storeContents(
		session: NewSession,
		plan: CompressionPlan,
		tools: WriteTools,
	): Promise<void> {
		const names = this.#names;
		// What stands before the damage in a broken chunk is whole, but its resource cannot be read in the ordinary way.
		const isHurt = ({ resource }: Blob) =>
			resource.layout === 'solid' && !this.#request.contents.soundSolid.has(resource);
		const hurt = this.#recoded.filter(isHurt).map((blob): ExtraContent => {
			const content = new DamagedContent(blob, this.#request.lanes, true);
			return { sha1: blob.sha1, content, fileName: names.get(blob.sha1) ?? '' };
		});
		const extras = [...this.#extras.values(), ...hurt].sort((a, b) => placeOf(a) - placeOf(b));
		const selection = { names };
		const recoded = this.#recoded.filter((blob) => !isHurt(blob));
		const blobs = { copied: this.#copied, recoded, extras };
		await storeBlobs(session, selection, blobs, plan, tools, this.#run);
	}

	/** The XML data of the old file with the images that the new one has. */
	#xml(sizeOf: (sha1: Sha1) => number): XmlData {
		const xml = this.#request.wim.xml.copy();
		const isImage = (child: XmlElement | string) =>
			typeof child !== 'string' && child.name === 'IMAGE';
		const first = Math.max(0, xml.root.children.findIndex(isImage));
		const others = xml.root.children.filter((child) => !isImage(child));
		const elements: XmlElement[] = [];
		const names = new Set<string>();
		for (const [k, { image, name, tree }] of this.#images.entries()) {
			const former = image?.element ?? null;
			const element: XmlElement = {
				name: 'IMAGE',
				attributes: { ...former?.attributes, INDEX: String(k + 1) },
				children: structuredClone(former?.children ?? []),
			};
			elements.push(element);
			xml.set(element, 'NAME', freeName(xml.get(element, 'NAME') ?? name, names));
			if (tree !== null) setStatistics(xml, element, treeStatistics(tree, sizeOf));
			else if (former === null && image !== null)
				setStatistics(xml, element, treeStatistics(EditTree.from(image.tree), sizeOf));
		}
		xml.root.children = [...others.slice(0, first), ...elements, ...others.slice(first)];
		return xml;
	}

	/** Of images whose part of the XML data is lost, Windows itself tells edition and version. */
	async #addWindows(xml: XmlData): Promise<void> {
		for (const [k, { image, tree }] of this.#images.entries()) {
			const element = xml.image(k + 1);
			if (image === null || image.element !== null || element === null) continue;
			const edited = tree ?? EditTree.from(image.tree);
			const contents = new BlobContents();
			const contentOf = (inode: Inode): Content | null => {
				const found = this.#request.contents.whole.get(inode.data?.sha1 ?? '');
				return found?.content ?? (found?.blob == null ? null : contents.content(found.blob));
			};
			const properties = await readWindowsProperties(filesOf(edited, contentOf), (message) =>
				this.#run.report({ type: 'warning', message }),
			);
			setWindowsProperties(xml, element, properties);
		}
	}
}

function shapeOf({ wim, images }: RescueRequest, run: Run): WimShape {
	const { guid } = wim.header;
	return {
		compression: wim.compression,
		chunkSize: wim.chunkSize,
		isPipable: wim.isPipable,
		rpFix: wim.hasRpFix,
		isReadonly: false,
		guid: guid.every((byte) => byte === 0) ? run.clock.guid() : guid,
		partNumber: 1,
		partCount: 1,
		imageCount: 0,
		bootIndex: images.findIndex(({ isBoot }) => isBoot) + 1,
	};
}

/** Raw resources suit every file but a pipable one, the others only what stores its own in the same way. */
function canTakeOver(resource: Resource, to: StorageShape): boolean {
	const { compression, chunkSize } = resource.layout === 'raw' ? to : resource;
	return canCopy(resource, { compression, chunkSize, isPipable: resource.part.pipable }, to);
}

async function letGo({ pool }: RescueTools): Promise<void> {
	forgetDecoded();
	await pool.rest();
}

function isSamePlace(a: Blob, b: Blob): boolean {
	return (
		a.resource.part.source === b.resource.part.source &&
		a.resource.offset === b.resource.offset &&
		a.offsetInResource === b.offsetInResource
	);
}

function inOrder(blobs: readonly Blob[]): Blob[] {
	const ranks = new Map<unknown, number>();
	for (const { resource } of blobs)
		if (!ranks.has(resource.part.source)) ranks.set(resource.part.source, ranks.size);
	const rank = ({ resource }: Blob) => ranks.get(resource.part.source) ?? 0;
	return [...blobs].sort(
		(a, b) =>
			rank(a) - rank(b) ||
			a.resource.offset - b.resource.offset ||
			a.offsetInResource - b.offsetInResource,
	);
}

/** Contents that are decoded again from damaged chunks come chunk by chunk. */
function placeOf({ content }: ExtraContent): number {
	if (!(content instanceof DamagedContent)) return 0;
	const { resource, offsetInResource } = content.blob;
	return resource.offset + offsetInResource;
}

function freeName(wanted: string, taken: Set<string>): string {
	let name = wanted;
	for (let n = 2; name !== '' && taken.has(name); n++) name = `${wanted} (${n})`;
	taken.add(name);
	return name;
}

/** What stands in a file of which nothing could be read. */
function noteOn(
	sha1: Sha1,
	hurt: { readonly size: number | null; readonly why: string } | null,
): string {
	return [
		'The contents of this file are lost.',
		`SHA-1: ${sha1}`,
		`Size: ${hurt?.size ?? 'not known'}${hurt?.size == null ? '' : ' bytes'}`,
		`Why: ${hurt?.why ?? 'not known'}`,
		'To get them back: wimdeck repair DAMAGED.wim --from=DONOR, where DONOR is a WIM or a',
		'folder that holds the same file.',
		'',
	].join('\r\n');
}
