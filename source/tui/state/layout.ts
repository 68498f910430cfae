/** Where everything stands on the screen: one pure function of its size and of what is open. */

export type PaneName = 'images' | 'files' | 'details' | 'jobs';

export type SizeClass = 'wide' | 'normal' | 'narrow' | 'tooSmall';

/** In columns and rows from the top left corner, from 0. */
export interface Rectangle {
	readonly x: number;
	readonly y: number;
	readonly width: number;
	readonly height: number;
}

export interface PaneLayout {
	readonly title: Rectangle;
	readonly body: Rectangle;
}

export interface Layout {
	readonly size: SizeClass;
	readonly columns: number;
	readonly rows: number;
	readonly header: Rectangle;
	/** Panes that are visible, from left to right, jobs last. */
	readonly panes: Readonly<Partial<Record<PaneName, PaneLayout>>>;
	/** One-column lines between panes. */
	readonly dividers: readonly Rectangle[];
	/** In narrow screens: one row that tells of the jobs. */
	readonly jobRow: Rectangle | null;
	readonly status: Rectangle;
	/** One column short: some consoles scroll when their last cell is written. */
	readonly footer: Rectangle;
}

export interface LayoutInput {
	readonly columns: number;
	readonly rows: number;
	readonly focus: PaneName;
	readonly isZoomed: boolean;
	readonly detailsOpen: boolean;
	readonly jobCount: number;
	/** The start screen: its table stands where all panes but the jobs stand. */
	readonly isStart: boolean;
}

const COLUMNS_MIN = 40;
const ROWS_MIN = 10;
const NORMAL_COLUMNS_MIN = 60;
const NORMAL_ROWS_MIN = 18;
const WIDE_COLUMNS_MIN = 100;
const WIDE_ROWS_MIN = 30;

const IMAGES_WIDTH = 26;
const IMAGES_WIDTH_WIDE = 28;
const IMAGES_WIDTH_MAX = 40;
const DETAILS_WIDTH = 31;
const DETAILS_WIDTH_MAX = 56;

export function sizeClass(columns: number, rows: number): SizeClass {
	if (columns < COLUMNS_MIN || rows < ROWS_MIN) return 'tooSmall';
	if (columns < NORMAL_COLUMNS_MIN || rows < NORMAL_ROWS_MIN) return 'narrow';
	return columns >= WIDE_COLUMNS_MIN && rows >= WIDE_ROWS_MIN ? 'wide' : 'normal';
}

const row = (y: number, width: number): Rectangle => ({ x: 0, y, width, height: 1 });

/** Title row and body in a stretch of rows. */
const pane = (x: number, y: number, width: number, height: number): PaneLayout => ({
	title: { x, y, width, height: 1 },
	body: { x, y: y + 1, width, height: Math.max(0, height - 1) },
});

function narrowLayout(input: LayoutInput, size: SizeClass): Layout {
	const { columns, rows, jobCount, focus } = input;
	const showJobRow = jobCount > 0 && focus !== 'jobs';
	const bodyHeight = rows - 3 - (showJobRow ? 1 : 0);
	const titleHeight = input.isStart ? 1 : 0;
	return {
		size,
		columns,
		rows,
		header: row(0, columns),
		panes: {
			[focus]: {
				title: { x: 0, y: 1, width: columns, height: titleHeight },
				body: { x: 0, y: 1 + titleHeight, width: columns, height: bodyHeight - titleHeight },
			},
		},
		dividers: [],
		jobRow: showJobRow ? row(1 + bodyHeight, columns) : null,
		status: row(rows - 2, columns),
		footer: row(rows - 1, columns - 1),
	};
}

/** The panes beside each other, in order, with their widths; one of them takes the rest. */
function columnsOf(input: LayoutInput, size: SizeClass): [PaneName, number][] {
	const { columns, detailsOpen, focus, isStart } = input;
	if (isStart) return [['images', columns]];
	if (size === 'wide') {
		const images = Math.min(
			IMAGES_WIDTH_MAX,
			IMAGES_WIDTH_WIDE + Math.floor((columns - WIDE_COLUMNS_MIN) / 10),
		);
		const details = Math.min(DETAILS_WIDTH_MAX, DETAILS_WIDTH + Math.floor((columns - 120) / 3));
		return [
			['images', images],
			['files', columns - images - Math.max(DETAILS_WIDTH, details) - 2],
			['details', Math.max(DETAILS_WIDTH, details)],
		];
	}
	if (detailsOpen && focus !== 'images') {
		const details = Math.max(DETAILS_WIDTH, Math.floor(columns * 0.4));
		return [
			['files', columns - details - 1],
			['details', details],
		];
	}
	const images = columns < 72 ? IMAGES_WIDTH - 4 : IMAGES_WIDTH;
	return [
		['images', images],
		['files', columns - images - 1],
	];
}

/** Lays out the deck. */
export function layout(input: LayoutInput): Layout {
	const { columns, rows, focus, isZoomed, jobCount } = input;
	const size = sizeClass(columns, rows);
	if (size === 'narrow' || size === 'tooSmall') return narrowLayout(input, size);
	const panes: Partial<Record<PaneName, PaneLayout>> = {};
	const dividers: Rectangle[] = [];
	const jobRows = jobCount === 0 ? 0 : 1 + (size === 'wide' ? 5 : 3);
	if (isZoomed) {
		panes[focus] = pane(0, 1, columns, rows - 3);
	} else {
		const height = rows - 3 - jobRows;
		let x = 0;
		for (const [name, width] of columnsOf(input, size)) {
			if (x > 0) dividers.push({ x: x - 1, y: 1, width: 1, height });
			panes[name] = pane(x, 1, width, height);
			x += width + 1;
		}
		if (jobRows > 0) panes.jobs = pane(0, 1 + height, columns, jobRows);
	}
	return {
		size,
		columns,
		rows,
		header: row(0, columns),
		panes,
		dividers,
		jobRow: null,
		status: row(rows - 2, columns),
		footer: row(rows - 1, columns - 1),
	};
}
