import assert from 'node:assert/strict';
import {
	copyFileSync,
	existsSync,
	mkdirSync,
	readFileSync,
	statSync,
	symlinkSync,
	writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { sha1 } from '../../../source/bytes/sha1.ts';
import { openFile } from '../../../source/tui/engine/open-wim-file.ts';
import { UNNAMED_INDEX } from '../../../source/tui/engine.ts';
import { openWim } from '../../../source/wim/wim.ts';
import {
	captureOf,
	namesIn,
	type Place,
	place,
	twoImages,
	type Values,
} from '../../support/job-forms.ts';
import { hurtFile } from '../../support/rescue-kit.ts';

test('capture and append: the estimate, the image, and the check that follows', async (t) => {
	const here = await place(t);
	const notes = await here.notes('capture', captureOf(here));
	assert.match(notes, /^4 files, .* as image 1\nwrites at most .* free$/);
	const jobs = await here.done('capture', captureOf(here, { verifyAfter: true }));
	assert.deepEqual(
		jobs.map(({ verb, state }) => `${verb} ${state}`),
		['capture done', 'verify done'],
		'a new file is captured, whatever else the form can do',
	);
	assert.match(jobs[0]?.summary ?? '', /^image 1, 4 files, /);
	assert.match(jobs[1]?.summary ?? '', /no damage/);
	assert.match(jobs[0]?.log.at(-1) ?? '', /^done in \d:\d\d, image 1, 4 files, /);
	assert.deepEqual(jobs[0]?.writes, [here.at('a.wim')]);
	assert.match(
		await here.notes('capture', captureOf(here, { name: '' })),
		/as image 2 of a file that has [\d.]+ K\n/,
	);
	const [failed] = await here.done('capture', captureOf(here, { verifyAfter: true }));
	assert.equal(`${failed?.verb} ${failed?.state}`, 'append failed');
	assert.equal(here.engine.jobs.list().at(-1), failed, 'nothing follows a job that failed');
});

test('whose first bytes come at once: not files of a solid resource with a large chunk', async (t) => {
	const here = await place(t);
	writeFileSync(here.at('src/big.txt'), 'a line of many like it '.repeat(100_000));
	const startsQuickly = async (target: string, compression: string) => {
		await here.done('capture', captureOf(here, { target: here.at(target), compression }));
		const file = await openFile(here.at(target), []);
		t.after(() => file.close());
		const { signal } = new AbortController();
		const { positions } = await file.find(1, 'f1.txt', signal);
		return (await file.details(1, positions[0]!, signal)).startsQuickly;
	};
	assert.equal(await startsQuickly('plain.wim', 'lzx:20'), true);
	assert.equal(await startsQuickly('solid.wim', 'lzms-solid:50'), false);
});

test('the list of what to leave out: the usual one, a file, or none', async (t) => {
	const here = await place(t);
	writeFileSync(here.at('list.ini'), '[ExclusionList]\n\\f1.txt\n\\sub\n');
	const files = async (exclude: string, more: Values = {}) =>
		/^\d+ files?/.exec(await here.notes('capture', captureOf(here, { exclude, ...more })))?.[0];
	assert.equal(await files('usual'), '4 files');
	assert.equal(await files('none'), '5 files');
	assert.equal(await files('file', { config: here.at('list.ini') }), '3 files');
	assert.deepEqual(await here.errors('capture', captureOf(here, { exclude: 'file', config: '' })), {
		config: 'name a file',
	});
});

test('each error of the capture form stands on its field', async (t) => {
	const here = await place(t);
	await here.done('capture', captureOf(here));
	writeFileSync(here.at('text.txt'), 'no WIM');
	const wrong = (more: Values) => here.errors('capture', captureOf(here, { name: 'New', ...more }));
	assert.deepEqual(await wrong({}), {});
	assert.deepEqual(await wrong({ source: '' }), { source: 'name a folder' });
	assert.deepEqual(await wrong({ source: here.at('no') }), { source: 'there is no such folder' });
	assert.deepEqual(await wrong({ source: here.at('text.txt') }), {
		source: 'this is a file, not a folder',
	});
	assert.deepEqual(await wrong({ target: here.at('src') }), {
		target: 'this is a folder: add the name of a file',
	});
	assert.match(
		(await wrong({ target: here.at('no/a.wim') }))['target'] ?? '',
		/there is no folder/,
	);
	assert.match((await wrong({ target: here.at('text.txt') }))['target'] ?? '', /this is no WIM/);
	assert.deepEqual(await wrong({ name: 'First' }), {
		name: 'image 1 of the target has this name already',
	});
	assert.match((await wrong({ chunkSize: '4096' }))['chunkSize'] ?? '', /LZX takes chunks of 32 K/);
	assert.deepEqual(await wrong({ updateOf: '2' }), { updateOf: 'the target has no such image' });
	assert.deepEqual(await wrong({ updateOf: 'First' }), {});
});

test('a file that would be replaced is told with its images; one that is added to is not', async (t) => {
	const here = await place(t);
	const file = await twoImages(here);
	const check = (exists: string) =>
		here.engine.jobs.check({ verb: 'capture', values: captureOf(here, { exists, name: 'X' }) });
	assert.equal((await check('append')).replaces, null);
	for (const exists of ['replace', 'ask']) {
		const { replaces } = await check(exists);
		assert.equal(replaces?.path, file);
		assert.equal(replaces?.facts.imageCount, 2);
	}
	await here.done('capture', captureOf(here, { exists: 'replace', name: 'Only' }));
	assert.deepEqual(await namesIn(file), ['Only']);
});

test('export adds to a file or replaces it', async (t) => {
	const here = await place(t);
	const wim = await twoImages(here);
	const values = { wim, images: [2], target: here.at('out.wim'), exists: 'append', name: 'Copy' };
	await here.done('export', values);
	await here.done('export', { ...values, images: [1], name: 'First' });
	assert.deepEqual(await namesIn(here.at('out.wim')), ['Copy', 'First']);
	assert.deepEqual(await here.errors('export', values), {
		name: 'image 1 of the target has this name already',
	});
	const [solid] = await here.done('export', {
		...values,
		images: [1],
		exists: 'replace',
		compression: 'lzms-solid:20',
	});
	assert.equal(solid?.state, 'done');
	assert.deepEqual(await namesIn(here.at('out.wim')), ['Copy']);
	await using out = await openWim(here.at('out.wim'));
	assert.equal(out.isSolid, true);
});

test('split and join: the parts before they are written, and the set again as one file', async (t) => {
	const here = await place(t);
	const noise = Buffer.alloc(900_000);
	for (let k = 0; k < noise.length; k++) noise[k] = (k * k * 7 + (k >> 3) * 31) & 0xff;
	writeFileSync(here.at('src/noise'), noise);
	const capture = captureOf(here, { compression: 'none' });
	await here.done('capture', capture);
	const values = { wim: here.at('a.wim'), target: here.at('p.swm'), partSize: 0.5 };
	const notes = await here.notes('split', values);
	assert.match(notes, /^\d parts: p\.swm p2\.swm/);
	assert.match(notes, /! 1 part \(\d\) will be larger than 512 K/);
	const [split] = await here.done('split', values);
	assert.match(split?.summary ?? '', /^\d parts, /);
	assert.deepEqual(await here.errors('split', { ...values, partSize: null }), {
		partSize: 'a part needs a size',
	});
	const join = { first: here.at('p.swm'), target: here.at('whole.wim'), parts: [] };
	assert.match(await here.notes('join', join), /writes /);
	const [joined] = await here.done('join', join);
	assert.equal(joined?.state, 'done', joined?.summary ?? '');
	assert.deepEqual(await namesIn(here.at('whole.wim')), ['First']);
});

test('delete says what it frees now or later, undo what comes back', async (t) => {
	const here = await place(t);
	const wim = await twoImages(here);
	const soft = await here.notes('delete', { wim, images: [1], how: 'soft' });
	assert.match(soft, /optimize \(O\) frees [\d.]+ K later/);
	const rebuilt = await here.notes('delete', { wim, images: [1], how: 'rebuild' });
	assert.match(rebuilt, /less\)\nwrites/);
	await here.done('delete', { wim, images: [1], how: 'soft' });
	assert.deepEqual(await namesIn(wim), ['Second']);
	assert.match(
		await here.notes('undo', { wim }),
		/^from 1 image, .* back to 2 images.*\n[\d.]+ (?:bytes|K) are cut off$/,
	);
	await here.done('undo', { wim });
	assert.deepEqual(await namesIn(wim), ['First', 'Second']);
	await here.done('delete', { wim, images: [1], how: 'rebuild' });
	assert.deepEqual(await namesIn(wim), ['Second']);
	const [failed] = await here.done('undo', { wim });
	assert.equal(failed?.state, 'failed');
});

