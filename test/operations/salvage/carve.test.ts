import assert from 'node:assert/strict';
import { test } from 'node:test';
import { carve } from '../../../source/operations/salvage/carve.ts';
import { MemorySource } from '../../../source/storage/memory-source.ts';
import { seeded } from '../../support/damage-kit.ts';
import { testRun } from '../../support/test-run.ts';

const random = seeded(5);
const noise = (size: number) =>
	Buffer.from(Array.from({ length: size }, () => 0x80 + random() * 0x70));

/** Contents that begin with their size. */
function riff(size: number): Buffer {
	const bytes = noise(size);
	bytes.write('RIFF', 'latin1');
	bytes.writeUInt32LE(size - 8, 4);
	return bytes;
}

function cabinet(size: number): Buffer {
	const bytes = noise(size);
	bytes.write('MSCF', 'latin1');
	bytes.writeUInt32LE(size, 8);
	return bytes;
}

const text = Buffer.from('A line of text, and another one.\n'.repeat(50));

const CASES: readonly (readonly [
	name: string,
	contents: readonly Buffer[],
	pieces: readonly (readonly [count: number, isSized: boolean])[],
])[] = [
	[
		'contents that tell their size',
		[riff(5000), cabinet(70), riff(300)],
		[
			[1, true],
			[1, true],
			[1, true],
		],
	],
	[
		'some behind others that do not',
		[text, noise(999), riff(400), cabinet(800)],
		[
			[2, false],
			[1, true],
			[1, true],
		],
	],
	[
		'text behind them',
		[riff(400), text, noise(50)],
		[
			[1, true],
			[2, false],
		],
	],
	['one inside other contents', [noise(300), riff(500), noise(4000)], [[3, false]]],
	[
		'one with more behind it',
		[riff(500), noise(20), riff(70), cabinet(80)],
		[
			[2, false],
			[1, true],
			[1, true],
		],
	],
	[
		'one larger than what is looked at together',
		[riff(40 << 20), cabinet(90), noise(7)],
		[
			[1, true],
			[2, false],
		],
	],
	['none', [noise(100_000)], [[1, false]]],
];

for (const [name, contents, expected] of CASES)
	test(`bytes that nobody knows are cut where contents show themselves: ${name}`, async () => {
		const before = noise(123);
		const source = new MemorySource('bytes', Buffer.concat([before, ...contents, noise(9)]));
		const sizes = contents.map(({ length }) => length);
		let at = before.length;
		const right = expected.map(([count, isSized]) => {
			const start = at;
			for (const size of sizes.splice(0, count)) at += size;
			return { start, end: at, isSized };
		});
		const stretch = { start: before.length, end: at };
		assert.deepEqual(await carve(source, stretch, testRun()), right);
	});

test('a file that became shorter is looked through as far as it goes', async () => {
	const contents = Buffer.concat([riff(5000), cabinet(700), noise(3000)]);
	const source = new MemorySource('memory', contents);
	const stretch = { start: 0, end: contents.length + 5000 };
	const pieces = await carve(source, stretch, testRun());
	assert.deepEqual(
		pieces.map(({ start, end }) => [start, end]),
		[
			[0, 5000],
			[5000, stretch.end],
		],
	);
});
