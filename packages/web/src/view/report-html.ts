/** @module The index of a report as HTML that needs no script. */
import { safeText } from '@syndrome/decode/common/screen.ts';
import type { Verdict } from '@syndrome/trace/expect/verdict.ts';
import { partLabel } from '@syndrome/trace/parts-line.ts';
import { outcomeWord, problemText } from '@syndrome/trace/verdict-lines.ts';
import { escapeHtml as escape } from './html.ts';
import { fileName, overWords } from './matrix.ts';
import { matrixHtml } from './matrix-html.ts';
import { causesOfRuns, countWords, partWords, type Report, type ReportRun, varyingParts } from './report.ts';
import { linkOfPair, linkOfRun, MAX_CARRIED, type ReportPage } from './report-pages.ts';

const LOGO =
  '<svg width="20" height="20" viewBox="0 0 20 20" aria-hidden="true"><rect width="20" height="20" rx="5" class="logo-ground"/>' +
  '<path d="M3 10.5h3.2l1.9-5 3.1 9 2-6 1 2H17" class="logo-line"/></svg>';

/** Never colour alone. */
const MARKS: Readonly<Record<Verdict | 'unread', string>> = {
  fail: '✗',
  error: '!',
  unread: '!',
  skip: '–',
  pass: '✓',
};

const badge = (verdict: Verdict | 'unread'): string =>
  `<span class="verdict verdict-${verdict === 'unread' ? 'error' : verdict}">${MARKS[verdict]} ${verdict === 'unread' ? 'NOT READ' : verdict.toUpperCase()}</span>`;

const link = (href: string | undefined, text: string): string =>
  href === undefined ? escape(text) : `<a href="${escape(href)}">${escape(text)}</a>`;

/** Seconds from zero with a sign. */
const timeText = (ns: number): string => `${ns < 0 ? '' : '+'}${(ns / 1e9).toFixed(3)} s`;

/** What failed first in a run, and the line that shows it. */
function failureOf({ failure, problem, verdict, causes }: ReportRun): string[] {
  const { expectation, reason, event } = failure ?? {};
  const said = event?.line ?? event?.said;
  return [
    ...(expectation === undefined ? [] : [`<p><code>${escape(expectation)}</code></p>`]),
    ...(reason === undefined ? [] : [`<p class="muted">${escape(reason)}</p>`]),
    ...(problem === undefined || verdict === 'pass'
      ? []
      : [
          `<p>${escape(safeText(problemText(problem), 600))} <span class="muted">${escape(safeText(problem.hint ?? '', 600))}</span></p>`,
        ]),
    // What the lab says of itself stands in the problem.
    ...(said === undefined || event?.layer === 'lab' || event === undefined
      ? []
      : [`<pre><span class="muted">${escape(`${timeText(event.t)} ${event.layer} `)}</span> ${escape(said)}</pre>`]),
    ...causes.map(({ id }) => `<p class="muted">known cause <code>${escape(safeText(id, 100))}</code></p>`),
  ];
}

/** The passed run beside a failed one. */
function besideOf(run: ReportRun, pages: readonly ReportPage[]): string[] {
  const { beside } = run;
  if (beside === undefined) return [];
  return [
    `<p>${link(linkOfPair(pages, run), 'compare with one that passed')}</p>`,
    `<p class="muted">${beside.parts.length === 0 ? 'the same machine' : beside.parts.map(escape).join('<br>')}</p>`,
    `<p>${beside.first === undefined ? 'No event differs.' : `<b>first difference</b> ${escape(beside.first)}`}</p>`,
  ];
}

function runRow(run: ReportRun, varying: readonly string[], pages: readonly ReportPage[]): string {
  const { verdict, name, scenario, test, seconds, size, damagedLines } = run;
  const about = [
    escape(safeText(name, 300)),
    ...(damagedLines > 0 ? [`${damagedLines === 1 ? '1 line' : `${damagedLines} lines`} cannot be read`] : []),
    ...(size > MAX_CARRIED ? ['too large for a page: <code>syndrome show</code> reads it'] : []),
  ];
  const title = safeText(test ?? scenario, 200) || 'no name';
  return (
    `<tr class="row-${verdict}"><td>${badge(verdict)}</td>` +
    `<th scope="row">${link(linkOfRun(pages, run), title)}${test === undefined ? '' : ` <span class="muted">${escape(safeText(scenario, 200))}</span>`}` +
    `${partWords(run, varying)
      .map(text => `<br>${escape(text)}`)
      .join('')}${about.map(text => `<br><span class="muted">${text}</span>`).join('')}</th>` +
    `<td>${failureOf(run).join('') || `<span class="muted">outcome ${escape(outcomeWord(run))}</span>`}</td>` +
    `<td>${besideOf(run, pages).join('')}</td>` +
    `<td class="number">${seconds.toFixed(1)} s</td></tr>`
  );
}

