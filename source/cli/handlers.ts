import type { VerbName } from './commands.ts';
import type { Handler } from './context.ts';

/** The code of each verb, loaded only when it is called for. */
export const HANDLERS: Readonly<Record<VerbName, () => Promise<Handler>>> = {
	info: async () => (await import('./verbs/info.ts')).info,
	dir: async () => (await import('./verbs/dir.ts')).dir,
	verify: async () => (await import('./verbs/verify.ts')).verify,
	extract: async () => (await import('./verbs/extract.ts')).extract,
	apply: async () => (await import('./verbs/extract.ts')).apply,
	capture: async () => (await import('./verbs/write.ts')).capture,
	append: async () => (await import('./verbs/write.ts')).append,
	update: async () => (await import('./verbs/write.ts')).update,
	delete: async () => (await import('./verbs/write.ts')).deleteImage,
	export: async () => (await import('./verbs/write.ts')).exportImage,
	split: async () => (await import('./verbs/write.ts')).split,
	join: async () => (await import('./verbs/write.ts')).join,
	optimize: async () => (await import('./verbs/write.ts')).optimize,
	undo: async () => (await import('./verbs/write.ts')).undo,
	salvage: async () => (await import('./verbs/salvage.ts')).salvage,
	repair: async () => (await import('./verbs/repair.ts')).repair,
	diff: async () => (await import('./verbs/write.ts')).diff,
	mount: async () => (await import('./verbs/mount.ts')).mount,
	mountrw: async () => (await import('./verbs/mount.ts')).mountrw,
	unmount: async () => (await import('./verbs/mount.ts')).unmount,
	jobs: async () => (await import('./verbs/jobs.ts')).jobs,
	explain: async () => (await import('./verbs/explain.ts')).explain,
};
