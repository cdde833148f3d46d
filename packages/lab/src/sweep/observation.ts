/** @module What a cell came to, taken from its trace, without what is by chance. Pure but for the digest. */
import { createHash } from 'node:crypto';
import { templateOf } from '@syndrome/decode/outlook/line-template.ts';
import { tellingLine } from '@syndrome/decode/outlook/telling.ts';
import type { TraceEvent } from '@syndrome/trace/event.ts';
import { type Outcome, outcomeOf } from '@syndrome/trace/expect/outcome.ts';
import { SavedValues, sameWords } from '@syndrome/trace/compare/fields.ts';
import { summarize } from '@syndrome/trace/summary.ts';
import { TraceIndex } from '@syndrome/trace/trace-index.ts';

/** What is kept of a cell. */
export interface Observation {
  outcome: Outcome;
  /** si_code of the SIGBUS that a process got; `SIGBUS` of one that died of it. */
  signal?: string;
  /** What memory_failure() said of the page: `dirty LRU page: Recovered`. */
  page?: string;
  /** The line that tells most, its numbers replaced. */
  line?: string;
  /** Every line of the kernel and of the VMM that means an event, its numbers replaced; each once, sorted. */
  lines: string[];
  /** 32 hex digits of all events from the injection on, without times, addresses and processes. */
  evidence: string;
}

/** More lines of a cell are no evidence any more. */
const MAX_LINES = 60;

/** What the lab does itself (it greets the agent of a forked machine anew), and how soon it sees that a machine has gone. */
const NO_EVIDENCE: ReadonlySet<string> = new Set([
  'vmm.stop',
  'vmm.resume',
  'vmm.exit',
  'guest.silent',
  'guest.agent-ready',
]);

/** The events that count as evidence: what the system did from the injection on. */
function shown(events: readonly TraceEvent[], zero: number): TraceEvent[] {
  return events.filter(
    event =>
      event.t >= zero &&
      event.name !== undefined &&
      event.layer !== 'lab' &&
      event.layer !== 'machine' &&
      !NO_EVIDENCE.has(event.name) &&
      summarize(event) !== undefined,
  );
}

/**
 * All that a run shows, as words that another run of the same machine has too; each once, sorted, for consoles and protocols
 * are channels of their own, and what comes over two of them has no order.
 */
export function evidenceOf(events: readonly TraceEvent[]): string[] {
  const { zero } = new TraceIndex(events);
  const saved = new SavedValues(events);
  return [...new Set(shown(events, zero).map(event => sameWords(event, saved)))].toSorted();
}

/** What a run came to. */
export function observe(events: readonly TraceEvent[]): Observation {
  const index = new TraceIndex(events);
  const { zero } = index;
  const after = shown(events, zero);
  const printed = events.filter(
    e => e.t >= zero && e.raw !== undefined && (e.source === 'console' || e.source === 'stderr'),
  );
  const lines = [...new Set(printed.map(e => templateOf(e.raw ?? '')))].filter(Boolean);
  const line = tellingLine(lines);
  const signal = after.find(e => e.name === 'process.signal')?.fields as Record<string, unknown> | undefined;
  const died = after.find(e => e.name === 'process.exit')?.fields as Record<string, unknown> | undefined;
  const page = after.find(e => e.name === 'guest.memory-failure')?.fields as Record<string, unknown> | undefined;
  const evidence = evidenceOf(events);
  return {
    outcome: outcomeOf(events, index),
    ...(signal === undefined
      ? died === undefined
        ? {}
        : { signal: typeof died['signal'] === 'string' ? died['signal'] : 'exit' }
      : { signal: String(signal['code'] ?? signal['signal']) }),
    ...(page === undefined ? {} : { page: `${String(page['page'])}: ${String(page['result'])}` }),
    ...(line === undefined ? {} : { line }),
    lines: lines.toSorted().slice(0, MAX_LINES),
    evidence: createHash('sha256').update(evidence.join('\n')).digest('hex').slice(0, 32),
  };
}
