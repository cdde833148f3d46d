/** @module A matrix as HTML that needs no script: what a page shows where scripts are not allowed. */
import { safeText } from '@syndrome/decode/common/screen.ts';
import { plain } from '@syndrome/trace/style.ts';
import { AXES } from '@syndrome/trace/axes.ts';
import { verdictLines } from '@syndrome/trace/verdict-lines.ts';
import { escapeHtml as escape } from './html.ts';
import {
  bisections,
  bisectionWords,
  causesOfCells,
  countText,
  gridsOf,
  isSurprise,
  versionName,
  LETTERS,
  type MatrixGrid,
  type MatrixLine,
  rangeText,
  unjudged,
} from './matrix.ts';
import type { MatrixCell, MatrixFile } from './matrix-file.ts';

const lineName = ({ scenario, besides }: MatrixLine): string =>
  [safeText(scenario, 200), besides].filter(Boolean).join(' · ');

function tableOf({ axis, versions, lines }: MatrixGrid, id: (cell: MatrixCell) => string): string {
  const head = [AXES[axis].name, ...lines.map(lineName)].map(name => `<th scope="col">${escape(name)}</th>`).join('');
  const rows = versions.map(version => {
    const cells = lines.map(({ cells: measured, changes }) => {
      const cell = measured.get(version);
      if (!cell) return '<td class="cell is-hollow">not measured</td>';
      const { verdict, outcome, seconds } = cell;
      const change = changes.has(version) ? ' is-changed' : '';
      const mark = isSurprise(cell) ? '!' : '';
      const said = `${verdict} ${LETTERS[outcome]}${mark} ${outcome}`;
      return `<td class="cell cell-${verdict}${change}"><a href="#${id(cell)}">${escape(said)}</a> ${seconds.toFixed(1)} s</td>`;
    });
    return `<tr><th scope="row">${escape(versionName(version))}</th>${cells.join('')}</tr>`;
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
    ...unjudged(line).map(({ version, why }) => `<p><b>${escape(versionName(version))}</b>: ${escape(why)}</p>`),
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
  const grids = gridsOf(files);
  const lines = grids.flatMap(grid => grid.lines);
  const cells = lines.flatMap(line => [...line.cells.values()]);
  const ids = new Map(cells.map((cell, i) => [cell, `c${i}`]));
  const id = (cell: MatrixCell): string => ids.get(cell) ?? '';
  // A link opens the details around its target, but not details that are the target themselves.
  const details = lines.flatMap(line =>
    [...line.cells.values()].map(cell => {
      const name = `${lineName(line)} · ${versionName(cell.version)}: ${cell.verdict}, ${cell.outcome}`;
      const judged = verdictLines(cell.scenario, cell, cell.trace === '' ? undefined : cell.trace, {
        style: plain,
        width: 100,
      });
      const href = linkOf(cell);
      const trace =
        href === undefined
          ? ''
          : `<p><a href="${escape(href)}">open the trace of ${escape(versionName(cell.version))}</a></p>`;
      return `<details><summary>${escape(name)}</summary><pre id="${id(cell)}">${judged.map(escape).join('\n')}</pre>${trace}</details>`;
    }),
  );
  const titles = lines.map(({ scenario, title }) => `${safeText(scenario, 200)}: ${safeText(title, 200)}`);
  return [
    '<div class="static">',
    ...[...new Set(titles)].map(title => `<h1>${escape(title)}</h1>`),
    ...lines.flatMap(notesOf),
    ...(causes ? causesOfCells(cells) : []).map(
      ({ id: cause, text, history }) => `<p><b>${escape(cause)}</b>: ${escape(text)} ${escape(history)}</p>`,
    ),
    ...grids.flatMap(grid => [
      ...(grids.length === 1 ? [] : [`<h2>Over ${escape(AXES[grid.axis].many)}</h2>`]),
      tableOf(grid, id),
    ]),
    '<h2>What each run was judged by</h2>',
    ...details,
    '</div>',
  ].join('\n');
}
