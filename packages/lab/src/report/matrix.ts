import { safeText } from '@syndrome/decode/common/screen.ts';
import { AXES, type Axis, besidesOf, type CellParts } from '@syndrome/trace/axes.ts';
import type { CellResult } from '../matrix/cells.ts';
import { causeLines, type Look, problemText } from '@syndrome/trace/verdict-lines.ts';

const COLORS = { pass: 'green', fail: 'red', error: 'yellow', skip: 'yellow' } as const;

/** A matrix as data: what `--json` prints and a page is made of. */
export interface MatrixReport {
  schemaVersion: typeof MATRIX_VERSION;
  scenario: string;
  /** What is varied: which part of each cell says its place. Of version 1 it was the guest kernel. */
  axis: Axis;
  /** That all of it took. */
  seconds: number;
  cells: readonly CellResult[];
  /** All versions that could have been measured, in their order: the other cells of a table are hollow. */
  versions?: readonly string[];
}

/** Of {@link MatrixReport}; 1 had no axis, and `kernels` for what are versions now. */
export const MATRIX_VERSION = 2;

/** The cells that stand in one column: the same in everything but their place on the axis. */
export const columnOf = (cell: CellParts, axis: Axis): string => besidesOf(cell, axis).join(' ');

/** Columns that stand beside each other on a screen. */
const MOST_COLUMNS = 4;

interface MatrixTable {
  columns: string[];
  rows: { version: string; cells: (CellResult | undefined)[]; changed: boolean[] }[];
}

/** Versions as rows, what else varies as columns; a cell is marked where its verdict or its outcome differs from the one above. */
export function matrixTable(results: readonly CellResult[], axis: Axis): MatrixTable {
  const columns = [...new Set(results.map(r => columnOf(r.cell, axis)))];
  const versions = [...new Set(results.map(r => r.cell[axis] ?? ''))];
  const rows = versions.map(version => ({
    version,
    cells: columns.map(column =>
      results.find(r => (r.cell[axis] ?? '') === version && columnOf(r.cell, axis) === column),
    ),
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
export function matrixText({ cells: results, axis }: Pick<MatrixReport, 'cells' | 'axis'>, look: Look): string[] {
  const { style } = look;
  const { columns, rows } = matrixTable(results, axis);
  const shown = (cell: CellResult | undefined, changed: boolean): string => {
    if (!cell) return '-'.padEnd(26);
    const { verdict, outcome, seconds } = cell.result;
    const text = `${safeText(verdict, 64).padEnd(5)} ${safeText(outcome, 64).padEnd(9)} ${seconds.toFixed(1).padStart(5)} s`;
    return style(COLORS[verdict], text) + (changed ? ' ◀ ' : '   ');
  };
  // Many variants of few versions are read downwards.
  const across = columns.length > Math.max(rows.length, MOST_COLUMNS);
  const heads = across ? rows.map(row => row.version) : columns;
  const names = across ? columns : rows.map(row => row.version);
  const width = Math.max(14, ...names.map(name => safeText(name, 200).length));
  const head = [AXES[axis].name.padEnd(width), ...heads.map(c => safeText(c, 200).padEnd(26))];
  const lines = [style('dim', head.join(' ').trimEnd())];
  for (const [i, name] of names.entries()) {
    const cells = across
      ? rows.map(row => shown(row.cells[i], row.changed[i] ?? false))
      : columns.map((_, c) => shown(rows[i]?.cells[c], rows[i]?.changed[c] ?? false));
    lines.push(`${safeText(name, 200).padEnd(width)} ${cells.join(' ')}`.trimEnd());
  }
  const causes = causeLines(
    results.flatMap(r => r.result.causes),
    look,
  );
  const unjudged = unjudgedCells(results, axis).map(({ cell, why }) => safeText(`${cell}: ${why}`));
  return [
    ...lines,
    ...(causes.length === 0 ? [] : ['', ...causes]),
    ...(unjudged.length === 0 ? [] : ['', ...unjudged]),
  ];
}

/** The cells that say nothing of the system under test, by what is varied, and why. */
function unjudgedCells(results: readonly CellResult[], axis: Axis): { cell: string; why: string }[] {
  return results.flatMap(({ cell, result: { verdict, problem } }) =>
    problem === undefined || (verdict !== 'skip' && verdict !== 'error')
      ? []
      : [{ cell: [cell[axis], columnOf(cell, axis)].filter(Boolean).join(' '), why: problemText(problem) }],
  );
}
