import { nameFault } from '../../host/names.ts';

/** Why Windows could not have a file of this name, as the end of a sentence; null when it could. */
export function windowsNameFault(name: string): string | null {
	return nameFault(name, 'windows');
}
