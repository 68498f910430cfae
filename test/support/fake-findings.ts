import type { Finding } from '../../source/tui/engine.ts';

/** The findings of the design's damage view; positions are those of `TREE`. */
export function findings(): readonly Finding[] {
	return [
		{
			id: 'a',
			severity: 'warning',
			where: 'integrity table',
			what: '2 of 812 blocks differ (17, 18)',
			about: null,
			files: [],
			isIntegrityBlock: true,
			blocksImage: false,
			imageIndexes: [],
			notes: ['The blocks cover bytes 0xa00000 to 0xbfffff.'],
			digest: null,
			place: { part: '/srv/sources/install.wim', offset: 0xa00000, size: 0x200000 },
		},
		{
			id: 'b',
			severity: 'error',
			where: 'resource @0x1a3f00',
			what: 'chunk 12 of 21 does not unpack',
			about: '656,952 bytes, LZX, 301,114 packed',
			files: [
				{
					path: '\\Windows\\hvax64.exe',
					imageIndex: 3,
				},
				{
					path: '\\Windows\\System32\\drivers\\afd.sys',
					imageIndex: 3,
				},
			],
			isIntegrityBlock: false,
			blocksImage: false,
			imageIndexes: [1, 2, 3],
			notes: [
				'Readable: chunks 1-11 and 13-21 (619 K of 656 K).',
				'Elsewhere: no other copy of this SHA-1 in the file.',
			],
			digest: '9f0c2a7d41be55a0c03e77128a6d90f40b12ee5c',
			place: { part: '/srv/sources/install.wim', offset: 0x1a3f00, size: 301_114 },
		},
	];
}
