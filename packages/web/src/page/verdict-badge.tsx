/** @module A verdict: mark and word, not colour alone. */
import type { Verdict } from '@syndrome/trace/expect/verdict.ts';

const MARKS: Readonly<Record<Verdict, string>> = { pass: '✓', fail: '✗', error: '!', skip: '–' };

export function VerdictBadge({ verdict }: { verdict: Verdict }) {
  return (
    <span class={`verdict verdict-${verdict}`}>
      <span aria-hidden="true">{MARKS[verdict]}</span> {verdict.toUpperCase()}
    </span>
  );
}
