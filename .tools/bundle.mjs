// Bundles the program: dist/wimdeck.js (command line), dist/deck.js (Ink, loaded only by the deck), dist/worker.js (a pool lane).
import fs from 'node:fs';
import path from 'node:path';
import { build } from 'esbuild';

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

/** @param {string} root the checkout */
export async function bundle(root) {
	const result = await build({
		absWorkingDir: root,
		entryPoints: {
			wimdeck: 'source/main.ts',
			index: 'source/index.ts',
			worker: 'source/pool/worker.ts',
		},
		outdir: 'dist',
		bundle: true,
		splitting: true,
		chunkNames: 'chunks/[name]-[hash]',
		format: 'esm',
		platform: 'node',
		target: 'node20',
		define: { 'process.env.NODE_ENV': '"production"' },
		banner: { js: banner },
		plugins: [inkTable, inkOutput, buildLater],
		logLevel: 'warning',
		minifySyntax: true,
	});
	if (result.errors.length > 0) throw new Error('the bundle failed');
	fs.chmodSync(path.join(root, 'dist', 'wimdeck.js'), 0o755);
}
