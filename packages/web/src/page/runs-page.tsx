/** @module The list of what the server has: runs that go on, traces, matrices. */
import { useEffect, useRef } from 'preact/hooks';
import { safeText } from '@syndrome/decode/common/screen.ts';
import type { RunsCommand } from '../view/keys.ts';
import { type ListedRow, sumWords } from '../view/listing.ts';
import type { RunsModel } from './runs-model.ts';
import { StreamWords } from './stream-words.tsx';
import { VirtualList } from './virtual-list.tsx';

const ROW = 44;

interface Props {
  model: RunsModel;
  bind: (run: (command: RunsCommand) => boolean) => void;
  /** Opens the chosen file. @param beside with the trace that is open */
  open: (beside: boolean) => void;
}

export function RunsPage({ model, bind, open }: Props) {
  const filter = useRef<HTMLInputElement>(null);
  useEffect(() => {
    model.open();
    return () => model.close();
  }, [model]);
  useEffect(() => {
    const commands: Partial<Record<RunsCommand, () => void>> = {
      next: () => model.step(1),
      previous: () => model.step(-1),
      filter: () => filter.current?.select(),
      open: () => open(false),
      compare: () => open(true),
      escape: () => {
        model.find.value = '';
        filter.current?.blur();
      },
    };
    bind(command => {
      // On a button Enter is the button's.
      if (command === 'open' && document.activeElement?.closest('button, summary, input')) return false;
      commands[command]?.();
      return commands[command] !== undefined;
    });
  }, [model]);

  const listing = model.listing.value;
  const trouble = model.trouble.value;
  const rows = model.rows.value;
  const state = model.state.value;
  if (!listing) {
    const waits = state === 'opening' || state === 'live';
    return (
      <main class="empty">
        <h1>{waits ? 'Reading the folders' : 'The server does not answer'}</h1>
        {waits ? (
          <progress aria-label="Reading the folders" />
        ) : (
          <p>It may have ended: open the link of a syndrome web that runs.</p>
        )}
      </main>
    );
  }
  return (
    <main class={`runs ${state === 'live' ? '' : 'is-stale'}`}>
      <h1 class="sr">Runs</h1>
      {trouble && (
        <p class="note note-problem" role="alert">
          <b>{safeText(trouble.message, 600)}</b> {safeText(trouble.hint ?? '', 600)}{' '}
          <button type="button" class="link" onClick={() => (model.trouble.value = undefined)}>
            close
          </button>
        </p>
      )}
      {listing.folders
        .filter(({ problem }) => problem !== undefined)
        .map(({ name, path, problem }) => (
          <p class="note note-problem" key={name}>
            <b>{safeText(path, 300)}</b>: {safeText(problem ?? '', 300)}
          </p>
        ))}
      <section class="pane" aria-label="Runs and matrices">
        <div class="pane-head">
          <input
            ref={filter}
            type="search"
            class="filter"
            aria-label="Filter files"
            placeholder="filter: scenario, fail, running, kernel  /"
            value={model.find.value}
            onInput={event => (model.find.value = event.currentTarget.value)}
          />
          <StreamWords stream={model.stream.value} />
          <span class="spring" />
          <span>{sumWords(listing.files)}</span>
          <span class="muted count">
            {rows.length === listing.files.length ? '' : `${rows.length} of `}
            {listing.files.length.toLocaleString('en')}
            {listing.more > 0 && ` newest of ${(listing.files.length + listing.more).toLocaleString('en')}`}
          </span>
        </div>
        {rows.length > 0 ? (
          <VirtualList
            id="file"
            label="Runs and matrices"
            count={rows.length}
            rowHeight={ROW}
            active={model.position.value}
            onChoose={position => {
              model.chooseAt(position);
              open(false);
            }}
            onStep={step => model.step(step)}
            rowClass={() => 'file-row'}
            row={position => <FileCells row={rows[position]} />}
          />
        ) : (
          <Nothing model={model} />
        )}
      </section>
    </main>
  );
}

function FileCells({ row }: { row: ListedRow | undefined }) {
  if (!row) return null;
  const { file, state, title, about, name, size, age } = row;
  return (
    <>
      <span class="cell-state">{state !== '' && <span class={`verdict verdict-${file.state}`}>{state}</span>}</span>
      <span class="cell-text">
        <b>{title}</b> {about}
        <span class="muted cell-name">{name}</span>
      </span>
      <span class="muted cell-age">
        {age} ago
        <span>{size}</span>
      </span>
    </>
  );
}

/** What is shown where no file is: what would bring one here. */
function Nothing({ model }: { model: RunsModel }) {
  const { files = [], folders = [] } = model.listing.value ?? {};
  if (files.length > 0) return <p class="nothing">No file holds “{safeText(model.find.value, 60)}”.</p>;
  return (
    <div class="empty">
      <h2>No runs yet</h2>
      <p>
        Runs, and what other commands leave in these folders, come here by themselves; a run is followed as it goes on.
      </p>
      <ul class="plain">
        {folders.map(({ name, path }) => (
          <li key={name}>
            <code>{safeText(path, 300)}</code>
          </li>
        ))}
      </ul>
      <pre class="raw">syndrome run intel-srao-process</pre>
    </div>
  );
}
