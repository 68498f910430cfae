/** The verbs that change or rewrite WIMs: checks what was asked to be checked, then hands over to the operation. */

import type { Run } from '../base/run.ts';
import { type UpdateSummary, update } from '../operations/capture/update.ts';
import { type DiffSummary, diff } from '../operations/diff/diff.ts';
import { deleteImages, type RewriteSummary } from '../operations/rewrite/delete.ts';
import { type EditSummary, editProperties } from '../operations/rewrite/edit-properties.ts';
import { exportImages } from '../operations/rewrite/export.ts';
import { join } from '../operations/rewrite/join.ts';
import { optimize } from '../operations/rewrite/optimize.ts';
import { type SplitSummary, split } from '../operations/rewrite/split.ts';
import { type UndoSummary, undo } from '../operations/rewrite/undo.ts';
import { checkBefore, outputOf } from './open-for-job.ts';
import { captureConfig } from './perform-capture.ts';
import type {
	DeleteRequest,
	EditRequest,
	OptimizeRequest,
	SplitRequest,
	UpdateRequest,
	WriteRequest,
} from './request.ts';
import type { JobTools } from './tools.ts';

export type WriteResult =
	| UpdateSummary
	| EditSummary
	| RewriteSummary
	| SplitSummary
	| UndoSummary
	| DiffSummary;

export async function performWrite(
	request: WriteRequest,
	tools: JobTools,
	run: Run,
): Promise<WriteResult> {
	switch (request.verb) {
		case 'diff':
			return diff(request.before, request.after, request, run);
		case 'undo':
			return undo(request.wim, request, run);
		case 'join':
			if (request.check) await checkBefore(request.parts[0] ?? '', request.parts.slice(1), run);
			return join(request.target, request.parts, request, tools, run);
		case 'export':
			if (request.check) await checkBefore(request.wim, request.references, run);
			return exportImages(
				request.wim,
				outputOf(request.target, tools.output, request.dryRun),
				request,
				tools,
				run,
			);
		case 'update':
		case 'edit':
		case 'delete':
		case 'split':
		case 'optimize':
			if (request.check) await checkBefore(request.wim, [], run);
			return performEdit(request, tools, run);
	}
}

async function performEdit(
	request: UpdateRequest | EditRequest | DeleteRequest | SplitRequest | OptimizeRequest,
	tools: JobTools,
	run: Run,
): Promise<WriteResult> {
	switch (request.verb) {
		case 'update': {
			const rules = await captureConfig(request.config, run);
			const done = (text: string) => run.report({ type: 'item', path: text });
			return update(request.wim, { ...request, rules, done }, tools, run);
		}
		case 'edit':
			return editProperties(request.wim, request, tools, run);
		case 'delete':
			return deleteImages(request.wim, request, tools, run);
		case 'split':
			return split(request.wim, request.target, request, tools, run);
		case 'optimize':
			return optimize(request.wim, request, tools, run);
	}
}
