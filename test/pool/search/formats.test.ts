import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatSizes } from '../../../source/pool/search/formats.ts';

function sizesOf(bytes: Buffer): number[] {
	return formatSizes(bytes, bytes.length, (offset, size) => bytes.subarray(offset, offset + size));
}

function member(name: string, bytes: Buffer): Buffer {
	const head = `${name.padEnd(16)}${'0'.padEnd(12)}${'0'.padEnd(6)}${'0'.padEnd(6)}${'644'.padEnd(8)}`;
	const odd = bytes.length % 2 === 1 ? '\n' : '';
	return Buffer.concat([
		Buffer.from(`${head}${String(bytes.length).padEnd(10)}\`\n`, 'latin1'),
		bytes,
		Buffer.from(odd),
	]);
}

test('a static library ends with its last member, whatever follows', () => {
	const mark = Buffer.from('!<arch>\n');
	const members = [member('one.o/', Buffer.alloc(301, 1)), member('two.o/', Buffer.alloc(4000, 2))];
	const library = Buffer.concat([mark, ...members]);
	assert.deepEqual(sizesOf(Buffer.concat([library, Buffer.from('text\n'.repeat(40))])), [
		library.length,
	]);
	assert.deepEqual(sizesOf(Buffer.concat([mark, Buffer.alloc(200, 0x20)])), [mark.length]);
});

test('DER ends where its outermost element does', () => {
	const bytes = Buffer.alloc(70_000, 5);
	bytes.writeUInt32BE(0x3082_1234);
	assert.deepEqual(sizesOf(bytes), [0x1234 + 4]);
	bytes.writeUInt32BE(0x3083_0111);
	bytes[4] = 0x11;
	assert.deepEqual(
		sizesOf(bytes),
		[0x0001_1111 + 5].filter((size) => size <= bytes.length),
	);
});
