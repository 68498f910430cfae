import type { FoundWim } from '../../source/tui/engine.ts';

const DAY = 86_400_000;

/** What the fake engine finds in any folder. */
export const FOUND: readonly FoundWim[] = [
	{
		path: '/srv/sources/install.wim',
		size: Math.round(4.83 * 2 ** 30),
		modified: 19857 * DAY,
		summary: {
			compression: 'LZX',
			imageCount: 6,
			partNumber: 1,
			partCount: 1,
			hasIntegrity: true,
			title: 'Windows 11 Home',
			architecture: 'amd64',
			version: '10.0.26100.1',
			languages: 'en-US',
			edition: 'Core',
			build: '26100',
			deadBytes: 3_000_000,
		},
		problem: null,
	},
	{
		path: '/srv/sources/broken.wim',
		size: 1234,
		modified: null,
		summary: null,
		problem: 'not a WIM: the magic is wrong',
	},
];
