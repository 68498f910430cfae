// Bundles the program: dist/wimdeck.js (command line and deck), dist/worker.js (a pool lane), dist/index.mjs (the package).
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { build } from 'esbuild';
import { cacheCode, pack } from './pack.mjs';

const banner =
	"import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);";

/** ink-table asks for Ink by require(); in the bundle it gets the bundled one. */
const inkTable = {
	name: 'ink-table',
	setup(context) {
		context.onLoad({ filter: /tui[\\/]parts[\\/]ink-table\.ts$/ }, () => ({
			contents: "import mod from 'ink-table'; export const Table = mod.default ?? mod;",
			loader: 'ts',
			resolveDir: path.join(context.initialOptions.absWorkingDir, 'source/tui/parts'),
		}));
		context.onResolve({ filter: /^react-devtools-core$/ }, () => ({
			path: 'empty',
			namespace: 'empty',
		}));
		context.onLoad({ filter: /.*/, namespace: 'empty' }, () => ({
			contents: 'export default undefined;',
		}));
	},
};

/** Ink's painter, which its package does not export. */
const inkOutput = {
	name: 'ink-output',
	setup(context) {
		context.onLoad({ filter: /tui[\\/]screens[\\/]ink-output\.ts$/ }, () => {
			const root = context.initialOptions.absWorkingDir;
			const file = path.join(root, 'node_modules/ink/build/output.js');
			return {
				contents: `export { default as InkOutput } from ${JSON.stringify(file)};`,
				loader: 'ts',
				resolveDir: root,
			};
		});
	},
};

/**
 * What packages build while they load although most screens never need it: the tables of emoji alone take longer
 * than the first frame. Also the one cache of Ink that only grows.
 */
const LATER = [
	{
		file: /string-width[\\/]index\.js$/,
		is: /const rgiEmojiRegex = (\/.*\/v);/,
		becomes: `let rgiEmoji;
const mayBeEmoji = /[\\p{Emoji_Presentation}\\p{Extended_Pictographic}\\u20e3]/u;
const rgiEmojiRegex = { test: (text) => mayBeEmoji.test(text) && (rgiEmoji ??= $1).test(text) };`,
	},
	{
		file: /(string-width|slice-ansi|ansi-tokenize)[\\/].*\.js$/,
		is: /const (\w+) = (new Intl\.Segmenter\(.*\));/,
		becomes: 'let $1Made; const $1 = { segment: (text) => ($1Made ??= $2).segment(text) };',
	},
	{
		file: /ink[\\/]build[\\/]measure-text\.js$/,
		is: /cache\.set\(text, dimensions\);/,
		becomes: 'if (cache.size >= 2000) cache.clear(); cache.set(text, dimensions);',
	},
	// What Ink does for its developers, with top-level await.
	{
		file: /ink[\\/]build[\\/]reconciler\.js$/,
		is: /await import\('\.\/devtools\.js'\);/,
		becomes: '',
	},
	{
		file: /ink[\\/]build[\\/]reconciler\.js$/,
		is: /\? await loadPackageJson\(\)/,
		becomes: '? { name: undefined, version: undefined }',
	},
];

const buildLater = {
	name: 'build-later',
	setup(context) {
		const used = new Set();
		context.onLoad(
			{ filter: /node_modules.*(string-width|slice-ansi|ansi-tokenize|ink[\\/]build).*\.js$/ },
			(args) => {
				let contents = fs.readFileSync(args.path, 'utf8');
				for (const change of LATER) {
					if (!change.file.test(args.path) || !change.is.test(contents)) continue;
					contents = contents.replace(change.is, change.becomes);
					used.add(change);
				}
				return { contents, loader: 'js' };
			},
		);
		context.onEnd(() => {
			for (const { file } of LATER.filter((change) => !used.has(change)))
				throw new Error(`a package has changed: nothing like ${file} was bundled`);
		});
	},
};

/** Yoga without top-level await, which a packed chunk cannot have: its WebAssembly is small enough to be made at once. */
const yoga = {
	name: 'yoga',
	setup(context) {
		context.onLoad({ filter: /yoga-layout[\\/]dist[\\/]src[\\/]index\.js$/ }, ({ path: file }) => {
			const wasm = path.join(path.dirname(file), '../binaries/yoga-wasm-base64-esm.js');
			const [, base64] =
				/data:application\/octet-stream;base64,([\w+/=]+)/.exec(fs.readFileSync(wasm, 'utf8')) ??
				[];
			if (base64 === undefined) throw new Error(`a package has changed: no module in ${wasm}`);
			return {
				contents: `import loadYoga from '../binaries/yoga-wasm-base64-esm.js';
import wrapAssembly from './wrapAssembly.js';
const parts = {
	instantiateWasm(imports, take) {
		const module = new WebAssembly.Module(Buffer.from('${base64}', 'base64'));
		const instance = new WebAssembly.Instance(module, imports);
		take(instance);
		return instance.exports;
	},
};
loadYoga(parts);
export default wrapAssembly(parts);
export * from './generated/YGEnums.js';`,
				loader: 'js',
				resolveDir: path.dirname(file),
			};
		});
		context.onLoad({ filter: /yoga-wasm-base64-esm\.js$/ }, ({ path: file }) => ({
			contents: fs
				.readFileSync(file, 'utf8')
				.replace(/(data:application\/octet-stream;base64,)[\w+/=]+/, '$1'),
			loader: 'js',
		}));
	},
};

