// Few files for a program instead of a hundred modules: its chunks as functions that run when they are first asked for, in
// packs of what is used together, each with V8's code cache beside it.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { transform } from 'esbuild';

/**
 * A run of a second or two should not spend a quarter of a second on four threads optimizing functions that are nearly
 * done with their work: they take processors from the lanes, whose kernels are machine code already. Functions that
 * go on for longer are optimized all the same. Bytes of bytecode; three times as many are run first. Measured on
 * Node 20, where the default is 67,584: `verify` of 318 MB takes 1.31 instead of 1.54 s of processor time, of 300,000
 * files 3.55 instead of 3.42 s; above 600,000 long runs lose more than short ones gain.
 */
const INTERRUPT_BUDGET = 300_000;

/**
 * V8 begins with half a megabyte for young objects and doubles it when they live on; each time it collects them it also
 * lowers the size from which on it collects everything. A run that opens a file of 5,000 blobs keeps all that it makes.
 * Growing by 8 it has 16 MB to fill at the second step; by 4 it collects as often (`verify` of 3,600 blobs, `--trace-gc`:
 * 10 and 11 times) and has 8 MB, but reaches 32 MB with 300,000 files (`apply --dry-run` 194 instead of 176 MB; by 3, 181 MB).
 */
const YOUNG_GROWTH = 3;

/**
 * Young objects are also collected by a task, when much of their space is used and the thread has nothing else to do just
 * then. Between two reads that is never a good moment: while a file was opened it took 7 ms, and 2 ms when it is due.
 */
const NO_YOUNG_TASK = '--no-minor-gc-task';

/**
 * So much later a file is open, mostly, and what a run makes from then on it does not keep: the young space stays as it is. In
 * `apply` of 300,000 files it grew on to 32 MB for nothing (260 MB in all, now 236 to 239; `verify` of them takes 2.8 instead of
 * 3.1 s of processor time). Milliseconds.
 */
const GROWN_MS = 250;
/**
 * From then on the heap may also grow to no more than twice of what it keeps before everything is collected, and to 8 MB more at
 * least. V8 makes it up to four times as much when collecting is fast: in `apply` of 300,000 files 34 MB for 9 (226 to 236 MB in
 * all, now 219 to 223). Percent.
 */
const HEAP_GROWTH = 100;
export const GROWN = `--semi-space-growth-factor=1 --heap-growing-percent=${HEAP_GROWTH}`;

const FLAGS = `--interrupt-budget=${INTERRUPT_BUDGET} --semi-space-growth-factor=${YOUNG_GROWTH} ${NO_YOUNG_TASK} --heap-growing-percent=0`;
/** What they are in Node 20. */
export const DEFAULT_FLAGS =
	'--interrupt-budget=67584 --semi-space-growth-factor=2 --minor-gc-task --heap-growing-percent=0';

/** V8 of Node 20; later ones count otherwise, compile in between with Maglev, and refuse the flag. */
const BUDGET_VERSION = '11.';

/**
 * Loads what `pack` wrote. Starting an ES module, and finding and linking its chunks, takes longer than the work of a small
 * command. A code cache that was made by another version of V8 or with other flags is refused by V8 itself: then it
 * compiles what it needs. The flags for long runs are set before the second pack is read: they are among those that count.
 *
 * They count for what Node has compiled of itself ahead of time, too: a thread starts in 24 instead of 50 ms of processor time when
 * they are as Node was built with, and cryptography in 1.5 ms instead of 4. So they are taken back while a module of Node is
 * loaded, and while a lane starts, up to its first message; the caches of lanes are made without flags.
 *
 * @param {Record<string, string>} files of the packs
 * @param {string} main the chunk to begin with
 * @param {string[]} early modules of Node to load at once, before others set flags
 */
