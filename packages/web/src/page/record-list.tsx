/** @module The input, and the list of its records or of what says the same. */
import type { RefObject } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { safeText } from '@syndrome/decode/common/screen.ts';
import { rowOf } from '../view/record-rows.ts';
import type { DecodeModel, Input } from './decode-model.ts';
import { VirtualList } from './virtual-list.tsx';

const ROW = 46;
const count = (n: number): string => n.toLocaleString('en');

export function RecordListView({ model, filter }: { model: DecodeModel; filter: RefObject<HTMLInputElement | null> }) {
  const input = model.input.value;
  void model.version.value;
  const { records } = model.list;
  const rows = model.rows.value;
  const groups = model.grouped.value ? model.list.groups() : undefined;
  if (!input) return null;
  return (
    <section class="pane records" aria-labelledby="records-head">
      <InputView model={model} input={input} />
      <header class="pane-head">
        <h2 id="records-head" class="sr">
          Records
        </h2>
        {records.length > 1 && (
          <>
            <input
              ref={filter}
              type="search"
              class="filter"
              placeholder="filter  /"
              aria-label="Filter records"
              value={model.find.value}
              onInput={event => {
                model.grouped.value = false;
                model.find.value = event.currentTarget.value;
              }}
            />
            <label class="check">
              <input
                type="checkbox"
                checked={model.grouped.value}
                onChange={event => (model.grouped.value = event.currentTarget.checked)}
              />
              groups <kbd>g</kbd>
            </label>
          </>
        )}
        <span class="muted count" role="status">
          {rows.length === records.length ? '' : `${count(rows.length)} of `}
          {count(records.length)} {records.length === 1 ? 'record' : 'records'}
        </span>
      </header>
      {groups && (
        <ul class="plain pane-body groups" tabIndex={0} aria-label="What says the same">
          {groups.map(({ title, severity, count: times, cpus, pages, first }) => (
            <li key={severity + title} class={`bar-${severity}`}>
              <button
                type="button"
                onClick={() => {
                  model.choose(first);
                  model.grouped.value = false;
                  model.find.value = title.toLowerCase();
                }}
              >
                {title}
                <span class="muted">
                  {severity} × {count(times)}
                  {pages > 0 ? ` · ${count(pages)} ${pages === 1 ? 'page' : 'pages'}` : ''}
                  {cpus > 0 ? ` · ${count(cpus)} ${cpus === 1 ? 'CPU' : 'CPUs'}` : ''}
                </span>
              </button>
            </li>
          ))}
        </ul>
      )}
      {!groups && rows.length === 0 && records.length > 0 && (
        <p class="nothing">Nothing holds “{safeText(model.find.value, 60)}”.</p>
      )}
      {!groups && rows.length > 0 && (
        <VirtualList
          id="record"
          label="Records"
          count={rows.length}
          rowHeight={ROW}
          active={rows.indexOf(model.chosen.value)}
          onChoose={position => model.choose(rows[position] ?? -1)}
          onStep={step => model.step(step)}
          rowClass={position => `bar-${records[rows[position] ?? -1]?.severity ?? 'info'}`}
          row={position => <Cells model={model} index={rows[position] ?? -1} />}
        />
      )}
      <Remarks model={model} input={input} />
    </section>
  );
}

function Cells({ model, index }: { model: DecodeModel; index: number }) {
  const record = model.list.records[index];
  if (!record) return null;
  const { title, where, severity, findings, place } = rowOf(record, model.list.named);
  return (
    <span class="record-row">
      <span class="record-title">{title}</span>
      <span class="record-where">
        <span class="record-at">
          <b class={`severity-${severity}`}>{severity}</b>
          {where === '' ? '' : ` · ${where}`}
        </span>
        {findings > 0 && <span class="flag">!{findings}</span>} <span class="muted">{place}</span>
      </span>
    </span>
  );
}

/** Rows that a short text takes in the column, of about 34 characters each. */
const rowsOf = (text: string): number =>
  Math.min(
    7,
    text.split('\n').reduce((sum, line) => sum + Math.max(1, Math.ceil(line.length / 34)), 1),
  );

function InputView({ model, input }: { model: DecodeModel; input: Input }) {
  const [text, setText] = useState(input.text ?? '');
  useEffect(() => setText(input.text ?? ''), [input.parts]);
  const names = input.parts.map(({ name }) => name);
  return (
    <div class="input-view">
      {input.text !== undefined && (
        <textarea
          aria-label="The input; a change is decoded at once"
          rows={rowsOf(input.text)}
          spellcheck={false}
          value={text}
          onInput={event => {
            setText(event.currentTarget.value);
            void model.openText(event.currentTarget.value, input.name, true);
          }}
        />
      )}
      <p>
        <span class="input-name" title={safeText(names.join(', '), 600)}>
          <b>{safeText(input.name, 80)}</b> {names.length > 1 && `${safeText(names.join(', '), 160)} `}
          <span class="muted">
            {input.form === '' ? '' : `read as ${input.form} · `}
            {count(input.size)} bytes
          </span>
        </span>
        <button type="button" class="link" onClick={() => model.close()}>
          new <kbd>e</kbd>
        </button>
      </p>
      {input.share !== undefined && (
        <progress aria-label={`Reading ${safeText(input.name, 80)}`} value={input.share} max={1} />
      )}
    </div>
  );
}

/** What was cut, damaged or not understood, with the line where it stands. */
function Remarks({ model, input }: { model: DecodeModel; input: Input }) {
  if (input.remarks.length === 0) return null;
  return (
    <details class="remarks" open={input.remarks.some(({ code }) => code === 'W_TEXT_NEWER')}>
      <summary>
        {input.remarks.length} {input.remarks.length === 1 ? 'remark' : 'remarks'} on the input
      </summary>
      <ul class="plain">
        {input.remarks.map(({ code, text, line, part }, i) => (
          <li key={i}>
            <code>{code}</code> {text}
            {line !== undefined && (
              <button type="button" class="link" onClick={() => model.chooseLine(line, input.parts[part]?.name ?? '')}>
                {input.given > 1 && safeText(`${input.parts[part]?.name ?? ''}, `, 80)}line {line}
              </button>
            )}
          </li>
        ))}
      </ul>
    </details>
  );
}
