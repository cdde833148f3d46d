/** @module The expectations: what held, what failed and why, and the events that say so. */
import { useEffect, useRef } from 'preact/hooks';
import { escapeText } from '@syndrome/decode/common/screen.ts';
import type { ExpectationResult } from '@syndrome/trace/expect/judge.ts';
import { type Expected, statusOf, type TraceModel } from './model.ts';

const MARKS = {
  pass: { mark: '✓', word: 'held' },
  fail: { mark: '✗', word: 'failed' },
  'not-judged': { mark: '?', word: 'not judged' },
} as const;

function Mark({ status }: { status: 'pass' | 'fail' | 'not-judged' }) {
  const { mark, word } = MARKS[status];
  return (
    <span class={`mark mark-${status}`}>
      <span aria-hidden="true">{mark}</span>
      <span class="sr">{word}</span>
    </span>
  );
}

/** `n failed · m held`. */
function counts(expected: readonly Expected[]): string {
  const of = (status: string): number => expected.filter(e => statusOf(e) === status).length;
  return (['fail', 'not-judged', 'pass'] as const)
    .map(status => [of(status), MARKS[status].word] as const)
    .filter(([count]) => count > 0)
    .map(([count, word]) => `${count} ${word}`)
    .join(' · ');
}

export function Expectations({ model }: { model: TraceModel }) {
  const expected = model.expected.value;
  const chosen = model.expectation.value;
  const place = model.selected.value;
  const run = place && model.runs.value[place.run];
  const seq = run?.trace.events[place?.index ?? -1]?.seq;
  const list = useRef<HTMLUListElement>(null);
  useEffect(() => {
    list.current?.querySelector('[aria-current="true"]')?.scrollIntoView({ block: 'nearest' });
  }, [chosen, seq]);
  const touches = (result: ExpectationResult | undefined, number: number): boolean =>
    seq !== undefined &&
    place?.run === number &&
    (result?.evidence.includes(seq) === true || (result?.status === 'fail' && result.nearest.includes(seq)));

  return (
    <section class="pane expectations" aria-labelledby="expectations-head">
      <header class="pane-head">
        <h2 id="expectations-head">Expectations</h2>
        <span class="muted">{counts(expected)}</span>
      </header>
      {expected.length === 0 && <p class="nothing">The trace states none.</p>}
      <ul ref={list} class="pane-body plain" tabIndex={0} aria-label="Expectations">
        {expected.map((item, index) => {
          const status = statusOf(item);
          const lit = item.results.some(touches);
          return (
            <li
              key={item.expectation}
              aria-current={index === chosen ? 'true' : undefined}
              class={`expectation is-${status} ${index === chosen ? 'is-chosen' : ''} ${lit ? 'is-lit' : ''}`}
            >
              <button type="button" onClick={() => model.chooseExpectation(index)}>
                {item.results.length === 1 && <Mark status={status} />}
                {item.results.length > 1 && (
                  <Mark status={item.results.every(r => r?.status === item.results[0]?.status) ? status : 'fail'} />
                )}
                <code>{escapeText(item.expectation)}</code>
              </button>
              {item.results.map((result, number) => (
                <Why key={number} model={model} result={result} run={number} double={item.results.length > 1} />
              ))}
            </li>
          );
        })}
      </ul>
    </section>
  );
}

/** Why an expectation has its status in a run, with the events that say so. */
function Why({
  model,
  result,
  run,
  double,
}: {
  model: TraceModel;
  result: ExpectationResult | undefined;
  run: number;
  double: boolean;
}) {
  const letter = run === 0 ? 'A' : 'B';
  const seqs = result === undefined ? [] : result.evidence.length > 0 ? result.evidence : result.nearest;
  const reason = escapeText(result?.reason ?? 'not expected there');
  const event = (seq: number, text: string) => (
    <button
      key={text}
      type="button"
      class="link"
      onClick={() => model.chooseSeq(run, seq)}
      aria-label={`Event ${seq}${double ? ` of ${letter}` : ''}`}
    >
      {text}
    </button>
  );
  // Where the sentence names an event, its name leads there.
  const pieces = reason.split(/(\(event \d+\)|event \d+)/);
  const named = new Set(pieces.flatMap(piece => Number(/^\(?event (\d+)\)?$/.exec(piece)?.[1] ?? []) || []));
  return (
    <p class={`why ${result?.status === 'fail' ? 'is-bad' : ''}`}>
      {double && <b class={`run run-${letter.toLowerCase()}`}>{letter}</b>}
      {double && result && <Mark status={result.status} />}
      {pieces.map(piece => {
        const seq = Number(/^\(?event (\d+)\)?$/.exec(piece)?.[1] ?? 0);
        return seq > 0 ? event(seq, piece) : piece;
      })}
      {seqs
        .filter(seq => !named.has(seq))
        .slice(0, 5)
        .map(seq => [' ', event(seq, `event ${seq}`)])}
    </p>
  );
}