test('properties change only what differs, and an image can stop being the one that boots', async (t) => {
	const here = await place(t);
	const wim = await twoImages(here);
	const before = {
		'name before': 'Second',
		'description before': '',
		'flags before': '',
		'boot before': false,
	};
	const values = { wim, imageIndex: 2, ...before, name: 'Second', description: '' };
	assert.match(
		await here.notes('edit', { ...values, flags: '', boot: false }),
		/nothing to change/,
	);
	const edit = { ...values, name: 'Zwei', flags: 'Professional', boot: true };
	assert.match(await here.notes('edit', edit), /^writes [\d.]+ ?K?.*, .* free$/);
	const commands = [
		{ type: 'image', image: '2' },
		{ type: 'add', source: here.at('src'), target: '/new' },
		{ type: 'image', image: '1' },
		{ type: 'add', source: here.at('src'), target: '/new' },
	].map((command) => JSON.stringify(command));
	const updated = { wim, images: ['1', '2'], commands };
	assert.match(
		await here.notes('update', updated),
		/^the 2 images then have \d+ names; writes .*, .* free$/,
	);
	await here.done('edit', edit);
	await using changed = await openWim(wim);
	assert.equal(changed.images[1]?.facts.name, 'Zwei');
	assert.equal(changed.images[1]?.facts.flags, 'Professional');
	assert.equal(changed.bootIndex, 2);
	const again = { ...values, 'name before': 'Zwei', name: 'Zwei', 'boot before': true };
	await here.done('edit', { ...again, flags: 'Professional', boot: false });
	await using unset = await openWim(wim);
	assert.equal(unset.bootIndex, 0);
	assert.deepEqual(await here.errors('edit', { ...values, name: 'First', taken: ['First'] }), {
		name: 'another image has this name',
	});
});

