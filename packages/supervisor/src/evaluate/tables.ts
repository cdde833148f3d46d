/** @module An evaluation as the tables of its document: whoever keeps the numbers has the text. */
import { ASSUMPTIONS } from './assumptions.ts';
import { type Evaluation, JUDGED, type Judged } from './evaluate.ts';
import { HOST_YEARS, type Measure, type Rate } from './measure.ts';
import { VMS } from './timeline.ts';

/** Columns of the table of policies, in their order. */
const MEASURES: readonly (readonly [Measure, string])[] = [
  ['crashes', 'crashes'],
  ['consumed', 'errors used'],
  ['harmed', 'VMs harmed'],
  ['late', 'told late'],
  ['restarts', 'restarts'],
  ['needlessRestarts', 'needless'],
  ['migrations', 'moved live'],
  ['needlessMigrations', 'needless'],
  ['downMinutes', 'VM-minutes down'],
  ['closedHostDays', 'host-days closed'],
  ['offlinedMb', 'MB offlined'],
  ['repeats', 'hit again'],
];
const JUDGED_AS: Readonly<Record<Judged, string>> = {
  interruptions: 'crashes and restarts',
  harmed: 'VMs harmed',
  downMinutes: 'VM-minutes down',
  migrations: 'moved live',
  closedHostDays: 'host-days closed',
  offlinedMb: 'MB offlined',
};

const number = (x: number): string =>
  Math.abs(x) >= 10 || x === 0 ? Math.round(x).toLocaleString('en-US') : x.toFixed(1);
const rate = ([mean, half]: Rate): string => `${number(mean)} ± ${number(half)}`;
const signed = ([mean, half]: Rate): string => {
  if (mean === 0 && half === 0) return '0';
  // What chance may have made is no difference.
  const text = `${mean > 0 ? '+' : mean < 0 ? '−' : ''}${number(Math.abs(mean))} ± ${number(half)}`;
  return Math.abs(mean) > half ? `**${text}**` : text;
};
const row = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
/** @param words columns of words, from the left; all others are numbers */
const table = (words: number, head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [row(head), row(head.map((_, i) => (i < words ? '---' : '---:'))), ...rows.map(row)].join('\n');

/** How often a VM is interrupted, for 1,000 VM-years. */
const perVmYears = (perHostYears: number): string => ((perHostYears / (HOST_YEARS * VMS)) * 1000).toFixed(2);

function policiesTable({ policies }: Evaluation): string {
  const head = ['', ...MEASURES.map(([, title]) => title), 'interruptions of 1,000 VM-years'];
  const rows = policies.map(({ name, rates }) => [
    name,
    ...MEASURES.map(([measure]) => rate(rates[measure])),
    perVmYears(rates.crashes[0] + rates.restarts[0]),
  ]);
  return table(1, head, rows);
}

const namesTable = ({ policies }: Evaluation): string =>
  table(
    2,
    ['', 'policy'],
    policies.map(({ name, what }) => [name, what]),
  );

function thresholdsTable({ thresholds }: Evaluation): string {
  const judged = Object.keys(JUDGED) as Judged[];
  const head = ['rule', 'with', ...judged.map(name => JUDGED_AS[name])];
  const rows = thresholds.map(({ rule, value, more }) => [
    `\`${rule}\``,
    value,
    ...judged.map(name => signed(more[name])),
  ]);
  return table(2, head, rows);
}

const plain = (x: number): string => (x < 1 ? String(x) : x.toLocaleString('en-US'));

function assumptionsTable({ policies, assumptions }: Evaluation): string {
  const names = policies.map(({ name }) => name);
  const head = ['assumption', 'value', ...names.map(name => `${name}: interruptions / VM-minutes down`)];
  const rows = assumptions.flatMap(({ name, of }) =>
    of.map(({ value, interruptions, downMinutes }, i) => [
      i === 0 ? `\`${name}\`` : '',
      i === 1 ? `${plain(value)} (as assumed)` : plain(value),
      ...names.map((_, nth) => `${number(interruptions[nth] ?? 0)} / ${number(downMinutes[nth] ?? 0)}`),
    ]),
  );
  return table(2, head, rows);
}

const sourcesTable = (): string =>
  table(
    2,
    ['name', 'what', 'assumed', 'from', 'to', 'source'],
    ASSUMPTIONS.map(({ name, what, value, low, high, source }) => [
      `\`${name}\``,
      what,
      plain(value),
      plain(low),
      plain(high),
      source,
    ]),
  );

/** Every table of the document by its name; there it stands between `<!-- NAME -->` and `<!-- /NAME -->`. */
export function tablesOf(evaluation: Evaluation): Readonly<Record<string, string>> {
  return {
    names: namesTable(evaluation),
    policies: policiesTable(evaluation),
    thresholds: thresholdsTable(evaluation),
    sources: sourcesTable(),
    assumptions: assumptionsTable(evaluation),
  };
}

/** A document with its tables as an evaluation has them. @throws RangeError where a table has no place in it */
export function withTables(document: string, evaluation: Evaluation): string {
  let text = document;
  for (const [name, body] of Object.entries(tablesOf(evaluation))) {
    const [begin, end] = [`<!-- ${name} -->`, `<!-- /${name} -->`];
    const [from, to] = [text.indexOf(begin), text.indexOf(end)];
    if (from < 0 || to < from) throw new RangeError(`the document has no place for the table ${name}`);
    text = `${text.slice(0, from)}${begin}\n\n${body}\n\n${text.slice(to)}`;
  }
  return text;
}
