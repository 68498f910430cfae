import { ExitCode } from '../../base/errors.ts';
import type { Handler } from '../context.ts';
import { explainCode, explanationText, parseCode, unknownCode } from '../explain.ts';

export const explain: Handler = async ({ given }, { out, json }) => {
	const code = parseCode(given[0] ?? '');
	const found = explainCode(code);
	if (found.length === 0) throw unknownCode(code);
	if (json) out.line(JSON.stringify({ code, meanings: found }));
	else out.write(explanationText(found));
	return ExitCode.done;
};
