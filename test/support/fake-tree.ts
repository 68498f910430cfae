/** The files of the scripted engine's images, like those of the design's screens. */

import { EntryKind } from '../../source/tui/engine.ts';

export interface FakeEntry {
	readonly name: string;
	readonly size?: number;
	readonly attributes?: number;
	/** Days since 1970. */
	readonly day?: number;
	readonly kind?: number;
	readonly children?: readonly FakeEntry[];
	readonly content?: string | Uint8Array;
	readonly streams?: readonly { readonly name: string; readonly size: number }[];
}

/** A folder as the trees of tests have it. */
export const folder = (name: string, children: readonly FakeEntry[], day = 19857): FakeEntry => ({
	name,
	children,
	day,
	attributes: 0x10,
});
const file = (name: string, size: number, more: Partial<FakeEntry> = {}): FakeEntry => ({
	name,
	size,
	day: 19850,
	attributes: 0x20,
	...more,
});

const DRIVERS = [
	'1394ohci',
	'3ware',
	'acpi',
	'AcpiDev',
	'acpiex',
	'acpipagr',
	'acpipmi',
	'acpitime',
	'ADP80XX',
	'afd',
	'afunix',
	'agilevpn',
	'ahcache',
	'amdgpio2',
	'amdi2c',
	'amdk8',
	'amdppm',
	'amdsata',
	'amdsbs',
	'amdxata',
	'appid',
	'applockerfltr',
	'AppVStrm',
	'AppvVemgr',
	'AppvVfs',
	'arcsas',
	'asyncmac',
	'atapi',
	'bam',
];

export const TREE: readonly FakeEntry[] = [
	folder('Program Files', [folder('Common Files', [])]),
	folder('Users', [folder('Public', [])]),
	folder('Windows', [
		folder('Boot', []),
		folder('EFI', []),
		folder('Fonts', [file('arial.ttf', 1_036_584)], 19850),
		folder('System32', [
			folder(
				'drivers',
				DRIVERS.map((name, i) => file(`${name}.sys`, 31_000 + i * 140_000)),
			),
			file('kernel32.dll', 803_000),
		]),
		folder('WinSxS', []),
		file('bootmgr', 464_000, { attributes: 0x27 }),
		file('explorer.exe', 5_350_000),
		file('hvax64.exe', 1_990_000),
		file('notepad.exe', 360_448, { content: 'MZ\u0000\u0001' }),
		file('regedit.exe', 372_736),
		file('splwow64.exe', 161_792),
		file('twain_32.dll', 69_632),
		file('win.ini', 92, {
			day: 18237,
			content: '; for 16-bit app support\r\n[fonts]\r\n[extensions]\r\n',
		}),
		file('write.exe', 11_264),
	]),
	{ name: 'Documents and Settings', kind: EntryKind.link, attributes: 0x416, day: 19857 },
];
