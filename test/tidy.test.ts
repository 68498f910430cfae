import assert from 'node:assert/strict';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { root } from './support/fixture.ts';

/** What each folder of source/ may import, besides itself. The order is the architecture. */
const LAYERS: Readonly<Record<string, readonly string[]>> = {
	base: [],
	bytes: ['base'],
	registry: ['base', 'bytes'],
	codec: ['base', 'bytes'],
	storage: ['base', 'bytes'],
	pool: ['base', 'bytes', 'codec', 'storage'],
	wim: ['base', 'bytes', 'codec', 'storage', 'pool'],
	image: ['base', 'bytes', 'registry', 'wim'],
	host: ['base', 'bytes', 'storage', 'image'],
	operations: ['base', 'bytes', 'registry', 'codec', 'storage', 'pool', 'wim', 'image', 'host'],
	jobs: ['base', 'bytes', 'storage', 'pool', 'wim', 'image', 'host', 'operations'],
	cli: ['base', 'bytes', 'storage', 'wim', 'image', 'operations', 'jobs'],
	tui: ['base', 'bytes', 'codec', 'storage', 'wim', 'image', 'operations', 'jobs'],
};

/** Files directly in source/ and what they may import. */
const DOORS: Readonly<Record<string, readonly string[]>> = {
	'main.ts': ['base', 'cli', 'tui'],
	'index.ts': Object.keys(LAYERS).filter((layer) => layer !== 'cli' && layer !== 'tui'),
};

interface SourceFile {
	readonly layer: string;
	readonly file: string;
	readonly text: string;
}

function filesBelow(folder: string, ending: RegExp): SourceFile[] {
	return readdirSync(path.join(root, folder), {
		recursive: true,
		encoding: 'utf8',
	})
		.filter((name) => ending.test(name))
		.map((name) => name.replaceAll('\\', '/'))
		.sort()
		.map((name) => ({
			layer: name.includes('/') ? (name.split('/')[0] ?? '') : name,
			file: `${folder}/${name}`,
			text: readFileSync(path.join(root, folder, name), 'utf8'),
		}));
}

const KERNEL = /^source\/codec\/(kernel\/|[a-z]+-module\.ts$)/;
const all = filesBelow('source', /\.tsx?$/);
const sources = all.filter(({ file }) => !KERNEL.test(file));
const tests = filesBelow('test', /\.tsx?$/);

/** Code without comments and strings, so that prose cannot offend. */
function codeOf(text: string): string {
	return text.replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, '').replace(/'(?:[^'\\\n]|\\.)*'/g, "''");
}

