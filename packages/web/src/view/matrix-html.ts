/** @module A matrix as HTML that needs no script: what a page shows where scripts are not allowed. */
import { safeText } from '@syndrome/decode/common/screen.ts';
import { plain } from '@syndrome/trace/style.ts';
import { verdictLines } from '@syndrome/trace/verdict-lines.ts';
import { escapeHtml as escape } from './html.ts';
import {
  bisections,
  bisectionWords,
  causesOfCells,
  countText,
  gridOf,
  isSurprise,
  kernelName,
  LETTERS,
  type MatrixGrid,
  type MatrixLine,
  rangeText,
  unjudged,
} from './matrix.ts';
import type { MatrixCell, MatrixFile } from './matrix-file.ts';

const lineName = ({ scenario, besides }: MatrixLine): string =>
  [safeText(scenario, 200), besides].filter(Boolean).join(' · ');

function tableOf({ kernels, lines }: MatrixGrid, id: (cell: MatrixCell) => string): string {
  const head = ['guest kernel', ...lines.map(lineName)].map(name => `<th scope="col">${escape(name)}</th>`).join('');
  const rows = kernels.map(kernel => {
    const cells = lines.map(({ cells: measured, changes }) => {
      const cell = measured.get(kernel);
      if (!cell) return '<td class="cell is-hollow">not measured</td>';
      const { verdict, outcome, seconds } = cell;
      const change = changes.has(kernel) ? ' is-changed' : '';
      const mark = isSurprise(cell) ? '!' : '';
      const said = `${verdict} ${LETTERS[outcome]}${mark} ${outcome}`;
      return `<td class="cell cell-${verdict}${change}"><a href="#${id(cell)}">${escape(said)}</a> ${seconds.toFixed(1)} s</td>`;
    });
    return `<tr><th scope="row">${escape(kernelName(kernel))}</th>${cells.join('')}</tr>`;
  });
  return `<table class="matrix-table"><thead><tr>${head}</tr></thead><tbody>\n${rows.join('\n')}\n</tbody></table>`;
}

function notesOf(line: MatrixLine): string[] {
  const name = `<b>${escape(lineName(line))}</b>`;
  return [
    `<p>${name} ${escape(countText(line))}</p>`,
    ...bisectionWords(line).map(text => `<p>${escape(text)}</p>`),
    ...line.bad.flatMap(range => [
      `<p>${escape(rangeText(range))}</p>`,
      ...bisections(range, line).map(command => `<pre>${escape(command)}</pre>`),
    ]),
    ...unjudged(line).map(({ kernel, why }) => `<p><b>${escape(kernelName(kernel))}</b>: ${escape(why)}</p>`),
  ];
}

/**
 * The table, what is bad, what is known of it, and behind each cell what its run was judged by.
 * @param options.linkOf where the trace of a cell is shown
 * @param options.causes whether known causes are told; else they stand elsewhere
 * @returns elements for a body; nothing of a name or a message becomes one
 */
export function matrixHtml(
  files: readonly MatrixFile[],
  options: { linkOf?: (cell: MatrixCell) => string | undefined; causes?: boolean } = {},
): string {
  const { linkOf = () => undefined, causes = true } = options;
  const grid = gridOf(files);
  const cells = grid.lines.flatMap(line => [...line.cells.values()]);
  const ids = new Map(cells.map((cell, i) => [cell, `c${i}`]));
  const id = (cell: MatrixCell): string => ids.get(cell) ?? '';
  // A link opens the details around its target, but not details that are the target themselves.
  const details = grid.lines.flatMap(line =>
    [...line.cells.values()].map(cell => {
      const name = `${lineName(line)} · ${kernelName(cell.kernel)}: ${cell.verdict}, ${cell.outcome}`;
      const judged = verdictLines(cell.scenario, cell, cell.trace === '' ? undefined : cell.trace, {
        style: plain,
        width: 100,
      });
      const href = linkOf(cell);
      const trace =
        href === undefined
          ? ''
          : `<p><a href="${escape(href)}">open the trace of ${escape(kernelName(cell.kernel))}</a></p>`;
      return `<details><summary>${escape(name)}</summary><pre id="${id(cell)}">${judged.map(escape).join('\n')}</pre>${trace}</details>`;
    }),
  );
  const titles = grid.lines.map(({ scenario, title }) => `${safeText(scenario, 200)}: ${safeText(title, 200)}`);
  return [
    '<div class="static">',
    ...[...new Set(titles)].map(title => `<h1>${escape(title)}</h1>`),
    ...grid.lines.flatMap(notesOf),
    ...(causes ? causesOfCells(cells) : []).map(
      ({ id: cause, text, history }) => `<p><b>${escape(cause)}</b>: ${escape(text)} ${escape(history)}</p>`,
    ),
    tableOf(grid, id),
    '<h2>What each run was judged by</h2>',
    ...details,
    '</div>',
  ].join('\n');
}
