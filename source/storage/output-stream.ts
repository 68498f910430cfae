/** Standard output, or any other stream that cannot seek, as the output of a pipable WIM. */
import type { Writable } from 'node:stream';
import { HostError, hostError } from '../base/errors.ts';
import { COPY_SIZE, type Output } from './output.ts';
import type { Source } from './source.ts';

export class StreamOutput implements Output {
	readonly name: string;
	readonly canSeek = false;
	readonly #stream: Writable;
	#position = 0;

	constructor(name: string, stream: Writable) {
		this.name = name;
		this.#stream = stream;
	}

	get position(): number {
		return this.#position;
	}

	async append(bytes: Uint8Array): Promise<void> {
		this.#position += bytes.length;
		await new Promise<void>((resolve, reject) => {
			this.#stream.write(bytes, (error) => {
				if (error) reject(hostError(`Cannot write to ${this.name}`, error, { path: this.name }));
				else resolve();
			});
		});
	}

	async copy(source: Source, offset: number, size: number): Promise<number> {
		const piece = new Uint8Array(Math.min(size, COPY_SIZE));
		const got = await source.read(offset, piece);
		await this.append(piece.subarray(0, got));
		return got;
	}

	async writeAt(): Promise<void> {
		throw this.#refusal();
	}

	async readAt(): Promise<void> {
		throw this.#refusal();
	}

	rewind(offset: number): void {
		if (offset !== this.#position) throw this.#refusal();
	}

	#refusal(): HostError {
		return new HostError(`Cannot go back in ${this.name}: it is a stream`, {
			path: this.name,
			hint: 'Write to a file instead.',
		});
	}
}
