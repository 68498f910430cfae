/**
 * Makes the images in fixtures/demo that `npm start` opens: npm run demo. Everything in them is made up here; times and
 * contents are fixed, so that making them again changes nothing but GUIDs and capture times.
 */
import { spawnSync } from 'node:child_process';
import {
	linkSync,
	lutimesSync,
	mkdirSync,
	mkdtempSync,
	readdirSync,
	readFileSync,
	rmSync,
	symlinkSync,
	utimesSync,
	writeFileSync,
} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { gunzipSync } from 'node:zlib';
import { seeded } from './damage-kit.ts';
import { fixture, root } from './fixture.ts';

const MADE = Date.UTC(2024, 4, 14, 4, 12, 31) / 1000;

/** A file that looks like a 64-bit Windows program to whoever reads its header, and compresses like one. */
function program(size: number, seed: number): Buffer {
	const random = seeded(seed);
	const words = Array.from({ length: 200 }, () => Math.floor(random() * 0xffff_ffff));
	const bytes = Buffer.alloc(size);
	for (let at = 0; at + 4 <= size; at += 4)
		bytes.writeUInt32LE(words[Math.floor(random() * random() * 200)] ?? 0, at);
	bytes.fill(0, 0, Math.min(size, 0x200));
	bytes.write('MZ', 0, 'latin1');
	bytes.writeUInt32LE(0x80, 0x3c);
	bytes.write('PE\0\0', 0x80, 'latin1');
	bytes.writeUInt16LE(0x8664, 0x84);
	return bytes;
}

function put(file: string, contents: string | Buffer): void {
	mkdirSync(path.dirname(file), { recursive: true });
	writeFileSync(file, contents);
}

function text(title: string, lines: number): string {
	return Array.from({ length: lines }, (_, k) => `${title}, line ${k + 1} of ${lines}\r\n`).join(
		'',
	);
}

const hive = (name: string) => gunzipSync(readFileSync(fixture(`hives/${name}.gz`)));

/** A small tree with the shape of Windows: enough folders to walk through, links, equal and empty files. */
function makeWindows(folder: string, isPro: boolean): void {
	const at = (...names: string[]) => path.join(folder, ...names);
	const system = at('Windows', 'System32');
	put(path.join(system, 'kernel32.dll'), program(48_000, 1));
	put(path.join(system, 'config', 'SOFTWARE'), hive('SOFTWARE-client-synthetic'));
	put(path.join(system, 'config', 'SYSTEM'), hive('SYSTEM-winpe-synthetic'));
	for (const [k, name] of [
		'1394ohci',
		'acpi',
		'afd',
		'afunix',
		'atapi',
		'bam',
		'disk',
		'ntfs',
		'tcpip',
		'usbhub',
	].entries())
		put(path.join(system, 'drivers', `${name}.sys`), program(6_000 + k * 1_700, 20 + k));
	for (const [k, name] of [
		'cmd.exe',
		'notepad.exe',
		'ntdll.dll',
		'shell32.dll',
		'user32.dll',
	].entries())
		put(path.join(system, name), program(14_000 + k * 5_000, 40 + k));
	put(at('Windows', 'explorer.exe'), program(70_000, 60));
	put(at('Windows', 'win.ini'), '; for 16-bit app support\r\n[fonts]\r\n[extensions]\r\n');
	for (let k = 0; k < 12; k++)
		put(at('Windows', 'Fonts', `font${k}.ttf`), program(3_000 + k * 100, 80 + k));
	for (let k = 0; k < 8; k++)
		put(
			at('Windows', 'WinSxS', `amd64_component-${k}_31bf3856ad364e35`, 'manifest.xml'),
			text(`component ${k}`, 12 + k),
		);
	linkSync(
		path.join(system, 'drivers', 'afd.sys'),
		at('Windows', 'WinSxS', 'amd64_component-1_31bf3856ad364e35', 'afd.sys'),
	);
	mkdirSync(at('Program Files', 'Common Files'), { recursive: true });
	put(at('Users', 'Public', 'Documents', 'read me.txt'), text('hello', 5));
	put(at('Users', 'Public', 'Documents', 'grüße.txt'), 'Grüße aus dem Abbild\r\n');
	put(at('Users', 'Default', 'NTUSER.DAT'), '');
	symlinkSync('Public', at('Users', 'All Users'));
	if (isPro)
		for (let k = 0; k < 4; k++)
			put(at('Windows', 'System32', `gpedit${k}.dll`), program(9_000 + k * 900, 120 + k));
	settle(folder);
}

/** The same times everywhere, the deepest folder last touched. */
function settle(folder: string): void {
	for (const entry of readdirSync(folder, { withFileTypes: true })) {
		const name = path.join(folder, entry.name);
		if (entry.isDirectory()) settle(name);
		if (entry.isSymbolicLink()) lutimesSync(name, MADE, MADE);
		else utimesSync(name, MADE, MADE);
	}
	utimesSync(folder, MADE, MADE);
}

function wimdeck(...args: string[]): void {
	const result = spawnSync(process.execPath, [path.join(root, 'dist', 'wimdeck.js'), ...args], {
		encoding: 'utf8',
	});
	if (result.status !== 0) throw new Error(`wimdeck ${args.join(' ')} failed: ${result.stderr}`);
}

const target = fixture('demo');
rmSync(target, { recursive: true, force: true });
mkdirSync(target, { recursive: true });
const work = mkdtempSync(path.join(os.tmpdir(), 'wimdeck-demo-'));
try {
	makeWindows(path.join(work, 'home'), false);
	makeWindows(path.join(work, 'pro'), true);
	const install = path.join(target, 'install.wim');
	wimdeck(
		'capture',
		path.join(work, 'home'),
		install,
		'Windows 11 Home',
		'A made-up Windows',
		'--check',
	);
	wimdeck(
		'append',
		path.join(work, 'pro'),
		install,
		'Windows 11 Pro',
		'The same with four files more',
	);
	wimdeck(
		'export',
		install,
		'all',
		path.join(target, 'install.esd'),
		'--solid',
		'--solid-chunk-size=262144',
	);
	wimdeck('split', install, path.join(target, 'split.swm'), '0.15');
	const bytes = readFileSync(install);
	const random = seeded(2024);
	// Three sectors of zeros in the data, as a dying disk leaves them.
	for (let k = 0; k < 3; k++) {
		const at = 512 * Math.floor(1 + random() * ((bytes.length * 0.6) / 512));
		bytes.fill(0, at, at + 512);
	}
	writeFileSync(path.join(target, 'damaged.wim'), bytes);
} finally {
	rmSync(work, { recursive: true, force: true });
}
for (const name of readdirSync(target).sort())
	process.stdout.write(`${name} ${readFileSync(path.join(target, name)).length} bytes\n`);
