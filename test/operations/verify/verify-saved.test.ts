import assert from 'node:assert/strict';
import { readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import fc from 'fast-check';
import { loadVerifyReport } from '../../../source/jobs/load-report.ts';
import { performVerify } from '../../../source/jobs/perform-verify.ts';
import { cellsOf, drawMap } from '../../../source/operations/verify/verify-map.ts';
import type { CellState, VerifyReport } from '../../../source/operations/verify/verify-report.ts';
import { parseVerifyReport } from '../../../source/operations/verify/verify-saved.ts';
import { InlinePool } from '../../../source/pool/pool.ts';
import { InlineEncoder } from '../../../source/pool/tasks/encode.ts';
import { fixture } from '../../support/fixture.ts';
import { tempFolder } from '../../support/temp-tree.ts';
import { testRun } from '../../support/test-run.ts';

async function saved(t: TestContext): Promise<{ wim: string; file: string; report: VerifyReport }> {
	const folder = tempFolder(t);
	const wim = path.join(folder, 'x.wim');
	const bytes = readFileSync(fixture('vectors/v02.wim'));
	bytes[0x300] = (bytes[0x300] ?? 0) ^ 1;
	writeFileSync(wim, bytes);
	const tools = {
		pool: new InlinePool(),
		encoder: new InlineEncoder(),
		input: null,
		output: null,
		onFault: () => {},
	};
	const request = { verb: 'verify', wim, references: [], integrity: true, fast: false } as const;
	const report = await performVerify(request, tools, testRun());
	const file = path.join(folder, 'report.json');
	writeFileSync(file, JSON.stringify(report));
	return { wim, file, report };
}

test('a saved report is the same when it is loaded', async (t) => {
	const { file, report } = await saved(t);
	assert.ok(report.faults.length > 0);
	assert.deepEqual(await loadVerifyReport(file), report);
	writeFileSync(file, JSON.stringify({ verb: 'verify', exitCode: 3, result: report }));
	assert.deepEqual(await loadVerifyReport(file), report, 'what --json prints');
});

test('a report is refused when its file changed, was touched, or is gone', async (t) => {
	const { wim, file } = await saved(t);
	const refused = (why: RegExp) => (error: Error) => {
		assert.equal((error as Error & { code: string }).code, 'bad-input');
		assert.match(error.message, why);
		return true;
	};
	utimesSync(wim, 1_000_000, 1_000_000);
	await assert.rejects(loadVerifyReport(file), refused(/was written to since/));
	writeFileSync(wim, 'short');
	await assert.rejects(loadVerifyReport(file), refused(/had .* bytes then/));
	rmSync(wim);
	await assert.rejects(loadVerifyReport(file), refused(/is not there any more/));
});

test('what is no report is refused, whatever it is', async (t) => {
	const { file, report } = await saved(t);
	const without = (key: keyof VerifyReport) => ({ ...report, [key]: undefined });
	const bad: unknown[] = [
		null,
		7,
		[],
		{},
		{ verb: 'verify', result: null },
		{ ...report, type: 'other' },
		...(['path', 'files', 'faults', 'parts', 'coverage', 'isFast'] as const).map(without),
		{ ...report, faults: [{ ...report.faults[0], class: 'made-up' }] },
		{ ...report, faults: [{ ...report.faults[0], range: { offset: 'x', size: 1 } }] },
	];
	for (const value of bad)
		assert.throws(() => parseVerifyReport(JSON.stringify(value), file), { code: 'bad-format' });
	assert.throws(() => parseVerifyReport('{', file), { code: 'bad-format' });
});

test('cells cover a map without gaps, and show the worst of what is in them', () => {
	const state = fc.constantFrom<CellState>('bad', 'good', 'structure', 'unchecked');
	const range = fc.record({ offset: fc.nat(60_000), size: fc.nat(9000), state });
	fc.assert(
		fc.property(
			fc.array(range, { maxLength: 12 }),
			fc.integer({ min: 1, max: 40 }),
			(ranges, most) => {
				const map = drawMap(50_000, ranges);
				const cells = cellsOf(map, most);
				assert.ok(cells.length <= most);
				let at = 0;
				for (const cell of cells) {
					assert.equal(cell.offset, at);
					at += cell.size;
					assert.equal(
						Object.values(cell.bytes).reduce((sum, bytes) => sum + bytes, 0),
						cell.size,
					);
					const inside = map.filter(
						({ offset, size }) => offset < cell.offset + cell.size && offset + size > cell.offset,
					);
					const has = (name: CellState) => inside.some((one) => one.state === name);
					assert.equal(cell.state === 'bad', has('bad'));
					if (!has('bad')) assert.equal(cell.state === 'unchecked', has('unchecked'));
				}
				assert.equal(at, 50_000);
			},
		),
	);
});
