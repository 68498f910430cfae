import { ProgressMeter } from '../jobs/progress.ts';
import { requireIntegrity } from '../operations/verify/integrity.ts';
import type { Wim } from '../wim/wim.ts';
import type { Context } from './context.ts';
import { warningText } from './print-error.ts';
import { ProgressPrinter } from './progress.ts';

/** What `--check` does before a verb that is no job reads on. Throws `DigestError` when the table does not match. */
export async function checkIntegrityFirst(wim: Wim, context: Context): Promise<void> {
	const { clock, signal, progress, quiet, err } = context;
	const printer = new ProgressPrinter(progress.target, {
		style: progress.style,
		verb: 'check',
		quiet,
	});
	const meter = new ProgressMeter(clock, (now) => printer.show(now));
	try {
		const without = await requireIntegrity(wim, {
			signal,
			clock,
			report: (event) => meter.take(event),
		});
		printer.end();
		if (!quiet)
			for (const { source } of without)
				err(warningText(`"${source.name}" has no integrity table to check`));
	} finally {
		printer.end();
	}
}
