/** @module The frame of all pages: what is on top, files that are dropped, keys, what was copied. */
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import {
  commandOf,
  DECODE_KEYS,
  type DecodeCommand,
  type KeyRow,
  MATRIX_KEYS,
  type MatrixCommand,
  RUNS_KEYS,
  type RunsCommand,
  TRACE_KEYS,
  type TraceCommand,
} from '../view/keys.ts';
import { masthead, type PageName, PAGES } from '../view/masthead.ts';
import { safeText } from '@syndrome/decode/common/screen.ts';
import { stateOf } from '../view/run.ts';
import { take, takeCommand, takeMatrix, takeRecord } from './copy.ts';
import { DecodePage } from './decode-page.tsx';
import { isFileDrag, onKeptDrops } from './early-drop.ts';
import { elementOf } from './element.ts';
import { KeysDialog } from './keys-dialog.tsx';
import { MatrixPage } from './matrix-page.tsx';
import { useAddress } from './address.ts';
import type { PagesModel } from './pages.ts';
import { RunsPage } from './runs-page.tsx';
import { isStale } from './server-stream.ts';
import type { ThemeModel } from './theme.ts';
import { TracePage } from './trace-page.tsx';

interface Props {
  pages: PagesModel;
  theme: ThemeModel;
}

type Command = TraceCommand | DecodeCommand | MatrixCommand | RunsCommand;

const KEYS: Readonly<Record<PageName, readonly KeyRow<Command>[]>> = {
  decode: DECODE_KEYS,
  trace: TRACE_KEYS,
  matrix: MATRIX_KEYS,
  runs: RUNS_KEYS,
};
/** What a link leads to. */
const LINKED: Readonly<Record<PageName, string>> = { decode: 'record', trace: 'moment', matrix: 'cell', runs: 'list' };

const isPage = (command: Command): command is PageName => PAGES.some(name => name === command);

const isTyping = (target: EventTarget | null): boolean =>
  target instanceof HTMLTextAreaElement ||
  target instanceof HTMLSelectElement ||
  (target instanceof HTMLInputElement && !/^(?:checkbox|file|button)$/.test(target.type));

