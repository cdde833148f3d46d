/** @module A report as text for a terminal, and as Markdown for the summary of a CI job. */
import { markdownText } from '@syndrome/decode/common/markdown.ts';
import { safeText } from '@syndrome/decode/common/screen.ts';
import type { Verdict } from '@syndrome/trace/expect/verdict.ts';
import { wrap } from '@syndrome/trace/timeline.ts';
import { type Look, outcomeWord, problemText, VERDICTS } from '@syndrome/trace/verdict-lines.ts';
import { gridsOf, overWords, rangeText } from './matrix.ts';
import { causesOfRuns, countWords, partWords, type Report, type ReportRun, varyingParts } from './report.ts';

/** Entries that are listed; more are counted. A summary of GitHub may have 1 MiB. */
const MAX_LISTED = 100;

/** An entry of the list: what it is called and came to, then lines on why. Not safe yet where a screen has not made it. */
interface Entry {
  verdict: Verdict | 'unread';
  name: string;
  about: string[];
  why: string[];
  line?: string;
}

function runEntry(run: ReportRun, varying: readonly string[]): Entry {
  const { verdict, scenario, test, name, seconds, failure, problem, causes, beside } = run;
  const { expectation, reason, event } = failure ?? {};
  const line = event?.layer === 'lab' ? undefined : (event?.line ?? event?.said);
  return {
    verdict,
    name: test ?? scenario,
    about: [...partWords(run, varying), `outcome ${outcomeWord(run)}`, `${seconds.toFixed(1)} s`, name],
    why: [
      ...(expectation === undefined ? [] : [expectation]),
      ...(reason === undefined ? [] : [reason]),
      ...(problem === undefined ? [] : [problemText(problem)]),
      ...causes.map(({ id }) => `known cause ${id}`),
      ...(beside === undefined
        ? []
        : [
            `beside ${beside.name}: ${beside.first === undefined ? 'no event differs' : `first difference ${beside.first}`}`,
          ]),
    ],
    ...(line === undefined ? {} : { line }),
  };
}

/** What did not pass, the worst first. */
function entriesOf({ runs, unread, tests }: Report): Entry[] {
  const varying = varyingParts({ runs });
  const of = (verdict: Verdict): Entry[] => [
    ...runs.filter(run => run.verdict === verdict).map(run => runEntry(run, varying)),
    ...tests
      .filter(test => test.verdict === verdict)
      .map(({ test, file, message }) => ({
        verdict,
        name: test,
        about: [`of ${file}`, 'its trace is not in the folder'],
        why: message === undefined ? [] : [message],
      })),
  ];
  const files = unread.map(
    ({ name, code, message, hint }): Entry => ({
      verdict: 'unread',
      name,
      about: [code],
      why: [message, hint].filter(text => text !== undefined),
    }),
  );
  return [...of('fail'), ...of('error'), ...files, ...of('skip')];
}

/** What is bad in the matrices of a report, a line each. */
const badLines = ({ matrices }: Report): string[] =>
  gridsOf(matrices).flatMap(({ lines }) =>
    lines.flatMap(({ scenario, besides, bad }) =>
      bad.map(range => `${[safeText(scenario, 200), besides].filter(Boolean).join(' ')}: ${rangeText(range)}`),
    ),
  );

const word = (verdict: Entry['verdict']): string => (verdict === 'unread' ? 'not read' : verdict);

/** A report for a terminal: sums last, where they are seen. All text is made safe. */
export function reportLines(report: Report, { style, width }: Look): string[] {
  const entries = entriesOf(report);
  const lines = entries.slice(0, MAX_LISTED).flatMap(({ verdict, name, about, why, line }) => {
    const mark = style(
      ['bold', verdict === 'unread' ? 'yellow' : VERDICTS[verdict]],
      word(verdict).toUpperCase().padEnd(8),
    );
    const indented = (text: string): string[] => wrap(text, width - 9).map(piece => `         ${piece}`);
    return [
      `${mark} ${style('bold', safeText(name, 200))}`,
      ...indented(safeText(about.join(' · '), 600)).map(text => style('dim', text)),
      ...why.flatMap(text => indented(safeText(text, 600))),
      ...(line === undefined ? [] : indented(safeText(line, 600)).map(text => style('cyan', text))),
    ];
  });
  const more = entries.length - MAX_LISTED;
  return [
    ...lines,
    ...(more > 0 ? [`and ${more} more that did not pass`] : []),
    ...badLines(report),
    style('bold', `${safeText(report.title, 200)}: ${countWords(report) || 'nothing was found'}`),
  ];
}

/** A report as CommonMark. All text is made safe, and nothing of it is markup. */
export function reportMarkdown(report: Report): string[] {
  const entries = entriesOf(report);
  const lines = entries
    .slice(0, MAX_LISTED)
    .flatMap(({ verdict, name, about, why, line }) => [
      `- **${word(verdict)}** ${markdownText(name)} (${about.map(markdownText).join(', ')})`,
      ...why.map(text => `  - ${markdownText(text)}`),
      ...(line === undefined ? [] : [`  - ${markdownText(line)}`]),
    ]);
  const more = entries.length - MAX_LISTED;
  const causes = causesOfRuns(report).map(
    ({ id, text, history }) => `- **${markdownText(id)}**: ${markdownText(text)} ${markdownText(history)}`,
  );
  const bad = badLines(report).map(text => `- ${markdownText(text)}`);
  return [
    `## ${markdownText(report.title)}: ${countWords(report) || 'nothing was found'}`,
    '',
    ...lines,
    ...(more > 0 ? [`- and ${more} more that did not pass`] : []),
    ...(bad.length === 0 ? [] : ['', `### Over ${overWords(report.matrices)}`, '', ...bad]),
    ...(causes.length === 0 ? [] : ['', '### Known causes', '', ...causes]),
  ];
}