test('optimize tells the bytes it saves before it runs', async (t) => {
	const here = await place(t);
	const wim = await twoImages(here);
	await here.done('delete', { wim, images: [1], how: 'soft' });
	assert.match(await here.notes('optimize', { wim }), /becomes [\d.]+ K \([\d.]+ K less\)/);
	// What is compressed anew may come out larger than it was: no bound is named.
	const anew = await here.notes('optimize', { wim, compression: 'xpress' });
	assert.match(anew, /becomes about [\d.]+ K.*\nwrites about [\d.]+ K/);
	const same = await here.notes('optimize', { wim, compression: 'lzx:100' });
	assert.match(same, /it is copied as it is: Recompress packs it anew/);
	const packed = await here.notes('optimize', { wim, compression: 'lzx:100', recompress: true });
	assert.doesNotMatch(packed, /copied as it is/);
	const [job] = await here.done('optimize', { wim, verifyAfter: true });
	assert.match(job?.summary ?? '', / -> .*, 1 image$/);
});

test('extracting asks only where something would be written over', async (t) => {
	const here = await place(t);
	const wim = await twoImages(here);
	const values: Values = {
		wim,
		imageIndex: 1,
		paths: ['\\f1.txt'],
		target: here.at('out'),
		exists: 'ask',
	};
	const asks = async (verb: string, more: Values = {}) =>
		(await here.engine.jobs.check({ verb, values: { ...values, ...more } })).replaces !== null;
	assert.match(await here.notes('extract', values), /^1 file, 0 folders, .*\nwrites /);
	assert.equal(await asks('extract'), false);
	await here.done('extract', values);
	assert.equal(await asks('extract'), true);
	assert.equal(await asks('extract', { exists: 'replace' }), false);
	assert.equal(await asks('extract', { paths: ['\\f2.txt'] }), false);
	assert.equal(await asks('apply'), true);
	assert.equal(await asks('apply', { target: here.at('new') }), false);
	assert.deepEqual(await here.errors('apply', { ...values, target: here.at('a.wim') }), {
		target: 'this is a file, not a folder',
	});
});

