import assert from 'node:assert/strict';
import { test } from 'node:test';
import { repairName } from '../../../source/operations/repair/output-name.ts';

test('a repaired file keeps the ending of the damaged one; a set becomes one WIM', () => {
	for (const [damaged, name] of [
		['/srv/install.wim', '/srv/install.repaired.wim'],
		['/srv/install.esd', '/srv/install.repaired.esd'],
		['/srv/INSTALL.SWM', '/srv/INSTALL.repaired.wim'],
		['boot.sdi.wim', 'boot.sdi.repaired.wim'],
		['C:\\images.d\\install', 'C:\\images.d\\install.repaired.wim'],
		['/srv/.esd', '/srv/.esd.repaired.wim'],
		['.wim', '.wim.repaired.wim'],
	] as const)
		assert.equal(repairName(damaged), name);
	assert.equal(repairName('/srv/install.esd', 1), '/srv/install.repaired-2.esd');
});
