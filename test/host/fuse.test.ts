import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Span } from '../../source/bytes/span.ts';
import { ControlFile } from '../../source/host/fuse/control-file.ts';
import { type FileSystem, FuseError, Kind } from '../../source/host/fuse/file-system.ts';
import * as protocol from '../../source/host/fuse/protocol.ts';
import { serveFuse } from '../../source/host/fuse/serve.ts';
import { dice } from '../support/contents.ts';

const { InHeader, Operation, OutHeader } = protocol;

test('messages have the sizes that the kernel documents', () => {
	const sizes = [
		[protocol.InHeader, 40],
		[protocol.OutHeader, 16],
		[protocol.Attributes, 88],
		[protocol.EntryOut, 128],
		[protocol.AttributesOut, 104],
		[protocol.SetAttributesIn, 88],
		[protocol.InitIn, 16],
		[protocol.InitOut, 64],
		[protocol.OpenIn, 8],
		[protocol.OpenOut, 16],
		[protocol.ReadIn, 40],
		[protocol.WriteIn, 40],
		[protocol.WriteOut, 8],
		[protocol.ReleaseIn, 24],
		[protocol.CreateIn, 16],
		[protocol.MakeNodeIn, 16],
		[protocol.Rename2In, 16],
		[protocol.AllocateIn, 32],
		[protocol.StatisticsOut, 80],
		[protocol.FolderEntry, 24],
	] as const;
	for (const [message, size] of sizes) assert.equal(message.size, size, message.name);
	assert.equal(protocol.EntryOut.offsets.attributes, 40);
	assert.equal(protocol.SetAttributesIn.offsets.gid, 80);
});

/** One file in a root. */
const FILES: FileSystem = {
	cacheSeconds: 1,
	lookup: (_, name) => (Buffer.from(name).toString() === 'file' ? 2 : null),
	attributes: (node) => ({
		size: node === 2 ? 5 : 0,
		mode: node === 2 ? Kind.file | 0o644 : Kind.folder | 0o755,
		linkCount: 1,
		uid: 0,
		gid: 0,
		rdev: 0,
		accessNs: 0n,
		// A second and a half before 1970.
		writeNs: -1_500_000_000n,
		changeNs: 0n,
	}),
	entries: () => [{ name: Buffer.from('file'), node: 2, kind: Kind.file }],
	readLink: async () => {
		throw new FuseError('EINVAL');
	},
	open: async () => 7,
	read: async (_, offset, size) => Buffer.from('hello').subarray(offset, offset + size),
	release: async () => {},
	xattrNames: () => [],
	xattr: async () => null,
	statistics: () => ({ blocks: 0, freeBlocks: 0, files: 1 }),
	forget: () => {},
};

interface Answer {
	readonly unique: bigint;
	readonly errno: number;
	readonly body: Span;
}

/** Serves requests that come from no kernel. */
async function answers(requests: readonly Uint8Array[]) {
	const pending = [...requests];
	const answered: Answer[] = [];
	const failures: unknown[] = [];
	const channel = {
		next: async () => pending.shift() ?? null,
		answer(bytes: Uint8Array) {
			const span = new Span(bytes, 'answer');
			const { size, error, unique } = OutHeader.parse(span);
			assert.equal(size, bytes.length);
			const body = new Span(bytes.subarray(OutHeader.size), 'answer');
			answered.push({ unique, errno: (-error >>> 0) & 0xffff, body });
		},
	};
	await serveFuse(channel, {
		files: FILES,
		failed: (error) => failures.push(error),
		nowNs: () => 0n,
		control: new ControlFile(0, async () => {}),
	});
	return { answered, failures };
}

function request(operation: number, node: number, ...parts: readonly Uint8Array[]): Uint8Array {
	const body = Buffer.concat(parts);
	const size = InHeader.size + body.length;
	const from = { uid: 0, gid: 0, pid: 1, extensionSize: 0, padding: 0 };
	const header = InHeader.encode({ size, operation, unique: 9n, node, ...from });
	return Buffer.concat([header, body]);
}

const text = (name: string) => Buffer.from(`${name}\0`);

test('requests are answered, and what is not there or not allowed has its number', async () => {
	const open = protocol.OpenIn.encode({ flags: 1, openFlags: 0 });
	const read = protocol.ReadIn.encode({
		handle: 7,
		offset: 1,
		size: 3,
		readFlags: 0,
		lockOwner: 0n,
		flags: 0,
		padding: 0,
	});
	const { answered, failures } = await answers([
		request(Operation.lookup, 1, text('file')),
		request(Operation.lookup, 1, text('other')),
		request(Operation.open, 2, open),
		request(Operation.unlink, 1, text('file')),
		request(4000, 1),
	]);
	const { Errno } = protocol;
	assert.deepEqual(
		answered.map(({ errno }) => errno),
		[0, Errno.ENOENT, Errno.EROFS, Errno.EROFS, Errno.ENOSYS],
	);
	const entry = protocol.EntryOut.parse(answered[0]?.body ?? assert.fail());
	assert.deepEqual([entry.node, entry.attributes.size, entry.attributes.mode], [2, 5, 0o100644]);
	const { writeSeconds, writeNanoseconds } = entry.attributes;
	assert.deepEqual([BigInt.asIntN(64, writeSeconds), writeNanoseconds], [-2n, 500_000_000]);
	assert.deepEqual(failures, []);
	const data = await answers([request(Operation.read, 2, read)]);
	assert.equal(Buffer.from(data.answered[0]?.body.bytes ?? []).toString(), 'ell');
});

test('no request, however broken, ends the serving', async () => {
	const random = dice(3);
	const requests = Array.from({ length: 2000 }, () => {
		const junk = Uint8Array.from({ length: random(64) }, () => random(256));
		return request(1 + random(52), 1 + random(3), junk);
	});
	const { answered } = await answers([...requests, request(Operation.lookup, 1, text('file'))]);
	assert.equal(answered.filter(({ errno }) => errno === 0).length > 0, true);
	assert.ok(answered.some(({ errno, body }) => errno === 0 && body.size === 128));
});
