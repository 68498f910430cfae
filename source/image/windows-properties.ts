/**
 * What a tree says about the Windows in it, for the WINDOWS element of the XML data (wim.md §5.4): from the header of
 * kernel32.dll and from two registry hives. It is never required: whatever is odd is left out.
 */
import { FormatError, WimError } from '../base/errors.ts';
import { plural } from '../base/print.ts';
import { Span } from '../bytes/span.ts';
import { HIVE_SIZE_MAX } from '../registry/cells.ts';
import { Hive } from '../registry/hive.ts';
import { type HiveLog, isDirty, isHive, replayLogs } from '../registry/logs.ts';
import { languageTag } from './languages.ts';

/** Files of a tree, be it captured or in an image. Paths are like `/Windows/System32/x`, compared ignoring case. */
export interface TreeFiles {
	/** Names of the folders in the root. */
	readonly rootFolders: readonly string[];
	hasFile(path: string): boolean;
	/** At most the first `limit` bytes; null when there is no such file. */
	read(path: string, limit: number): Promise<Uint8Array | null>;
}

/** One text to be set in the element of the image. */
export interface XmlProperty {
	/** Such as `WINDOWS/VERSION/BUILD`. */
	readonly path: string;
	readonly text: string;
	/** Must not replace what is there. */
	readonly onlyIfMissing: boolean;
}

const KERNEL32 = 'System32/kernel32.dll';
const SOFTWARE = 'System32/config/SOFTWARE';
const SYSTEM = 'System32/config/SYSTEM';

/** Machine numbers of PE files to processor numbers (wim.md §5.4, §5.5). */
const ARCHITECTURES: Readonly<Record<number, number>> = {
	332: 0,
	448: 5,
	450: 5,
	452: 5,
	512: 6,
	34404: 9,
	43620: 12,
};

/** Where `readWindowsProperties` would look; tells whether a change of the root may matter. */
export function windowsRoot(files: TreeFiles): string | null {
	let best: { name: string; score: number } | null = null;
	for (const name of files.rootFolders) {
		const found = [KERNEL32, SOFTWARE, SYSTEM].filter((file) => files.hasFile(`/${name}/${file}`));
		const score = found.length * 2 + (name.toLowerCase() === 'windows' ? 1 : 0);
		if (found.length > 0 && (best === null || score > best.score)) best = { name, score };
	}
	return best?.name ?? null;
}

/**
 * Reads the properties; an empty list when there is no Windows in the tree.
 *
 * @param warn told why something is missing
 */
export async function readWindowsProperties(
	files: TreeFiles,
	warn: (message: string) => void,
): Promise<XmlProperty[]> {
	const root = windowsRoot(files);
	if (root === null) return [];
	const list = new PropertyList();
	const attempt = async (what: string, action: () => Promise<void>) => {
		try {
			await action();
		} catch (error) {
			if (!(error instanceof WimError)) throw error;
			warn(`The properties of Windows are incomplete: ${what} (${error.message})`);
		}
	};
	await attempt('kernel32.dll', async () => {
		const head = await files.read(`/${root}/${KERNEL32}`, 4096);
		if (head !== null) list.add('WINDOWS/ARCH', architectureOf(head));
	});
	for (const [file, collect] of [
		[SOFTWARE, collectSoftware],
		[SYSTEM, collectSystem],
	] as const)
		await attempt(file, async () => {
			const bytes = await files.read(`/${root}/${file}`, HIVE_SIZE_MAX + 1);
			if (bytes === null) return;
			const hive = new Hive(await withLogs(new Span(bytes, `/${root}/${file}`), files, warn));
			collect(hive, list);
			const [problem] = hive.problems;
			if (problem !== undefined) throw problem.error;
		});
	list.add('WINDOWS/SYSTEMROOT', root.toUpperCase());
	return list.properties;
}