test('a report is written once the job is done, and never over something', async (t) => {
	const here = await place(t);
	const wim = await twoImages(here);
	const values = { wim, kind: 'fast', report: here.at('report.json') };
	await here.done('verify', values);
	const report = JSON.parse(readFileSync(here.at('report.json'), 'utf8'));
	assert.deepEqual(report.faults, []);
	assert.match((await here.errors('verify', values))['report'] ?? '', /such a file already/);
	const [failed] = await here.done('verify', values);
	assert.equal(failed?.state, 'failed');
	assert.match(failed?.summary ?? '', /Cannot write the report/);
});

test('going on at damage leaves a report of what was lost, and none when nothing was', async (t) => {
	const here = await place(t);
	await here.done('capture', captureOf(here, { compression: 'none' }));
	const wim = here.at('a.wim');
	const values = { wim, imageIndex: 1, paths: ['\\'], recover: 'yes' };
	const whole = { ...values, target: here.at('whole'), report: here.at('none.txt') };
	await here.done('extract', whole);
	assert.equal(existsSync(here.at('none.txt')), false);
	const bytes = readFileSync(wim);
	const at = bytes.indexOf('line 2 line 2');
	assert.ok(at > 0);
	bytes[at] = 0x4c;
	writeFileSync(wim, bytes);
	const report = here.at('losses.txt');
	const [job] = await here.done('extract', { ...values, target: here.at('out'), report });
	assert.equal(job?.problemCount, 1);
	assert.match(readFileSync(report, 'utf8'), /^.*a\.wim -> .*out\n.*f2\.txt.*\n$/);
	assert.match(
		(await here.errors('extract', { ...values, target: here.at('out'), report }))['report'] ?? '',
		/such a file already/,
	);
	const stopping = { ...values, recover: 'no', target: here.at('out'), report };
	assert.deepEqual(await here.errors('extract', stopping), {});
});

test('an export that skips what is damaged gives a whole file and a report of the losses', async (t) => {
	const here = await place(t);
	await here.done('capture', captureOf(here, { compression: 'none' }));
	const wim = here.at('a.wim');
	const bytes = readFileSync(wim);
	bytes[bytes.indexOf('line 2 ') + 5] = 0x21;
	writeFileSync(wim, bytes);
	const values = {
		wim,
		images: [1],
		imageCount: 1,
		target: here.at('out.wim'),
		exists: 'ask',
		compression: 'keep',
		recover: 'yes',
		report: here.at('losses.json'),
		verifyAfter: true,
	};
	assert.deepEqual(
		await here.errors('export', { ...values, target: wim, images: [1, 2], imageCount: 3 }),
		{
			target: 'this is the file that is exported from',
			recover: 'to skip what is damaged choose one image, or all',
		},
	);
	const [saved, none] = await here.done('export', values);
	assert.equal(saved?.state, 'done', saved?.summary ?? '');
	assert.equal(none, undefined, 'it was read back already');
	assert.match(readFileSync(here.at('losses.json'), 'utf8'), /f2\.txt/);
	await using read = await openWim(here.at('out.wim'));
	assert.equal(read.images.length, 1);
	assert.match((await here.errors('export', values))['target'] ?? '', /new file only/);
	assert.match((await here.errors('export', values))['report'] ?? '', /such a file already/);
	// Stopping leaves no report behind, whatever the hidden field holds.
	const stopping = {
		...values,
		target: here.at('stop.wim'),
		recover: 'no',
		report: here.at('no.json'),
	};
	await here.done('export', { ...stopping, verifyAfter: false });
	assert.equal(existsSync(here.at('no.json')), false);
});

