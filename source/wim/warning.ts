/** Something odd that reading works around; the file still opens. */
export interface Warning {
	/** A sentence without a final stop. */
	readonly message: string;
	/** What `offset` counts in. */
	readonly region: string;
	/** In bytes; null when there is no single place. */
	readonly offset: number | null;
}
