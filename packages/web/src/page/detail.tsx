/** @module One event: as it was received, its fields, and the error record in it, decoded. */
import { useMemo, useState } from 'preact/hooks';
import { escapeLines, escapeText, safeText } from '@syndrome/decode/common/screen.ts';
import type { DecodedRecord } from '@syndrome/decode/decode/record.ts';
import { describe } from '@syndrome/decode/decode/record-rules.ts';
import { catalogEvent } from '@syndrome/decode/events/catalog.ts';
import type { FieldDifference } from '@syndrome/trace/compare/fields.ts';
import type { TraceEvent } from '@syndrome/trace/event.ts';
import type { Run } from '../view/run.ts';
import { timeOf, wordsOf } from '../view/run.ts';
import { sinceZero } from '../view/time.ts';
import { decodedOf } from '../view/record.ts';
import { jsonOf } from '../view/record-link.ts';
import { fieldLines } from '../view/values.ts';
import { Findings } from './findings.tsx';
import type { TraceModel } from './model.ts';
import { Prose } from './prose.tsx';

/** More of a raw line is shown when it is asked for. */
const MUCH = 4000;
export function Detail({ model, decode }: { model: TraceModel; decode: (text: string) => void }) {
  const place = model.selected.value;
  const run = place && model.runs.value[place.run];
  const event = run?.trace.events[place?.index ?? -1];
  const comparison = model.comparison.value;
  const compared = comparison && event && comparison.rows.find(row => (place?.run === 0 ? row.a : row.b) === event);
  return (
    <section class="pane detail" aria-labelledby="detail-head">
      <div class="pane-body" tabIndex={0} aria-label="The chosen event">
        {!run || !event ? (
          <>
            <h2 id="detail-head">Event</h2>
            <p class="nothing">Choose an event: with the pointer, or with j and k.</p>
          </>
        ) : (
          <>
            <One
              model={model}
              run={run}
              number={place?.run ?? 0}
              event={event}
              id="detail-head"
              differences={compared?.differences ?? []}
              decode={decode}
            />
            {compared?.a && compared.b && (
              <Other model={model} run={place?.run === 0 ? 1 : 0} event={place?.run === 0 ? compared.b : compared.a} />
            )}
          </>
        )}
      </div>
    </section>
  );
}

/** The name of an event behind its layer, with which most names begin. */
function nameBehind({ name, layer }: TraceEvent): string {
  if (name === undefined) return ' raw line';
  return name.startsWith(`${layer}.`) ? escapeText(name.slice(layer.length)) : ` ${escapeText(name)}`;
}

/** A line that leads to the same event of the other run. */
function Other({ model, run, event }: { model: TraceModel; run: number; event: TraceEvent }) {
  const other = model.runs.value[run];
  if (!other) return null;
  return (
    <p class="other">
      <b class={run === 0 ? 'run-a' : 'run-b'}>{run === 0 ? 'A' : 'B'}</b> has it at {sinceZero(timeOf(other, event))}:{' '}
      {wordsOf(event)}{' '}
      <button type="button" class="link" onClick={() => model.chooseSeq(run, event.seq)}>
        look at it
      </button>
    </p>
  );
}

interface OneProps {
  model: TraceModel;
  run: Run;
  number: number;
  event: TraceEvent;
  id: string;
  differences: readonly FieldDifference[];
  decode: (text: string) => void;
}

