import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { identityOf, isAlive, ownIdentity } from '../../source/host/process-identity.ts';

const linux = process.platform === 'linux' ? {} : { skip: 'zombies are seen in /proc' };

test('a process that has ended is gone, also before its parent took notice', linux, async (t) => {
	// `sleep` takes the shell's place, and never asks what became of the child that it gets with it.
	const parent = spawn('sh', ['-c', 'sleep 600 & echo $!; exec sleep 600']);
	t.after(() => parent.kill());
	const [bytes] = (await once(parent.stdout, 'data')) as [Buffer];
	const pid = Number(String(bytes));
	const until = async (file: string, pattern: RegExp) => {
		while (!pattern.test(readFileSync(file, 'latin1')))
			await new Promise((resolve) => setImmediate(resolve));
	};
	await until(`/proc/${parent.pid}/comm`, /^sleep$/m);
	assert.equal(await isAlive({ pid, started: null }), true);
	process.kill(pid, 'SIGKILL');
	await until(`/proc/${pid}/stat`, /\) Z /);
	assert.equal(await isAlive({ pid, started: null }), false);
	assert.equal((await identityOf(pid)).started, null);
	assert.equal(await isAlive(await ownIdentity()), true);
	assert.equal(await isAlive({ pid: process.pid, started: null }), true);
});
