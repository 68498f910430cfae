import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { test } from 'node:test';
import { LineLog, readLines } from '../../source/host/line-log.ts';
import { tempFolder } from '../support/temp-tree.ts';

function limitFiles(size: string): void {
	const { status } = spawnSync('prlimit', ['--pid', String(process.pid), `--fsize=${size}:`]);
	assert.equal(status, 0);
}

test('a line that only finds room in part fails, and is none', {
	skip: process.platform !== 'linux',
}, (t) => {
	const file = path.join(tempFolder(t), 'log');
	const log = new LineLog(file);
	const line = 'x'.repeat(699);
	limitFiles('1024');
	try {
		log.add(line);
		assert.throws(() => log.add(line), { code: 'EFBIG' });
	} finally {
		limitFiles('unlimited');
	}
	log.add(line);
	log.close();
	assert.deepEqual(readLines(file), [line]);
});
