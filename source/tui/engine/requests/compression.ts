/** The presets of compression: `lzx:50`, `lzms-solid:50`, `usual`. */

import type { Compression } from '../../../codec/compression.ts';
import {
	type CompressionRequest,
	USUAL_COMPRESSION,
} from '../../../operations/rewrite/write-options.ts';
import type { Values } from './values.ts';

/** What the fields `compression` and `chunkSize` ask for; `usual` and `wimboot`: the operation knows. */
export function compressionOf(values: Values): CompressionRequest {
	const preset = String(values['compression'] ?? 'usual');
	const chunkSize = typeof values['chunkSize'] === 'string' ? Number(values['chunkSize']) : 0;
	const match = /^(none|xpress|lzx|lzms)(-solid)?(?::(\d+))?$/.exec(preset);
	if (!match) return USUAL_COMPRESSION;
	const choice = {
		type: match[1] as Compression,
		level: match[3] === undefined ? null : Number(match[3]),
	};
	const size = chunkSize > 0 ? chunkSize : null;
	if (match[2] !== undefined)
		return { ...USUAL_COMPRESSION, solid: true, solidCompress: choice, solidChunkSize: size };
	return { ...USUAL_COMPRESSION, compress: choice, chunkSize: size };
}