test('every import points down the layers', () => {
	const upward: string[] = [];
	for (const { layer, file, text } of sources) {
		const allowed = LAYERS[layer] ?? DOORS[layer];
		assert.ok(allowed, `${file} lies in no known layer`);
		for (const [, target = ''] of text.matchAll(/(?:from|import\()\s*'(?:\.\.?\/)+([a-z]+)\//g)) {
			const inside = text.includes(`'./${target}/`) && LAYERS[layer] !== undefined;
			if (target !== layer && !inside && LAYERS[target] && !allowed.includes(target))
				upward.push(`${file} -> ${target}`);
		}
	}
	assert.deepEqual(upward, []);
});

test('cli and tui never import each other, and only screens and parts know Ink', () => {
	const wrong: string[] = [];
	for (const { layer, file, text } of sources) {
		const usesInk = /from '(ink|react|ink-table|ink-spinner)'/.test(text);
		if (usesInk && !/^source\/tui\/(screens|parts|deck)/.test(file))
			wrong.push(`${file} imports Ink`);
		if (layer === 'cli' && /'\.\.\/(\.\.\/)?tui\//.test(text)) wrong.push(file);
		if (layer === 'tui' && /'\.\.\/(\.\.\/)?cli\//.test(text)) wrong.push(file);
	}
	assert.deepEqual(wrong, []);
});

test('in the deck only its terminal hears and writes the streams and signals of the process', () => {
	// deck.ts hands them to the terminal, and tells of a defect once the screen is given back.
	const allowed = /^source\/tui\/(terminal\/|deck\.ts$)/;
	const touches =
		/\bprocess\s*\.\s*(stdin|stdout|stderr|on|once|addListener|kill)\b|\bconsole\s*\./;
	const inDeck = sources.filter(({ file }) => file.startsWith('source/tui/'));
	assert.ok(inDeck.some(({ file, text }) => allowed.test(file) && touches.test(text)));
	const wrong = inDeck.filter(({ file, text }) => !allowed.test(file) && touches.test(text));
	assert.deepEqual(
		wrong.map(({ file }) => file),
		[],
	);
});

test('no component of the deck has a timer of its own', () => {
	// first-mount.ts waits until Ink is there; it draws nothing.
	const wrong = sources
		.filter(({ file }) => /^source\/tui\/(screens|parts|view)\/(?!first-mount)/.test(file))
		.filter(({ text }) => /\bset(Interval|Timeout)\(/.test(text))
		.map(({ file }) => file);
	assert.deepEqual(wrong, []);
});

test('only storage and host open files', () => {
	const allowed = /^source\/(storage|host|jobs|cli|tui|pool\/worker)/;
	const wrong = sources
		.filter(({ file, text }) => !allowed.test(file) && /from 'node:fs(\/promises)?'/.test(text))
		.map(({ file }) => file);
	assert.deepEqual(wrong, []);
});

test('no name is used that the style bans', () => {
	const wrong: string[] = [];
	for (const { layer, file, text } of sources) {
		const code = codeOf(text);
		const ban = (pattern: RegExp, why: string) => {
			if (pattern.test(code)) wrong.push(`${file}: ${why}`);
		};
		ban(/\bDisposableStack\b/, 'DisposableStack is missing in Node 20');
		ban(/\bconsole\./, 'console');
		if (!['jobs', 'cli', 'tui', 'main.ts'].includes(layer))
			ban(
				/\bDate\.now\(|\bnew Date\(\)|\bMath\.random\(|\brandomBytes\(/,
				'the machine is asked for time or chance',
			);
		if (!['bytes', 'storage', 'host', 'cli', 'pool', 'jobs', 'tui'].includes(layer))
			ban(/\bBuffer\b/, 'Buffer');
		if (/\b(FIXME|XXX)\b/.test(text)) wrong.push(`${file}: FIXME`);
		if (/\bTODO(?! \(#\d+\))/.test(text)) wrong.push(`${file}: TODO without an issue`);
	}
	assert.deepEqual(wrong, []);
});

test('files stay short enough to read', () => {
	const long = [...sources, ...tests]
		.map(({ file, text }) => ({ file, lines: text.split('\n').length }))
		.filter(({ lines }) => lines > 600)
		.map(({ file, lines }) => `${file}: ${lines} lines`);
	assert.deepEqual(long, []);
});

test('folders have no index of their own, and no file is called utils', () => {
	const wrong = all
		.map(({ file }) => file)
		.filter(
			(file) =>
				/\/.+\/index\.tsx?$/.test(file) ||
				/\/(utils?|common|misc|manager|helpers?)\.tsx?$/.test(file),
		);
	assert.deepEqual(wrong, []);
});

test('every export of index.ts has a doc comment where it is defined', () => {
	const index = sources.find(({ file }) => file === 'source/index.ts')?.text ?? '';
	const bare: string[] = [];
	let count = 0;
	for (const [, names = '', from = ''] of index.matchAll(
		/export (?:type )?\{([^}]*)\} from '\.\/([^']+)'/g,
	))
		for (const name of names.split(',').map((word) => word.trim().replace(/^type /, ''))) {
			if (name === '') continue;
			count++;
			const text = sources.find(({ file }) => file === `source/${from}`)?.text ?? '';
			const definition = new RegExp(
				`\\*/\\nexport (?:abstract |async )?(?:class|interface|type|const|function\\*?) ${name}\\b`,
			);
			if (!definition.test(text)) bare.push(`${from}: ${name}`);
		}
	assert.ok(count > 30, 'the list was found');
	assert.deepEqual(bare, []);
});

test('fixtures are small, and every folder of them is listed', () => {
	const readme = readFileSync(path.join(root, 'fixtures/README.md'), 'utf8');
	const wrong: string[] = [];
	for (const name of readdirSync(path.join(root, 'fixtures'), {
		recursive: true,
		encoding: 'utf8',
	})) {
		const stat = statSync(path.join(root, 'fixtures', name));
		if (stat.isFile() && stat.size > 1024 * 1024) wrong.push(`${name} has ${stat.size} bytes`);
		if (stat.isDirectory() && !readme.includes(`${path.basename(name)}/`))
			wrong.push(`${name} is not listed`);
	}
	assert.deepEqual(wrong, []);
});

test('every test file asserts something', () => {
	const mute = tests
		.filter(({ file }) => file.endsWith('.test.ts') || file.endsWith('.test.tsx'))
		.filter(({ text }) => !/assert|fc\./.test(text))
		.map(({ file }) => file);
	assert.deepEqual(mute, []);
});

test('the changes in the README are one list after one sentence, and none stands there twice', () => {
	const readme = readFileSync(path.join(root, 'README.md'), 'utf8');
	const [, section = ''] = readme.split('\n## Changes\n\n');
	const [intro = '', list = '', ...more] = section.trimEnd().split('\n\n');
	assert.match(intro, /^Newest first; /, 'put new lines below this sentence');
	assert.deepEqual(more, []);
	const items = list.split(/\n(?=- )/);
	const stray = items
		.flatMap((item) => item.split('\n'))
		.filter((line) => !/^(- | {2}\S)/.test(line));
	assert.deepEqual(stray, []);
	assert.deepEqual(
		items.filter((item, k) => items.indexOf(item) !== k),
		[],
	);
});