test('salvage and repair write to new places only, and a look writes nothing', async (t) => {
	const here = await place(t);
	const wim = await twoImages(here);
	const salvage = { wim, images: 'all', target: here.at('src') };
	assert.match((await here.errors('salvage', salvage))['target'] ?? '', /not empty/);
	const elsewhere = { ...salvage, target: here.at('saved') };
	assert.match(
		await here.notes('salvage', elsewhere),
		/^gives at most \d files whole\nwrites up to/,
	);
	assert.equal(existsSync(here.at('saved')), false);
	const [saved] = await here.done('salvage', elsewhere);
	assert.match(saved?.summary ?? '', /^\d files whole$/);
	const repair = { wim, target: here.at('whole.wim'), lost: 'mark', [`donor:${wim}`]: false };
	assert.deepEqual(await here.errors('repair', { ...repair, donor: here.at('no.wim') }), {
		donor: 'there is no such file or folder',
	});
	assert.match(
		(await here.errors('repair', { ...repair, target: wim }))['target'] ?? '',
		/already/,
	);
	const newWim = { ...salvage, into: 'wim', newWim: here.at('saved.wim'), verifyAfter: true };
	const [toWim, twice] = await here.done('salvage', newWim);
	assert.equal(toWim?.state, 'done', toWim?.summary ?? '');
	assert.equal(twice, undefined, 'it was read back already');
	assert.deepEqual(await namesIn(here.at('saved.wim')), ['First', 'Second']);
	assert.match((await here.errors('salvage', newWim))['newWim'] ?? '', /there already/);
	assert.match(await here.notes('repair', repair), /^gives 2 of 2 images whole.*\nwrites up to/);
	const [look, none] = await here.done('repair', { ...repair, dryRun: true, verifyAfter: true });
	assert.equal(none, undefined, 'a look is followed by no check');
	assert.match(look?.summary ?? '', /^would give 2 of 2 images whole/);
	assert.equal(existsSync(here.at('whole.wim')), false);
	const [repaired] = await here.done('repair', repair);
	assert.match(repaired?.summary ?? '', /^2 of 2 images whole/);
	assert.deepEqual(await namesIn(here.at('whole.wim')), ['First', 'Second']);
});

test('a WIM that is marked as read-only is told before anything is added to it', async (t) => {
	const here = await place(t);
	const wim = await twoImages(here);
	hurtFile(wim, wim, (bytes) => void bytes.writeUInt8(bytes.readUInt8(0x10) | 0x04, 0x10));
	const file = await openFile(wim, []);
	await file.close();
	assert.match(file.facts.whyReadonly ?? '', /^marked as read-only/);
	const more = captureOf(here, { name: 'Third' });
	const errors = await here.errors('capture', more);
	assert.match(errors['target'] ?? '', /^this WIM is marked as read-only/);
	assert.deepEqual(await here.errors('capture', { ...more, exists: 'replace' }), {});
	// What the check would have let through.
	const [failed] = await here.done('capture', more);
	assert.match(failed?.summary ?? '', /it is marked as read-only/);
});

