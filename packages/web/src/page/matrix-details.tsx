/** @module What is behind a cell: what its run came to and why, its trace, and the run to compare it with. */
import { AXES } from '@syndrome/trace/axes.ts';
import { safeText } from '@syndrome/decode/common/screen.ts';
import { outcomeWord, problemText } from '@syndrome/trace/verdict-lines.ts';
import { isPlace } from '@syndrome/trace/parts-line.ts';
import { bisections, fileName, isSurprise, versionName, rangeOf, runCommand } from '../view/matrix.ts';
import type { MatrixCell } from '../view/matrix-file.ts';
import type { MatrixModel } from './matrix-model.ts';
import { CopyCommand } from './copy-command.tsx';
import { VerdictBadge } from './verdict-badge.tsx';

interface Props {
  model: MatrixModel;
  openTrace: () => void;
  compare: () => void;
  copy: (command: string) => void;
}

const STATUS = { pass: ['✓', 'held'], fail: ['✗', 'failed'], 'not-judged': ['?', 'not judged'] } as const;
const ORDER = ['fail', 'not-judged', 'pass'] as const;

export function CellDetails({ model, openTrace, compare, copy }: Props) {
  const line = model.line.value;
  const { cell, other } = model.pairAt(model.place.value);
  const place = model.place.value;
  const range = line && cell?.verdict === 'fail' ? rangeOf(line, cell) : undefined;
  const again = cell && runCommand(cell);
  const name = [safeText(line?.scenario ?? '', 120), line?.besides].filter(Boolean).join(' · ');
  return (
    <section class="pane cell-details" aria-label="Cell">
      <div class="pane-head">
        <h2>
          {AXES[model.grid.value.axis].name} {versionName(place?.version ?? '')}
        </h2>
        <span class="muted">{name}</span>
        <span class="spring" />
        <button type="button" class="button" onClick={() => (model.details.value = false)}>
          close <kbd>Esc</kbd>
        </button>
      </div>
      <div class="pane-body" tabIndex={0} role="group" aria-label="Details">
        {cell ? (
          <>
            <p class="head-line">
              <VerdictBadge verdict={cell.verdict} />
              <span>
                outcome <b>{outcomeWord(cell)}</b> · {cell.seconds.toFixed(1)} s
              </span>
            </p>
            <p class="muted">{timesText(cell)}</p>
            {isSurprise(cell) && (
              <p>
                <b>!</b> Not what the outlook said before the injection.
              </p>
            )}
            {cell.problem && (
              <p class="note note-problem">
                {safeText(problemText(cell.problem), 600)} {safeText(cell.problem.hint ?? '', 600)}
              </p>
            )}
            {cell.causes.map(({ id, text }) => (
              <p class="note note-cause" key={id}>
                <b>Known cause</b> <code>{safeText(id, 100)}</code> {safeText(text, 600)}
              </p>
            ))}
            <p class="actions">
              {model.hasTrace(cell) && (
                <button type="button" class="button" onClick={openTrace}>
                  open the trace <kbd>o</kbd>
                </button>
              )}
              {other && model.hasTrace(cell) && model.hasTrace(other) && (
                <button type="button" class="button" onClick={compare}>
                  compare with {versionName(other.version)}, {other.verdict} <kbd>c</kbd>
                </button>
              )}
            </p>
            {cell.trace !== '' && !model.hasTrace(cell) && (
              <p class="muted">
                The trace is not in this page. Drop <code>{safeText(fileName(cell.trace), 200)}</code> here to open it.
              </p>
            )}
            <h3>Expectations</h3>
            {cell.expectations.length === 0 && <p class="muted">none was judged</p>}
            <ul class="plain judged">
              {cell.expectations
                .toSorted((a, b) => ORDER.indexOf(a.status) - ORDER.indexOf(b.status))
                .map(({ expectation, status, reason }, i) => (
                  <li key={i} class={`judged-${status}`}>
                    <span aria-hidden="true">{STATUS[status][0]}</span> <span class="sr">{STATUS[status][1]}</span>{' '}
                    <code>{safeText(expectation, 400)}</code>
                    <span class="muted reason">{safeText(reason, 400)}</span>
                  </li>
                ))}
            </ul>
            <h3>Machine</h3>
            <p class="badges">
              {Object.entries(cell.parts)
                .filter(([part]) => !isPlace(part))
                .slice(0, 30)
                .map(([part, value]) => (
                  <span class="badge" key={part}>
                    <span class="muted">{safeText(part, 40)}</span> {safeText(value, 120)}
                  </span>
                ))}
            </p>
            <Commands
              title="Where it begins and ends"
              commands={line && range ? bisections(range, line) : []}
              copy={copy}
            />
            <Commands title="Run it again" commands={again === undefined ? [] : [again]} copy={copy} />
            {cell.trace !== '' && <p class="muted trace-path">{safeText(cell.trace, 600)}</p>}
          </>
        ) : (
          <p class="muted">Not measured.</p>
        )}
      </div>
    </section>
  );
}

/** When the guest was ready and the error injected; how the machine came up. */
const timesText = ({ phases: { ready, injected }, restored }: MatrixCell): string =>
  [
    ready === undefined ? '' : `ready after ${ready.toFixed(1)} s`,
    injected === undefined ? '' : `injected after ${injected.toFixed(1)} s`,
    restored ? 'restored from a kept state' : '',
  ]
    .filter(Boolean)
    .join(' · ');

interface CommandsProps {
  title: string;
  commands: readonly string[];
  copy: (command: string) => void;
}

function Commands({ title, commands, copy }: CommandsProps) {
  if (commands.length === 0) return null;
  return (
    <>
      <h3>{title}</h3>
      {commands.map(command => (
        <CopyCommand key={command} command={command} copy={copy} />
      ))}
    </>
  );
}
