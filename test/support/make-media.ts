/** Makes the pictures in media/: npm run media. Real screens of the deck on the demo images, from the headless terminal. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { createEngine } from '../../source/tui/engine/create-engine.ts';
import type { DeckEngine, FoundWim } from '../../source/tui/engine.ts';
import { DeckOnTerminal } from './deck.ts';
import { fixture, root } from './fixture.ts';
import { movingSvg, screenSvg } from './screen-svg.ts';

const folder = path.join(root, 'media');
mkdirSync(folder, { recursive: true });
// So that the pictures name the files as a user in that folder would see them.
process.chdir(fixture('demo'));
// Jobs of this machine do not belong in the pictures.
process.env['XDG_STATE_HOME'] = '/dev/null/nowhere';

async function picture(
	name: string,
	title: string,
	file: string,
	size: { readonly columns: number; readonly rows: number },
	play: (deck: DeckOnTerminal) => Promise<void>,
	engine?: DeckEngine,
): Promise<void> {
	const deck = await DeckOnTerminal.open(engine ?? (await createEngine()), {
		...size,
		path: file,
	});
	await deck.until(/Windows 1[01] Pro/);
	await play(deck);
	await deck.quiet();
	writeFileSync(path.join(folder, `${name}.svg`), screenSvg(deck.terminal, title));
	deck.close();
}

/** ^X presses the main button. */
const SUBMIT = '\x18';

const browse = async (deck: DeckOnTerminal) => {
	await deck.press('enter');
	await deck.until(/Program Files/);
	await deck.press('down', 'down', 'enter');
	await deck.until(/explorer\.exe/);
	await deck.press('down', 'down', 'down', 'space');
};

await picture('deck-80x24', 'The deck at 80x24', 'install.wim', { columns: 80, rows: 24 }, browse);
await picture(
	'deck-120x40',
	'The deck at 120x40',
	'install.wim',
	{ columns: 120, rows: 40 },
	browse,
);
await picture(
	'damage-80x24',
	'The damage view at 80x24',
	'damaged.wim',
	{ columns: 80, rows: 24 },
	async (deck) => {
		await deck.press('V');
		await deck.until(/see !/);
		await deck.press('!');
		await deck.until(/4 of 4 shown/);
	},
);
await picture(
	'map-80x24',
	'The map of a damaged file',
	'damaged.wim',
	{ columns: 80, rows: 24 },
	async (deck) => {
		await deck.press('V');
		await deck.until(/see !/);
		await deck.press('!', 'M');
		await deck.until(/ntdll\.dll/);
	},
);

const size = { columns: 80, rows: 24 };

/** The engine with its folder under a name that every machine has, so that the picture is the same everywhere. */
async function inFolder(shown: string): Promise<DeckEngine> {
	const engine = await createEngine();
	const here = process.cwd();
	return Object.assign(Object.create(engine) as DeckEngine, {
		folderAt: async () => shown,
		findWims: (
			_folder: string,
			isDeep: boolean,
			onBatch: (found: readonly FoundWim[]) => void,
			signal: AbortSignal,
		) =>
			engine.findWims(
				here,
				isDeep,
				(found) => onBatch(found.map((one) => ({ ...one, path: one.path.replace(here, shown) }))),
				signal,
			),
	});
}

await picture(
	'start-80x24',
	'The images of a folder',
	'.',
	size,
	(deck) => deck.quiet(),
	await inFolder('/srv/images'),
);

await picture('dialog-80x24', 'The capture dialog', 'install.wim', size, async (deck) => {
	await deck.press('c', '\x15', '/srv/reference', 'down', '\x15', '/srv/images/new.wim');
	await deck.press('down', 'down', 'Reference, 2026-11');
	await deck.quiet();
});
await picture(
	'difference-80x24',
	'The differences of two images',
	'install.wim',
	size,
	async (deck) => {
		await deck.press('=', SUBMIT);
		await deck.until(/\[Differences\]/);
		await deck.quiet();
		await deck.press('enter');
		await deck.quiet();
	},
);
await picture(
	'sizes-80x24',
	'The size of an image by folder',
	'install.wim',
	size,
	async (deck) => {
		await deck.press('enter');
		await deck.until(/Program Files/);
		await deck.press('down', 'down', '%');
		await deck.until(/FOLDER/);
		await deck.quiet();
	},
);
/** Staged changes show the whole path of what is added: it must be the same on every machine. */
const driver = '/tmp/net.inf';
writeFileSync(driver, '; a made-up driver\n', { flag: 'wx' });
await picture(
	'staged-80x24',
	'Staged changes before they are committed',
	'install.wim',
	size,
	async (deck) => {
		await deck.press('enter');
		await deck.until(/Program Files/);
		await deck.press('D', 'down', 'r');
		await deck.until(/Rename or move/);
		await deck.press('\x15', 'People', 'enter');
		await deck.until(/2 staged/);
		await deck.press('a');
		await deck.until(/Add a file/);
		await deck.press('\x15', driver, 'enter');
		await deck.until(/3 staged/);
		await deck.press('C');
		await deck.until(/\[Staged\]/);
		await deck.quiet();
	},
);
rmSync(driver);
/** A walk as one picture that moves: each screen is shown for a while, then the next. */
async function recording(name: string, title: string): Promise<void> {
	const deck = await DeckOnTerminal.open(await createEngine(), { ...size, path: 'damaged.wim' });
	await deck.until(/Windows 11 Pro/);
	const screens: string[] = [];
	const steps: readonly (readonly [keys: readonly string[], shows: RegExp])[] = [
		[[], /Windows 11 Pro/],
		[['enter'], /Program Files/],
		[['down'], /Program Files/],
		[['down', 'enter'], /explorer\.exe/],
		[['1', 'V'], /see !/],
		[['!'], /4 of 4 shown/],
		[['down'], /Finding 2/],
		[['M'], /resources: \d/],
		[['n'], /bytes 0x/],
		[['o'], /2 Files/],
	];
	for (const [keys, shows] of steps) {
		await deck.press(...keys);
		await deck.until(shows);
		await deck.quiet();
		screens.push(screenSvg(deck.terminal, title));
	}
	deck.close();
	writeFileSync(path.join(folder, `${name}.svg`), movingSvg(screens, SECONDS_A_SCREEN));
}

const SECONDS_A_SCREEN = 2;

await recording('walk-80x24', 'From the images to the damage and its bytes');

process.stdout.write(`Pictures are in ${folder}\n`);
process.exit(0);
