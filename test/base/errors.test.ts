import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
	DigestError,
	endingError,
	exitCodeOf,
	fromWire,
	hostError,
	toWire,
} from '../../source/base/errors.ts';

test('an error keeps class, code and facts through a thread boundary', () => {
	const error = new DigestError('Cannot read x', {
		offset: 16,
		region: 'a.wim',
	}).note({
		offset: 99,
		hint: 'Do it.',
	});
	const back = fromWire(structuredClone(toWire(error)));
	assert.ok(back instanceof DigestError);
	assert.deepEqual(back.facts, { offset: 16, region: 'a.wim', hint: 'Do it.' });
	assert.equal(exitCodeOf(back), 5);
});

test('what is no WimError is a defect', () => {
	assert.equal(exitCodeOf(new TypeError('x')), 1);
	assert.equal(exitCodeOf(fromWire(toWire(new TypeError('x')))), 1);
});

test('errors of the machine become sentences with a hint', () => {
	const full = hostError('Cannot write "a"', Object.assign(new Error('x'), { code: 'ENOSPC' }));
	assert.equal(full.message, 'Cannot write "a": the disk is full');
	assert.equal(full.code, 'host-refused');
	assert.ok(full.facts.hint);
	const absent = hostError('Cannot open "a"', Object.assign(new Error('x'), { code: 'ENOENT' }));
	assert.equal(absent.code, 'bad-input');
});

test('a machine that gives no memory is no defect', () => {
	// More than any machine has addresses for.
	const ask = () => new ArrayBuffer(2 ** 52);
	assert.throws(ask, (error) => {
		const back = fromWire(toWire(error));
		assert.equal(exitCodeOf(back), 1);
		assert.equal(exitCodeOf(endingError(back)), 8);
		return true;
	});
	assert.equal(exitCodeOf(endingError(new RangeError('Invalid array length'))), 1);
});
