/** @module A verdict, or what stands in its place: mark and word, not colour alone. */
import type { RunState } from '../view/run.ts';

const MARKS: Readonly<Record<RunState | 'stale', string>> = {
  pass: '✓',
  fail: '✗',
  error: '!',
  skip: '–',
  running: '▸',
  stale: '?',
};

export function VerdictBadge({ verdict }: { verdict: RunState | 'stale' }) {
  return (
    <span class={`verdict verdict-${verdict}`}>
      <span aria-hidden="true">{MARKS[verdict]}</span> {verdict.toUpperCase()}
    </span>
  );
}
