/** Answers the kernel's requests for a file system, until it is unmounted. */
import { Span } from '../../bytes/span.ts';
import type { Infer } from '../../bytes/struct.ts';
import type { ControlFile } from './control-file.ts';
import {
	type FileSystem,
	type FolderName,
	FuseError,
	Kind,
	type NodeId,
	type Owner,
	type WritableFileSystem,
} from './file-system.ts';
import {
	AllocateIn,
	type Attributes,
	AttributesOut,
	BatchForgetIn,
	CreateIn,
	EntryOut,
	Errno,
	FolderEntry,
	ForgetIn,
	ForgetOne,
	FUSE_MAJOR,
	FUSE_MINOR,
	GetXattrIn,
	GetXattrOut,
	InHeader,
	InitFlag,
	InitIn,
	InitOut,
	LinkIn,
	MakeFolderIn,
	MakeNodeIn,
	OpenFlag,
	OpenIn,
	OpenOut,
	Operation,
	OutHeader,
	ReadIn,
	ReleaseIn,
	Rename2In,
	RenameFlag,
	RenameIn,
	SetAttributesIn,
	SetXattrIn,
	StatisticsOut,
	WRITE_SIZE_MAX,
	WriteIn,
	WriteOut,
	XattrFlag,
} from './protocol.ts';
import { align8, changeOf, encodable, joined, PAGE_SIZE, textAt } from './translate.ts';

const O_ACCMODE = 3;
const O_TRUNC = 0o1000;
const EMPTY = new Uint8Array(0);

/** Where requests come from; see `FuseDevice`. */
export interface RequestChannel {
	/** Null when there will be no more. */
	next(): Promise<Uint8Array | null>;
	answer(bytes: Uint8Array): void;
}

export interface ServeOptions {
	readonly files: FileSystem;
	/** Told of what went wrong on our side: a damaged file, a full disk. */
	readonly failed: (error: unknown, node: NodeId) => void;
	/** Nanoseconds since 1970. */
	readonly nowNs: () => bigint;
	readonly control: ControlFile;
}

/** Serves until the folder is unmounted. Requests that take long do not hold up others. */
export async function serveFuse(channel: RequestChannel, options: ServeOptions): Promise<void> {
	const server = new Server(channel, options);
	const running = new Set<Promise<void>>();
	for (;;) {
		const bytes = await channel.next();
		if (bytes === null) break;
		const done = server.take(new Span(bytes, 'FUSE request'));
		if (done === null) continue;
		running.add(done);
		void done.finally(() => running.delete(done));
	}
	await Promise.allSettled(running);
}

type Header = Infer<typeof InHeader>;

/** A request on its way: what was asked, and the bytes behind the header. */
interface Request {
	readonly header: Header;
	readonly span: Span;
}

const BODY = InHeader.size;

class Server {
	readonly #channel: RequestChannel;
	readonly #options: ServeOptions;
	readonly #files: FileSystem;
	readonly #control: ControlFile;
	/** How often the kernel was told of a node. */
	readonly #lookups = new Map<NodeId, number>();
	/** Open folders: their names as they were at the first reading. */
	readonly #folders = new Map<number, readonly FolderName[] | null>();
	#lastFolder = 0;

	constructor(channel: RequestChannel, options: ServeOptions) {
		this.#channel = channel;
		this.#options = options;
		this.#files = options.files;
		this.#control = options.control;
	}

	/** Starts on a request; null when it is answered already. */
	take(span: Span): Promise<void> | null {
		const header = InHeader.parse(span);
		const request = { header, span };
		try {
			const answer = this.#perform(request);
			if (answer === null) return null;
			if (answer instanceof Promise)
				return answer.then(
					(body) => this.#answer(header, 0, body),
					(error) => this.#fail(header, error),
				);
			this.#answer(header, 0, answer);
		} catch (error) {
			this.#fail(header, error);
		}
		return null;
	}

