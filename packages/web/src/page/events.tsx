/** @module The list of events, or of what two runs have and have not in common. */
import { escapeText, safeText } from '@syndrome/decode/common/screen.ts';
import type { RefObject } from 'preact';
import { textOf } from '../view/rows.ts';
import { timeOf, weightOf, wordsOf } from '../view/run.ts';
import { sinceZero } from '../view/time.ts';
import type { TraceModel } from './model.ts';
import { VirtualList } from './virtual-list.tsx';

const ROW = 27;

export function Events({ model, filter }: { model: TraceModel; filter: RefObject<HTMLInputElement | null> }) {
  const rows = model.rows.value;
  const comparison = model.comparison.value;
  const [a, b] = model.runs.value;
  if (!a) return null;
  const only = (kind: string): number => comparison?.rows.filter(row => row.kind === kind).length ?? 0;
  const all = comparison?.rows.length ?? (model.raw.value ? a.trace.events.length : a.told.length);
  return (
    <section class="pane events" aria-labelledby="events-head">
      <header class="pane-head">
        <h2 id="events-head">{comparison ? 'Both runs' : 'Events'}</h2>
        <input
          ref={filter}
          type="search"
          class="filter"
          placeholder="filter  /"
          aria-label="Filter events and raw lines"
          value={model.find.value}
          onInput={event => (model.find.value = event.currentTarget.value)}
        />
        {comparison ? (
          <label class="check">
            <input
              type="checkbox"
              checked={model.differences.value}
              onChange={event => (model.differences.value = event.currentTarget.checked)}
            />
            only differences <kbd>x</kbd>
          </label>
        ) : (
          <label class="check">
            <input
              type="checkbox"
              checked={model.raw.value}
              onChange={event => (model.raw.value = event.currentTarget.checked)}
            />
            every line <kbd>r</kbd>
          </label>
        )}
        {model.live.value && (
          <button
            type="button"
            class="button"
            aria-pressed={model.following.value}
            onClick={() => (model.following.value ? (model.following.value = false) : model.followEnd())}
          >
            follow the end <kbd>e</kbd>
          </button>
        )}
        <span class="muted count" {...(model.live.value ? {} : { role: 'status' })}>
          {rows.length === all
            ? all.toLocaleString('en')
            : `${rows.length.toLocaleString('en')} of ${all.toLocaleString('en')}`}
        </span>
      </header>
      {comparison && (
        <p class="compare-head">
          <span class="cell-time run-a">A</span>
          <span class="cell-time run-b">B</span>
          <span class="compare-sum">
            {comparison.first === undefined
              ? comparison.differ
                ? 'the same events, another verdict'
                : 'the runs tell the same'
              : [
                  [only('only-a'), 'only in A'],
                  [only('only-b'), 'only in B'],
                  [only('changed'), 'with other fields'],
                ]
                  .filter(([count]) => count !== 0)
                  .map(words => words.join(' '))
                  .join(' · ')}
          </span>
          {comparison.first !== undefined && (
            <button type="button" class="link" onClick={() => model.choose(model.firstDifference.value)}>
              first difference <kbd>g</kbd>
            </button>
          )}
        </p>
      )}
      {rows.length === 0 && (
        <p class="nothing">
          Nothing {model.find.value === '' ? 'to list' : `holds “${safeText(model.find.value, 60)}”`}.
          {!comparison && !model.raw.value && model.find.value !== '' ? ' Every line is searched with r.' : ''}
        </p>
      )}
      {rows.length > 0 && (
        <VirtualList
          id="row"
          label={comparison ? 'Events of both runs' : 'Events'}
          count={rows.length}
          rowHeight={ROW}
          active={model.position.value}
          onChoose={position => model.chooseRow(position)}
          onStep={step => model.step(step)}
          onScrolled={() => (model.following.value = false)}
          rowClass={position => rowClass(model, rows[position] ?? 0)}
          row={position =>
            comparison ? (
              <ComparedCells model={model} row={rows[position] ?? 0} />
            ) : (
              <EventCells model={model} index={rows[position] ?? 0} />
            )
          }
        />
      )}
      {b === undefined ? null : (
        <span class="sr">
          A is {safeText(a.name, 100)}, B is {safeText(b.name, 100)}
        </span>
      )}
    </section>
  );
}

function rowClass(model: TraceModel, row: number): string {
  const compared = model.comparison.value?.rows[row];
  if (compared) return `is-${compared.kind} ${model.comparison.value?.first === row ? 'is-first' : ''}`;
  const [run] = model.runs.value;
  return run ? `weight-${weightOf(run, row)}` : '';
}

/** What an event has to do with expectations, as a mark with a word. */
function Decides({ model, run, index }: { model: TraceModel; run: number; index: number }) {
  const of = model.runs.value[run];
  const event = of?.trace.events[index];
  const decided = (event && of.decides.get(event.seq)) ?? [];
  if (decided.length === 0) return null;
  const broke = decided.some(e => of?.judgement.expectations[e]?.status === 'fail');
  return (
    <span
      class={`mark mark-${broke ? 'fail' : 'pass'}`}
      title={broke ? 'evidence that an expectation failed' : 'evidence of an expectation'}
    >
      <span aria-hidden="true">{broke ? '✗' : '✓'}</span>
      <span class="sr">{broke ? 'broke an expectation' : 'evidence'}</span>
    </span>
  );
}

function EventCells({ model, index }: { model: TraceModel; index: number }) {
  const [run] = model.runs.value;
  const event = run?.trace.events[index];
  if (!run || !event) return null;
  const { text, raw } = textOf(run, index);
  return (
    <>
      <span class="cell-time">{sinceZero(timeOf(run, event))}</span>
      <span class={`cell-layer layer-${event.layer}`}>{event.layer}</span>
      <span class={`cell-text ${raw ? 'is-raw' : ''}`}>{text}</span>
      <Decides model={model} run={0} index={index} />
    </>
  );
}

const BADGES = { same: undefined, changed: 'other fields', 'only-a': 'only A', 'only-b': 'only B' } as const;

function ComparedCells({ model, row }: { model: TraceModel; row: number }) {
  const comparison = model.comparison.value;
  const [a, b] = model.runs.value;
  const compared = comparison?.rows[row];
  if (!compared || !a || !b) return null;
  const event = compared.a ?? compared.b;
  const badge = BADGES[compared.kind];
  const run = compared.a ? 0 : 1;
  const index = model.runs.value[run]?.indexOf(event?.seq ?? -1) ?? -1;
  return (
    <>
      <span class="cell-time">{compared.a ? sinceZero(timeOf(a, compared.a)) : '–'}</span>
      <span class="cell-time">{compared.b ? sinceZero(timeOf(b, compared.b)) : '–'}</span>
      <span class={`cell-layer layer-${event?.layer ?? 'lab'}`}>{event?.layer}</span>
      {comparison?.first === row && <span class="badge badge-first">first difference</span>}
      {badge !== undefined && <span class={`badge badge-${compared.kind}`}>{badge}</span>}
      <span class="cell-text">{event ? (wordsOf(event) ?? escapeText(event.name ?? '')) : ''}</span>
      <Decides model={model} run={run} index={index} />
    </>
  );
}