/** Why a row has no page. */
const bareRow = (verdict: Verdict | 'unread', name: string, about: string, why: string): string =>
  `<tr class="row-${verdict}"><td>${badge(verdict)}</td><th scope="row">${escape(safeText(name, 300))}<br>` +
  `<span class="muted">${escape(about)}</span></th><td>${escape(safeText(why, 800))}</td><td></td><td></td></tr>`;

/** The rows of the table, the worst first. */
function rowsOf({ runs, unread, tests }: Report, pages: readonly ReportPage[]): string[] {
  const varying = varyingParts({ runs });
  const of = (verdict: Verdict): string[] => [
    ...runs.filter(run => run.verdict === verdict).map(run => runRow(run, varying, pages)),
    ...tests
      .filter(test => test.verdict === verdict)
      .map(({ test, file, message }) =>
        bareRow(verdict, test, `of ${safeText(file, 200)}; its trace is not in the folder`, message ?? ''),
      ),
  ];
  return [
    ...of('fail'),
    ...of('error'),
    ...unread.map(({ name, message, hint, code }) =>
      bareRow('unread', name, code, [message, hint].filter(Boolean).join('. ')),
    ),
    ...of('skip'),
    ...of('pass'),
  ];
}

/** From when to when the runs were; empty where no trace says so. */
function whenOf({ runs }: Report): string {
  const times = runs.map(({ startedAt }) => startedAt).filter(time => /^\d{4}-\d{2}-\d{2}T[\d:.]{5,12}Z$/.test(time));
  const [first, last] = [times.toSorted()[0], times.toSorted().at(-1)];
  if (first === undefined || last === undefined) return '';
  const words = (time: string): string => `${time.slice(0, 16).replace('T', ' ')} UTC`;
  return first.slice(0, 16) === last.slice(0, 16) ? words(first) : `${words(first)} to ${words(last)}`;
}

/** How many cells of matrices are bad; a run may be one of them. */
function badCells(matrices: Report['matrices']): string {
  const bad = matrices.flatMap(({ cells }) => cells).filter(({ verdict }) => verdict === 'fail').length;
  return bad === 0
    ? ''
    : ` · <a href="#matrix">${bad === 1 ? '1 bad cell' : `${bad} bad cells`} over ${escape(overWords(matrices))}</a>`;
}

/** What all runs have in common, safe to show. */
const commonParts = ({ runs }: Report): string[] => {
  const varying = varyingParts({ runs });
  return Object.entries(runs[0]?.parts ?? {}).flatMap(([part, value]) =>
    varying.includes(part) ? [] : [safeText(`${partLabel(part)} ${value}`, 120)],
  );
};

/**
 * The index of a report: its sums, the runs as a table, the matrices.
 * @returns elements for a body; nothing of a name, a message or a line becomes one
 */
export function reportHtml(report: Report, pages: readonly ReportPage[]): string {
  const { title, matrices, runs } = report;
  const rows = rowsOf(report, pages);
  const over = escape(overWords(matrices));
  const matrixPage = pages.find(page => page.matrices);
  const byTrace = new Map(runs.map(run => [fileName(run.name), run]));
  const parts = commonParts(report);
  return [
    `<header class="top"><span class="brand">${LOGO} Syndrome</span></header>`,
    '<main class="static report">',
    `<h1>${escape(safeText(title, 200))}</h1>`,
    `<p class="report-sum">${escape(countWords(report) || 'nothing was found')}${badCells(matrices)} <span class="muted">${escape(whenOf(report))}</span></p>`,
    ...(parts.length === 0 ? [] : [`<p class="muted">all of them: ${parts.map(escape).join(' · ')}</p>`]),
    ...causesOfRuns(report).map(
      ({ id, text, history, runs: count }) =>
        `<p class="note note-cause"><b>Known cause</b> <code>${escape(id)}</code>${count === 0 ? '' : `, ${count === 1 ? '1 run' : `${count} runs`}`}. ${escape(text)} ${escape(history)}</p>`,
    ),
    ...(rows.length === 0
      ? []
      : [
          '<table class="report-table"><caption class="sr">Runs, the worst first</caption><thead><tr>' +
            ['verdict', 'run', 'what failed first', 'beside one that passed', 'time']
              .map(head => `<th scope="col">${head}</th>`)
              .join('') +
            `</tr></thead><tbody>\n${rows.join('\n')}\n</tbody></table>`,
        ]),
    ...(matrices.length === 0
      ? []
      : [
          `<section id="matrix" aria-label="Over ${over}"><h2>Over ${over}</h2>${matrixPage === undefined ? '' : `<p><a href="${matrixPage.file}#matrix">open the matrix as a page</a></p>`}`,
          matrixHtml(matrices, {
            linkOf: cell => {
              const run = cell.trace === '' ? undefined : byTrace.get(fileName(cell.trace));
              return run && linkOfRun(pages, run);
            },
            // They stand on top.
            causes: false,
          }),
          '</section>',
        ]),
    '</main>',
  ].join('\n');
}
