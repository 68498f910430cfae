// Sets the project up, then runs one compiled file of dist/: node .tools/run.mjs test/bench/main.js ARGS
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { build, install, root } from './setup.mjs';

install();
await build();
const [file, ...args] = process.argv.slice(2);
const result = spawnSync(
	process.execPath,
	['--enable-source-maps', path.join(root, 'dist', file), ...args],
	{ stdio: 'inherit', cwd: root },
);
process.exitCode = result.status ?? 1;
