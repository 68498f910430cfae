// npm test: sets itself up, then runs the compiled tests; arguments filter by file name.
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { build, install, root } from './setup.mjs';

install();
await build();
const result = spawnSync(
	process.execPath,
	['--enable-source-maps', path.join(root, 'dist', 'test', 'run.js'), ...process.argv.slice(2)],
	{ stdio: 'inherit', cwd: root },
);
process.exitCode = result.status ?? 1;