test('solid files take another image, which is solid as well', async (t) => {
	const here = await place(t);
	const target = here.at('a.esd');
	const first = captureOf(here, { target, compression: 'lzms-solid:50' });
	const [made] = await here.done('capture', first);
	assert.equal(made?.state, 'done', made?.summary ?? '');
	writeFileSync(here.at('src/new.txt'), 'only here '.repeat(5000));
	const more = { ...first, name: 'Second', compression: 'usual', verifyAfter: true };
	assert.deepEqual(await here.errors('capture', more), {});
	const [added, verified] = await here.done('capture', more);
	assert.equal(added?.state, 'done', added?.summary ?? '');
	assert.equal(verified?.state, 'done', verified?.summary ?? '');
	await using wim = await openWim(target);
	assert.deepEqual(
		wim.images.map(({ facts }) => facts.name),
		['First', 'Second'],
	);
	for (const [sha1, { resource }] of wim.blobs) assert.equal(resource.layout, 'solid', sha1);
});

test('a repair is offered the WIMs beside the file, and a name that is free', async (t) => {
	const here = await place(t);
	const wim = await twoImages(here);
	copyFileSync(wim, here.at('copy.esd'));
	copyFileSync(wim, here.at('copy.old'));
	writeFileSync(here.at('text.wim'), 'no WIM');
	writeFileSync(here.at('a.repaired.wim'), '');
	assert.deepEqual(await here.engine.repairFacts(wim), {
		target: here.at('a.repaired-2.wim'),
		donors: [{ path: here.at('copy.esd'), isCopy: true, sharedCount: 4 }],
	});
});

test('a target in the source folder is warned of', async (t) => {
	const here = await place(t);
	const inside = captureOf(here, { target: here.at('src/a.wim') });
	assert.match(
		await here.notes('capture', inside),
		/! The target lies in the source folder; it is left out/,
	);
	writeFileSync(here.at('src/a.wim'), 'what stands there before');
	const replacing = { ...inside, exists: 'replace' };
	assert.match(await here.notes('capture', replacing), /! Left out: the WIM that is written/);
	assert.doesNotMatch(await here.notes('capture', captureOf(here)), /!/);
});

test('paths go through ~ and links to folders; completion names folders first', async (t) => {
	const here = await place(t);
	symlinkSync(here.at('src'), here.at('source-link'));
	writeFileSync(here.at('s.txt'), '');
	mkdirSync(here.at('.hidden'));
	const names = async (text: string) =>
		(await here.engine.complete(text)).map(({ name, isFolder }) => name + (isFolder ? '/' : ''));
	assert.deepEqual(await names(here.at('s')), ['source-link/', 'src/', 's.txt']);
	assert.deepEqual(await names(`${here.folder}/`), ['source-link/', 'src/', 's.txt']);
	assert.deepEqual(await names(here.at('.h')), ['.hidden/']);
	assert.equal(await here.engine.folderAt('.'), process.cwd());
	assert.equal(await here.engine.folderAt(here.at('s.txt')), null);
	assert.equal(await here.engine.folderAt(here.at('none')), null);
	const home = process.env['HOME'];
	process.env['HOME'] = here.folder;
	t.after(() => {
		process.env['HOME'] = home;
	});
	assert.deepEqual(await names('~/sr'), ['src/']);
	assert.equal(await here.engine.folderAt('~/src'), here.at('src'));
	const values = captureOf(here, { source: '~/src', target: '~/home.wim' });
	assert.deepEqual(await here.errors('capture', values), {});
	await here.done('capture', values);
	assert.deepEqual(await namesIn(here.at('home.wim')), ['First']);
});

test('an estimate ends with its signal', async (t) => {
	const here = await place(t);
	const abort = new AbortController();
	const request = { verb: 'capture', values: captureOf(here) };
	const estimate = here.engine.jobs.estimate(request, abort.signal);
	abort.abort();
	await assert.rejects(estimate);
});

test('a wrong form has no estimate, and its errors wait for the button', async (t) => {
	const here = await place(t);
	assert.equal(await here.notes('capture', captureOf(here, { source: here.at('no') })), '');
});

