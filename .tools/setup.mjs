// Sets the project up with plain Node: installs from the lockfile, compiles, bundles. Does nothing when nothing changed.
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

export const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const at = (...names) => path.join(root, ...names);

const fail = (message) => {
	process.stderr.write(`${message}\n`);
	process.exit(8);
};

const readOr = (file, otherwise) => {
	try {
		return fs.readFileSync(file, 'utf8');
	} catch {
		return otherwise;
	}
};

/** Installs from the lockfile when node_modules is missing or belongs to another lockfile. */
export function install() {
	const [major, minor] = process.versions.node.split('.').map(Number);
	if (major < 20 || (major === 20 && minor < 19))
		fail(`wimdeck needs Node 20.19 or later; this is ${process.version}`);
	const wanted = createHash('sha1')
		.update(fs.readFileSync(at('package-lock.json')))
		.digest('hex');
	const stamp = at('node_modules', '.wimdeck-lock');
	if (readOr(stamp, '') === wanted) return;
	process.stderr.write('wimdeck: installing packages (once)...\n');
	// npm-cli.js beside this node, so that no shell and no PATH is needed; npm on the PATH otherwise.
	const cli = process.env.npm_execpath;
	const args = ['ci', '--no-audit', '--no-fund', '--loglevel=error'];
	const result = cli?.endsWith('.js')
		? spawnSync(process.execPath, [cli, ...args], {
				cwd: root,
				stdio: ['ignore', 2, 2],
			})
		: spawnSync('npm', args, {
				cwd: root,
				stdio: ['ignore', 2, 2],
				shell: process.platform === 'win32',
			});
	if (result.status !== 0)
		fail(
			'wimdeck: the packages could not be installed; see the lines above, then run the command again',
		);
	fs.writeFileSync(stamp, wanted);
}

/** A fingerprint of everything that goes into a build: names, sizes and times. */
function inputsOf(folders) {
	const hash = createHash('sha1');
	const walk = (folder) => {
		for (const entry of fs
			.readdirSync(folder, { withFileTypes: true })
			.sort((a, b) => (a.name < b.name ? -1 : 1))) {
			const file = path.join(folder, entry.name);
			if (entry.isDirectory()) walk(file);
			else {
				const { size, mtimeMs } = fs.statSync(file);
				hash.update(`${path.relative(root, file)} ${size} ${mtimeMs}\n`);
			}
		}
	};
	for (const folder of folders) walk(at(folder));
	// The code cache belongs to one version of V8.
	hash.update(`${process.versions.v8} ${process.arch}\n`);
	for (const file of ['package-lock.json', 'package.json', 'tsconfig.json'])
		hash.update(fs.readFileSync(at(file)));
	return hash.digest('hex');
}

/** Compiles source/ and test/ to dist/, and bundles the program, when a source is newer than the last build. */
export async function build({ force = false } = {}) {
	const wanted = inputsOf(['source', 'test', '.tools']);
	const stamp = at('dist', '.stamp');
	if (!force && readOr(stamp, '') === wanted) return;
	process.stderr.write('wimdeck: building...\n');
	fs.rmSync(at('dist'), { recursive: true, force: true });
	try {
		execFileSync(process.execPath, [at('node_modules', 'typescript', 'bin', 'tsc'), '-p', root], {
			cwd: root,
			stdio: ['ignore', 2, 2],
		});
	} catch {
		fail('wimdeck: the sources do not compile; see the lines above');
	}
	const { bundle } = await import(pathToFileURL(at('.tools', 'bundle.mjs')).href);
	await bundle(root);
	fs.writeFileSync(stamp, wanted);
}

if (process.argv[1] && pathToFileURL(process.argv[1]).href === import.meta.url) {
	install();
	await build({ force: process.argv.includes('--force') });
}
