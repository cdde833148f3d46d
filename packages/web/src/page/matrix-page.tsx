/** @module The page of a matrix: which versions are bad, the table, and what is behind the chosen cell. */
import { useEffect, useRef } from 'preact/hooks';
import { AXES, type Axis } from '@syndrome/trace/axes.ts';
import { escapeText, safeText } from '@syndrome/decode/common/screen.ts';
import type { MatrixCommand } from '../view/keys.ts';
import {
  bisections,
  bisectionWords,
  causesOfCells,
  countText,
  rangeText,
  unjudged,
  versionName,
} from '../view/matrix.ts';
import type { CellPlace } from '../view/matrix-link.ts';
import { CopyCommand } from './copy-command.tsx';
import { CellDetails } from './matrix-details.tsx';
import { MatrixTable } from './matrix-table.tsx';
import type { MatrixModel } from './matrix-model.ts';

interface Props {
  model: MatrixModel;
  choose: () => void;
  bind: (run: (command: MatrixCommand) => boolean) => void;
  /** Opens traces of cells on their page; false where one is not at hand. */
  open: (places: readonly CellPlace[], hash?: string) => Promise<boolean>;
  copy: (command: string) => void;
}

/** So many lines are summed up on top; all of them stand in the table. */
const MAX_SUMMED = 40;

export function MatrixPage({ model, choose, bind, open, copy }: Props) {
  const filter = useRef<HTMLInputElement>(null);
  const openPair = (compared: boolean): void => {
    const { value: place } = model.place;
    const { cell, other } = model.pairAt(place);
    if (!place || !cell) return;
    const second = compared && other ? [{ line: place.line, version: other.version }] : [];
    // Of the two the failed one is A.
    const places = cell.verdict === 'pass' ? [...second, place] : [place, ...second];
    void open(compared ? places : [place]).then(done => {
      if (!done) model.details.value = true;
      if (!done) model.say('the trace is not in this page');
    });
  };
  useEffect(() => {
    const commands: Partial<Record<MatrixCommand, () => void>> = {
      'next-change': () => model.stepChange(1),
      'previous-change': () => model.stepChange(-1),
      'first-bad': () => model.firstBad(),
      filter: () => filter.current?.select(),
      turn: () => model.turn(),
      axis: () => model.over(),
      open: () => openPair(false),
      compare: () => openPair(true),
      escape: () => {
        if (model.find.value === '') model.details.value = false;
        model.find.value = '';
        filter.current?.blur();
      },
    };
    bind(command => {
      // On a button Enter is the button's.
      if (command === 'details' && document.activeElement?.closest('button, a, summary, input')) return false;
      if (command === 'details') model.details.value = !model.details.value;
      else commands[command]?.();
      return true;
    });
  }, [model]);

  if (model.files.value.length === 0) return <Empty model={model} choose={choose} />;
  return (
    <main class="matrix">
      <Summary model={model} copy={copy} />
      <div class={`matrix-body ${model.details.value ? 'is-open' : ''}`}>
        <section class="pane" aria-label="Table">
          <div class="pane-head">
            <input
              ref={filter}
              type="search"
              class="filter"
              aria-label="Filter scenarios, parts and versions"
              placeholder="filter: scenario, CPU, version, fail, panicked  /"
              value={model.find.value}
              onInput={event => (model.find.value = event.currentTarget.value)}
            />
            {model.grids.value.length > 1 && (
              <select
                class="axis"
                aria-label="What the table is over"
                value={model.grid.value.axis}
                onChange={event => model.over(event.currentTarget.value as Axis)}
              >
                {model.grids.value.map(({ axis }) => (
                  <option key={axis} value={axis}>
                    over {AXES[axis].many}
                  </option>
                ))}
              </select>
            )}
            <button type="button" class="button" onClick={() => model.turn()}>
              turn <kbd>x</kbd>
            </button>
          </div>
          <MatrixTable model={model} />
        </section>
        {model.details.value && (
          <CellDetails model={model} openTrace={() => openPair(false)} compare={() => openPair(true)} copy={copy} />
        )}
      </div>
    </main>
  );
}

