import { safeText } from '@syndrome/decode/common/screen.ts';
import type { Cause } from './expect/causes.ts';
import type { Judgement, Problem, Verdict } from './expect/verdict.ts';
import type { Style } from './style.ts';
import { wrap } from './timeline.ts';

/** How an expectation is marked. What could not be judged has a mark of its own: it neither held nor failed. */
const MARKS = { pass: ['green', '✓'], fail: ['red', '✗'], 'not-judged': ['yellow', '?'] } as const;
/** The colour of each verdict. */
export const VERDICTS: Record<Verdict, 'green' | 'red' | 'yellow'> = {
  pass: 'green',
  fail: 'red',
  error: 'yellow',
  skip: 'yellow',
};

/** How a report is drawn. */
export interface Look {
  style: Style;
  /** Columns of the screen. */
  width: number;
}

/** What is known of defects that traces show, each once: as it stands under a run, a matrix or a bisection. */
export function causeLines(causes: readonly Cause[], { style, width }: Look): string[] {
  const each = [...new Map(causes.map(cause => [cause.id, cause])).values()];
  return each.flatMap(({ id, text, history }) => [
    ...wrap(safeText(`Known cause (${id}): ${text}`), width - 2).map(piece => `  ${style('yellow', piece)}`),
    ...wrap(safeText(history), width - 4).map(piece => `    ${piece}`),
  ]);
}

/** Why a run has no verdict on the system under test, in one line that is not safe yet. */
export const problemText = ({ code, message }: Problem): string => `${code}: ${message}`;

/** What a run came to, in a word. Of one that broke off before anything was seen nobody knows. */
export const outcomeWord = ({ verdict, outcome }: Pick<Judgement, 'verdict' | 'outcome'>): string =>
  verdict === 'error' && outcome === 'none' ? 'not known' : outcome;

/** The expectations and the verdict, as they stand under a time line. All text is made safe: a trace may come from anybody. */
export function verdictLines(name: string, judgement: Judgement, trace: string | undefined, look: Look): string[] {
  const { style, width } = look;
  const lines: string[] = [];
  /** Wraps first, so that each line has the style. */
  const put = (text: string, indent: number, format: Parameters<Style>[0] = 'reset'): void => {
    const pieces = wrap(safeText(text), width - indent);
    lines.push(...pieces.map(piece => ' '.repeat(indent) + (format === 'reset' ? piece : style(format, piece))));
  };
  // Of a run that this machine cannot do only what was seen is worth a line; one that broke off says of each that it did.
  const judged = judgement.verdict !== 'skip';
  for (const { expectation, status, reason, evidence, nearest } of judgement.expectations) {
    if (!judged && evidence.length === 0) continue;
    const [color, mark] = MARKS[status];
    const events = evidence.length > 0 ? evidence : nearest;
    for (const [i, piece] of wrap(safeText(expectation), width - 4).entries())
      lines.push(i === 0 ? `  ${style(color, mark)} ${piece}` : `    ${piece}`);
    const why = `${reason}${events.length > 1 ? ` [events ${events.join(', ')}]` : ''}`;
    put(why, 6, status === 'pass' ? 'dim' : color);
  }
  lines.push(...causeLines(judgement.causes, look));
  if (judgement.problem) {
    put(problemText(judgement.problem), 2, 'yellow');
    if (judgement.problem.hint) put(judgement.problem.hint, 2);
  }
  const word = style(['bold', VERDICTS[judgement.verdict]], judgement.verdict.toUpperCase());
  lines.push(
    `${word}  ${safeText(name, 200)}  outcome ${safeText(outcomeWord(judgement), 64)}  ${judgement.seconds.toFixed(1)} s`,
  );
  // A path stays in one piece, so that it can be copied.
  if (trace !== undefined) lines.push(style('dim', `      trace ${safeText(trace)}`));
  return lines;
}