/** The hive as Windows would find it: what its logs hold is applied, in memory (regf.md §11). */
async function withLogs(
	file: Span,
	files: TreeFiles,
	warn: (message: string) => void,
): Promise<Span> {
	if (!isDirty(file)) return file;
	const logs: HiveLog[] = [];
	for (const suffix of ['.LOG1', '.LOG2', '.LOG']) {
		const name = `${file.region}${suffix}`;
		const bytes = await files.read(name, HIVE_SIZE_MAX);
		if (bytes !== null) logs.push({ name, bytes });
	}
	// Something else than a hive says so itself when it is opened.
	if (logs.length === 0 && !isHive(file)) return file;
	const replayed = replayLogs(file, logs);
	const state = `The registry hive "${file.region}" was not closed cleanly`;
	if (replayed.appliedCount > 0)
		warn(`${state}: ${plural(replayed.appliedCount, 'change')} were taken from its logs`);
	else
		warn(
			`${state}, and the newest changes may be missing${replayed.reason === null ? '' : `: its logs cannot be used, ${replayed.reason}`}`,
		);
	return replayed.file;
}

class PropertyList {
	readonly properties: XmlProperty[] = [];

	add(path: string, value: string | number | null, onlyIfMissing = false): void {
		if (value === null || value === '') return;
		this.properties.push({ path, text: String(value), onlyIfMissing });
	}
}

function architectureOf(head: Uint8Array): number | null {
	const span = new Span(head, 'kernel32.dll');
	span.need(0, 0x40, 'header');
	const at = span.view.getUint32(0x3c, true);
	span.need(at, 6, 'PE header');
	if (span.view.getUint32(at, true) !== 0x4550)
		throw new FormatError('There is no PE header', { region: 'kernel32.dll', offset: at });
	return ARCHITECTURES[span.view.getUint16(at + 4, true)] ?? null;
}

function collectSoftware(hive: Hive, list: PropertyList): void {
	const key = hive.key('Microsoft\\Windows NT\\CurrentVersion');
	const text = (name: string) => key?.value(name)?.text ?? null;
	const number = (name: string) => key?.value(name)?.number ?? null;
	list.add('WINDOWS/PRODUCTNAME', text('ProductName'));
	list.add('WINDOWS/EDITIONID', text('EditionID'));
	list.add('WINDOWS/INSTALLATIONTYPE', text('InstallationType'));
	list.add('FLAGS', text('EditionID'), true);
	list.add('DISPLAYNAME', text('ProductName'), true);
	list.add('DISPLAYDESCRIPTION', text('ProductName'), true);
	const dotted = /^(\d+)\.(\d+)$/.exec(text('CurrentVersion') ?? '');
	const major = number('CurrentMajorVersionNumber');
	list.add('WINDOWS/VERSION/MAJOR', major ?? dotted?.[1] ?? null);
	list.add(
		'WINDOWS/VERSION/MINOR',
		major === null ? (dotted?.[2] ?? null) : number('CurrentMinorVersionNumber'),
	);
	const build = text('CurrentBuild');
	list.add(
		'WINDOWS/VERSION/BUILD',
		build?.includes('.') ? text('CurrentBuildNumber') : (build ?? text('CurrentBuildNumber')),
	);
}

function collectSystem(hive: Hive, list: PropertyList): void {
	const control = hive.key('ControlSet001\\Control');
	if (control === null) return;
	const value = (path: string, name: string) => hive.value(`ControlSet001\\Control\\${path}`, name);
	list.add('WINDOWS/VERSION/SPBUILD', value('Windows', 'CSDBuildNumber')?.number ?? null);
	const level = value('Windows', 'CSDVersion')?.number ?? null;
	list.add('WINDOWS/VERSION/SPLEVEL', level === null ? null : level >>> 8);
	const display = 'Class\\{4D36E966-E325-11CE-BFC1-08002BE10318}\\0000';
	list.add('WINDOWS/HAL', value(display, 'MatchingDeviceId')?.text ?? null);
	list.add('WINDOWS/PRODUCTTYPE', value('ProductOptions', 'ProductType')?.text ?? null);
	list.add('WINDOWS/PRODUCTSUITE', value('ProductOptions', 'ProductSuite')?.texts?.[0] ?? null);
	const languages = hive.key('ControlSet001\\Control\\MUI\\UILanguages')?.subkeys() ?? [];
	for (const [k, { name }] of languages.entries())
		list.add(`WINDOWS/LANGUAGES/LANGUAGE[${k + 1}]`, name);
	const install = value('Nls\\Language', 'InstallLanguage')?.text ?? '';
	if (/^[0-9a-f]{1,4}$/i.test(install))
		list.add('WINDOWS/LANGUAGES/DEFAULT', languageTag(Number.parseInt(install, 16)));
}
