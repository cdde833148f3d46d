/** @module What was predicted of a cell beside what it came to. Pure. */
import { templateOf } from '@syndrome/decode/outlook/line-template.ts';
import type { Outcome } from '@syndrome/trace/expect/outcome.ts';
import type { LabOutlook } from '../outlook.ts';
import type { Observation } from './observation.ts';

/** `undecided`: the rules leave room for what was seen, or say nothing. */
export const AGREEMENTS = ['agree', 'disagree', 'undecided'] as const;
export type Agreement = (typeof AGREEMENTS)[number];

/** The judgement of one cell. */
export interface Judged {
  agreement: Agreement;
  /** Of a disagreement: what differs, predicted and seen. */
  differs?: { what: 'outcome' | 'signal' | 'page' | 'line'; predicted: string; observed: string };
}

/** Where a prediction has `<comm>` anything may stand. */
const matcher = (message: string): RegExp => {
  const parts = templateOf(message)
    .split(/<[^<>]*>/)
    .map(part => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(parts.join('.*'));
};

/** Outcomes of which the rules say by whom they are told. */
const TOLD: readonly Outcome[] = ['signalled', 'killed'];

/**
 * Compares outcome, signal, whether the page was taken, and the line that tells most, in this order: the first that differs is
 * told.
 */
export function judgeCell(predicted: LabOutlook | undefined, observed: Observation): Judged {
  if (predicted === undefined) return { agreement: 'undecided' };
  const possible = predicted.possible ?? [predicted.outcome];
  const differs = (what: NonNullable<Judged['differs']>['what'], said: string, seen: string): Judged => ({
    agreement: 'disagree',
    differs: { what, predicted: said, observed: seen },
  });
  if (!possible.includes(observed.outcome)) return differs('outcome', possible.join(' or '), observed.outcome);
  if (predicted.certainty !== 'certain') return { agreement: 'undecided' };
  const { signal, message } = predicted;
  if (signal !== undefined && observed.signal !== undefined && TOLD.includes(observed.outcome)) {
    // Who is killed by a signal is not asked for its code.
    if (observed.outcome === 'signalled' && observed.signal !== signal)
      return differs('signal', signal, observed.signal);
  }
  if (message === undefined) return { agreement: 'agree' };
  const taken = message.endsWith(': Recovered');
  if (taken && observed.page !== undefined && !observed.page.endsWith('Recovered'))
    return differs('page', 'taken away', observed.page);
  const wanted = matcher(message);
  if (!observed.lines.some(line => wanted.test(line)))
    return differs('line', templateOf(message), observed.line ?? '(nothing that tells)');
  return { agreement: 'agree' };
}

/** What a disagreement is called: the same name for the same fault of a rule, a kernel or a QEMU. */
export const nameOf = (predicted: LabOutlook | undefined, { differs }: Judged): string =>
  `${predicted?.rule ?? 'no rule'}: ${differs?.what ?? ''} ${differs?.observed ?? ''}, not ${differs?.predicted ?? ''}`;
