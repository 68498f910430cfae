import type { Finding } from './engine.ts';

/** The findings of a check as JSON, for scripts. */
export function jsonReport(path: string, findings: readonly Finding[]): string {
	return `${JSON.stringify({ type: 'damage-report', path, findings }, null, '\t')}\n`;
}
