/** Findings of a check: what they hit, and the triage view over them. */

import type { Finding } from '../engine.ts';
import { filterTest } from './order.ts';
import { entryPath, entryUnderCursor } from './selectors.ts';
import type { State } from './state.ts';
import { openView } from './view.ts';

/** How files and folders of the images are named in the sets of `DamageState`. */
export function damageKey(imageIndex: number, path: string): string {
	return `${imageIndex}:${path.toLowerCase()}`;
}

/** The path of a file without the stream behind it. */
function withoutStream(path: string): string {
	const colon = path.indexOf(':', path.lastIndexOf('\\') + 2);
	return colon < 0 ? path : path.slice(0, colon);
}

const BROWSED = 'image-';

/** What browsing has found: images whose metadata cannot be read, as far as no check has told of them. */
function unreadableFindings(
	unreadable: ReadonlyMap<number, string>,
	checked: readonly Finding[],
): Finding[] {
	const known = new Set(
		checked.flatMap(({ blocksImage, imageIndexes }) => (blocksImage ? imageIndexes : [])),
	);
	return [...unreadable].flatMap(([index, reason]) =>
		known.has(index)
			? []
			: [
					{
						id: `${BROWSED}${index}`,
						severity: 'error' as const,
						where: `metadata of image ${index}`,
						what: reason,
						about: null,
						files: [],
						isIntegrityBlock: false,
						blocksImage: true,
						imageIndexes: [index],
						notes: [
							'The image cannot be browsed. Its contents are listed by SHA-1 under "(unnamed)".',
							'V verifies the file and tells what else is hit.',
						],
						digest: null,
						place: null,
					},
				],
	);
}

/** The damage view with the cursor on a finding, whatever was filtered. */
export function showFinding(state: State, finding: Finding | null): State {
	const opened = openView(state, 'damage');
	if (finding === null) return opened;
	const cleared = { ...opened, damage: { ...opened.damage, filter: '' } };
	const cursor = Math.max(0, shownFindings(cleared).indexOf(finding));
	const list = { ...opened.damage.list, cursor };
	return { ...cleared, damage: { ...cleared.damage, list } };
}

/** The damage view with the cursor on what makes an image unreadable. */
export function showUnreadable(state: State, imageIndex: number): State {
	const finding = state.damage.findings.find(
		({ blocksImage, imageIndexes }) => blocksImage && imageIndexes.includes(imageIndex),
	);
	return showFinding(state, finding ?? null);
}

/** Findings as they come from a check, and what browsing has found; marks the files and folders they hit. */
export function applyFindings(state: State, checked: readonly Finding[]): State {
	const told = checked.filter(({ id }) => !id.startsWith(BROWSED));
	const unreadable = new Map(state.wim.unreadable);
	for (const { blocksImage, imageIndexes, what } of told)
		for (const index of blocksImage ? imageIndexes : [])
			if (!unreadable.has(index)) unreadable.set(index, what);
	// Their numbers are those of the view and of the report.
	const findings = [...told, ...unreadableFindings(unreadable, told)].sort(byImpact);
	const files = new Set<string>();
	const folders = new Set<string>();
	const images = new Set<number>();
	for (const finding of findings) {
		for (const { imageIndex, path } of finding.files) {
			images.add(imageIndex);
			files.add(damageKey(imageIndex, path));
			files.add(damageKey(imageIndex, withoutStream(path)));
			addFolders(folders, imageIndex, path);
		}
		for (const imageIndex of finding.imageIndexes) images.add(imageIndex);
	}
	const wim =
		unreadable.size === state.wim.unreadable.size ? state.wim : { ...state.wim, unreadable };
	const next = { ...state, wim, damage: { ...state.damage, findings, files, images, folders } };
	return state.view === 'damage' ? onSameFinding(next, findingUnderCursor(state)) : next;
}

