import { safeText } from '@syndrome/decode/common/screen.ts';
import type { Cell, CellResult } from '../matrix/cells.ts';
import { causeLines, type Look, problemText } from '@syndrome/trace/verdict-lines.ts';

const COLORS = { pass: 'green', fail: 'red', error: 'yellow', skip: 'yellow' } as const;

/** A matrix as data: what `--json` prints and a page is made of. */
export interface MatrixReport {
  schemaVersion: 1;
  scenario: string;
  /** That all of it took. */
  seconds: number;
  cells: readonly CellResult[];
  /** All kernels that could have been measured: the other cells of a table are hollow. */
  kernels?: readonly string[];
}

/** The cells that stand in one column: the same in everything but the guest kernel. */
const columnOf = ({ hostKernel, cpu }: Cell): string =>
  [hostKernel === undefined ? '' : `host ${hostKernel}`, cpu ?? ''].filter(Boolean).join(' ');

interface MatrixTable {
  columns: string[];
  rows: { kernel: string; cells: (CellResult | undefined)[]; changed: boolean[] }[];
}

/** Kernels as rows, what else varies as columns; a cell is marked where its verdict or its outcome differs from the one above. */
export function matrixTable(results: readonly CellResult[]): MatrixTable {
  const columns = [...new Set(results.map(r => columnOf(r.cell)))];
  const kernels = [...new Set(results.map(r => r.cell.kernel ?? ''))];
  const rows = kernels.map(kernel => ({
    kernel,
    cells: columns.map(column => results.find(r => (r.cell.kernel ?? '') === kernel && columnOf(r.cell) === column)),
    changed: columns.map(() => false),
  }));
  const what = (cell: CellResult | undefined): string => `${cell?.result.verdict} ${cell?.result.outcome}`;
  for (const [i, row] of rows.entries()) {
    const above = rows[i - 1];
    row.changed = row.cells.map((cell, c) => above !== undefined && what(above.cells[c]) !== what(cell));
  }
  return { columns, rows };
}

/** The table for a terminal or a mail. Names are made safe before they are laid out: an escape is longer than what it shows. */
export function matrixText(results: readonly CellResult[], look: Look): string[] {
  const { style } = look;
  const { columns, rows } = matrixTable(results);
  const heads = columns.map(c => safeText(c, 200).padEnd(26));
  const lines = [style('dim', ['guest kernel'.padEnd(14), ...heads].join(' ').trimEnd())];
  for (const { kernel, cells, changed } of rows) {
    const shown = cells.map((cell, c) => {
      if (!cell) return '-'.padEnd(26);
      const { verdict, outcome, seconds } = cell.result;
      const text = `${safeText(verdict, 64).padEnd(5)} ${safeText(outcome, 64).padEnd(9)} ${seconds.toFixed(1).padStart(5)} s`;
      const mark = changed[c] ? ' ◀ ' : '   ';
      return style(COLORS[verdict], text) + mark;
    });
    lines.push(`${safeText(kernel, 200).padEnd(14)} ${shown.join(' ')}`.trimEnd());
  }
  const causes = causeLines(
    results.flatMap(r => r.result.causes),
    look,
  );
  const unjudged = unjudgedCells(results).map(({ cell, why }) => safeText(`${cell}: ${why}`));
  return [
    ...lines,
    ...(causes.length === 0 ? [] : ['', ...causes]),
    ...(unjudged.length === 0 ? [] : ['', ...unjudged]),
  ];
}

/** The cells that say nothing of the system under test, by what is varied, and why. */
function unjudgedCells(results: readonly CellResult[]): { cell: string; why: string }[] {
  return results.flatMap(({ cell, result: { verdict, problem } }) =>
    problem === undefined || (verdict !== 'skip' && verdict !== 'error')
      ? []
      : [{ cell: [cell.kernel, columnOf(cell)].filter(Boolean).join(' '), why: problemText(problem) }],
  );
}
