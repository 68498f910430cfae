/** How a repaired file is called when nobody says. */
import { isFile, isFolder } from '../../storage/find-files.ts';

/** A free name beside the damaged file: `install.repaired.wim` for `install.wim` and for `install.swm`. */
export async function freeRepairName(damaged: string): Promise<string> {
	const slash = damaged.lastIndexOf('/') + 1;
	const dot = damaged.lastIndexOf('.');
	const stem = dot > slash ? damaged.slice(0, dot) : damaged;
	const ending = dot > slash ? damaged.slice(dot) : '.wim';
	// A repaired set is one file.
	const kind = ending.toLowerCase() === '.swm' ? '.wim' : ending;
	let name = `${stem}.repaired${kind}`;
	for (let n = 2; (await isFile(name)) || (await isFolder(name)); n++)
		name = `${stem}.repaired-${n}${kind}`;
	return name;
}
