/** @module What the run came to: verdict, outcome, what the machine was made of, what is known of the cause. */
import { useMemo } from 'preact/hooks';
import { escapeText, safeText } from '@syndrome/decode/common/screen.ts';
import { isPlace, partLabel } from '@syndrome/trace/parts-line.ts';
import { outcomeWord } from '@syndrome/trace/verdict-lines.ts';
import { firstFailure } from '../view/first-failure.ts';
import { type Run, type RunState, stateOf } from '../view/run.ts';
import { sinceZero } from '../view/time.ts';
import { savedLines } from '../view/values.ts';
import type { TraceModel } from './model.ts';
import { isStale } from './server-stream.ts';
import { StreamWords } from './stream-words.tsx';
import { VerdictBadge } from './verdict-badge.tsx';

/** Parts of a machine, and values that its steps have saved. */
function Parts({ run }: { run: Run }) {
  const { parts, identity } = run.trace.header;
  return (
    <p class="badges parts">
      {Object.entries(parts)
        .filter(([key]) => !isPlace(key))
        .map(([key, value]) => (
          <span class="badge" key={key}>
            <span class="muted">{safeText(partLabel(key), 40)}</span> {safeText(value, 120)}
          </span>
        ))}
      {savedLines(run).map(({ name, value }) => (
        <span class="badge mono" key={name}>
          <span class="muted">{name}</span> {value}
        </span>
      ))}
      {identity && (
        <span class="badge mono" title={identity.run}>
          <span class="muted">identity</span> {identity.run.slice(0, 12)}
        </span>
      )}
    </p>
  );
}

function Numbers({ run }: { run: Run }) {
  const { judgement, trace } = run;
  const { expectations } = judgement;
  const failed = expectations.filter(({ status }) => status === 'fail').length;
  return (
    <span class="numbers">
      outcome <b>{outcomeWord(judgement)}</b>
      {failed > 0 && (
        <>
          {' · '}
          <b class="mark-fail">
            {failed} of {expectations.length}
          </b>{' '}
          {expectations.length === 1 ? 'expectation' : 'expectations'} failed
        </>
      )}{' '}
      · {judgement.seconds.toFixed(1)} s · {trace.events.length.toLocaleString('en')} events
    </span>
  );
}

/** What is missing or damaged of a trace, and what is known of the cause. */
function Notes({ run, letter }: { run: Run; letter?: string }) {
  const { causes } = run.judgement;
  const problem = run.running ? undefined : run.judgement.problem;
  const { diagnostics, departures } = run.trace;
  const who = letter === undefined ? null : <b class={`run-${letter.toLowerCase()}`}>{letter} </b>;
  return (
    <>
      {problem && (
        <p class="note note-problem">
          {who}
          <b>{escapeText(problem.code)}</b> {safeText(problem.message, 600)}{' '}
          {problem.hint === undefined ? '' : safeText(problem.hint, 600)}
          {diagnostics.length > 0 && (
            <span class="muted">
              {' '}
              Lines{' '}
              {diagnostics
                .slice(0, 8)
                .map(d => d.line)
                .join(', ')}
              {diagnostics.length > 8 ? ' …' : ''}
            </span>
          )}
        </p>
      )}
      {causes.map(cause => (
        <details class="note note-cause" key={cause.id}>
          <summary>
            {who}
            <b>Known cause</b> {escapeText(cause.text)}
          </summary>
          <p>
            {escapeText(cause.history)} <code>{cause.id}</code>
          </p>
        </details>
      ))}
      {departures.length > 0 && (
        <details class="note">
          <summary>
            {who}
            {departures.length === 1 ? 'Events of one kind are' : `Events of ${departures.length} kinds are`} not as the
            catalogue of this version has them
          </summary>
          <ul>
            {departures.slice(0, 20).map(({ problem: what, line, count }) => (
              <li key={what}>
                line {line}: {safeText(what, 300)}
                {count > 1 ? ` (${count} events)` : ''}
              </li>
            ))}
          </ul>
        </details>
      )}
    </>
  );
}

/** Of a run whose server is not heard nothing is sure. */
function badgeOf(model: TraceModel, run: Run): RunState | 'stale' {
  return run.running && isStale(model.live.value) ? 'stale' : stateOf(run);
}

/** What failed first, and a way to the line that shows it. */
function FailedFirst({ model, run }: { model: TraceModel; run: Run }) {
  const failure = useMemo(() => firstFailure(run), [run]);
  if (failure?.expectation === undefined) return null;
  const { expectation, reason, event } = failure;
  return (
    <p class="note note-fail">
      <b>Failed first</b> <span title={expectation}>{reason}</span>
      {event && (
        <>
          {' · '}
          <button type="button" class="link" onClick={() => model.chooseSeq(0, event.seq)}>
            {sinceZero(event.t)} {event.layer}: {event.said ?? event.line ?? `event ${event.seq}`}
          </button>
        </>
      )}
    </p>
  );
}

export function Head({ model }: { model: TraceModel }) {
  const [a, b] = model.runs.value;
  const comparison = model.comparison.value;
  if (!a) return null;
  if (!b || !comparison) {
    return (
      <div class="head">
        <p class="head-line">
          <VerdictBadge verdict={badgeOf(model, a)} />
          <h1>{safeText(a.trace.header.scenario, 120)}</h1>
          <Numbers run={a} />
          <StreamWords stream={model.live.value} />
          <span class="muted file">{safeText(a.name, 120)}</span>
        </p>
        <Parts run={a} />
        <FailedFirst model={model} run={a} />
        <Notes run={a} />
      </div>
    );
  }
  return (
    <div class="head">
      <h1 class="sr">Two runs of {safeText(a.trace.header.scenario, 120)}</h1>
      {[a, b].map((run, number) => (
        <p class="head-line" key={number}>
          <b class={`letter run-${number === 0 ? 'a' : 'b'}`}>{number === 0 ? 'A' : 'B'}</b>
          <VerdictBadge verdict={badgeOf(model, run)} />
          <b class="scenario">{safeText(run.trace.header.scenario, 120)}</b>
          <Numbers run={run} />
          <span class="muted file">{safeText(run.name, 120)}</span>
        </p>
      ))}
      <p class="badges parts">
        {comparison.parts.length === 0 && <span class="badge">the same machine in both</span>}
        {comparison.parts.map(({ part, a: left, b: right }) => (
          <span class="badge" key={part}>
            <span class="muted">{safeText(partLabel(part), 40)}</span> <b class="run-a">A</b>{' '}
            {safeText(left ?? 'none', 100)} <b class="run-b">B</b> {safeText(right ?? 'none', 100)}
          </span>
        ))}
      </p>
      <Notes run={a} letter="A" />
      <Notes run={b} letter="B" />
    </div>
  );
}
