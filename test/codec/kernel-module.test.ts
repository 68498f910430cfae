import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { root } from '../support/fixture.ts';

interface KernelTool {
	compileKernel(name: string): Promise<Uint8Array>;
	moduleText(name: string, binary: Uint8Array): string;
}

for (const name of ['decoders', 'encoders', 'finders']) {
	const entry = path.join(root, `source/codec/kernel/${name}.ts`);
	test(`the embedded ${name} module is what its sources compile to`, {
		...(existsSync(entry) ? {} : { skip: 'not written yet' }),
	}, async () => {
		const tool = (await import(
			pathToFileURL(path.join(root, '.tools/kernel.mjs')).href
		)) as KernelTool;
		const text = tool.moduleText(name, await tool.compileKernel(name));
		const embedded = readFileSync(path.join(root, `source/codec/${name}-module.ts`), 'utf8');
		assert.ok(
			embedded === text,
			`source/codec/${name}-module.ts is stale: run npm run kernel ${name}`,
		);
	});
}
