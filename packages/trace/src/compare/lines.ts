/** @module A comparison of two runs as text: what `syndrome compare` prints, and what the page copies. */
import { safeText } from '@syndrome/decode/common/screen.ts';
import { summarize } from '../summary.ts';
import { wrap } from '../timeline.ts';
import { causeLines, type Look, outcomeWord, VERDICTS } from '../verdict-lines.ts';
import type { ComparedRow, ComparedRun, Comparison } from './compare.ts';
import type { FieldDifference } from './fields.ts';

/** How a row is marked: in both, the same event with other fields, in one only. */
const MARKS = { same: ' ', changed: '≠', 'only-a': 'A', 'only-b': 'B' } as const;
const MARK_COLORS = { same: 'dim', changed: 'yellow', 'only-a': 'cyan', 'only-b': 'magenta' } as const;
const STATUS_MARKS = { pass: ['green', '✓'], fail: ['red', '✗'], 'not-judged': ['yellow', '?'] } as const;

const TIME_WIDTH = 9;
const LAYER_WIDTH = 8;
/** Before the words of a row: mark, two times, layer. */
const MARGIN = 2 + 2 * (TIME_WIDTH + 2) + LAYER_WIDTH;

/** `status 0x9c… in A, 0xbc… in B`; not safe yet. */
const fieldWords = ({ field, a, b }: FieldDifference): string =>
  `${field} ${a ?? 'missing'} in A, ${b ?? 'missing'} in B`;

/** What a row says of its event, in words that are not safe yet. */
const rowWords = ({ a, b }: ComparedRow): string => {
  const event = a ?? b;
  return (event && summarize(event)) ?? event?.name ?? '';
};

/** Seconds since zero with a sign; `–` where a run has no such event. */
const timeOf = (t: number | undefined, zero: number): string =>
  t === undefined ? '–' : `${t < zero ? '' : '+'}${((t - zero) / 1e9).toFixed(3)}`;

/**
 * The lines for a comparison. All text is made safe: a trace may come from anybody.
 * @param names of the two traces, as they are to be called
 */
export function compareLines(comparison: Comparison, names: readonly [a: string, b: string], look: Look): string[] {
  const { a, b, parts, rows, first, expectations, differ } = comparison;
  const { style, width } = look;
  const lines: string[] = [];
  const head = (letter: 'A' | 'B', { trace, judgement }: ComparedRun, name: string): void => {
    const { verdict, seconds } = judgement;
    const word = style(['bold', VERDICTS[verdict]], verdict.toUpperCase().padEnd(5));
    const scenario = safeText(trace.header.scenario, 200);
    const color = MARK_COLORS[letter === 'A' ? 'only-a' : 'only-b'];
    lines.push(
      `${style(['bold', color], letter)} ${word} ${scenario}  outcome ${safeText(outcomeWord(judgement), 64)}  ${seconds.toFixed(1)} s  ${style('dim', safeText(name))}`,
    );
  };
  head('A', a, names[0]);
  head('B', b, names[1]);
  for (const { part, a: left, b: right } of parts) {
    const text = safeText(`${part}: ${left ?? 'none'} in A, ${right ?? 'none'} in B`, 600);
    lines.push(...wrap(text, width - 2).map(piece => style('dim', `  ${piece}`)));
  }
  const zeros = a.zeroName === b.zeroName ? a.zeroName : `${a.zeroName} in A, ${b.zeroName} in B`;
  lines.push(
    style(
      'dim',
      `  ${'A'.padStart(TIME_WIDTH)}  ${'B'.padStart(TIME_WIDTH)}  ${'layer'.padEnd(LAYER_WIDTH)}s from ${zeros}`,
    ),
  );
  for (const [index, row] of rows.entries()) {
    const { kind, differences } = row;
    const layer = row.a?.layer ?? row.b?.layer ?? '';
    const margin =
      style(['bold', MARK_COLORS[kind]], MARKS[kind]) +
      style(
        'dim',
        ` ${timeOf(row.a?.t, a.zero).padStart(TIME_WIDTH)}  ${timeOf(row.b?.t, b.zero).padStart(TIME_WIDTH)}  `,
      ) +
      layer.padEnd(LAYER_WIDTH);
    const room = Math.max(20, width - MARGIN);
    const note = index === first ? 'first difference: ' : '';
    const words = wrap(safeText(`${note}${rowWords(row)}`, 800), room);
    const format =
      index === first ? (['bold', 'red'] as const) : kind === 'same' ? (['reset'] as const) : (['bold'] as const);
    lines.push(...words.map((piece, i) => (i === 0 ? margin : ' '.repeat(MARGIN)) + style([...format], piece)));
    for (const difference of differences)
      for (const piece of wrap(safeText(fieldWords(difference), 400), room))
        lines.push(' '.repeat(MARGIN) + style('yellow', piece));
  }
  for (const { expectation, a: left, b: right } of expectations) {
    if (left?.status === right?.status) continue;
    lines.push(...wrap(safeText(expectation), width - 2).map(piece => `  ${piece}`));
    for (const [letter, result] of [
      ['A', left],
      ['B', right],
    ] as const) {
      const [color, mark] = result === undefined ? (['dim', '–'] as const) : STATUS_MARKS[result.status];
      const said = safeText(result?.reason ?? 'not expected there');
      lines.push(
        ...wrap(said, width - 8).map((piece, i) =>
          style(color, i === 0 ? `    ${letter} ${mark} ${piece}` : `        ${piece}`),
        ),
      );
    }
  }
  lines.push(...causeLines([...a.judgement.causes, ...b.judgement.causes], look));
  lines.push(...wrap(lastWords(comparison), width).map(piece => style('bold', piece)));
  return lines;

  /** The answer in one sentence. */
  function lastWords({ rows: all }: Comparison): string {
    if (!differ) return `The runs tell the same: ${all.length} events, ${expectations.length} expectations.`;
    const count = (kind: ComparedRow['kind']): number => all.filter(row => row.kind === kind).length;
    const counts = `${count('only-a')} only in A, ${count('only-b')} only in B, ${count('changed')} with other fields`;
    const row = all[first ?? -1];
    if (row === undefined) return `The runs differ, and no event does: ${counts}.`;
    return safeText(`The runs differ (${counts}), first at ${(row.a ?? row.b)?.name ?? ''}: ${rowWords(row)}`, 800);
  }
}
