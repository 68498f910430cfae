import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatXml, parseXml } from '../../source/wim/xml-element.ts';

test('what XML readers would change in texts and attributes is written as references', async () => {
	const element = {
		name: 'WIM',
		attributes: { a: 'tab\t, line\n, "return"\r' },
		children: ['one\r\ntwo\tthree\n'],
	};
	const text = formatXml(element);
	assert.equal(
		text,
		'<WIM a="tab&#9;, line&#10;, &quot;return&quot;&#13;">one&#13;\ntwo\tthree\n</WIM>',
	);
	assert.deepEqual(await parseXml(text, 'text'), element);
});
