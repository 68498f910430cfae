/** The staged changes of images as one run of `update`. */

import type { UpdateRequest } from '../../../jobs/request.ts';
import type { JobRequest } from '../../engine.ts';

/** One of the planned commands, as the deck's request carries it. */
type Planned =
	| { readonly type: 'delete'; readonly path: string }
	| { readonly type: 'rename'; readonly from: string; readonly to: string }
	| { readonly type: 'add'; readonly source: string; readonly target: string }
	| { readonly type: 'image'; readonly image: string };

const FLAGS = {
	noReplace: false,
	dereference: false,
	unixData: false,
	noAcls: false,
	strictAcls: false,
};

function commandOf(planned: Planned): UpdateRequest['commands'][number] {
	switch (planned.type) {
		case 'delete':
			return { ...planned, force: false, recursive: true };
		case 'rename':
		case 'image':
			return planned;
		case 'add':
			return { ...planned, flags: FLAGS };
	}
}

export function updateRequest(values: JobRequest['values']): UpdateRequest {
	const commands = values['commands'];
	const texts = Array.isArray(commands) ? commands.map(String) : [];
	return {
		verb: 'update',
		wim: String(values['wim'] ?? ''),
		// The commands name theirs.
		image: null,
		commands: texts.map((text) => commandOf(JSON.parse(text) as Planned)),
		config: null,
		rebuild: values['rebuild'] === true,
		check: false,
		integrity: null,
		dryRun: false,
	};
}
