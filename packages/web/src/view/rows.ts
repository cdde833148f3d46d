/** @module The rows of the list of events: of one run, or of two that are compared. */
import { escapeText } from '@syndrome/decode/common/screen.ts';
import type { ComparedRow, Comparison } from '@syndrome/trace/compare/compare.ts';
import type { Run } from './run.ts';
import { wordsOf } from './run.ts';

/** A row of a single run: the index of its event. Of two: the index of the row of their comparison. */
export type RowIndices = Int32Array;

/** Whether a text has what is looked for; letters big and small are the same, and nothing looked for is everywhere. */
const has = (text: string | undefined, wanted: string): boolean =>
  text !== undefined && text.toLowerCase().includes(wanted);

/**
 * The events of a run that are listed.
 * @param find what their words, their name, their layer or their raw line must hold
 * @param raw lines that mean nothing are listed too
 */
export function eventRows(run: Run, find: string, raw: boolean): RowIndices {
  const wanted = find.trim().toLowerCase();
  const { events } = run.trace;
  if (wanted === '' && !raw) return run.told;
  const out: number[] = [];
  const told = new Set(run.told);
  for (const [index, event] of events.entries()) {
    if (!raw && !told.has(index)) continue;
    if (wanted !== '') {
      const found =
        has(event.raw, wanted) ||
        event.layer === wanted ||
        has(event.name, wanted) ||
        (told.has(index) && has(wordsOf(event), wanted));
      if (!found) continue;
    }
    out.push(index);
  }
  return Int32Array.from(out);
}

/** The rows of a comparison that are listed. */
export function comparedRows({ rows }: Comparison, find: string, differences: boolean): RowIndices {
  const wanted = find.trim().toLowerCase();
  const out: number[] = [];
  for (const [index, row] of rows.entries()) {
    if (differences && row.kind === 'same') continue;
    if (wanted !== '' && !hasRow(row, wanted)) continue;
    out.push(index);
  }
  return Int32Array.from(out);
}

const hasRow = ({ a, b }: ComparedRow, wanted: string): boolean =>
  [a, b].some(
    event =>
      event !== undefined &&
      (has(event.raw, wanted) || event.layer === wanted || has(event.name, wanted) || has(wordsOf(event), wanted)),
  );

/** What a row says: the words of its event, else the raw line as it came. Safe to show. */
export function textOf(run: Run, index: number): { text: string; raw: boolean } {
  const event = run.trace.events[index];
  const words = event && wordsOf(event);
  if (words !== undefined) return { text: words, raw: false };
  const arrow = event?.dir === 'send' ? '→ ' : event?.dir === 'receive' ? '← ' : '';
  const said = event?.raw ?? event?.name ?? '';
  return { text: `${event?.source ?? ''}: ${arrow}${escapeText(said.slice(0, 400))}`, raw: true };
}

/**
 * The row after or before another one in the same layer, in the list of a run.
 * @param step 1 or -1
 */
export function inLane(run: Run, rows: RowIndices, from: number, step: 1 | -1): number | undefined {
  const layer = run.layers[from];
  let at = rows.indexOf(from);
  if (at < 0) return undefined;
  for (at += step; at >= 0 && at < rows.length; at += step) {
    const index = rows[at];
    if (index !== undefined && run.layers[index] === layer) return index;
  }
  return undefined;
}
