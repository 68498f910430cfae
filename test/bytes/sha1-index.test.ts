import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import { NumberSet, Uint32Column } from '../../source/bytes/columns.ts';
import { Sha1Index } from '../../source/bytes/sha1-index.ts';

const nameOf = (number: number) => createHash('sha1').update(String(number)).digest('hex');
const viewOf = (hex: string) => new DataView(Uint8Array.from(Buffer.from(hex, 'hex')).buffer);

test('an index numbers SHA-1s as a map would, whether they come as names, bytes or rows', () => {
	const step = fc.record({
		number: fc.integer({ min: 0, max: 400 }),
		way: fc.constantFrom('name', 'bytes', 'row'),
	});
	fc.assert(
		fc.property(fc.array(step, { maxLength: 600 }), fc.nat({ max: 500 }), (steps, capacity) => {
			const index = new Sha1Index(capacity);
			const model = new Map<string, number>();
			for (const { number, way } of steps) {
				const name = nameOf(number);
				const other = new Sha1Index();
				const row =
					way === 'name'
						? index.add(name)
						: way === 'bytes'
							? index.addAt(viewOf(`00${name}`), 1)
							: index.addFrom(other, other.add(name));
				if (!model.has(name)) model.set(name, model.size);
				assert.equal(row, model.get(name));
			}
			assert.equal(index.size, model.size);
			for (const [name, row] of model) {
				assert.equal(index.name(row), name);
				assert.equal(index.find(name), row);
			}
			for (let number = 401; number < 420; number++) assert.equal(index.find(nameOf(number)), -1);
		}),
	);
});

test('SHA-1s that differ in one bit anywhere are different', () => {
	const index = new Sha1Index();
	const bytes = new Uint8Array(20);
	const view = new DataView(bytes.buffer);
	for (let bit = 0; bit < 160; bit++) {
		bytes.fill(0);
		bytes[bit >> 3] = 1 << (bit & 7);
		assert.equal(index.addAt(view, 0), bit);
	}
	assert.equal(index.size, 160);
});

test('what is no SHA-1 is not found, and cannot be added', () => {
	const index = new Sha1Index();
	index.add(nameOf(1));
	for (const name of [
		'',
		'abc',
		nameOf(1).toUpperCase(),
		`${nameOf(1)}0`,
		'g'.repeat(40),
		'é'.repeat(40),
	])
		assert.equal(index.find(name), -1, name);
	assert.throws(() => index.add('x'.repeat(40)), /is no SHA-1/);
	assert.equal(index.size, 1);
});

test('a column keeps what is pushed, whatever its first capacity', () => {
	for (const capacity of [0, 1, 1000]) {
		const column = new Uint32Column(capacity);
		for (let k = 0; k < 500; k++) assert.equal(column.push(k * 3), k);
		column.set(7, 0xffff_ffff);
		assert.equal(column.length, 500);
		assert.deepEqual([column.get(0), column.get(7), column.get(499)], [0, 0xffff_ffff, 1497]);
		assert.equal(column.values().length, 500);
	}
});

test('a set of numbers has what was added, in any order, and nothing else', () => {
	fc.assert(
		fc.property(fc.array(fc.nat({ max: 300 })), fc.array(fc.nat({ max: 300 })), (first, second) => {
			const set = new NumberSet();
			const model = new Set<number>();
			for (const numbers of [first, second]) {
				for (const number of numbers) {
					set.add(number * 2 ** 33);
					model.add(number);
				}
				for (let number = 0; number <= 300; number++)
					assert.equal(set.has(number * 2 ** 33), model.has(number));
			}
		}),
	);
});
