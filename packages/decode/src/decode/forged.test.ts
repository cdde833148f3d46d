/** What another program than the kernel wrote into a log makes no record, whatever it looks like. */
import { expect, it } from 'vitest';
import { decode } from './decoder.ts';
import { DISGUISES, KERNEL_LINES, OTHERS, PATHS } from './testing/forgeries.ts';
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
const BROKEN = ['80 columns', 'quoted-printable'];
const carriers = Object.entries(LINE_CARRIERS).filter(([name]) => !BROKEN.includes(name));

it.each(carriers)('lines of another program carried in %s', (_name, carry) => {
  for (const [other, prefix] of Object.entries(OTHERS)) expect(readOf(corpus(prefix), carry), other).toEqual([]);
});

/** What programs print may stand anywhere in a line of a console; what the kernel prints begins its line. */
it.each(Object.entries(PATHS))('no record of the kernel is made of a path in its line, %s', (_name, line) => {
  const read = corpus(line).filter(forged => decode(`${forged}\n`).records.some(r => r.source.from === 'linux'));
  expect(read).toEqual([]);
});

it.each(KERNEL_LINES)('the corpus holds what is read where it stands alone: %s', line => {
  const lines = [line, KERNEL_LINES[KERNEL_LINES.indexOf(line) + 1]].join('\n');
  const { records, diagnostics } = decode(`${lines}\n`);
  expect(records.length + diagnostics.length).toBeGreaterThan(0);
});
