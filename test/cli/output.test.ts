import assert from 'node:assert/strict';
import { Writable } from 'node:stream';
import { test } from 'node:test';
import { Output, ReaderGone } from '../../source/cli/output.ts';

/** A stream whose reader is gone. */
const closedPipe = () =>
	new Writable({
		write: (_chunk, _encoding, done) =>
			done(Object.assign(new Error('broken pipe'), { code: 'EPIPE' })),
	});

test('a long line to a reader that is gone fails once, also where nobody waits for it', async (t) => {
	const unhandled: unknown[] = [];
	const note = (error: unknown) => unhandled.push(error);
	process.on('unhandledRejection', note);
	t.after(() => process.off('unhandledRejection', note));
	const out = new Output(closedPipe);
	void out.line('x'.repeat(100_000));
	await assert.rejects(out.end(), ReaderGone);
	// Rejections are looked at when a turn is over.
	await new Promise((resolve) => setImmediate(resolve));
	assert.deepEqual(unhandled, []);
	const waiting = new Output(closedPipe);
	await assert.rejects(Promise.resolve(waiting.line('x'.repeat(100_000))), ReaderGone);
});