function One({ model, run, number, event, id, differences, decode }: OneProps) {
  const double = model.runs.value.length > 1;
  const words = wordsOf(event);
  const fields = useMemo(() => fieldLines(run, event), [run, event]);
  const decoded = useMemo(() => decodedOf(event), [event]);
  const decided = run.decides.get(event.seq) ?? [];
  const near = run.nearTo.get(event.seq) ?? [];
  const differ = new Map(differences.map(d => [d.field, d]));
  return (
    <article>
      <header class="event-head">
        <h2 id={id}>
          {double && <b class={number === 0 ? 'run-a' : 'run-b'}>{number === 0 ? 'A ' : 'B '}</b>}
          <span class={`layer-${event.layer}`}>{event.layer}</span>
          {nameBehind(event)}
        </h2>
        <span class="muted">
          event {event.seq} · {sinceZero(timeOf(run, event))}
        </span>
      </header>
      {words !== undefined && <p class="event-words">{words}</p>}
      {event.name !== undefined && <p class="muted event-meaning">{catalogEvent(event.name)?.text}</p>}
      {(decided.length > 0 || near.length > 0) && (
        <ul class="plain decides">
          {[...decided.map(e => [e, 'evidence'] as const), ...near.map(e => [e, 'nearest'] as const)].map(
            ([e, how]) => {
              const result = run.judgement.expectations[e];
              const failed = result?.status === 'fail';
              return (
                <li key={`${e}${how}`}>
                  <span class={`mark mark-${failed ? 'fail' : (result?.status ?? 'pass')}`} aria-hidden="true">
                    {failed ? '✗' : '✓'}
                  </span>{' '}
                  {how === 'nearest' ? 'nearest to what was expected: ' : failed ? 'broke: ' : 'evidence for: '}
                  <button
                    type="button"
                    class="link"
                    onClick={() =>
                      (model.expectation.value = model.expected.value.findIndex(
                        x => x.expectation === result?.expectation,
                      ))
                    }
                  >
                    <code>{escapeText(result?.expectation ?? '')}</code>
                  </button>
                </li>
              );
            },
          )}
        </ul>
      )}
      {differences.length > 0 && (
        <>
          <h3>Differs</h3>
          <table class="fields">
            <thead>
              <tr>
                <th scope="col">field</th>
                <th scope="col" class="run-a">
                  A
                </th>
                <th scope="col" class="run-b">
                  B
                </th>
              </tr>
            </thead>
            <tbody>
              {differences.map(d => (
                <tr key={d.field}>
                  <th scope="row">{escapeText(d.field)}</th>
                  <td>{escapeText(d.a ?? '–')}</td>
                  <td>{escapeText(d.b ?? '–')}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </>
      )}
      {event.raw !== undefined && <Raw event={event} raw={event.raw} />}
      {fields.length > 0 && (
        <>
          <h3>Fields</h3>
          <table class="fields">
            <tbody>
              {fields.map(({ name, value, saved }) => (
                <tr key={name} class={differ.has(name) ? 'is-different' : ''}>
                  <th scope="row">{name}</th>
                  <td>
                    {value}
                    {saved !== undefined && <span class="saved"> {saved}</span>}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </>
      )}
      {decoded && <Decoded record={decoded.record} whole={decoded.whole} decode={decode} />}
    </article>
  );
}

function Raw({ event, raw }: { event: TraceEvent; raw: string }) {
  const [whole, setWhole] = useState<TraceEvent | undefined>(undefined);
  const all = whole === event || raw.length <= MUCH;
  const way = event.dir === 'send' ? ', sent' : event.dir === 'receive' ? ', received' : '';
  return (
    <>
      <h3>
        As received <span class="muted">{event.source + way}</span>
      </h3>
      <pre class="raw">{escapeLines(all ? raw : raw.slice(0, MUCH))}</pre>
      {!all && (
        <button type="button" class="link" onClick={() => setWhole(event)}>
          all {raw.length.toLocaleString('en')} characters
        </button>
      )}
    </>
  );
}

const hex = (value: bigint): string => `0x${value.toString(16)}`;

function Decoded({ record, whole, decode }: { record: DecodedRecord; whole: boolean; decode: (text: string) => void }) {
  const views = describe(record.raw);
  return (
    <>
      <h3>
        Decoded{' '}
        <span class="muted">{whole ? 'the record that this line completes' : 'what this event says by itself'}</span>{' '}
        {whole && (
          <button type="button" class="link" onClick={() => decode(jsonOf(record))}>
            open in Decode
          </button>
        )}
      </h3>
      <div class="decoded">
        <p class="decoded-head">
          <b>{safeText(record.headline, 300)}</b>
        </p>
        <p class="badges">
          <span class={`badge severity-${record.severity}`}>{record.severity}</span>
          {record.class.toLowerCase() !== record.severity && <span class="badge">{safeText(record.class, 60)}</span>}
          {record.address && <span class="badge mono">{hex(record.address.value)}</span>}
        </p>
        <p>
          <Prose text={record.explanation} />
        </p>
        <p class="next-step">
          <b>Next step</b> <Prose text={record.nextStep} />
        </p>
        <Findings findings={record.lint} />
        {views.map(view => {
          const set = view.rows.filter(row => row.value !== 0n);
          return (
            <details key={view.member} open={views.length < 3 && set.length < 14}>
              <summary>
                <b>{safeText(view.name, 60)}</b>{' '}
                <code>{`0x${view.value.toString(16).padStart(view.width / 4, '0')}`}</code>
              </summary>
              <table class="fields">
                <tbody>
                  {set.map(row => (
                    <tr key={row.hi}>
                      <td class="muted">{row.hi === row.lo ? row.hi : `${row.hi}:${row.lo}`}</td>
                      <th scope="row">{row.name}</th>
                      <td>{row.hi === row.lo ? String(row.value) : hex(row.value)}</td>
                      <td class="meaning">{row.meaning ?? ''}</td>
                    </tr>
                  ))}
                </tbody>
              </table>
            </details>
          );
        })}
      </div>
    </>
  );
}