const shared = {
	bundle: true,
	splitting: true,
	chunkNames: 'chunks/[name]-[hash]',
	format: 'esm',
	platform: 'node',
	target: 'node20',
	define: { 'process.env.NODE_ENV': '"production"' },
	logLevel: 'warning',
	minifySyntax: true,
};

/** What goes into which pack. */
const PACKS = {
	core: [
		'source/main.ts',
		'source/cli/verbs/info.ts',
		'source/cli/verbs/dir.ts',
		'node_modules/fast-xml-parser/src/fxp.js',
	],
	jobs: ['source/jobs/open-tools.ts', 'source/jobs/perform.ts'],
	read: [
		'source/cli/verbs/verify.ts',
		'source/jobs/perform-verify.ts',
		'source/cli/verbs/extract.ts',
		'source/jobs/perform-extract.ts',
	],
	write: [
		'source/cli/verbs/write.ts',
		'source/jobs/perform-write.ts',
		'source/jobs/perform-capture.ts',
	],
	deck: ['source/tui/deck.ts', 'source/tui/engine/create-engine.ts'],
	ink: ['source/tui/screens/mount.tsx'],
	more: null,
};

/** What the code caches are made of: ordinary runs in a folder of their own. */
function runs(folder) {
	const at = (name) => path.join(folder, name);
	const [image, copy, part] = [at('install.wim'), at('copy.wim'), at('parts.swm')];
	return [
		['--help'],
		['info', image],
		['info', image, '1'],
		['dir', image, '1'],
		['verify', image],
		['apply', image, '1', at('applied')],
		['extract', image, '1', '/', `--dest-dir=${at('extracted')}`],
		['capture', at('applied'), at('captured.wim')],
		['append', at('applied'), at('captured.wim'), 'again'],
		['export', image, 'all', copy],
		['split', image, part, '1'],
		['join', at('joined.wim'), part],
		['optimize', copy],
		['delete', copy, '1'],
		['explain', '2'],
		['deck', image],
	];
}

/** @param {string} root the checkout */
export async function bundle(root) {
	const dist = path.join(root, 'dist');
	const programs = await build({
		...shared,
		absWorkingDir: root,
		entryPoints: { wimdeck: 'source/main.ts', worker: 'source/pool/worker.ts' },
		outdir: 'dist',
		write: false,
		metafile: true,
		plugins: [inkTable, inkOutput, yoga, buildLater],
	});
	await build({
		...shared,
		absWorkingDir: root,
		entryPoints: { index: 'source/index.ts' },
		outdir: 'dist',
		outExtension: { '.js': '.mjs' },
		banner: { js: banner },
	});
	fs.writeFileSync(path.join(dist, 'package.json'), '{ "type": "commonjs" }\n');
	for (const folder of ['source', 'test'])
		fs.writeFileSync(path.join(dist, folder, 'package.json'), '{ "type": "module" }\n');
	const program = await pack(programs, 'wimdeck', PACKS, dist, {
		siblings: ['read', 'write'],
		common: 'jobs',
	});
	// Nearly every lane hashes.
	const lane = await pack(programs, 'worker', { lane: null }, dist, { early: ['node:crypto'] });
	const demo = path.join(root, 'fixtures/demo/install.wim');
	const scratch = fs.mkdtempSync(path.join(os.tmpdir(), 'wimdeck-build-'));
	try {
		const commands = runs(scratch);
		const fill = () => fs.copyFileSync(demo, path.join(scratch, 'install.wim'));
		fill();
		// The first pack is read before a flag is set. It has much of what long runs need, too.
		const early = [program.core];
		cacheCode(path.join(dist, 'wimdeck.js'), commands, Object.values(program), scratch, { early });
		fs.rmSync(scratch, { recursive: true });
		fs.mkdirSync(scratch);
		fill();
		const ofLanes = true;
		cacheCode(path.join(dist, 'wimdeck.js'), commands, Object.values(lane), scratch, { ofLanes });
	} finally {
		fs.rmSync(scratch, { recursive: true, force: true });
	}
}
