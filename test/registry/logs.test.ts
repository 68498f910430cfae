import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { Span } from '../../source/bytes/span.ts';
import { BaseBlock, checksumOf } from '../../source/registry/cells.ts';
import { Hive } from '../../source/registry/hive.ts';
import { isDirty, replayLogs } from '../../source/registry/logs.ts';
import { marvin64 } from '../../source/registry/marvin.ts';
import { fixture } from '../support/fixture.ts';

const PAGE = 4096;

const hiveBytes = (name: string) =>
	new Uint8Array(gunzipSync(readFileSync(fixture(`hives/${name}.gz`))));

test('the hash of log entries gives the known values', () => {
	const vectors: readonly (readonly [Uint8Array, bigint])[] = [
		[new Uint8Array(0), 0xb39e_fca4_0396_6e08n],
		[new TextEncoder().encode('abc'), 0xb9cf_3dfc_a419_14f7n],
		[new Uint8Array(32), 0xda91_a06a_c535_9223n],
		[Uint8Array.from({ length: 40 }, (_, k) => k), 0x2366_e1ba_b67b_6ea3n],
	];
	for (const [bytes, expected] of vectors) assert.equal(marvin64(bytes), expected);
});

/** A base block with other sequence numbers or another type, its checksum right. */
function header(
	hive: Uint8Array,
	changes: { primary?: number; secondary?: number; type?: number },
) {
	const span = new Span(hive.slice(0, 512), 'header');
	const { offsets } = BaseBlock;
	const set = (at: number, value: number | undefined) =>
		value !== undefined && span.view.setUint32(at, value, true);
	set(offsets.primarySequence, changes.primary);
	set(offsets.secondarySequence, changes.secondary);
	set(offsets.type, changes.type);
	span.view.setUint32(offsets.checksum, checksumOf(span), true);
	return span.bytes;
}

/** One entry of a new log. */
function entry(sequence: number, binsSize: number, offset: number, page: Uint8Array): Uint8Array {
	const size = Math.ceil((48 + page.length) / 512) * 512;
	const bytes = new Uint8Array(size);
	const view = new DataView(bytes.buffer);
	for (const [at, value] of [
		[0, 0x454c_7648],
		[4, size],
		[12, sequence],
		[16, binsSize],
		[20, 1],
		[40, offset],
		[44, page.length],
	] as const)
		view.setUint32(at, value, true);
	bytes.set(page, 48);
	view.setBigUint64(24, marvin64(bytes.subarray(40)), true);
	view.setBigUint64(32, marvin64(bytes.subarray(0, 32)), true);
	return bytes;
}

/** A hive that lacks its last two pages, and the logs that hold them. */
function torn() {
	const whole = hiveBytes('SOFTWARE-winpe-synthetic');
	const binsSize = whole.length - PAGE;
	const dirty = whole.slice();
	dirty.set(header(whole, { primary: 8, secondary: 7 }));
	dirty.fill(0xee, whole.length - 2 * PAGE);
	const pageAt = (offset: number) => whole.slice(PAGE + offset, PAGE + offset + PAGE);
	const first = entry(7, binsSize, binsSize - 2 * PAGE, pageAt(binsSize - 2 * PAGE));
	const second = entry(8, binsSize, binsSize - PAGE, pageAt(binsSize - PAGE));
	const log = (sequence: number, ...entries: Uint8Array[]) =>
		new Uint8Array(
			Buffer.concat([
				header(whole, { primary: sequence, secondary: sequence, type: 6 }),
				...entries,
			]),
		);
	return { whole, dirty, first, second, log };
}

const replay = (hive: Uint8Array, ...logs: Uint8Array[]) =>
	replayLogs(
		new Span(hive, 'SOFTWARE'),
		logs.map((bytes, k) => ({ name: `SOFTWARE.LOG${k + 1}`, bytes })),
	);

test('entries of both logs are applied in the order of their sequence', () => {
	const { whole, dirty, first, second, log } = torn();
	assert.ok(isDirty(new Span(dirty, '')) && !isDirty(new Span(whole, '')));
	const { file, appliedCount, reason } = replay(dirty, log(8, second), log(7, first));
	assert.deepEqual({ appliedCount, reason }, { appliedCount: 2, reason: null });
	assert.deepEqual(file.bytes.subarray(PAGE), whole.subarray(PAGE));
	assert.ok(!isDirty(file));
	assert.deepEqual(new Hive(file).warnings, []);
});

test('a gap, a wrong hash and an entry of the past end the replay or are passed over', () => {
	const { dirty, first, second, log } = torn();
	const past = first.slice();
	new DataView(past.buffer).setUint32(12, 3, true);
	const damaged = second.slice();
	damaged[100] = (damaged[100] ?? 0) ^ 1;
	assert.equal(replay(dirty, log(7, first, damaged)).appliedCount, 1);
	const ahead = entry(
		12,
		new DataView(second.buffer).getUint32(16, true),
		0,
		second.slice(48, 148),
	);
	assert.equal(replay(dirty, log(7, first, ahead)).appliedCount, 1);
	const { appliedCount, reason } = replay(dirty, log(7, past));
	assert.deepEqual(
		{ appliedCount, reason },
		{ appliedCount: 0, reason: 'no entry continues the hive' },
	);
});

test('a hive without a header takes that of its newest log', () => {
	const { whole, dirty, first, second, log } = torn();
	const headless = dirty.slice();
	headless.fill(0, 0, 512);
	const { file, appliedCount } = replay(headless, log(7, first, second));
	assert.equal(appliedCount, 2);
	assert.deepEqual(file.bytes.subarray(PAGE), whole.subarray(PAGE));
	assert.equal(new Hive(file).key('Microsoft\\Windows NT\\CurrentVersion') === null, false);
});

test('logs that are empty, damaged or of another hive change nothing', () => {
	const { dirty, first, log } = torn();
	const cases: readonly (readonly [Uint8Array[], string | null])[] = [
		[[], null],
		[[new Uint8Array(0)], null],
		[[log(7, first).fill(7, 100, 104)], 'their headers are damaged'],
		[[new Uint8Array(512).fill(7)], 'their headers are damaged'],
		[[log(7)], 'no entry continues the hive'],
	];
	for (const [logs, expected] of cases) {
		const { file, appliedCount, reason } = replay(dirty, ...logs);
		assert.deepEqual({ appliedCount, reason }, { appliedCount: 0, reason: expected });
		assert.equal(file.bytes, dirty);
	}
});

test('an old log gives the pages that its bitmap names', () => {
	const { whole, dirty } = torn();
	const binsSize = whole.length - PAGE;
	const bitmap = new Uint8Array(Math.ceil((4 + binsSize / 4096) / 512) * 512);
	new DataView(bitmap.buffer).setUint32(0, 0x5452_4944, true);
	bitmap.fill(0xff, 4 + (binsSize - 2 * PAGE) / PAGE, 4 + binsSize / PAGE);
	const log = Buffer.concat([
		header(whole, { primary: 8, secondary: 8, type: 1 }),
		bitmap,
		whole.subarray(whole.length - 2 * PAGE),
	]);
	const { file, appliedCount } = replay(dirty, new Uint8Array(log));
	assert.equal(appliedCount, 16);
	assert.deepEqual(file.bytes.subarray(PAGE), whole.subarray(PAGE));
	const cut = replay(dirty, new Uint8Array(log.subarray(0, log.length - 512)));
	assert.equal(cut.reason, 'they are cut short');
});