	#answer({ unique }: Header, errno: number, body: Uint8Array): void {
		const size = OutHeader.size + body.length;
		const bytes = new Uint8Array(size);
		OutHeader.write(new DataView(bytes.buffer), 0, { size, error: -errno >>> 0, unique });
		bytes.set(body, OutHeader.size);
		this.#channel.answer(bytes);
	}

	#fail(header: Header, error: unknown): void {
		if (!(error instanceof FuseError)) this.#options.failed(error, header.node);
		this.#answer(header, error instanceof FuseError ? error.errno : Errno.EIO, EMPTY);
	}

	/** The body of the answer; null when none is due. */
	#perform(request: Request): Uint8Array | Promise<Uint8Array> | null {
		const { header, span } = request;
		const { node } = header;
		if (this.#control.isNode(node)) return this.#controlled(request);
		switch (header.operation) {
			case Operation.init:
				return this.#init(span);
			case Operation.destroy:
				return EMPTY;
			case Operation.interrupt:
				return null;
			case Operation.forget:
				this.#forget(node, ForgetIn.parse(span, BODY).lookups);
				return null;
			case Operation.batchForget: {
				const { count } = BatchForgetIn.parse(span, BODY);
				for (let k = 0; k < count; k++) {
					const one = ForgetOne.parse(span, BODY + BatchForgetIn.size + k * ForgetOne.size);
					this.#forget(one.node, one.lookups);
				}
				return null;
			}
			case Operation.lookup:
				return this.#lookup(node, textAt(span, BODY).bytes, header);
			case Operation.getAttributes:
				return this.#attributes(node);
			case Operation.readLink:
				return this.#files.readLink(node);
			case Operation.open: {
				const { flags } = OpenIn.parse(span, BODY);
				const forWriting = (flags & O_ACCMODE) !== 0;
				if (forWriting) this.#writable();
				return this.#files
					.open(node, forWriting, (flags & O_TRUNC) !== 0)
					.then((handle) => OpenOut.encode({ handle, openFlags: OpenFlag.keepCache, padding: 0 }));
			}
			case Operation.read: {
				const { handle, offset, size } = ReadIn.parse(span, BODY);
				return this.#files.read(handle, offset, size);
			}
			case Operation.release:
				return this.#files.release(ReleaseIn.parse(span, BODY).handle).then(() => EMPTY);
			case Operation.flush:
			case Operation.sync:
			case Operation.syncFolder:
				return EMPTY;
			case Operation.openFolder: {
				const handle = ++this.#lastFolder;
				this.#folders.set(handle, null);
				return OpenOut.encode({ handle, openFlags: 0, padding: 0 });
			}
			case Operation.readFolder:
			case Operation.readFolderPlus:
				return this.#readFolder(request);
			case Operation.releaseFolder:
				this.#folders.delete(ReleaseIn.parse(span, BODY).handle);
				return EMPTY;
			case Operation.statistics:
				return this.#statistics();
			case Operation.listXattrs:
			case Operation.getXattr:
				return this.#readXattr(request);
			default:
				return this.#change(request);
		}
	}

	#writable(): WritableFileSystem {
		const { writable } = this.#files;
		if (writable === undefined) throw new FuseError('EROFS');
		return writable;
	}

	#init(span: Span): Uint8Array {
		const { flags, maxReadahead, minor } = InitIn.parse(span, BODY);
		const wanted =
			InitFlag.asyncRead |
			InitFlag.atomicTruncate |
			InitFlag.bigWrites |
			InitFlag.readFolderPlus |
			InitFlag.readFolderPlusAuto |
			InitFlag.parallelFolders |
			InitFlag.maxPages |
			InitFlag.cacheSymbolicLinks;
		return InitOut.encode({
			major: FUSE_MAJOR,
			minor: Math.min(minor, FUSE_MINOR),
			maxReadahead,
			flags: (flags & wanted) >>> 0,
			maxBackground: 16,
			congestionThreshold: 12,
			maxWrite: WRITE_SIZE_MAX,
			timeGranularity: 100,
			maxPages: WRITE_SIZE_MAX / PAGE_SIZE,
			mapAlignment: 0,
			flags2: 0,
			unused: 0n,
			unused2: 0n,
			unused3: 0n,
			unused4: 0,
		});
	}

	#forget(node: NodeId, lookups: number): void {
		const left = (this.#lookups.get(node) ?? 0) - lookups;
		if (left > 0) this.#lookups.set(node, left);
		else {
			this.#lookups.delete(node);
			this.#files.forget(node);
		}
	}

	#lookup(folder: NodeId, name: Uint8Array, { uid }: Header): Uint8Array {
		if (this.#control.isName(folder, name) && this.#control.mayUse(uid))
			return this.#entryOf(this.#control.node, this.#control.attributes(), 0);
		const node = this.#files.lookup(folder, name);
		if (node === null) throw new FuseError('ENOENT');
		return this.#entry(node);
	}

	/** Tells the kernel of a node; it will be forgotten once for each time. */
	#entry(node: NodeId): Uint8Array {
		this.#lookups.set(node, (this.#lookups.get(node) ?? 0) + 1);
		return this.#entryOf(node, this.#attributesOf(node), this.#files.cacheSeconds);
	}

	#entryOf(node: NodeId, attributes: Infer<typeof Attributes>, seconds: number): Uint8Array {
		return EntryOut.encode({
			node,
			generation: 0,
			entrySeconds: seconds,
			attributeSeconds: seconds,
			entryNanoseconds: 0,
			attributeNanoseconds: 0,
			attributes,
		});
	}

	#attributesOf(node: NodeId): Infer<typeof Attributes> {
		return encodable(node, this.#files.attributes(node));
	}

	#attributes(node: NodeId): Uint8Array {
		return AttributesOut.encode({
			seconds: this.#files.cacheSeconds,
			nanoseconds: 0,
			padding: 0,
			attributes: this.#attributesOf(node),
		});
	}

	/** Names from where the last answer ended, as many as fit; with attributes when asked for. */
	#readFolder({ header, span }: Request): Uint8Array {
		const { handle, offset, size } = ReadIn.parse(span, BODY);
		const withEntries = header.operation === Operation.readFolderPlus;
		// From the beginning: the names of now, also when a program rewinds.
		const known = offset === 0 ? null : (this.#folders.get(handle) ?? null);
		const names = known ?? this.#files.entries(header.node);
		this.#folders.set(handle, names);
		const answer = new Uint8Array(size);
		const view = new DataView(answer.buffer);
		let used = 0;
		for (let at = offset; at < names.length; at++) {
			const { name, node, kind } = names[at]!;
			const head = withEntries ? EntryOut.size : 0;
			const end = used + head + align8(FolderEntry.size + name.length);
			if (end > size) break;
			if (withEntries) answer.set(this.#entry(node), used);
			FolderEntry.write(view, used + head, {
				inode: node,
				next: at + 1,
				nameSize: name.length,
				kind: kind >>> 12,
			});
			answer.set(name, used + head + FolderEntry.size);
			used = end;
		}
		return answer.subarray(0, used);
	}

	#statistics(): Uint8Array {
		const { blocks, freeBlocks, files } = this.#files.statistics();
		return StatisticsOut.encode({
			blocks,
			freeBlocks,
			availableBlocks: freeBlocks,
			files,
			freeFiles: 0,
			blockSize: PAGE_SIZE,
			nameSizeMax: 255,
			fragmentSize: PAGE_SIZE,
			padding: 0,
			spare: 0n,
			spare2: 0n,
			spare3: 0n,
		});
	}

	async #readXattr({ header, span }: Request): Promise<Uint8Array> {
		const { size } = GetXattrIn.parse(span, BODY);
		let value: Uint8Array | null;
		if (header.operation === Operation.listXattrs) {
			const names = this.#files.xattrNames(header.node);
			value = new Uint8Array(names.reduce((sum, name) => sum + name.length + 1, 0));
			let at = 0;
			for (const name of names) {
				value.set(name, at);
				at += name.length + 1;
			}
		} else value = await this.#files.xattr(header.node, textAt(span, BODY + GetXattrIn.size).bytes);
		if (value === null) throw new FuseError('ENODATA');
		// Size 0 asks how much there is.
		if (size === 0) return GetXattrOut.encode({ size: value.length, padding: 0 });
		if (value.length > size) throw new FuseError('ERANGE');
		return value;
	}

	/** Everything that needs a writable file system. */
	#change(request: Request): Uint8Array | Promise<Uint8Array> {
		const { header, span } = request;
		const { node } = header;
		const owner: Owner = { uid: header.uid, gid: header.gid };
		if (!CHANGES.has(header.operation)) throw new FuseError('ENOSYS');
		const files = this.#writable();
		switch (header.operation) {
			case Operation.setAttributes:
				return files
					.setAttributes(node, changeOf(SetAttributesIn.parse(span, BODY), this.#options.nowNs()))
					.then(() => this.#attributes(node));
			case Operation.create: {
				const { mode, umask, flags } = CreateIn.parse(span, BODY);
				const { bytes } = textAt(span, BODY + CreateIn.size);
				const made = files.makeFile(node, bytes, Kind.file | (mode & 0o7777 & ~umask), 0, owner);
				return this.#files
					.open(made, true, (flags & O_TRUNC) !== 0)
					.then((handle) =>
						joined(
							this.#entry(made),
							OpenOut.encode({ handle, openFlags: OpenFlag.keepCache, padding: 0 }),
						),
					);
			}
			case Operation.makeNode: {
				const { mode, umask, rdev } = MakeNodeIn.parse(span, BODY);
				const { bytes } = textAt(span, BODY + MakeNodeIn.size);
				return this.#entry(files.makeFile(node, bytes, mode & ~umask, rdev, owner));
			}
			case Operation.makeFolder: {
				const { mode, umask } = MakeFolderIn.parse(span, BODY);
				const { bytes } = textAt(span, BODY + MakeFolderIn.size);
				return this.#entry(files.makeFolder(node, bytes, mode & 0o7777 & ~umask, owner));
			}
			case Operation.symbolicLink: {
				const name = textAt(span, BODY);
				const target = textAt(span, name.end);
				return this.#entry(files.makeSymbolicLink(node, name.bytes, target.bytes, owner));
			}
			case Operation.link: {
				const { node: linked } = LinkIn.parse(span, BODY);
				files.link(linked, node, textAt(span, BODY + LinkIn.size).bytes);
				return this.#entry(linked);
			}
			case Operation.unlink:
				files.unlink(node, textAt(span, BODY).bytes);
				return EMPTY;
			case Operation.removeFolder:
				files.removeFolder(node, textAt(span, BODY).bytes);
				return EMPTY;
			case Operation.rename:
			case Operation.rename2:
				return this.#rename(request, files);
			case Operation.write: {
				const { handle, offset, size } = WriteIn.parse(span, BODY);
				const at = BODY + WriteIn.size;
				return files
					.write(handle, offset, span.bytes.subarray(at, at + size))
					.then((written) => WriteOut.encode({ size: written, padding: 0 }));
			}
			case Operation.allocate:
				AllocateIn.parse(span, BODY);
				throw new FuseError('EOPNOTSUPP');
			case Operation.setXattr: {
				const { size, flags } = SetXattrIn.parse(span, BODY);
				const name = textAt(span, BODY + SetXattrIn.size);
				const value = span.bytes.subarray(name.end, name.end + size);
				const mode =
					flags & XattrFlag.create ? 'create' : flags & XattrFlag.replace ? 'replace' : 'any';
				return files.setXattr(node, name.bytes, value, mode).then(() => EMPTY);
			}
			default:
				files.removeXattr(node, textAt(span, BODY).bytes);
				return EMPTY;
		}
	}

	#rename({ header, span }: Request, files: WritableFileSystem): Uint8Array {
		const isNew = header.operation === Operation.rename2;
		const { folder } = (isNew ? Rename2In : RenameIn).parse(span, BODY);
		const flags = isNew ? Rename2In.parse(span, BODY).flags : 0;
		if (flags & ~RenameFlag.noReplace) throw new FuseError('EINVAL');
		const from = textAt(span, BODY + (isNew ? Rename2In.size : RenameIn.size));
		const to = textAt(span, from.end);
		files.rename(
			{ folder: header.node, name: from.bytes },
			{ folder, name: to.bytes },
			{ noReplace: (flags & RenameFlag.noReplace) !== 0 },
		);
		return EMPTY;
	}

	/** Requests for the file through which `unmount` speaks with us. */
	#controlled({ header, span }: Request): Uint8Array | Promise<Uint8Array> | null {
		if (!this.#control.mayUse(header.uid)) throw new FuseError('EACCES');
		switch (header.operation) {
			case Operation.forget:
				return null;
			case Operation.getAttributes:
			case Operation.setAttributes:
				return AttributesOut.encode({
					seconds: 0,
					nanoseconds: 0,
					padding: 0,
					attributes: this.#control.attributes(),
				});
			case Operation.open:
				return OpenOut.encode({
					handle: this.#control.open(),
					openFlags: OpenFlag.directIo,
					padding: 0,
				});
			case Operation.read: {
				const { handle, size } = ReadIn.parse(span, BODY);
				return this.#control.read(handle, size);
			}
			case Operation.write: {
				const { handle, size } = WriteIn.parse(span, BODY);
				const at = BODY + WriteIn.size;
				this.#control.write(handle, span.bytes.subarray(at, at + size));
				return WriteOut.encode({ size, padding: 0 });
			}
			case Operation.release:
				this.#control.release(ReleaseIn.parse(span, BODY).handle);
				return EMPTY;
			case Operation.flush:
				return EMPTY;
			default:
				throw new FuseError('ENOSYS');
		}
	}
}

const CHANGES: ReadonlySet<number> = new Set([
	Operation.setAttributes,
	Operation.create,
	Operation.makeNode,
	Operation.makeFolder,
	Operation.symbolicLink,
	Operation.link,
	Operation.unlink,
	Operation.removeFolder,
	Operation.rename,
	Operation.rename2,
	Operation.write,
	Operation.allocate,
	Operation.setXattr,
	Operation.removeXattr,
]);
