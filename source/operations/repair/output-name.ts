/** How a repaired file is called when nobody says. */
import { isFile, isFolder } from '../../storage/find-files.ts';

/**
 * A name beside the damaged file: `install.repaired.wim` for `install.wim` and for `install.swm`.
 *
 * @param n how many of these names were tried before
 */
export function repairName(damaged: string, n = 0): string {
	const [, stem = damaged, ending = '.wim'] = /^(.*[^\\/])(\.[^.\\/]*)$/s.exec(damaged) ?? [];
	// A repaired set is one file.
	const kind = ending.toLowerCase() === '.swm' ? '.wim' : ending;
	return `${stem}.repaired${n === 0 ? '' : `-${n + 1}`}${kind}`;
}

/** The first of these names that is free. */
export async function freeRepairName(damaged: string): Promise<string> {
	let n = 0;
	while ((await isFile(repairName(damaged, n))) || (await isFolder(repairName(damaged, n)))) n++;
	return repairName(damaged, n);
}