/** What of all of it counts: what is bad, from where to where, why, and how it is narrowed down. */
function Summary({ model, copy }: { model: MatrixModel; copy: (command: string) => void }) {
  const { axis, lines, versions } = model.grid.value;
  const { one, many } = AXES[axis];
  const scenarios = [...new Set(lines.map(({ scenario }) => scenario))];
  const [only] = lines;
  const causes = causesOfCells(lines.flatMap(({ cells }) => [...cells.values()]));
  const bad = lines.filter(line => line.bad.length > 0);
  const silent = lines.flatMap(line => unjudged(line).map(entry => ({ ...entry, scenario: line.scenario })));
  const damaged = model.files.value.reduce((sum, file) => sum + file.damaged, 0);
  return (
    <div class="head matrix-head">
      <p class="head-line">
        <h1>
          {scenarios.length === 1 && only
            ? safeText(only.scenario, 120)
            : `${scenarios.length.toLocaleString('en')} scenarios`}
        </h1>
        <span class="muted">{scenarios.length === 1 && only ? safeText(only.title, 200) : ''}</span>
        <span class="muted file">
          {versions.length === 1 ? `1 ${one}` : `${versions.length.toLocaleString('en')} ${many}`}
          {lines.length > 1 ? ` · ${lines.length.toLocaleString('en')} lines` : ''}
        </span>
      </p>
      {bad.length === 0 && (
        <p class="matrix-line">
          {lines.some(({ cells }) => [...cells.values()].some(({ verdict }) => verdict === 'pass'))
            ? `No ${one} that was measured is bad.`
            : 'Nothing was judged.'}
          {only && lines.length === 1 ? ` ${countText(only)}` : ''}
        </p>
      )}
      {lines
        .flatMap(line => bisectionWords(line))
        .map(text => (
          <p class="matrix-line" key={text}>
            {text}
          </p>
        ))}
      <ul class="plain matrix-bad">
        {bad.slice(0, MAX_SUMMED).flatMap(line =>
          line.bad.slice(0, MAX_SUMMED).map((range, i) => (
            <li key={`${line.name} ${i}`} class="matrix-line">
              {lines.length > 1 && <b>{safeText([line.scenario, line.besides].filter(Boolean).join(' · '), 200)} </b>}
              <button
                type="button"
                class="range"
                onClick={() => {
                  model.jump({ line: line.name, version: range.first.version });
                  model.details.value = true;
                }}
              >
                <b aria-hidden="true">✗</b> {rangeText(range)}
              </button>
              <Commands commands={bisections(range, line)} folded={lines.length > 1} copy={copy} />
            </li>
          )),
        )}
        {bad.length > MAX_SUMMED && <li class="muted">and {bad.length - MAX_SUMMED} more lines, in the table</li>}
      </ul>
      {causes.map(({ id, text, history }) => (
        <details class="note note-cause" key={id}>
          <summary>
            <b>Known cause</b> <code>{escapeText(id)}</code> {escapeText(text)}
          </summary>
          <p>{escapeText(history)}</p>
        </details>
      ))}
      {silent.length > 0 && (
        <details class="note note-problem">
          <summary>
            {silent.length === 1 ? '1 cell says' : `${silent.length} cells say`} nothing of the system under test
          </summary>
          <ul>
            {silent.slice(0, 50).map(({ scenario, version, why }, i) => (
              <li key={i}>
                {lines.length > 1 ? `${safeText(scenario, 120)} ` : ''}
                {versionName(version)}: {safeText(why, 400)}
              </li>
            ))}
          </ul>
        </details>
      )}
      {damaged > 0 && (
        <p class="note note-problem" role="alert">
          <b>{damaged === 1 ? 'One cell is' : `${damaged.toLocaleString('en')} cells are`} damaged</b> and not shown:
          they say no verdict or outcome.
        </p>
      )}
    </div>
  );
}

interface CommandsProps {
  commands: readonly string[];
  /** Of several lines, whose commands would push the table away. */
  folded: boolean;
  copy: (command: string) => void;
}

/** How a range is narrowed down. */
function Commands({ commands, folded, copy }: CommandsProps) {
  if (commands.length === 0) return null;
  const all = commands.map(command => <CopyCommand key={command} command={command} copy={copy} />);
  return folded ? (
    <details class="commands">
      <summary>narrow it down</summary>
      {all}
    </details>
  ) : (
    <div class="commands">
      <span class="muted">narrow it down</span> {all}
    </div>
  );
}

/** What is shown before there is a matrix: how one comes here. */
function Empty({ model, choose }: { model: MatrixModel; choose: () => void }) {
  const trouble = model.trouble.value;
  const reading = model.reading.value;
  return (
    <main class="empty">
      <h1>{reading === undefined ? 'Drop a matrix here' : `Reading ${safeText(reading, 120)}`}</h1>
      <p>
        It is what <code>syndrome matrix … --json</code> prints. Several make one table; traces that are dropped with it
        open behind their cells.
      </p>
      {trouble && (
        <p class="note note-problem" role="alert">
          <b>{safeText(trouble.message, 600)}</b> {safeText(trouble.hint, 600)}
        </p>
      )}
      <p>
        <button type="button" class="button button-main" onClick={choose}>
          Choose files…
        </button>
      </p>
      <p class="muted">Where none is yet, a command makes one, with its traces in the page:</p>
      <pre class="raw">{'syndrome matrix amd-deferred --guest-kernel 6.18.. --html matrix.html'}</pre>
    </main>
  );
}
