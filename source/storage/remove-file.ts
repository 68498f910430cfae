import { hostFs as fs } from './host-fs.ts';

/** Removes a file; that there is none is as well. One call of the system, where `rm` looks at the file before. */
export async function removeFile(path: string): Promise<void> {
	try {
		await fs.unlink(path);
	} catch (error) {
		if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
	}
}
