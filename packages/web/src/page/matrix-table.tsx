/** @module The table: scenarios over kernels, walked with arrows. Letter and word, not colour alone. */
import { useLayoutEffect, useRef } from 'preact/hooks';
import { safeText } from '@syndrome/decode/common/screen.ts';
import { cellText, isJudged, isSurprise, kernelName, LETTERS, type MatrixLine } from '../view/matrix.ts';
import type { MatrixModel } from './matrix-model.ts';

const FAR = 1_000_000;
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
  const { kernels, lines } = model.shown.value;
  const found = model.found.value;
  const place = model.place.value;
  const across = model.kernelsAcross.value;
  // Before the next key: turned, the table has other elements.
  useLayoutEffect(() => {
    const cell = box.current?.querySelector<HTMLElement>('[tabindex="0"]');
    // At first what stands beside it is seen as well.
    cell?.scrollIntoView({ block: 'nearest', inline: walked.current ? 'nearest' : 'center' });
    walked.current = true;
    // Who walks the table stays in it.
    const at = document.activeElement;
    if (cell && (at === document.body || box.current?.contains(at))) cell.focus({ preventScroll: true });
  }, [place, across]);
  if (kernels.length === 0 || lines.length === 0) return <p class="nothing">Nothing of it is called so.</p>;

  // One cell can be reached with Tab; where the chosen one is filtered out, the first.
  const isThere = lines.some(({ name }) => name === place?.line) && kernels.includes(place?.kernel ?? '');
  const active = isThere ? place : { line: lines[0]?.name, kernel: kernels[0] };
  const cellOf = (line: MatrixLine, kernel: string) => (
    <Cell
      key={`${line.name} ${kernel}`}
      line={line}
      kernel={kernel}
      active={active?.line === line.name && active.kernel === kernel}
      across={across}
      onChoose={() => {
        model.choose({ line: line.name, kernel });
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
  const left = across ? found.lines.length - lines.length : found.kernels.length - kernels.length;
  return (
    <>
      <p class="legend muted">
        {left > 0 && <b>{left.toLocaleString('en')} more rows: filter to find them. </b>}
        thick edge: the outcome changes · <b>!</b> not what the outlook said · dashed: not measured
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
          aria-label="Scenarios over kernels"
          aria-rowcount={1 + (across ? found.lines : found.kernels).length}
        >
          <thead>
            <tr>
              <th scope="col">{across ? 'scenario' : 'guest kernel'}</th>
              {across
                ? kernels.map(kernel => (
                    <th scope="col" key={kernel}>
                      {kernelName(kernel)}
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
                    {kernels.map(kernel => cellOf(line, kernel))}
                  </tr>
                ))
              : kernels.map(kernel => (
                  <tr key={kernel}>
                    <th scope="row">{kernelName(kernel)}</th>
                    {lines.map(line => cellOf(line, kernel))}
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
  kernel: string;
  active: boolean;
  across: boolean;
  onChoose: () => void;
}

function Cell({ line, kernel, active, across, onChoose }: CellProps) {
  const cell = line.cells.get(kernel);
  const changed = line.changes.has(kernel);
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
      data-kernel={kernel}
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