const launcher = (files, main, early) => `#!/usr/bin/env node
'use strict';
const fs = require('node:fs');
const vm = require('node:vm');
const files = ${JSON.stringify(files)};
const packs = {};
let opened = 0;
let areSet = false;
let starting = 0;
const setFlags = (flags) => require('node:v8').setFlagsFromString(flags);
let isGrown = false;
const restoreFlags = () => {
	if (areSet && starting === 0) setFlags(isGrown ? '${FLAGS} ${GROWN}' : '${FLAGS}');
};
const grown = () => {
	isGrown = true;
	restoreFlags();
};
const plainly = (act) => {
	if (areSet) setFlags('${DEFAULT_FLAGS}');
	try {
		return act();
	} finally {
		restoreFlags();
	}
};
const open = (name) => {
	if (opened++ === 1 && process.versions.v8.startsWith('${BUDGET_VERSION}')) {
		areSet = true;
		setTimeout(grown, ${GROWN_MS}).unref();
	}
	if (areSet) setFlags('${FLAGS}');
	const filename = __dirname + '/' + files[name];
	let cachedData;
	try {
		cachedData = fs.readFileSync(filename + '.cache');
	} catch {}
	const script = new vm.Script(fs.readFileSync(filename, 'latin1'), { filename, cachedData });
	restoreFlags();
	return (packs[name] = script.runInThisContext());
};
const spaces = {};
let Lane;
const laneOf = (Worker) => class extends Worker {
	constructor(entry, options) {
		starting++;
		plainly(() => {});
		super(entry, options);
		let isStarting = true;
		for (const event of ['message', 'exit'])
			this.once(event, () => {
				if (isStarting) starting--;
				isStarting = false;
				restoreFlags();
			});
	}
};
const builtin = (name) => {
	let exports;
	return (spaces[name] ??= new Proxy({}, {
		get(space, key) {
			exports ??= plainly(() => require(name));
			if (key === 'Worker') return (Lane ??= laneOf(exports.Worker));
			return key === 'default' ? exports : exports[key];
		},
	}));
};
spaces['node:fs'] = Object.create(fs, { default: { value: fs } });
const meta = { get url() { return require('node:url').pathToFileURL(__filename).href; } };
const loaded = {};
const load = (id) => {
	if (loaded[id] !== undefined) return loaded[id].exports;
	const name = id.slice(0, id.indexOf('/'));
	if (files[name] === undefined) return require(id);
	const module = (loaded[id] = { exports: {} });
	(packs[name] ?? open(name))[id](load, module, builtin, meta);
	return module.exports;
};
${early.map((name) => `require('${name}');\n`).join('')}load('${main}');
`;

/**
 * Writes a program: `NAME.js` starts it, `NAME-PACK-HASH.pack` hold it.
 *
 * @param {import('esbuild').BuildResult} built ES modules with their chunks, and what is known of them
 * @param {string} name of the entry
 * @param {Record<string, string[] | null>} groups what goes into which pack: modules that are entries or imported later,
 * with all that they import; of several, into the first; null: what is left
 * @param {{ siblings?: string[], common?: string, early?: string[] }} more what several siblings need goes into the common
 * one instead; early: modules of Node to load first
 * @param {string} folder where to write
 * @returns {Promise<Record<string, string>>} the packs
 */
export async function pack(
	built,
	name,
	groups,
	folder,
	{ siblings = [], common = '', early = [] },
) {
	const chunks = {};
	for (const [file, facts] of Object.entries(built.metafile.outputs))
		chunks[path.basename(file)] = facts;
	const main = `${name}.js`;
	const packOf = divide(chunks, main, groups, siblings, common);
	const texts = Object.fromEntries(Object.keys(groups).map((group) => [group, []]));
	for (const { path: file, text } of built.outputFiles) {
		const chunk = path.basename(file);
		const group = packOf.get(chunk);
		if (group === undefined) continue;
		const body = await asFunction(text, (other) => `${packOf.get(other)}/${other}`);
		const packages = new Set(
			Object.keys(chunks[chunk].inputs).flatMap((input) => PACKAGE.exec(input) ?? []),
		);
		const from = [...packages].map((one) => `// ${one}\n`).join('');
		texts[group].push(`${from}"${group}/${chunk}"(require,module,builtin,meta){${body}}`);
	}
	const names = {};
	for (const [group, parts] of Object.entries(texts)) {
		const text = `({\n${parts.join(',\n')}\n})`;
		const hash = createHash('sha1').update(text).digest('hex').slice(0, 8);
		names[group] = `${name}-${group}-${hash}.pack`;
		fs.writeFileSync(path.join(folder, names[group]), text);
	}
	const text = launcher(names, `${packOf.get(main)}/${main}`, early);
	fs.writeFileSync(path.join(folder, main), text, { mode: 0o755 });
	return names;
}

