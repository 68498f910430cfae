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

/** @param {string} root the checkout */
export async function bundle(root) {
	const result = await build({
		absWorkingDir: root,
		entryPoints: { wimdeck: 'source/main.ts', worker: 'source/pool/worker.ts' },
		outdir: 'dist',
		bundle: true,
		splitting: true,
		chunkNames: 'chunks/[name]-[hash]',
		format: 'esm',
		platform: 'node',
		target: 'node20',
		define: { 'process.env.NODE_ENV': '"production"' },
		banner: { js: banner },
		plugins: [inkTable],
		logLevel: 'warning',
		minifySyntax: true,
	});
	if (result.errors.length > 0) throw new Error('the bundle failed');
	fs.chmodSync(path.join(root, 'dist', 'wimdeck.js'), 0o755);
}
