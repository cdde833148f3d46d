/** @module The page of a trace: verdict, lanes, expectations, events, and the chosen event. */
import { useEffect, useRef } from 'preact/hooks';
import { safeText } from '@syndrome/decode/common/screen.ts';
import type { TraceCommand } from '../view/keys.ts';
import { originOfTraces } from '../view/link.ts';
import { Detail } from './detail.tsx';
import { Events } from './events.tsx';
import { Expectations } from './expectations.tsx';
import { Head } from './head.tsx';
import { Lanes } from './lanes.tsx';
import { Minimap } from './minimap.tsx';
import type { TraceModel } from './model.ts';
import { isStale } from './server-stream.ts';
import { StreamWords } from './stream-words.tsx';
import type { ThemeModel } from './theme.ts';

interface Props {
  model: TraceModel;
  theme: ThemeModel;
  choose: (compare: boolean) => void;
  bind: (run: (command: TraceCommand) => boolean) => void;
  /** Shows a record on the page of records. */
  decode: (text: string) => void;
}

export function TracePage({ model, theme, choose, bind, decode }: Props) {
  const filter = useRef<HTMLInputElement>(null);
  useEffect(() => {
    const commands: Partial<Record<TraceCommand, () => void>> = {
      next: () => model.step(1),
      previous: () => model.step(-1),
      'next-in-lane': () => model.stepInLane(1),
      'previous-in-lane': () => model.stepInLane(-1),
      filter: () => filter.current?.select(),
      raw: () => (model.raw.value = !model.raw.value),
      'next-expectation': () => model.stepExpectation(1),
      'previous-expectation': () => model.stepExpectation(-1),
      fit: () => model.fit(),
      whole: () => model.whole(),
      'zoom-in': () => model.zoom(0.6),
      'zoom-out': () => model.zoom(1 / 0.6),
      left: () => model.pan(-0.25),
      right: () => model.pan(0.25),
      'first-difference': () => model.firstDifference.value && model.choose(model.firstDifference.value),
      differences: () => (model.differences.value = !model.differences.value),
      follow: () => model.live.value && model.followEnd(),
      compare: () => (model.runs.value.length > 1 ? model.closeSecond() : choose(true)),
      escape: () => {
        model.find.value = '';
        filter.current?.blur();
      },
    };
    bind(command => {
      const run = commands[command];
      run?.();
      return run !== undefined;
    });
  }, [model]);

  const { length } = model.runs.value;
  if (length === 0) return <Empty model={model} choose={choose} />;
  return (
    <main class={`trace ${length > 1 ? 'is-double' : ''} ${isStale(model.live.value) ? 'is-stale' : ''}`}>
      <Head model={model} />
      <Minimap model={model} theme={theme} />
      <Lanes model={model} theme={theme} />
      <div class="panes">
        <Expectations model={model} />
        <Events model={model} filter={filter} />
        <Detail model={model} decode={decode} />
      </div>
    </main>
  );
}

/** What is shown before there is a trace: how one comes here. */
function Empty({ model, choose }: { model: TraceModel; choose: (compare: boolean) => void }) {
  const reading = model.reading.value;
  const trouble = model.trouble.value;
  const atHand = model.atHand.value;
  return (
    <main class="empty">
      {reading ? (
        <div class="reading">
          <h1>Reading {safeText(reading.name, 120)}</h1>
          <progress
            aria-label="How much is read"
            {...(reading.share === undefined ? {} : { value: reading.share })}
            max={1}
          />
          <p>
            <StreamWords stream={model.live.value} />
          </p>
        </div>
      ) : (
        <>
          <h1>Drop a trace here</h1>
          <p>
            It is the <code>.ndjson</code> file that a run names at its end. Two of them are compared: the first thing
            that differs is marked.
          </p>
          {trouble && (
            <p class="note note-problem" role="alert">
              <b>{safeText(trouble.message, 600)}</b> {safeText(trouble.hint ?? '', 600)}
            </p>
          )}
          {atHand.length > 0 && (
            <ul class="at-hand" aria-label="Traces in this page">
              {atHand.map(name => (
                <li key={name}>
                  <a href={`#trace?${originOfTraces([name])}`}>{safeText(name, 300)}</a>
                </li>
              ))}
            </ul>
          )}
          <p>
            <button type="button" class="button button-main" onClick={() => choose(false)}>
              Choose files…
            </button>
          </p>
          <p class="muted">Where none is yet, a run makes one; it needs no special hardware:</p>
          <pre class="raw">
            {'syndrome run intel-srao-process --trace run.ndjson\nsyndrome show run.ndjson --html run.html'}
          </pre>
        </>
      )}
    </main>
  );
}