/** The packages that a chunk has code of stand in front of it. */
const PACKAGE = /node_modules\/(?:@[^/]+\/)?[^/]+\//;

/** Which chunk goes into which pack. */
function divide(chunks, main, groups, siblings, common) {
	const importsOf = (name, kind) =>
		chunks[name].imports.filter((one) => one.kind === kind).map((one) => path.basename(one.path));
	const isChunk = (name) => chunks[name] !== undefined;
	const closure = (roots, kinds) => {
		const found = new Set(roots);
		for (const name of found)
			for (const kind of kinds)
				for (const other of importsOf(name, kind).filter(isChunk)) found.add(other);
		return found;
	};
	const all = [...closure([main], ['import-statement', 'dynamic-import'])];
	const packOf = new Map();
	for (const [group, entries] of Object.entries(groups)) {
		const roots = all.filter((name) => entries?.includes(chunks[name].entryPoint));
		const names = entries === null ? all.filter((name) => !packOf.has(name)) : roots;
		for (const name of closure(names, ['import-statement']))
			if (!packOf.has(name)) packOf.set(name, group);
			else if (siblings.includes(group) && siblings.includes(packOf.get(name)))
				packOf.set(name, common);
	}
	return packOf;
}

/** A chunk as the body of a function of `require`, `module`, `builtin` and `meta`. */
async function asFunction(text, idOf) {
	const { code } = await transform(text, {
		format: 'cjs',
		platform: 'node',
		target: 'node20',
		define: { 'import.meta.url': 'meta.url', 'import.meta': 'meta' },
		minifyWhitespace: true,
		legalComments: 'none',
		supported: { 'dynamic-import': false },
	});
	return (
		code
			.replace(/require\("\.{1,2}\/(?:chunks\/)?([^"]+)"\)/g, (_, id) => `require("${idOf(id)}")`)
			// Node's own modules are loaded when something of them is used: a few take as long as a small command.
			.replace(/__toESM\((require\("node:[^"]+"\))(?:,1)?\)/g, '$1')
			.replace(/\brequire\("(node:[^"]+)"\)/g, 'builtin("$1")')
			.replace(
				/module\.exports=__toCommonJS\((\w+)\);/,
				'module.exports=Object.defineProperty($1,"__esModule",{value:true});',
			)
			// Left are such in regular expressions. Read as Latin-1, the text takes one byte a character.
			.replace(/[^\0-\x7f]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`)
	);
}

/** Runs for a code cache that take longer are given up. */
const CACHE_MS_MAX = 120_000;

/**
 * Puts V8's code cache beside packs: of what these command lines use, so that it stays small.
 *
 * @param {string} launcher
 * @param {string[][]} commands
 * @param {string[]} packs to write the cache of; those that no command line uses get none
 * @param {string} home a folder for what programs keep of their user
 * @param {{ early?: string[], ofLanes?: boolean }} how early: packs that are read before flags are set; ofLanes: the packs
 * are those of lanes
 */
export function cacheCode(launcher, commands, packs, home, { early = [], ofLanes = false } = {}) {
	const tool = path.join(path.dirname(fileURLToPath(import.meta.url)), 'code-cache.mjs');
	// Other flags would make a cache that is refused later, and nobody's list of jobs gets these.
	const { NODE_OPTIONS: _, ...env } = process.env;
	for (const name of ['HOME', 'XDG_STATE_HOME', 'XDG_CONFIG_HOME', 'LOCALAPPDATA', 'APPDATA'])
		env[name] = home;
	const { status } = spawnSync(process.execPath, [tool, launcher], {
		input: JSON.stringify({ commands, packs, early, ofLanes }),
		stdio: ['pipe', 'ignore', 2],
		env,
		timeout: CACHE_MS_MAX,
	});
	const missing = packs.filter(
		(name) => !fs.existsSync(path.join(path.dirname(launcher), `${name}.cache`)),
	);
	// The program does the same without.
	if (status !== 0 || missing.length > 0)
		process.stderr.write(`wimdeck: no code cache for ${missing.join(', ') || launcher}\n`);
}
