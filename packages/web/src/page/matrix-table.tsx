/** @module The table: scenarios over versions, walked with arrows. Letter and word, not colour alone. */
import { useLayoutEffect, useRef } from 'preact/hooks';
import { AXES } from '@syndrome/trace/axes.ts';
import { safeText } from '@syndrome/decode/common/screen.ts';
import { cellText, isJudged, isSurprise, versionName, LETTERS, type MatrixLine } from '../view/matrix.ts';
import type { MatrixModel } from './matrix-model.ts';

const FAR = 1_000_000;
/** What the focus ring needs around a cell, CSS pixels. */
const EDGE = 4;
/** Rows and columns that a key goes on by. */
const MOVES: Readonly<Record<string, readonly [rows: number, columns: number]>> = {
  ArrowDown: [1, 0],
  ArrowUp: [-1, 0],
  ArrowRight: [0, 1],
  ArrowLeft: [0, -1],
  Home: [0, -FAR],
  End: [0, FAR],
  PageDown: [10, 0],
  PageUp: [-10, 0],
};

export function MatrixTable({ model }: { model: MatrixModel }) {
  const box = useRef<HTMLDivElement>(null);
  const walked = useRef(false);
  const { value: jumps } = model.jumps;
  const jumped = useRef(jumps);
  const { versions, lines } = model.shown.value;
  const found = model.found.value;
  const place = model.place.value;
  const across = model.versionsAcross.value;
  // Before the next key: turned, the table has other elements.
  useLayoutEffect(() => {
    const cell = box.current?.querySelector<HTMLElement>('[tabindex="0"]');
    // What sticks covers what is scrolled below it.
    const corner = box.current?.querySelector('th');
    if (box.current && corner)
      box.current.style.scrollPadding = `${corner.offsetHeight + EDGE}px ${EDGE}px ${EDGE}px ${corner.offsetWidth + EDGE}px`;
    // At first what stands beside it is seen as well.
    cell?.scrollIntoView({ block: 'nearest', inline: walked.current ? 'nearest' : 'center' });
    walked.current = true;
    // Who walks the table stays in it; who jumps comes to it.
    const at = document.activeElement;
    const comes = jumped.current !== jumps || at === document.body || box.current?.contains(at) === true;
    jumped.current = jumps;
    if (comes) cell?.focus({ preventScroll: true });
  }, [place, across, jumps]);
  if (versions.length === 0 || lines.length === 0) return <p class="nothing">Nothing of it is called so.</p>;

  // One cell can be reached with Tab; where the chosen one is filtered out, the first.
  const isThere = lines.some(({ name }) => name === place?.line) && versions.includes(place?.version ?? '');
  const active = isThere ? place : { line: lines[0]?.name, version: versions[0] };
  const cellOf = (line: MatrixLine, version: string) => (
    <Cell
      key={`${line.name} ${version}`}
      line={line}
      version={version}
      active={active?.line === line.name && active.version === version}
      across={across}
      onChoose={() => {
        model.choose({ line: line.name, version });
        model.details.value = true;
      }}
    />
  );
  const lineHead = (line: MatrixLine, scope: 'row' | 'col') => (
    <th scope={scope} key={line.name}>
      {safeText(line.scenario, 120)}
      {line.besides !== '' && <span class="muted besides">{line.besides}</span>}
    </th>
  );
  const left = across ? found.lines.length - lines.length : found.versions.length - versions.length;
  return (
    <>
      <p class="legend muted">
        {left > 0 && <b>{left.toLocaleString('en')} more rows: filter to find them. </b>}
        over {AXES[model.shown.value.axis].many} · thick edge: the outcome changes · <b>!</b> not what the outlook said
        · dashed: not measured
      </p>
      <div
        class="pane-body matrix-box"
        ref={box}
        onKeyDown={event => {
          const move = MOVES[event.key];
          if (!move || event.ctrlKey || event.metaKey || event.altKey) return;
          event.preventDefault();
          model.step(...move);
        }}
      >
        <table
          class="matrix-table"
          role="grid"
          aria-label={`Scenarios over ${AXES[model.shown.value.axis].many}`}
          aria-rowcount={1 + (across ? found.lines : found.versions).length}
        >
          <thead>
            <tr>
              <th scope="col">{across ? 'scenario' : AXES[model.shown.value.axis].name}</th>
              {across
                ? versions.map(version => (
                    <th scope="col" key={version}>
                      {versionName(version)}
                    </th>
                  ))
                : lines.map(line => lineHead(line, 'col'))}
            </tr>
          </thead>
          <tbody>
            {across
              ? lines.map(line => (
                  <tr key={line.name}>
                    {lineHead(line, 'row')}
                    {versions.map(version => cellOf(line, version))}
                  </tr>
                ))
              : versions.map(version => (
                  <tr key={version}>
                    <th scope="row">{versionName(version)}</th>
                    {lines.map(line => cellOf(line, version))}
                  </tr>
                ))}
          </tbody>
        </table>
      </div>
    </>
  );
}

interface CellProps {
  line: MatrixLine;
  version: string;
  active: boolean;
  across: boolean;
  onChoose: () => void;
}

function Cell({ line, version, active, across, onChoose }: CellProps) {
  const cell = line.cells.get(version);
  const changed = line.changes.has(version);
  const classes = [
    'cell',
    cell ? `cell-${cell.verdict}` : 'is-hollow',
    ...(changed ? [across ? 'is-changed-left' : 'is-changed'] : []),
  ];
  return (
    <td
      class={classes.join(' ')}
      tabIndex={active ? 0 : -1}
      aria-selected={active}
      data-version={version}
      onClick={onChoose}
    >
      {cell && isJudged(cell) && (
        <>
          <b class="cell-letter">
            {LETTERS[cell.outcome]}
            {isSurprise(cell) ? '!' : ''}
          </b>{' '}
          <span class="cell-word">
            {cell.verdict === 'fail' ? '✗ ' : ''}
            {cell.outcome}
          </span>
        </>
      )}
      {cell && !isJudged(cell) && <span class="cell-word">{cell.verdict}</span>}
      {!cell && <span aria-hidden="true">·</span>}
      <span class="sr"> {cellText(cell, changed)}</span>
    </td>
  );
}
