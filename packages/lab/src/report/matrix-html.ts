import { escapeText } from '@syndrome/decode/common/screen.ts';
import type { CellResult } from '../matrix/cells.ts';
import type { Trace } from '@syndrome/trace/reader.ts';
import { matrixTable, unjudgedCells } from './matrix.ts';
import { runLine } from '@syndrome/trace/parts-line.ts';
import { plain } from '@syndrome/trace/style.ts';
import { verdictLines } from '@syndrome/trace/verdict-lines.ts';
import { lanesOf, Timeline } from '@syndrome/trace/timeline.ts';

/** Text of a page: what hides or turns around what a reader sees is escaped as on a screen, markup as HTML wants it. */
const escape = (text: string): string => escapeText(text).replace(/[&<>"']/g, c => `&#${c.charCodeAt(0)};`);

const CSS = `
body{font:14px/1.45 system-ui,sans-serif;margin:2em auto;max-width:70em;padding:0 1em;color:#1a1a1a;background:#fff}
table{border-collapse:collapse}th,td{border:1px solid #ccc;padding:.3em .7em;text-align:left;font-variant-numeric:tabular-nums}
.pass{background:#e3f4e4}.fail{background:#fbe0de}.error,.skip{background:#fdf3d3}.changed{border-top:3px solid #333}
pre{scroll-margin-top:3em;overflow-x:auto;background:#f6f6f6;padding:.8em;font-size:12px}details{margin:.4em 0}summary{cursor:pointer}
@media(prefers-color-scheme:dark){body{color:#ddd;background:#161616}th,td{border-color:#444}.pass{background:#1d3a20}.fail{background:#4a1f1c}
.error,.skip{background:#443a14}.changed{border-top-color:#ddd}pre{background:#222}}`;

/** What the page shows of a trace. */
type SeenTrace = Pick<Trace, 'header' | 'events'>;

/**
 * One self-contained HTML file: the table, and behind each cell its time line. No script, nothing loaded from elsewhere.
 * @param traceOf the trace of a cell, if it can still be read
 */
export function matrixHtml(
  title: string,
  results: readonly CellResult[],
  traceOf: (entry: CellResult) => SeenTrace | undefined,
): string {
  const { columns, rows } = matrixTable(results);
  const id = (entry: CellResult): string => `c${results.indexOf(entry)}`;
  const head = ['guest kernel', ...columns].map(c => `<th>${escape(c)}</th>`).join('');
  const body = rows
    .map(({ kernel, cells, changed }) => {
      const tds = cells.map((entry, i) => {
        if (!entry) return '<td>-</td>';
        const { verdict, outcome, seconds } = entry.result;
        const mark = changed[i] ? ' changed' : '';
        return `<td class="${escape(verdict)}${mark}"><a href="#${id(entry)}">${escape(`${verdict} ${outcome}`)}</a> ${seconds.toFixed(1)} s</td>`;
      });
      return `<tr><th>${escape(kernel)}</th>${tds.join('')}</tr>`;
    })
    .join('\n');
  // A link opens the details around its target, but not details that are the target themselves.
  const details = results
    .map(entry => {
      const { kernel, hostKernel, cpu } = entry.cell;
      const name = [kernel, hostKernel && `host ${hostKernel}`, cpu].filter(Boolean).join(' · ');
      const lines = detailLines(entry, traceOf(entry));
      return `<details><summary>${escape(`${name}: ${entry.result.verdict}, ${entry.result.outcome}`)}</summary><pre id="${id(entry)}">${lines.map(escape).join('\n')}</pre></details>`;
    })
    .join('\n');
  const causes = [...new Map(results.flatMap(r => r.result.causes).map(c => [c.id, c])).values()];
  const notes = [
    ...causes.map(c => `<p><b>${escape(c.id)}</b>: ${escape(c.text)} ${escape(c.history)}</p>`),
    ...unjudgedCells(results).map(({ cell, why }) => `<p><b>${escape(cell)}</b>: ${escape(why)}</p>`),
  ].join('\n');
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${escape(title)}</title><style>${CSS}</style></head>
<body><h1>${escape(title)}</h1>
<table><thead><tr>${head}</tr></thead><tbody>
${body}
</tbody></table>
${notes}
<h2>Time lines</h2>
${details}
</body></html>
`;
}

function detailLines(entry: CellResult, trace: SeenTrace | undefined): string[] {
  const verdict = verdictLines(entry.result.scenario, entry.result, entry.result.trace, { style: plain, width: 100 });
  if (!trace) return verdict;
  const timeline = new Timeline({ style: plain, layers: lanesOf(trace.header) });
  const events = trace.events.flatMap(event => timeline.lines(event));
  return [runLine(trace.header), timeline.head(), ...events, ...verdict];
}
