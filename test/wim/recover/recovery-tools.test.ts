import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Encoder } from '../../../source/codec/encoder.ts';
import { InlinePool, openPool } from '../../../source/pool/pool.ts';
import { MemorySource } from '../../../source/storage/memory-source.ts';
import { RecoveryTools } from '../../../source/wim/recover/recovery-tools.ts';
import { seeded } from '../../support/damage-kit.ts';
import { testRun } from '../../support/test-run.ts';

/** Some kilobytes of lines, no two alike. */
function text(seed: number): Uint8Array {
	const random = seeded(seed + 1);
	const lines = Array.from(
		{ length: 60 + 20 * seed },
		(_, k) => `line ${k} of ${seed}: ${random()}\n`,
	);
	return Buffer.from(lines.join(''));
}

/** Resources of one LZMS chunk each, one behind the other: no table shows the chunk size. */
function lzmsResources(count: number): Uint8Array {
	const encoder = new Encoder();
	const chunks = Array.from({ length: count }, (_, k) => {
		const chunk = encoder.encodeBytes('lzms', 1 << 17, 50, text(k));
		assert.ok(chunk !== null);
		return chunk;
	});
	return new Uint8Array(Buffer.concat(chunks));
}

test('LZMS contents without a table are known by a walk, and once for each file', async () => {
	const bytes = lzmsResources(10);
	const recovery = new RecoveryTools(new InlinePool(), testRun());
	const source = new MemorySource('hurt', bytes);
	assert.equal(await recovery.lzmsChunkSize(source, bytes), 1 << 17);
	// Other bytes under the name are not looked at any more.
	const random = seeded(5);
	const noise = Uint8Array.from({ length: 2000 }, () => random() * 256);
	assert.equal(await recovery.lzmsChunkSize(source, noise), 1 << 17);
	assert.equal(await recovery.lzmsChunkSize(new MemorySource('other', noise), noise), null);
});

test('such a walk ends when it is canceled', async () => {
	await using pool = openPool(2);
	const run = testRun();
	const recovery = new RecoveryTools(pool, run);
	const bytes = lzmsResources(10);
	const walk = recovery.lzmsChunkSize(new MemorySource('hurt', bytes), bytes);
	run.cancel();
	await assert.rejects(walk, { code: 'canceled' });
});
