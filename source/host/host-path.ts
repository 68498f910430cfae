import { InputError } from '../base/errors.ts';
import { decodeWtf8, encodeWtf8 } from '../bytes/utf16.ts';

/**
 * A path of this machine. Text where text can say it; bytes where a name holds an unpaired
 * surrogate (stored as ED A0..BF xx, see `encodeWtf8`), which Node would replace by U+FFFD.
 */
export type HostPath = string | Uint8Array;

/** What the calls of `node:fs` take; at run time they accept any `Uint8Array`. */
export function forFs(path: HostPath): string | Buffer {
	return typeof path === 'string' ? path : Buffer.from(path.buffer, path.byteOffset, path.length);
}

const UNPAIRED = /[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/;

/** Whether `text` holds a surrogate without its partner, so that UTF-8 cannot say it. */
export function hasUnpairedSurrogate(text: string): boolean {
	return UNPAIRED.test(text);
}

/**
 * A folder that a user named, where names of a tree are to be put together with it: it must be text (see
 * `storage/host-fs.ts` for paths of files that are not).
 *
 * @throws {InputError} when a name in it is no UTF-8
 */
export function requireTextPath(attempt: string, path: string): void {
	if (hasUnpairedSurrogate(path))
		throw new InputError(`${attempt}: a name in its path is no UTF-8`, {
			path,
			hint: 'Rename it first.',
		});
}

/** A path from text whose unpaired surrogates stand for bytes ED A0..BF xx. */
export function hostPath(text: string): HostPath {
	return hasUnpairedSurrogate(text) ? encodeWtf8(text) : text;
}

/** `name` inside `folder`; `name` is one component. */
export function joinHostPath(folder: HostPath, name: string): HostPath {
	if (typeof folder === 'string')
		return hostPath(folder.endsWith('/') ? folder + name : `${folder}/${name}`);
	const tail = encodeWtf8(`/${name}`);
	const joined = new Uint8Array(folder.length + tail.length);
	joined.set(folder);
	joined.set(tail, folder.length);
	return joined;
}

/** A path as text for messages and keys. */
export function hostPathText(path: HostPath): string {
	return typeof path === 'string' ? path : (decodeWtf8(path) ?? forFs(path).toString('latin1'));
}
