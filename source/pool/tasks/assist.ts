/** Finds matches for a lane that encodes a large chunk. */
import type { Lane } from '../lane.ts';
import { helpEncode, leaveMatchLine, type MatchLine } from './match-line.ts';

/** Yields zeros: the bytes count where they are encoded. */
export function* assistTask(line: MatchLine, lane: Lane): Generator<number, null, void> {
	let isWhole = false;
	try {
		yield* helpEncode(line, lane.encoder);
		isWhole = true;
	} finally {
		if (!isWhole) leaveMatchLine(line);
	}
	return null;
}
