/** What another program than the kernel wrote into a log makes no record, whatever it looks like. */
import { expect, it } from 'vitest';
import { decode } from './decoder.ts';
import { DISGUISES, KERNEL_LINES, OTHERS, PATHS } from '../text/testing/forgeries.ts';
import { LINE_CARRIERS } from './testing/line-carriers.ts';

const MARKED = '[    1.000000] mce: [Hardware Error]: Machine check events logged\n';
/** What an honest line leaves behind: how the lines of this log are shown to people. */
const HONEST: Readonly<Record<string, string>> = {
  'nothing before it': '',
  'behind a line with a time': `2026-11-30T12:00:00Z ${MARKED}`,
  'behind a field of a table': `a,"${MARKED.trim()}"\n`,
  'in a page': `<pre>\n${MARKED}`,
};

const found = (text: string | Uint8Array): string[] =>
  decode(text).records.map(r => `${r.source.from} ${r.source.firstLine}: ${r.class}`);

/** All that anybody may write, behind a prefix. */
const corpus = (prefix: string): string[] =>
  Object.values(DISGUISES).flatMap(as => KERNEL_LINES.map(line => `${prefix}${as(line)}`));

/** The lines of which more is read than of none. */
const readOf = (lines: readonly string[], log: (lines: readonly string[]) => string | Uint8Array): string[] => {
  const alone = found(log([]));
  const isRead = (some: readonly string[]): boolean => found(log(some)).join('\n') !== alone.join('\n');
  if (!isRead(lines)) return [];
  const single = lines.filter(line => isRead([line]));
  return single.length > 0 ? single : ['only together'];
};

it.each(Object.entries(OTHERS))('lines of another program in %s', (_name, prefix) => {
  for (const [where, honest] of Object.entries(HONEST))
    expect(
      readOf(corpus(prefix), lines => honest + lines.map(line => `${line}\n`).join('')),
      where,
    ).toEqual([]);
});

// Where a line was broken, its rest may begin with anything: nothing says that it is no line.
const BROKEN = ['80 columns'];
const carriers = Object.entries(LINE_CARRIERS).filter(([name]) => !BROKEN.includes(name));

it.each(carriers)(
  'lines of another program carried in %s',
  (_name, carry) => {
    for (const [other, prefix] of Object.entries(OTHERS)) expect(readOf(corpus(prefix), carry), other).toEqual([]);
  },
  90_000,
);

/** What programs print may stand anywhere in a line of a console; what the kernel prints begins its line. */
it.each(Object.entries(PATHS))('no record of the kernel is made of a path in its line, %s', (_name, line) => {
  const read = corpus(line).filter(forged => decode(`${forged}\n`).records.some(r => r.source.from === 'linux'));
  expect(read).toEqual([]);
});

/** Entries of journald that are not the kernel's, whatever they are called. */
const JOURNAL: Readonly<Record<string, readonly string[]>> = {
  'a program': ['_TRANSPORT=syslog', 'SYSLOG_IDENTIFIER=logger'],
  'a program that is called like the kernel': ['_TRANSPORT=syslog', 'SYSLOG_IDENTIFIER=kernel'],
  'the output of a service': ['_TRANSPORT=stdout', 'SYSLOG_IDENTIFIER=x'],
  'without a name': ['_TRANSPORT=stdout'],
  'without a transport': ['SYSLOG_IDENTIFIER=logger'],
};
const pair = (field: string): [string, string] => field.split(/=(.*)/s).slice(0, 2) as [string, string];
const ENTRIES: Readonly<Record<string, (message: string, fields: readonly string[]) => string>> = {
  'one object a line': (message, fields) =>
    `${JSON.stringify({ MESSAGE: message, ...Object.fromEntries(fields.map(pair)) })}\n`,
  'an array in one line': (message, fields) =>
    `[${JSON.stringify({ MESSAGE: message, ...Object.fromEntries(fields.map(pair)) })}]\n`,
  'over lines': (message, fields) =>
    `${JSON.stringify({ ...Object.fromEntries(fields.map(pair)), MESSAGE: message }, undefined, 8)}\n`,
  'over lines, the message first': (message, fields) =>
    `${JSON.stringify({ MESSAGE: message, PRIORITY: '3', ...Object.fromEntries(fields.map(pair)) }, undefined, '\t').replaceAll('": ', '" : ')}\n`,
  verbose: (message, fields) =>
    [
      'Mon 2026-11-30 06:30:14.123456 UTC [s=6f0a;i=1;b=2;m=3;t=4;x=5]',
      ...[...fields, 'PRIORITY=3', `MESSAGE=${message}`].map(f => `    ${f}\n`),
    ]
      .join('\n')
      .replaceAll('\n\n', '\n'),
  'verbose, the message first': (message, fields) =>
    [
      'Mon 2026-11-30 06:30:14.123456 UTC [s=6f0a;i=1;b=2;m=3;t=4;x=5]',
      `    MESSAGE=${message}`,
      ...fields.map(f => `    ${f}`),
      '',
    ].join('\n'),
  export: (message, fields) =>
    ['__CURSOR=s=1', '__REALTIME_TIMESTAMP=1795167593000000', `MESSAGE=${message}`, ...fields, '', ''].join('\n'),
};
const entries = Object.entries(ENTRIES).flatMap(([as, entry]) =>
  Object.entries(JOURNAL).map(([who, fields]) => [as, who, entry, fields] as const),
);

it.each(entries)('entries of the journal, %s, by %s', (_as, _who, entry, fields) => {
  const all = Object.values(DISGUISES).flatMap(as => KERNEL_LINES.map(as));
  expect(readOf(all, lines => lines.map(line => entry(line, fields)).join(''))).toEqual([]);
  const honest = entry(KERNEL_LINES[0] as string, ['_TRANSPORT=kernel', 'SYSLOG_IDENTIFIER=kernel']);
  expect(found(entry('x', fields) + honest + entry('x', fields))).toHaveLength(1);
});

it.each(KERNEL_LINES)('the corpus holds what is read where it stands alone: %s', line => {
  const lines = [line, KERNEL_LINES[KERNEL_LINES.indexOf(line) + 1]].join('\n');
  const { records, diagnostics } = decode(`${lines}\n`);
  expect(records.length + diagnostics.length).toBeGreaterThan(0);
});
