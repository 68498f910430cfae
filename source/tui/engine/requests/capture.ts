import os from 'node:os';
import type { AppendRequest, CapturedImage, CaptureRequest } from '../../../jobs/request.ts';
import { compressionOf } from './compression.ts';
import { hostPath, isOn, onOrAsIs, textOrNull, trimmed, type Values } from './values.ts';

/** The list of what to leave out: a file, null for the usual one, an empty file for none. */
function configOf(values: Values): string | null {
	switch (values['exclude']) {
		case 'file':
			return hostPath(values, 'config');
		case 'none':
			return os.devNull;
		default:
			return null;
	}
}

const capturedImage = (values: Values): CapturedImage => ({
	sources: [{ path: hostPath(values, 'source'), target: '/' }],
	name: textOrNull(values, 'name'),
	description: trimmed(values, 'description'),
	properties: [],
	boot: isOn(values, 'boot'),
	config: configOf(values),
	unixData: isOn(values, 'unixData'),
	dereference: isOn(values, 'dereference'),
	acls: 'store',
	rpFix: null,
	namedAfter: null,
	updateOf: null,
	deltaFrom: [],
	wimBoot: values['compression'] === 'wimboot',
});

/** An append makes the file when it is not there by then; only a capture replaces one. */
export function captureRequest(values: Values): CaptureRequest | AppendRequest {
	const shared = {
		image: capturedImage(values),
		target: hostPath(values, 'target'),
		compression: compressionOf(values),
		check: false,
		pipable: onOrAsIs(values, 'pipable'),
		dryRun: false,
	};
	if (values['exists'] === 'replace')
		return {
			...shared,
			verb: 'capture',
			integrity: isOn(values, 'integrity'),
		};
	const base = textOrNull(values, 'updateOf');
	return {
		...shared,
		verb: 'append',
		image: { ...shared.image, updateOf: base === null ? null : { wim: null, image: base } },
		integrity: onOrAsIs(values, 'integrity'),
		rebuild: isOn(values, 'rebuild'),
		create: true,
	};
}
