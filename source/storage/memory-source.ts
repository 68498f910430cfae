import type { SharedSource, Source } from './source.ts';

/** Bytes in memory, which other threads can read too. */
export class MemorySource implements Source {
	readonly name: string;
	readonly size: number;
	private readonly bytes: Uint8Array<SharedArrayBuffer>;

	/** Copies `bytes`, but for those in shared memory. */
	constructor(name: string, bytes: Uint8Array) {
		this.name = name;
		this.size = bytes.length;
		if (isShared(bytes)) this.bytes = bytes;
		else {
			this.bytes = new Uint8Array(new SharedArrayBuffer(bytes.length));
			this.bytes.set(bytes);
		}
	}

	async read(offset: number, into: Uint8Array): Promise<number> {
		const part = this.bytes.subarray(offset, offset + into.length);
		into.set(part);
		return part.length;
	}

	share(): SharedSource {
		return { kind: 'memory', bytes: this.bytes, name: this.name };
	}

	async [Symbol.asyncDispose](): Promise<void> {}
}

function isShared(bytes: Uint8Array): bytes is Uint8Array<SharedArrayBuffer> {
	return bytes.buffer instanceof SharedArrayBuffer;
}
