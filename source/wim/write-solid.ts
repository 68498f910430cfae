/** Writes one solid resource: many blobs, sorted so that similar ones are neighbours, compressed as one run (wim.md §9.8). */
import { HostError, WimError } from '../base/errors.ts';
import { breathe, type Run } from '../base/run.ts';
import { type Sha1, sha1Hasher, ZERO_SHA1 } from '../bytes/sha1.ts';
import type { ContentReader } from '../storage/content.ts';
import { type BlobStore, hashContent, type NewBlob, reportChange } from './write-blobs.ts';
import type { ResourceWriter, StoredResource } from './write-resource.ts';

/** A turn for the event loop after so many bytes. */
const SLICE_BYTES = 1 << 23;

/** A new blob with the name that decides its place. */
export interface SolidBlob extends NewBlob {
	/** Of a file that holds it; '' when none is known. */
	readonly fileName: string;
}

/** By extension, then name, both ignoring case; what has no name comes last. */
export function sortSolid<T extends { readonly fileName: string }>(blobs: readonly T[]): T[] {
	const keyed = blobs.map((blob) => {
		const name = blob.fileName.toLowerCase();
		const dot = name.lastIndexOf('.');
		return { blob, name, extension: dot <= 0 ? '' : name.slice(dot + 1) };
	});
	const compare = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);
	keyed.sort(
		(a, b) =>
			Number(a.name === '') - Number(b.name === '') ||
			compare(a.extension, b.extension) ||
			compare(a.name, b.name),
	);
	return keyed.map(({ blob }) => blob);
}

/** A blob inside the resource that is being written. */
interface Member {
	readonly blob: NewBlob;
	readonly offset: number;
	/** What it hashed to in a first pass; null when only its size is known. */
	readonly expected: Sha1 | null;
	/** Others with the same bytes. */
	readonly twins: NewBlob[];
	/** Once read. */
	sha1: Sha1;
	size: number;
	error: WimError | null;
}

/**
 * Stores blobs in one new solid resource, unless they are there already. The resource has the size that the blobs had
 * when they were looked at; where one is shorter by then, zeros that nobody names fill the gap.
 *
 * @param writer of solid layout
 */
export async function writeSolid(
	store: BlobStore,
	writer: ResourceWriter,
	blobs: readonly NewBlob[],
	run: Run,
): Promise<void> {
	const members = await chooseMembers(store, blobs, run);
	const total = members.reduce((sum, { blob }) => sum + blob.content.size, 0);
	if (total === 0) return;
	const reader = new MemberReader(members, run);
	let resource: StoredResource | null = null;
	await writer.add({
		size: total,
		flags: 0,
		sha1: null,
		isHashed: false,
		fill: (into) => reader.fill(into),
		settle(stored) {
			resource = stored;
			return true;
		},
	});
	await writer.finish();
	await reader.close();
	if (resource === null) throw new Error('A solid resource ended early');
	for (const member of members) await settle(store, member, resource);
	await store.finish();
}

/** Takes what is new, each content once. */
async function chooseMembers(
	store: BlobStore,
	blobs: readonly NewBlob[],
	run: Run,
): Promise<Member[]> {
	const members: Member[] = [];
	const byName = new Map<Sha1, Member>();
	let offset = 0;
	for (const blob of blobs) {
		const { content } = blob;
		if (content.size === 0) {
			blob.settle({ sha1: ZERO_SHA1, size: 0 });
			continue;
		}
		let expected: Sha1 | null = null;
		try {
			if (blob.mayRepeat || store.hasSize(content.size)) expected = await hashContent(content, run);
		} catch (error) {
			if (!(error instanceof WimError) || error.code === 'canceled') throw error;
			blob.settle({ error });
			continue;
		}
		if (expected === ZERO_SHA1) {
			blob.settle({ sha1: ZERO_SHA1, size: 0 });
			run.report({ type: 'advance', bytes: content.size });
			continue;
		}
		const twin = expected === null ? undefined : byName.get(expected);
		if (twin !== undefined) twin.twins.push(blob);
		else if (expected !== null && store.has(expected))
			blob.settle({ sha1: expected, size: content.size });
		else {
			const member: Member = {
				blob,
				offset,
				expected,
				twins: [],
				sha1: ZERO_SHA1,
				size: 0,
				error: null,
			};
			if (expected !== null) byName.set(expected, member);
			members.push(member);
			offset += content.size;
			continue;
		}
		run.report({ type: 'advance', bytes: content.size });
	}
	return members;
}

async function settle(store: BlobStore, member: Member, resource: StoredResource): Promise<void> {
	const { blob, sha1, size, error, offset, twins, expected } = member;
	if (error !== null) blob.settle({ error });
	else if (size === 0) blob.settle({ sha1: ZERO_SHA1, size: 0 });
	else {
		if (!store.has(sha1)) store.keep({ sha1, size, resource, offsetInResource: offset });
		blob.settle({ sha1, size });
	}
	for (const twin of twins)
		if (error === null && sha1 === expected) twin.settle({ sha1, size });
		else await store.add(twin);
}

/** The blobs one after the other. */
class MemberReader {
	readonly #members: readonly Member[];
	readonly #run: Run;
	#position = 0;
	#reader: ContentReader | null = null;
	#hash = sha1Hasher();
	#left: number;
	#sliceBytes = 0;

	constructor(members: readonly Member[], run: Run) {
		this.#members = members;
		this.#run = run;
		this.#left = members[0]?.blob.content.size ?? 0;
	}

	async fill(into: Uint8Array): Promise<boolean> {
		for (let at = 0; at < into.length; ) {
			const member = this.#members[this.#position];
			if (member === undefined) return false;
			const size = Math.min(into.length - at, this.#left, SLICE_BYTES);
			await this.#read(member, into.subarray(at, at + size));
			at += size;
			this.#left -= size;
			if (this.#left === 0) await this.#next(member);
			this.#sliceBytes += size + 4096;
			if (this.#sliceBytes > SLICE_BYTES) {
				this.#sliceBytes = 0;
				await breathe(this.#run);
			}
		}
		return true;
	}

	async #read(member: Member, into: Uint8Array): Promise<void> {
		let got = 0;
		if (member.error === null)
			try {
				this.#reader ??= await member.blob.content.open();
				got = await this.#reader.read(into);
			} catch (error) {
				if (!(error instanceof WimError)) throw error;
				member.error = error;
			}
		this.#hash.update(into.subarray(0, got));
		member.size += got;
		// The batch may hold older bytes.
		into.fill(0, got);
	}

	async #next(member: Member): Promise<void> {
		const { content } = member.blob;
		if (member.error === null && this.#reader !== null)
			reportChange(content, this.#reader, this.#run);
		member.sha1 = this.#hash.digest('hex');
		if (member.size < content.size && member.error === null && content.again === undefined)
			member.error = new HostError(`Cannot read "${content.name}": it ended early`);
		await this.close();
		this.#hash = sha1Hasher();
		this.#position++;
		this.#left = this.#members[this.#position]?.blob.content.size ?? 0;
	}

	async close(): Promise<void> {
		await this.#reader?.close();
		this.#reader = null;
	}
}
