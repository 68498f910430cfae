import { Text } from 'ink';
import { type ComponentType, createContext, type PropsWithChildren, useContext } from 'react';
import { Table } from '../parts/ink-table.ts';
import { fit, NOTHING, type Shown } from '../parts/text.ts';
import type { Theme } from '../parts/theme.ts';
import type { FactTable } from '../view/box.ts';

type CellProps = PropsWithChildren<{ readonly column?: number }>;

/** ink-table as this program uses it; its own types are those of an older React. */
const InkTable = Table as unknown as ComponentType<{
	readonly data: readonly Readonly<Record<string, string>>[];
	readonly columns: readonly string[];
	readonly padding: number;
	readonly header: ComponentType<CellProps>;
	readonly cell: ComponentType<CellProps>;
	readonly skeleton: ComponentType<CellProps>;
}>;

const PADDING = 1;

/** What the parts of the table, which it makes itself, must know. */
const Look = createContext<{ readonly table: FactTable; readonly theme: Theme } | null>(null);

/** The lines between two rows and around all of them: rows stand close, and the dialog has its own frame. */
const isRule = (text: string): boolean => /^[┌┐└┘├┤┬┴┼─]+$/.test(text);

function Skeleton({ children }: CellProps) {
	const look = useContext(Look);
	return isRule(String(children)) ? null : <Text>{look?.theme.divider}</Text>;
}

/** The table measures by characters, of which wide ones take two columns: its blanks behind the text are too many then. */
function useCell({ column = 0, children }: CellProps): Shown {
	const width = useContext(Look)?.table.widths[column] ?? 0;
	return fit(String(children ?? NOTHING).trimEnd() as Shown, width + 2 * PADDING);
}

function Cell(props: CellProps) {
	return <Text>{useCell(props)}</Text>;
}

function Header(props: CellProps) {
	const strong = useContext(Look)?.theme.strong;
	const text = useCell(props);
	return <Text>{strong ? strong(text) : text}</Text>;
}

/** A table of facts over the frame of its dialog, whose sides are also the table's. */
export function FactTableView(look: { readonly table: FactTable; readonly theme: Theme }) {
	return (
		<Look.Provider value={look}>
			<InkTable
				data={look.table.rows}
				columns={['FACT', 'VALUE']}
				padding={PADDING}
				header={Header}
				cell={Cell}
				skeleton={Skeleton}
			/>
		</Look.Provider>
	);
}
