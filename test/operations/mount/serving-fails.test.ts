/** What becomes of changes when serving a mounted image ends by an error. */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, renameSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { HostError } from '../../../source/base/errors.ts';
import { FuseDevice } from '../../../source/host/fuse/device.ts';
import { openImage } from '../../../source/image/open.ts';
import { mountWritable } from '../../../source/operations/mount/mount.ts';
import { EditableWim } from '../../../source/wim/write-session.ts';
import { captured, needs, wimdeck } from '../../support/mounts.ts';
import { subfolder } from '../../support/temp-tree.ts';
import { testRun } from '../../support/test-run.ts';
import { tools } from '../../support/written.ts';

/** This process serves the folder, and must not wait for itself. */
const shell = (line: string, cwd: string) =>
	new Promise((resolve) =>
		spawn('sh', ['-c', line, cwd], { stdio: 'ignore' }).once('close', resolve),
	);

test('changes are kept when serving the folder ends by an error', needs, async (t) => {
	const { parent, wim } = captured(t);
	const folder = subfolder(parent, 'mounted');
	const run = testRun();
	const broken = new HostError('Cannot serve: the device is broken');
	const failing = async () => {
		await using edited = await EditableWim.open(wim, run);
		const image = await openImage(edited.wim, edited.wim.image('1'), { tolerant: false });
		const mounted = async () => {
			assert.equal(await shell('echo changed > "$0/new"', folder), 0);
			t.mock.method(FuseDevice.prototype, 'next', () => Promise.reject(broken));
			await shell('stat "$0/other"', folder);
		};
		const options = { folder, unixData: false, streams: 'xattr', allowOther: false } as const;
		const staged = { ...options, mounted: () => void mounted(), stagingParent: null };
		await mountWritable(edited, image, staged, tools, run);
	};
	await assert.rejects(failing, broken);
	assert.match(run.warnings().join(), /^What was changed is kept/);
	assert.equal(wimdeck('unmount', folder).code, 0);
	// As if this process had ended.
	const [left = ''] = readdirSync(parent).filter((name) => name.includes('staging'));
	const { pid } = spawnSync('true');
	renameSync(
		path.join(parent, left),
		path.join(parent, left.replace(String(process.pid), String(pid))),
	);
	const again = wimdeck('mountrw', wim, '1', folder);
	assert.match(again.err, /a killed mount left are here again/);
	assert.equal(readFileSync(path.join(folder, 'new'), 'utf8'), 'changed\n');
});
