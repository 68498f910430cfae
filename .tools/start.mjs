// npm start: sets itself up, then runs wimdeck; without arguments, the deck on the demo images.
import { spawn } from 'node:child_process';
import path from 'node:path';
import { build, install, root } from './setup.mjs';

install();
await build();
const args = process.argv.slice(2);
const child = spawn(
	process.execPath,
	[
		path.join(root, 'dist', 'wimdeck.js'),
		...(args.length > 0 ? args : [path.join(root, 'fixtures', 'demo')]),
	],
	{ stdio: 'inherit' },
);
// The terminal sends its signals to both of us; the child decides what they mean.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'])
	process.on(signal, () => {
		if (signal === 'SIGTERM') child.kill(signal);
	});
child.on('exit', (code, signal) => {
	process.exitCode = signal ? 128 : (code ?? 1);
});