test('contents whose image cannot be read are listed by SHA-1 and can be extracted', async (t) => {
	const here = await place(t);
	mkdirSync(here.at('other'));
	writeFileSync(here.at('other/a name.txt'), readFileSync(here.at('src/f1.txt')));
	await here.done('capture', captureOf(here));
	await here.done('capture', captureOf(here, { source: here.at('other'), name: 'Second' }));
	const wim = here.at('a.wim');
	const sha1Of = (name: string) => sha1(readFileSync(here.at(name)));
	{
		await using opened = await openWim(wim);
		const { resource } = opened.image(1).metadata;
		const bytes = readFileSync(wim);
		bytes.fill(0xff, resource.offset, resource.offset + resource.storedSize);
		writeFileSync(wim, bytes);
	}
	const file = await openFile(wim, []);
	t.after(() => file.close());
	const { signal } = new AbortController();
	await assert.rejects(file.listFolder(1, 0, signal), /Cannot read resource/);
	const listing = await file.listFolder(UNNAMED_INDEX, 0, signal);
	const wanted = ['src/f2.txt', 'src/f3.txt', 'src/sub/pagefile.sys'].map(sha1Of).sort();
	// The contents of f1.txt have a name in the second image.
	assert.deepEqual([...listing.names].sort(), wanted);
	const position = listing.positions[listing.names.indexOf(sha1Of('src/f2.txt'))]!;
	const { bytes } = await file.readContent(UNNAMED_INDEX, position, 0, 10, signal);
	assert.equal(Buffer.from(bytes).toString(), 'line 2 lin');
	const [job] = await here.done('extract', {
		wim,
		imageIndex: UNNAMED_INDEX,
		paths: [`\\${sha1Of('src/f2.txt')}`],
		target: here.at('got'),
	});
	assert.equal(job?.state, 'done', job?.summary ?? '');
	assert.deepEqual(
		readFileSync(here.at(`got/${sha1Of('src/f2.txt')}`)),
		readFileSync(here.at('src/f2.txt')),
	);
});

test('a check tells which stretches it has found good while it runs', async (t) => {
	const here = await place(t);
	const wim = await twoImages(here);
	const seen: number[] = [];
	const forget = here.engine.jobs.subscribe(() => {
		for (const { verb, state, good } of here.engine.jobs.list())
			if (verb === 'verify' && state === 'running')
				seen.push(good.reduce((sum, { part, size }) => (part === wim ? sum + size : sum), 0));
	});
	const [job] = await here.done('verify', { wim, refs: [] });
	forget();
	assert.equal(job?.state, 'done');
	assert.deepEqual(job?.good, [], 'the map of a check that is over says it');
	assert.ok(Math.max(...seen) > 0, seen.join());
});

/** A folder that this user may not write in; the administrator may in all but a medium that is read only. */
function barredFolder(here: Place): string | null {
	if (process.getuid?.() !== 0) {
		mkdirSync(here.at('barred'), { mode: 0o555 });
		return here.at('barred');
	}
	const mounts = existsSync('/proc/mounts') ? readFileSync('/proc/mounts', 'utf8') : '';
	const barred = /^\S+ (\S+) \S+ ro\b/m.exec(mounts)?.[1] ?? null;
	return barred !== null && statSync(barred).isDirectory() ? barred : null;
}

test('a folder to be made where nothing may be written, or below a file, is told on its field', async (t) => {
	const here = await place(t);
	await here.done('capture', captureOf(here, { exists: 'ask', name: 'one' }));
	const wim = here.at('new.wim');
	const below = here.at('src/f1.txt/a/b');
	const barred = barredFolder(here);
	for (const [verb, more] of [
		['apply', { images: ['1'] }],
		['extract', { image: 1, paths: ['\\f1.txt'] }],
		['salvage', { into: 'folder' }],
	] as const) {
		const told = (target: string) => here.errors(verb, { wim, target, ...more });
		assert.deepEqual(await told(below), {
			target: `${here.at('src/f1.txt')} is a file, not a folder`,
		});
		if (barred !== null)
			assert.deepEqual(await told(path.join(barred, 'a/b')), {
				target: `RO: nothing may be written in ${barred}`,
			});
		assert.deepEqual(await told(here.at('made/on/the/way')), {});
	}
});
