/** Edits (insert, delete, replace, swap neighbours) between two words. */
function distance(a: string, b: string): number {
	let before: number[] = [];
	let last = Array.from({ length: b.length + 1 }, (_, j) => j);
	for (let i = 1; i <= a.length; i++) {
		const row = [i];
		for (let j = 1; j <= b.length; j++) {
			const same = a[i - 1] === b[j - 1];
			let cost = Math.min(last[j]! + 1, row[j - 1]! + 1, last[j - 1]! + (same ? 0 : 1));
			if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
				cost = Math.min(cost, before[j - 2]! + 1);
			row.push(cost);
		}
		before = last;
		last = row;
	}
	return last[b.length]!;
}

/** The known word that a mistyped one most likely means, or null when none is near. */
export function nearest(word: string, known: Iterable<string>): string | null {
	const typed = word.toLowerCase();
	let best: string | null = null;
	let bestCost = Math.max(1, Math.floor(typed.length / 3)) + 1;
	for (const candidate of known) {
		const starts = typed.length >= 3 && candidate.startsWith(typed);
		const cost = starts ? 0.5 : distance(typed, candidate);
		if (cost < bestCost) {
			best = candidate;
			bestCost = cost;
		}
	}
	return best;
}
