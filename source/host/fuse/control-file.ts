/**
 * A file in the root of a mounted tree that no listing shows: what `wimdeck unmount` writes into it is an order, what it
 * reads are lines of JSON until the order is carried out. So both need nothing but the mounted folder, and the kernel
 * says who asks.
 */
import type { Infer } from '../../bytes/struct.ts';
import { FuseError, Kind, type NodeId } from './file-system.ts';
import { type Attributes, ROOT_NODE } from './protocol.ts';

export const CONTROL_NAME = '.wimdeck-control';

/** Far above what file systems give out. */
const CONTROL_NODE = 0x1_0000_0000_0000;
/** An order is a short line. */
const ORDER_SIZE_MAX = 4096;

interface Session {
	readonly pending: Uint8Array[];
	order: string;
	isGiven: boolean;
	isOver: boolean;
	wake: () => void;
}

/** Carries out an order; the lines that it hands to `tell` reach whoever gave it. */
export type Obey = (order: unknown, tell: (line: object) => void) => Promise<void>;

export class ControlFile {
	readonly node: NodeId = CONTROL_NODE;
	readonly #obey: Obey;
	readonly #name = Buffer.from(CONTROL_NAME);
	readonly #owner: number;
	readonly #sessions = new Map<number, Session>();
	#last = 0;

	/** @param owner the user who mounted, beside root the only one who may give orders */
	constructor(owner: number, obey: Obey) {
		this.#owner = owner;
		this.#obey = obey;
	}

	isNode(node: NodeId): boolean {
		return node === CONTROL_NODE;
	}

	isName(folder: NodeId, name: Uint8Array): boolean {
		return folder === ROOT_NODE && this.#name.equals(name);
	}

	mayUse(uid: number): boolean {
		return uid === 0 || uid === this.#owner;
	}

	attributes(): Infer<typeof Attributes> {
		const never = { accessSeconds: 0n, writeSeconds: 0n, changeSeconds: 0n };
		const exactly = { accessNanoseconds: 0, writeNanoseconds: 0, changeNanoseconds: 0 };
		return {
			...never,
			...exactly,
			inode: CONTROL_NODE,
			size: 0,
			blocks: 0,
			mode: Kind.file | 0o600,
			linkCount: 1,
			uid: this.#owner,
			gid: 0,
			rdev: 0,
			blockSize: 4096,
			flags: 0,
		};
	}

	open(): number {
		const handle = CONTROL_NODE + ++this.#last;
		this.#sessions.set(handle, {
			pending: [],
			order: '',
			isGiven: false,
			isOver: false,
			wake: () => {},
		});
		return handle;
	}

	#session(handle: number): Session {
		const session = this.#sessions.get(handle);
		if (session === undefined) throw new FuseError('EBADF');
		return session;
	}

	/** Takes an order, which ends with a line feed. */
	write(handle: number, bytes: Uint8Array): void {
		const session = this.#session(handle);
		session.order += Buffer.from(bytes).toString('utf8');
		if (session.order.length > ORDER_SIZE_MAX) throw new FuseError('EINVAL');
		if (!session.order.endsWith('\n')) return;
		let order: unknown;
		try {
			order = JSON.parse(session.order);
		} catch {
			throw new FuseError('EINVAL');
		}
		session.order = '';
		this.#start(session, order);
	}

	#start(session: Session, order: unknown): void {
		session.isGiven = true;
		const tell = (line: object) => {
			session.pending.push(Buffer.from(`${JSON.stringify(line)}\n`));
			session.wake();
		};
		void this.#obey(order, tell)
			.catch((error: unknown) => tell({ type: 'failed', message: String(error) }))
			.finally(() => {
				session.isOver = true;
				session.wake();
			});
	}

	/** The next bytes of the answer; waits for them. None: it is complete. Reading at once is the order `null`. */
	async read(handle: number, size: number): Promise<Uint8Array> {
		const session = this.#session(handle);
		if (!session.isGiven) this.#start(session, null);
		while (session.pending.length === 0 && !session.isOver)
			await new Promise<void>((resolve) => {
				session.wake = resolve;
			});
		const [first] = session.pending;
		if (first === undefined) return new Uint8Array(0);
		const piece = first.subarray(0, size);
		if (piece.length === first.length) session.pending.shift();
		else session.pending[0] = first.subarray(size);
		return piece;
	}

	/** Nobody listens any more; what was ordered goes on. */
	release(handle: number): void {
		const session = this.#sessions.get(handle);
		this.#sessions.delete(handle);
		if (session !== undefined) session.isOver = true;
		session?.wake();
	}
}