/** While a check runs, what it finds takes its place among what it found: the cursor stays on its finding. */
function onSameFinding(state: State, before: Finding | null): State {
	const { list } = state.damage;
	const cursor = shownFindings(state).findIndex(({ id }) => id === before?.id);
	if (cursor < 0 || cursor === list.cursor) return state;
	const top = Math.max(0, list.top + cursor - list.cursor);
	return { ...state, damage: { ...state.damage, list: { cursor, top } } };
}

function addFolders(folders: Set<string>, imageIndex: number, path: string): void {
	for (let end = path.lastIndexOf('\\'); end >= 0; end = path.lastIndexOf('\\', end - 1)) {
		const key = damageKey(imageIndex, end === 0 ? '\\' : path.slice(0, end));
		if (folders.has(key)) return; // and so are those above it
		folders.add(key);
		if (end === 0) return;
	}
}

const byImpact = (a: Finding, b: Finding): number =>
	Number(b.blocksImage) - Number(a.blocksImage) ||
	Number(b.severity === 'error') - Number(a.severity === 'error') ||
	b.files.length - a.files.length ||
	byPlace(a, b);

/** Where in the file; what is at no single place comes first. */
function byPlace(a: Finding, b: Finding): number {
	if (a.place === null || b.place === null)
		return Number(a.place !== null) - Number(b.place !== null) || compareTexts(a.where, b.where);
	return (
		compareTexts(a.place.part, b.place.part) ||
		a.place.offset - b.place.offset ||
		compareTexts(a.where, b.where)
	);
}

function compareTexts(a: string, b: string): number {
	return a < b ? -1 : a > b ? 1 : 0;
}

/** Findings in the order of the view, through its filter. */
export function shownFindings(state: State): readonly Finding[] {
	const { findings, filter, sort } = state.damage;
	const test = filterTest(filter);
	const kept =
		filter === ''
			? [...findings]
			: findings.filter(
					({ where, what, files }) =>
						test(`${where} ${what}`.toLowerCase()) ||
						files.some(({ path }) => test(path.toLowerCase())),
				);
	switch (sort) {
		case 'severity':
			return kept.sort(byImpact);
		case 'files':
			return kept.sort((a, b) => b.files.length - a.files.length || byImpact(a, b));
		case 'where':
			return kept.sort(byPlace);
	}
}

export function findingUnderCursor(state: State): Finding | null {
	return shownFindings(state)[state.damage.list.cursor] ?? null;
}

export function damageCounts(state: State): { readonly errors: number; readonly warnings: number } {
	const errors = state.damage.findings.filter(({ severity }) => severity === 'error').length;
	return { errors, warnings: state.damage.findings.length - errors };
}

/** The first finding that hits the entry under the cursor of the Files pane. */
export function findingOfEntry(state: State): Finding | null {
	const entry = entryUnderCursor(state);
	if (!entry || state.damage.findings.length === 0) return null;
	const key = damageKey(entry.imageIndex, entryPath(state, entry));
	if (!state.damage.files.has(key)) return null;
	return (
		state.damage.findings.find(({ files }) =>
			files.some(
				({ imageIndex, path }) =>
					damageKey(imageIndex, path) === key || damageKey(imageIndex, withoutStream(path)) === key,
			),
		) ?? null
	);
}

const cellOf = (text: string): string => text.replace(/\s+/g, ' ');

/** The findings as a text report. */
export function damageReport(path: string, findings: readonly Finding[]): string {
	const lines = [`Damage report of ${path}`, `${findings.length} findings`, ''];
	for (const [i, finding] of findings.entries()) {
		lines.push(
			`${i + 1}. ${finding.severity.toUpperCase()}  ${cellOf(finding.where)}: ${cellOf(finding.what)}`,
		);
		for (const note of finding.notes) lines.push(`   ${cellOf(note)}`);
		for (const file of finding.files) lines.push(`   image ${file.imageIndex}: ${file.path}`);
		lines.push('');
	}
	return lines.join('\n');
}