export function App({ pages, theme }: Props) {
  const [keys, setKeys] = useState(false);
  const [toast, setToast] = useState('');
  const [dropping, setDropping] = useState(false);
  const picker = useRef<HTMLInputElement>(null);
  const compare = useRef(false);
  const bound = useRef<(command: Command) => boolean>(() => false);
  const { trace, decode, matrix } = pages;
  const page = pages.page.value;
  const runs = trace.runs.value;
  const keysOf = (name: PageName): readonly KeyRow<Command>[] =>
    KEYS[name].filter(({ served }) => pages.served || served === undefined);
  const { theme: chosen } = theme;
  const left = pages.left.value;

  const tell = (text: string): void => {
    setToast(text);
    pages[pages.page.value].say(text);
  };
  useEffect(() => {
    if (toast === '') return undefined;
    const timer = setTimeout(() => setToast(''), 2600);
    return () => clearTimeout(timer);
  }, [toast]);

  const choose = (beside: boolean): void => {
    compare.current = beside;
    picker.current?.click();
  };
  const turnTo = ({ target }: { target: EventTarget | null }): void => {
    const name = target instanceof Element ? target.closest<HTMLElement>('[data-page]')?.dataset['page'] : undefined;
    const chosen = PAGES.find(page => page === name);
    if (chosen) pages.page.value = chosen;
  };
  const open = (files: Iterable<File> | null | undefined, beside: boolean): void => {
    const list = [...(files ?? [])].map(file => ({ blob: file, name: file.name }));
    if (list.length > 0) void pages.give(list, beside);
  };
  const isShown = (): Readonly<Record<PageName, boolean>> => ({
    trace: trace.runs.value.length > 0,
    decode: decode.record.value !== undefined,
    matrix: matrix.files.value.length > 0,
    runs: false,
  });
  const shows = isShown()[page];
  const copy = (what: Parameters<typeof take>[1]): void => {
    if (!isShown()[pages.page.value]) return;
    const words = what === 'link' ? 'link' : 'text';
    const done = {
      trace: () => take(trace, what),
      decode: () => takeRecord(decode, words),
      matrix: () => takeMatrix(matrix, words),
      runs: () => Promise.resolve(''),
    }[pages.page.value]();
    done.then(tell, () => tell(`${what} could not be made`));
  };

  const act = (command: Command): boolean => {
    if (command === 'keys') setKeys(open => !open);
    else if (command === 'theme') tell(`colours: ${theme.next()}`);
    else if (command === 'link') copy('link');
    else if (command === 'copy') copy('text');
    else if (isPage(command)) pages.page.value = command;
    else return bound.current(command);
    return true;
  };
  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      if (event.defaultPrevented || document.querySelector('dialog[open]')) return;
      const command = commandOf(keysOf(pages.page.value), event, isTyping(event.target));
      if (command !== undefined && act(command)) event.preventDefault();
    };
    addEventListener('keydown', onKey);
    return () => removeEventListener('keydown', onKey);
  }, [pages, theme]);

  const ofServer = pages.matrices.value;
  useEffect(() => (page === 'matrix' ? pages.watchMatrices() : undefined), [page, ofServer]);

  useAddress(pages);

  const headline = decode.record.value?.headline;
  const matrices = matrix.files.value;
  const stale = isStale(trace.live.value);
  useEffect(() => {
    const [a, b] = runs;
    const scenarios = [...new Set(matrices.map(({ scenario }) => scenario))];
    const said =
      page === 'runs'
        ? 'Runs'
        : page === 'matrix'
          ? safeText(['Matrix', ...scenarios].join(' '), 100)
          : page === 'decode'
            ? safeText(headline ?? 'Decode', 100)
            : a
              ? `${(stale ? 'stale' : stateOf(a)).toUpperCase()} ${safeText(a.trace.header.scenario, 80)}${b ? ' compared' : ''}`
              : 'Trace';
    document.title = `${said} · Syndrome`;
  }, [runs, page, headline, matrices, stale]);

  // From the moment when the page is seen: later effects run behind a picture of it.
  useLayoutEffect(() => {
    const leaveKept = onKeptDrops(files => open(files, false));
    const over = (event: DragEvent): void => {
      if (!isFileDrag(event)) return;
      event.preventDefault();
      setDropping(true);
    };
    const leave = (event: DragEvent): void => {
      if (event.relatedTarget === null) setDropping(false);
    };
    const drop = (event: DragEvent): void => {
      if (!isFileDrag(event)) return;
      event.preventDefault();
      setDropping(false);
      const beside = event.target instanceof Element && event.target.closest('[data-drop="beside"]') !== null;
      open(event.dataTransfer?.files, beside);
    };
    addEventListener('dragover', over);
    addEventListener('dragleave', leave);
    addEventListener('drop', drop);
    return () => {
      leaveKept();
      removeEventListener('dragover', over);
      removeEventListener('dragleave', leave);
      removeEventListener('drop', drop);
    };
  }, [pages]);

  const troubled = page === 'decode' || page === 'runs' ? undefined : pages[page].trouble;
  const trouble = shows ? troubled?.value : undefined;
  const reading = page === 'trace' ? trace.reading.value : undefined;
  return (
    <>
      <header class="top" onClick={turnTo}>
        {masthead(pages.served, page).map(elementOf)}
        <span class="spring" />
        {(shows || (page === 'decode' && decode.input.value !== undefined)) && (
          <button type="button" class="button" onClick={() => choose(false)}>
            open…
          </button>
        )}
        {page === 'matrix' && shows && (
          <button type="button" class="button" onClick={() => choose(true)}>
            add…
          </button>
        )}
        {page === 'trace' && shows && (
          <button type="button" class="button" onClick={() => (runs.length > 1 ? trace.closeSecond() : choose(true))}>
            {runs.length > 1 ? 'close B' : 'compare…'} <kbd>c</kbd>
          </button>
        )}
        {shows && (
          <span class="button-group" role="group" aria-label="Copy">
            <span class="muted" aria-hidden="true">
              copy
            </span>
            <button type="button" class="button" aria-label="Copy as text" onClick={() => copy('text')}>
              text
            </button>
            {page === 'trace' &&
              (['SVG', 'PNG'] as const).map(what => (
                <button
                  key={what}
                  type="button"
                  class="button"
                  aria-label={`Copy as ${what}`}
                  onClick={() => copy(what)}
                >
                  {what}
                </button>
              ))}
            <button
              type="button"
              class="button"
              aria-label={`Copy a link to this ${LINKED[page]}`}
              onClick={() => copy('link')}
            >
              link
            </button>
          </span>
        )}
        <button
          type="button"
          class="button button-icon"
          aria-label={`Colours: ${chosen.value}`}
          title={`colours: ${chosen.value}`}
          onClick={() => act('theme')}
        >
          <svg width="16" height="16" viewBox="0 0 16 16" aria-hidden="true">
            <circle cx="8" cy="8" r="6" class="theme-ring" />
            <path
              d={
                chosen.value === 'light'
                  ? ''
                  : chosen.value === 'dark'
                    ? 'M8 2a6 6 0 1 1 0 12 6 6 0 0 1 0-12z'
                    : 'M8 2a6 6 0 0 1 0 12z'
              }
              class="theme-half"
            />
          </svg>
        </button>
        <button type="button" class="button button-icon" aria-label="Keys" onClick={() => setKeys(true)}>
          ?
        </button>
      </header>
      {trouble && (
        <p class="note note-problem" role="alert">
          <b>{safeText(trouble.message, 600)}</b> {safeText(trouble.hint ?? '', 600)}{' '}
          <button type="button" class="link" onClick={() => troubled && (troubled.value = undefined)}>
            close
          </button>
        </p>
      )}
      {pages.note.value !== '' && (
        <p class="note note-problem" role="status">
          {pages.note.value}{' '}
          <button type="button" class="link" onClick={() => (pages.note.value = '')}>
            close
          </button>
        </p>
      )}
      {left.length > 0 && (
        <p class="note note-problem" role="status">
          {left.length} more {left.length === 1 ? 'file was' : 'files were'} given and not read:{' '}
          {safeText(left.join(', '), 300)}{' '}
          <button type="button" class="link" onClick={() => (pages.left.value = [])}>
            close
          </button>
        </p>
      )}
      {runs.length > 0 && reading && (
        <progress
          class="top-progress"
          aria-label={`Reading ${safeText(reading.name, 80)}`}
          {...(reading.share === undefined ? {} : { value: reading.share })}
          max={1}
        />
      )}
      {page === 'runs' ? (
        <RunsPage
          model={pages.runs}
          bind={run => (bound.current = run as (command: Command) => boolean)}
          open={beside => {
            const { file } = pages.runs;
            if (file && (!beside || file.kind === 'trace')) void pages.openListed(file, beside);
          }}
        />
      ) : page === 'trace' ? (
        <TracePage
          model={trace}
          theme={theme}
          choose={choose}
          bind={run => (bound.current = run as (command: Command) => boolean)}
          decode={text => {
            pages.page.value = 'decode';
            void decode.openText(text, 'event of a trace');
          }}
        />
      ) : page === 'matrix' ? (
        <MatrixPage
          model={matrix}
          choose={() => choose(false)}
          bind={run => (bound.current = run as (command: Command) => boolean)}
          open={(places, hash) => pages.openCells(places, hash)}
          copy={command => void takeCommand(command).then(tell)}
        />
      ) : (
        <DecodePage
          model={decode}
          choose={() => choose(false)}
          bind={run => (bound.current = run as (command: Command) => boolean)}
        />
      )}
      <input
        ref={picker}
        type="file"
        multiple
        hidden
        aria-hidden="true"
        onChange={event => {
          open(event.currentTarget.files, compare.current);
          event.currentTarget.value = '';
        }}
      />
      {keys && <KeysDialog rows={keysOf(page)} page={page} onClose={() => setKeys(false)} />}
      {dropping && (
        <div class="drop" aria-hidden="true">
          <div data-drop="open">open</div>
          {page === 'trace' && runs.length > 0 && (
            <div data-drop="beside">compare with {safeText(runs[0]?.name ?? '', 60)}</div>
          )}
          {page === 'matrix' && shows && <div data-drop="beside">add to the table</div>}
        </div>
      )}
      <p class={`toast ${toast === '' ? '' : 'is-shown'}`} aria-hidden="true">
        {toast}
      </p>
      <p class="sr" role="status">
        {pages[page].said.value}
      </p>
    </>
  );
}
